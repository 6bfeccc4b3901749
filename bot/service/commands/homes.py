"""Whose settings a command changes, who may, and what we lack there."""

from bot.core.chats import Chat, right_to_manage
from bot.core.reply import Action, Command
from bot.errors import UserError
from bot.service.chats import Chats

WHERE = {
    "discord": "in this channel's settings under Permissions",
    "telegram": "in this chat's settings under Administrators",
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
    missing = ", ".join(command.lacks)
    where = WHERE.get(command.target.partition(":")[0], "there")
    return (f"I cannot ring here: missing {missing}. Give it to me {where}, then try a test ring.",)


async def settle_in(chats: Chats, command: Command, **fields: object) -> Chat:
    """The home with these fields; it keeps its name and who asked, and is taken up if it rested."""
    if command.is_shared and command.may_manage:
        fields["owner"] = command.person
        fields |= {"title": command.place} if command.place else {}
    if command.home == command.target and not command.lacks:
        fields |= REACHED
    return await chats.change(command.home, **fields)
