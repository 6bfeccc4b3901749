"""Whose settings a command changes, who may, and what we lack there."""

from bot.core.chats import Chat, right_to_manage
from bot.core.reply import Action, Command
from bot.errors import UserError
from bot.service.chats import Chats

WHERE = {
    "discord": "in this channel's settings under Permissions",
    "telegram": "in this chat's settings under Administrators",
}
ABSENT = {  # what is lacking where we are not at all
    "Add to Server": "I am not on this server",
    "be a member of this chat": "I am not in this chat",
}
REACHED = {"state": "active", "trouble": "", "since": None}
TEST_RING = Action("Test ring", "setup test")


def require_manager(command: Command) -> None:
    """Raises UserError where others decide what the chat gets."""
    if not command.may_manage:
        right = right_to_manage(command.target)
        raise UserError(f"only who has {right} here may do that; ask one of them")


def whose_lines(command: Command) -> tuple[str, ...]:
    """That it concerns their own chat, where they may not decide for this one."""
    if command.home == command.target:
        return ()
    right = right_to_manage(command.target)
    return (f"This is about your own chat with me: here only who has {right} may decide.",)


def lacking_lines(command: Command) -> tuple[str, ...]:
    """Which rights we need there and have not, and where they are given."""
    if not command.lacks:
        return ()
    return (" ".join([f"I cannot ring here: {lack_text(command)}.", *mending_lines(command)]),)


def lack_text(command: Command) -> str:
    """Why nothing can ring there: missing Send Messages."""
    absent = [ABSENT[lack] for lack in command.lacks if lack in ABSENT]
    return absent[0] if absent else f"missing {', '.join(command.lacks)}"


def mending_lines(command: Command) -> tuple[str, ...]:
    """What a person can do about it."""
    if not command.lacks:
        return ()
    if not ABSENT.keys().isdisjoint(command.lacks):
        return ("Whoever manages it can add me.",)
    given = "that right" if len(command.lacks) == 1 else "those rights"
    where = WHERE.get(command.target.partition(":")[0], "there")
    return (f"Give me {given} {where}, then try setup again.",)


def trial(command: Command) -> tuple[Action, ...]:
    """The button of a test, where rings can arrive."""
    return () if command.lacks else (TEST_RING,)


async def settle_in(chats: Chats, command: Command, **fields: object) -> Chat:
    """The home with these fields; it keeps its name and who asked, and is taken up if it rested."""
    if command.is_shared and command.may_manage:
        fields["owner"] = command.person
        fields |= {"title": command.place} if command.place else {}
    if command.home == command.target and not command.lacks:
        fields |= REACHED
    return await chats.change(command.home, **fields)
