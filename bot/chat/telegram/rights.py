"""Who may decide what a chat gets, and what the bot itself may do there: asked each time."""

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import Bot, Chat, ChatMember, ChatMemberAdministrator, ChatMemberRestricted
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest

from bot.chat.telegram.incoming import Asker

MANAGERS = (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
UNSEEN = "be an administrator, to see who else is one"
OUTSIDE = (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)


@dataclass(frozen=True, slots=True)
class Standing:
    """What someone may do in a shared chat, and what we may not."""

    manages: bool
    lacks: tuple[str, ...]  # as Telegram's screens call it


async def standing(bot: Bot, asker: Asker) -> Standing:
    """Theirs and ours right now. Raises TelegramError.

    That a topic is closed cannot be asked for: the sends say it.
    """
    try:
        manages = asker.runs_chat or await _manages(bot, asker.chat, asker.user)
        return Standing(manages, await _lacking(bot, asker.chat))
    except BadRequest:  # a group may hide its members from who is no administrator
        return Standing(asker.runs_chat, (UNSEEN,))


async def _manages(bot: Bot, chat: Chat, user: int) -> bool:
    member = await bot.get_chat_member(chat.id, user)
    return member.status in MANAGERS


async def _lacking(bot: Bot, chat: Chat) -> tuple[str, ...]:
    member = await bot.get_chat_member(chat.id, bot.id)
    if member.status in OUTSIDE:
        return ("be a member of this chat",)
    if chat.type == ChatType.CHANNEL:
        return _lacking_in_channel(member)
    if isinstance(member, ChatMemberAdministrator):
        return ()
    return await _lacking_in_group(bot, chat, member)


def _lacking_in_channel(member: ChatMember) -> tuple[str, ...]:
    posts = isinstance(member, ChatMemberAdministrator) and member.can_post_messages
    return () if posts else ("Post Messages",)


async def _lacking_in_group(bot: Bot, chat: Chat, member: ChatMember) -> tuple[str, ...]:
    """What is forbidden to the bot, or to every member of the group."""
    everyone = (await bot.get_chat(chat.id)).permissions
    own = member if isinstance(member, ChatMemberRestricted) else None
    words = [p.can_send_messages for p in (everyone, own) if p is not None]
    photos = [p.can_send_photos for p in (everyone, own) if p is not None]
    named: Sequence[tuple[str, Sequence[bool | None]]] = (
        ("Send Messages", words),
        ("Send Photos", photos),
    )
    return tuple(name for name, given in named if False in given)
