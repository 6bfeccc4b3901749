"""Showing a reply: as one photo with its card, as a card whose photo follows, or in place."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from telegram import Message

from bot.chat.drawing import LONGEST, Drawing, drawing
from bot.chat.telegram.address import Address
from bot.chat.telegram.errors import NotThere
from bot.chat.telegram.messages import Messages
from bot.chat.telegram.render import card
from bot.chat.telegram.room import Room
from bot.chat.telegram.tasks import meanwhile
from bot.core.reply import File, Picture, Reply
from bot.errors import BotError, MessageRefused, PermissionMissing

logger = logging.getLogger(__name__)

SOON = 0.25  # seconds that a card waits for its picture
PATIENCE = 0.6  # seconds until a sign is given that an answer is on its way
SIGN_SECONDS = 5.0  # that Telegram shows it
OLDER_PICTURE = "The picture above is an older one: no new one can be drawn now."


class Answers:
    """Says things in chats. `say` and `change` raise BotError."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._signs = Room(1)
        self._can_join = True  # whether the server makes a photo of a text; older ones do not

    async def say(self, to: Address, reply: Reply, answered: int | None = None) -> None:
        """Send the reply, below the message that it answers; its picture as soon as it is drawn."""
        if reply.file:
            await self._say_with_file(to, reply, reply.file, answered)
            return
        async with drawing(reply) as work:
            shown = await _with_picture_soon(reply, work)
            if await self._said_as_photo(to, shown, answered):
                return
            said = await self._messages.send_words(to, shown, answered)
            shown = await work.finished()
            if shown.picture:
                await self._add_picture(to, said, shown, shown.picture)

    async def change(self, at: Address, message: Message, reply: Reply) -> None:
        """Put the reply in place of the message, or below it where Telegram cannot.

        A file always goes below: those that were asked for before stay where they are.
        """
        if reply.file:
            await self.say(at, reply)
            return
        try:
            if (reply.picture or reply.draw) and card(reply).is_caption:
                await self._change_drawn(at, message, reply)
            elif message.photo:
                await self.say(at, reply)
            else:  # the picture of a long card is a message of its own, which stays as it is
                await self._messages.change_words(at, message, reply)
        except NotThere:
            await self.say(at, reply)

    def sign_of_life(self, to: Address) -> AbstractAsyncContextManager[None]:
        """Within it, show that an answer is on its way when it takes longer than people expect."""
        return meanwhile(self._give_sign(to))

    async def _give_sign(self, to: Address) -> None:
        """One for all that a chat waits for: Telegram counts them, too."""
        await asyncio.sleep(PATIENCE)
        with self._signs.enter(to.target) as is_first:
            if not is_first:
                return
            try:
                await self._messages.give_sign(to)
            except BotError as error:
                logger.debug("no sign given in %s: %s", to.target, error)
            await asyncio.sleep(SIGN_SECONDS)

    async def _say_with_file(
        self, to: Address, reply: Reply, file: File, answered: int | None
    ) -> None:
        """The file with the card below it, or after the card where that is too long."""
        shown = reply
        if not card(reply).is_caption:
            await self._messages.send_words(to, reply, answered)
            shown = Reply(reply.title)
        try:
            await self._messages.send_file(to, shown, file, answered)
        except PermissionMissing:  # perhaps of files alone
            if shown is reply:
                await self._messages.send_words(to, reply, answered)

    async def _said_as_photo(self, to: Address, reply: Reply, answered: int | None) -> bool:
        """Whether it could be sent as one message."""
        if not reply.picture or not card(reply).is_caption:
            return False
        try:
            await self._messages.send_photo(to, reply, reply.picture, answered)
        except PermissionMissing:  # perhaps of photos alone
            return False
        return True

    async def _add_picture(
        self, to: Address, said: Message, reply: Reply, picture: Picture
    ) -> None:
        """Make the card a photo with it, or send the photo below where the card is too long."""
        try:
            if not (card(reply).is_caption and await self._joined(to, said, reply, picture)):
                await self._messages.send_photo(to, Reply(reply.title), picture)
        except (PermissionMissing, NotThere) as error:
            logger.info("no picture in %s: %s", to.target, error)

    async def _change_drawn(self, at: Address, message: Message, reply: Reply) -> None:
        """Words and picture in place, the words first when the picture takes long."""
        async with drawing(reply) as work:
            below = shown = await _with_picture_soon(reply, work)
            if not work.is_done:
                await self._messages.change_words(at, message, shown)
                shown = await work.finished()
                below = Reply(shown.title)
            if shown.picture:
                if not await self._joined(at, message, shown, shown.picture):
                    await self._messages.send_photo(at, below, shown.picture)
            else:
                older = (*shown.lines, OLDER_PICTURE) if message.photo else shown.lines
                await self._messages.change_words(at, message, replace(shown, lines=older))

    async def _joined(self, at: Address, message: Message, reply: Reply, picture: Picture) -> bool:
        """Whether the picture is in the message now; not every server puts one into a text."""
        if not (message.photo or self._can_join):
            return False
        try:
            await self._messages.change_photo(at, message, reply, picture)
        except NotThere:
            raise
        except MessageRefused:
            self._can_join = self._can_join and bool(message.photo)
            return False
        return True


async def _with_picture_soon(reply: Reply, work: Drawing) -> Reply:
    """The reply with its picture, if one message can hold both and it is there in time."""
    if not card(reply).is_caption:
        return reply
    return await work.soon(LONGEST if reply.picture_first else SOON)
