"""What an update asks: the line that someone typed, where, and who they are there."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram import Chat, Message, Update, User
from telegram.constants import ChatType

from bot.chat.telegram.address import Address
from bot.chat.telegram.render import plain

COMMAND = re.compile(r"/(\w+)(?:@(\w+))?(?=\s|$)")
OLD = timedelta(minutes=2)  # a command that waited so long is answered no more


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, in which chat."""

    chat: Chat
    address: Address
    user: int  # 0: nobody in particular, as in a channel's posts
    runs_chat: bool  # known without asking Telegram

    @property
    def is_shared(self) -> bool:
        """Whether others read along."""
        return self.chat.type != ChatType.PRIVATE

    @property
    def person(self) -> str:
        """Where they are reached alone; those who speak as the chat are reached in it."""
        return Address(self.user).target if self.user else self.address.target

    @property
    def place(self) -> str:
        """The chat's name for people."""
        return self.chat.effective_name or ""


def asker_of(message: Message, pressed_by: User | None = None) -> Asker:
    """Who wrote the message, or who pressed a button on it."""
    address = address_of(message)
    if pressed_by:
        private = message.chat.type == ChatType.PRIVATE
        return Asker(message.chat, address, pressed_by.id, private)
    speaker = message.sender_chat
    if speaker:  # a channel's post, an anonymous administrator, or someone behind their channel
        own = speaker.id == message.chat.id
        return Asker(message.chat, address, 0 if own else speaker.id, own)
    user = message.from_user.id if message.from_user else 0
    return Asker(message.chat, address, user, message.chat.type == ChatType.PRIVATE)


def address_of(message: Message) -> Address:
    """The chat, and the topic where there is a real one: replies have threads of their own."""
    is_topic = message.is_topic_message and message.chat.type != ChatType.PRIVATE
    return Address(message.chat.id, message.message_thread_id if is_topic else None)


def text_of(message: Message) -> str:
    """What the speaker typed there; nothing of what was sent on, as our own cards are."""
    if message.via_bot or message.forward_origin or message.is_automatic_forward:
        return ""
    return plain(message.text or "")


def line_of(message: Message, username: str) -> str | None:
    """The command that the message holds; None when it is not for us.

    In private every text is one, elsewhere only what begins with a slash and names no other bot.
    """
    text = text_of(message)
    found = COMMAND.match(text)
    if found and (found[2] or username).lower() != username.lower():
        return None
    return text if found or message.chat.type == ChatType.PRIVATE else None


def names_us(line: str) -> bool:
    """Whether the line says by name that it is for us, as in /levels@gammabell."""
    found = COMMAND.match(line)
    return bool(found and found[2])


def is_old(message: Message, now: datetime) -> bool:
    """Whether nobody waits for the answer any more."""
    return now - message.date > OLD


def is_about_chat(update: Update) -> bool:
    """Whether the update says what became of a chat: none of those may be lost."""
    message = update.message
    moved = message and (message.migrate_to_chat_id or message.migrate_from_chat_id)
    return bool(update.my_chat_member or moved)
