"""What becomes of a chat: we are added, thrown out, blocked, or its group moves."""

import logging

from telegram import (
    Chat,
    ChatMember,
    ChatMemberAdministrator,
    ChatMemberRestricted,
    ChatMemberUpdated,
    Message,
    Update,
)
from telegram.constants import ChatMemberStatus, ChatType

from bot.chat.telegram.address import Address
from bot.errors import StoreError
from bot.ports import ChatBook

logger = logging.getLogger(__name__)

OUTSIDE = (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)


async def note(update: Update, chats: ChatBook) -> None:
    """Keep what the update says of the chat.

    What the database refuses is logged: the next message there is answered with the same news.
    """
    try:
        if update.my_chat_member:
            await _note_member(update.my_chat_member, chats)
        elif update.message:
            await _note_move(update.message, chats)
    except StoreError as error:
        logger.error("telegram: not noted: %s", error)


def new_group(update: Update) -> Address | None:
    """The group that we were just added to, if we may speak there."""
    change = update.my_chat_member
    if change is None or change.chat.type not in (ChatType.GROUP, ChatType.SUPERGROUP):
        return None
    before, now = change.old_chat_member, change.new_chat_member
    was_added = _is_outside(before) and not _is_outside(now)
    return Address(change.chat.id) if was_added and not _missing_right(now, change.chat) else None


async def _note_member(change: ChatMemberUpdated, chats: ChatBook) -> None:
    target, member = Address(change.chat.id).target, change.new_chat_member
    if not _is_outside(member):
        if missing := _missing_right(member, change.chat):
            await chats.bar(target, f"missing right: {missing}")
        else:
            await chats.revive(target)
    elif change.chat.type == ChatType.PRIVATE:
        await chats.lose(target, "the person stopped the bot; /start brings it back")
    else:
        await chats.lose(target, "the bot was removed; adding it again brings it back")


async def _note_move(message: Message, chats: ChatBook) -> None:
    old = message.migrate_from_chat_id or message.chat.id
    new = message.migrate_to_chat_id or message.chat.id
    await chats.move(Address(old).target, Address(new).target)


def _missing_right(member: ChatMember, chat: Chat) -> str:
    """Without which nothing can be said there, as Telegram's screens call it."""
    if chat.type == ChatType.CHANNEL:
        posts = isinstance(member, ChatMemberAdministrator) and member.can_post_messages
        return "" if posts else "Post Messages"
    is_mute = isinstance(member, ChatMemberRestricted) and not member.can_send_messages
    return "Send Messages" if is_mute else ""


def _is_outside(member: ChatMember) -> bool:
    out = isinstance(member, ChatMemberRestricted) and not member.is_member
    return out or member.status in OUTSIDE
