"""Showing a reply: as one photo with its card, as a card whose photo follows, or in place."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from telegram import Message

from bot.chat.telegram.address import Address
from bot.chat.telegram.errors import NotThere
from bot.chat.telegram.messages import Messages
from bot.chat.telegram.render import card
from bot.core.reply import Picture, Reply, with_picture
from bot.errors import BotError, MessageRefused, PermissionMissing

logger = logging.getLogger(__name__)

SOON = 0.25  # seconds that a card waits for its picture
PICTURE_WAIT = 20.0  # seconds, where the picture is the answer
PATIENCE = 0.6  # seconds until a sign is given that an answer is on its way
OLDER_PICTURE = "The picture above is an older one: no new one can be drawn now."

Drawing = asyncio.Future[Picture | None]


class Answers:
    """Says things in chats. `say` and `change` raise BotError."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._can_join = True  # whether the server makes a photo of a text; older ones do not

    async def say(self, to: Address, reply: Reply, answered: int | None = None) -> None:
        """Send the reply, below the message that it answers; its picture as soon as it is drawn."""
        async with _drawing(reply) as drawing:
            shown = await _with_picture_soon(reply, drawing)
            if await self._said_as_photo(to, shown, answered):
                return
            said = await self._messages.send_words(to, shown, answered)
            shown = shown if shown.picture else await _finished(reply, drawing)
            if shown.picture:
                await self._add_picture(to, said, shown, shown.picture)

    async def change(self, at: Address, message: Message, reply: Reply) -> None:
        """Put the reply in place of the message, or below it where Telegram cannot."""
        try:
            if (reply.picture or reply.draw) and card(reply).is_caption:
                await self._change_drawn(at, message, reply)
            elif message.photo:
                await self.say(at, reply)
            else:  # the picture of a long card is a message of its own, which stays as it is
                await self._messages.change_words(at, message, reply)
        except NotThere:
            await self.say(at, reply)

    @asynccontextmanager
    async def sign_of_life(self, to: Address) -> AsyncIterator[None]:
        """Within it, show that an answer is on its way when it takes longer than people expect."""
        waiting = asyncio.create_task(self._give_sign(to))
        try:
            yield
        finally:
            waiting.cancel()
            await asyncio.wait({waiting})

    async def _give_sign(self, to: Address) -> None:
        await asyncio.sleep(PATIENCE)
        try:
            await self._messages.give_sign(to)
        except BotError as error:
            logger.debug("no sign given in %s: %s", to.target, error)

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
        async with _drawing(reply) as drawing:
            below = shown = await _with_picture_soon(reply, drawing)
            if not drawing.done():
                await self._messages.change_words(at, message, shown)
                shown = await _finished(reply, drawing)
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


@asynccontextmanager
async def _drawing(reply: Reply) -> AsyncIterator[Drawing]:
    """The reply's picture in the making; given up when nobody waits for it any more."""
    task = asyncio.ensure_future(_draw(reply))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _draw(reply: Reply) -> Picture | None:
    """The picture; a failure is none, and is logged."""
    if reply.draw is None:
        return reply.picture
    try:
        return await reply.draw()
    except Exception:
        logger.exception("%r: no picture drawn", reply.title)
        return None


async def _with_picture_soon(reply: Reply, drawing: Drawing) -> Reply:
    """The reply with its picture, if one message can hold both and it is there in time."""
    if card(reply).is_caption:
        await asyncio.wait({drawing}, timeout=PICTURE_WAIT if reply.picture_first else SOON)
    return with_picture(reply, drawing.result()) if drawing.done() else reply


async def _finished(reply: Reply, drawing: Drawing) -> Reply:
    """The reply with its picture, or without it where it takes too long."""
    await asyncio.wait({drawing}, timeout=PICTURE_WAIT)
    return with_picture(reply, drawing.result() if drawing.done() else None)
