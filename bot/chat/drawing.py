"""A reply whose picture is still being drawn: its words need not wait for it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.core.reply import Picture, Reply, with_picture
from bot.errors import BotError

logger = logging.getLogger(__name__)

LONGEST = 20.0  # seconds after which a reply does without


class Drawing:
    """The reply, with its picture as soon as there is one."""

    def __init__(self, reply: Reply, picture: asyncio.Future[Picture | None]) -> None:
        self._reply = reply
        self._picture = picture

    @property
    def is_done(self) -> bool:
        """Whether it is known what the picture is."""
        return self._picture.done()

    async def soon(self, seconds: float) -> Reply:
        """The reply with its picture if that is there in time; else its words."""
        await asyncio.wait({self._picture}, timeout=seconds)
        return await self.finished() if self.is_done else replace(self._reply, draw=None)

    async def finished(self) -> Reply:
        """The reply with its picture, or without one where it fails or takes too long."""
        await asyncio.wait({self._picture}, timeout=LONGEST)
        return with_picture(self._reply, self._picture.result() if self.is_done else None)


@asynccontextmanager
async def drawing(reply: Reply) -> AsyncIterator[Drawing]:
    """The drawing of the reply's picture; given up when nobody waits for it any more."""
    picture = asyncio.ensure_future(_drawn(reply))
    try:
        yield Drawing(reply, picture)
    finally:
        picture.cancel()
        await asyncio.wait({picture})


async def _drawn(reply: Reply) -> Picture | None:
    """The picture; a failure is none, and is logged: the card says it all."""
    try:
        return await reply.draw() if reply.draw else reply.picture
    except BotError as error:
        logger.warning("%r: no picture: %s", reply.title, error)
    except Exception:
        logger.exception("%r: no picture, through a mistake of ours", reply.title)
    return None
