"""Whose settings a command changes, who may, and what we lack there."""

from dataclasses import replace

from bot.core.chats import Chat
from bot.core.places import platform_of
from bot.core.reply import Action, Command
from bot.errors import UserError
from bot.service.chats import Change, Chats

TEST_RING = Action("Test ring", "setup test")


def require_manager(command: Command) -> None:
    """Raises UserError where others decide what the chat gets."""
    if not command.decides:
        right = platform_of(command.target).manager
        raise UserError(f"only who has {right} here may do that; ask one of them")


def whose_lines(command: Command) -> tuple[str, ...]:
    """That it concerns their own chat, where they may not decide for this one."""
    if command.home == command.target:
        return ()
    right = platform_of(command.target).manager
    return (f"This is about your own chat with me: here only who has {right} may decide.",)


def lacking_lines(command: Command) -> tuple[str, ...]:
    """Which rights we need there and have not, and where they are given."""
    if not command.lacks:
        return ()
    return (" ".join([f"I cannot ring here: {lack_text(command)}.", *mending_lines(command)]),)


def lack_text(command: Command) -> str:
    """Why nothing can ring there: missing Send Messages."""
    platform = platform_of(command.target)
    if platform.absence in command.lacks:
        return platform.absent
    return f"missing {', '.join(command.lacks)}"


def mending_lines(command: Command) -> tuple[str, ...]:
    """What a person can do about it."""
    if not command.lacks:
        return ()
    platform = platform_of(command.target)
    if platform.absence in command.lacks:
        return ("Whoever manages it can add me.",)
    given = "that right" if len(command.lacks) == 1 else "those rights"
    return (f"Give me {given} {platform.given}, then try setup again.",)


def trial(command: Command) -> tuple[Action, ...]:
    """The button of a test, where rings can arrive."""
    return () if command.lacks else (TEST_RING,)


async def settle_in(chats: Chats, command: Command, change: Change = lambda chat: chat) -> Chat:
    """The changed home; it keeps its name and who asked, and is taken up if it rested."""

    def settled(chat: Chat) -> Chat:
        chat = change(chat)
        if not (command.is_shared and command.may_manage):
            return chat
        return replace(chat, owner=command.person, title=command.place or chat.title)

    chat = await chats.change(command.home, settled)
    if chat.state == "active" or command.home != command.target or command.lacks:
        return chat
    return await chats.reached(command.home)
