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


async def _note_member(change: ChatMemberUpdated, chats: ChatBook) -> None:
    target, member = Address(change.chat.id).target, change.new_chat_member
    if not _is_outside(member):
        if _may_speak(member, change.chat):
            await chats.revive(target)
    elif change.chat.type == ChatType.PRIVATE:
        await chats.lose(target, "the person stopped the bot; /start brings it back")
    else:
        await chats.lose(target, "the bot was removed; adding it again brings it back")


async def _note_move(message: Message, chats: ChatBook) -> None:
    old = message.migrate_from_chat_id or message.chat.id
    new = message.migrate_to_chat_id or message.chat.id
    await chats.move(Address(old).target, Address(new).target)


def _may_speak(member: ChatMember, chat: Chat) -> bool:
    if isinstance(member, ChatMemberRestricted):
        return member.can_send_messages
    if chat.type == ChatType.CHANNEL:
        return isinstance(member, ChatMemberAdministrator) and bool(member.can_post_messages)
    return True


def _is_outside(member: ChatMember) -> bool:
    out = isinstance(member, ChatMemberRestricted) and not member.is_member
    return out or member.status in OUTSIDE
