"""A venue's WebSocket: connects, keeps alive, hands on prices, and comes back when it is lost."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import random as chance
from urllib.parse import urlsplit

import aiohttp

from bot.core.retry import retry_delay
from bot.core.snapshot import Tick
from bot.exchanges.feed import Feed
from bot.ports import Timer

logger = logging.getLogger(__name__)

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0  # that a venue has to answer our goodbye
AT_ONCE, PAUSE = 8, 0.4  # of a greeting, and seconds: Deribit allows 10, then 3.3 a second
SILENCE = 20.0  # seconds without a price: the connection is worth nothing
STEADY = 60.0  # seconds of prices that make up for earlier failures
LONGEST_BACK_OFF = 15.0  # seconds
BLOCKED_SECONDS = 1_800.0  # HTTP 403 and 451: by country, which does not heal soon
LIMITED_SECONDS = 60.0  # HTTP 418 and 429 that do not say for how long
LONGEST_BAN = 259_200.0  # seconds: the longest that a venue documents, three days
LARGEST_MESSAGE = 1 << 20  # bytes
TIMEOUT = aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS)

Take = Callable[[Tick], None]


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a connection ended or none came about, and how long to stay away at least."""

    reason: str
    seconds: float = 0.0


class Stream:
    """One venue's index prices as it pushes them."""

    def __init__(
        self,
        name: str,
        session: aiohttp.ClientSession,
        address: str,
        feed: Callable[[Sequence[str]], Feed],
        timer: Timer,
        random: Callable[[], float] = chance,
    ) -> None:
        self.name = name
        self.live_since: datetime | None = None  # the stamp of the connection's first price
        self.trouble = ""  # why it is not live
        self._session = session
        self._address = address  # scheme and host; with a path of its own it is used as it stands
        self._feed = feed
        self._timer = timer
        self._random = random
        self._first = self._newest = 0.0  # of the connection's prices, by the timer
        self._is_lost = False  # as far as the log tells

    async def run(self, coins: Sequence[str], take: Take) -> None:
        """Hand over every index price of the coins until cancelled; reconnects by itself."""
        attempts = 0
        while True:
            lost = await self._talk(self._feed(coins), take)
            if self._was_steady():
                attempts = 0
            self._note_lost(lost)
            await self._timer.sleep(back_off(attempts, lost.seconds, self._random()))
            attempts += 1

    async def _talk(self, feed: Feed, take: Take) -> Lost:
        """One connection from its opening to its end, and why it ended."""
        try:
            socket = await self._open(feed)
            try:
                self._first = self._newest = self._timer.time()
                reading = self._read(socket, feed, take)
                return Lost(await first_of(reading, self._ping(socket, feed), self._watch()))
            finally:
                await socket.close()
        except aiohttp.WSServerHandshakeError as error:
            after = error.headers.get("Retry-After", "") if error.headers else ""
            return Lost(f"refused with HTTP {error.status}", banned_seconds(error.status, after))
        except (aiohttp.ClientError, OSError) as error:
            return Lost(f"not connected: {error}")

    async def _open(self, feed: Feed) -> aiohttp.ClientWebSocketResponse:
        """The connection. Raises ClientError."""
        address = address_of(self._address, feed)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                return await self._session.ws_connect(
                    address, timeout=TIMEOUT, max_msg_size=LARGEST_MESSAGE
                )
        except TimeoutError as error:
            raise aiohttp.ClientError(f"not open within {OPEN_SECONDS:g} s") from error

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, feed: Feed, take: Take) -> str:
        """Say the greeting, hand on what is pushed; why it came to an end."""
        for number, text in enumerate(feed.greeting()):
            if number >= AT_ONCE:
                await self._timer.sleep(PAUSE)
            await socket.send_str(text)
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            pushed = feed.read(message.data)
            for tick in pushed.ticks:
                take(tick)
            if pushed.ticks:
                self._note_live(pushed.ticks[0])
            for text in pushed.replies:
                await socket.send_str(text)
        return f"closed with code {socket.close_code}"

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse, feed: Feed) -> str:
        """Say what the venue wants to hear now and then, until cancelled."""
        while True:
            await self._timer.sleep(feed.ping_every)
            text = feed.ping()
            if text is not None:
                await socket.send_str(text)

    async def _watch(self) -> str:
        """Wait until no price has come for too long."""
        while (left := self._newest + SILENCE - self._timer.time()) > 0:
            await self._timer.sleep(left)
        return f"no price for {SILENCE:g} s"

    def _note_live(self, tick: Tick) -> None:
        self._newest = self._timer.time()
        if self.live_since is None:
            self.live_since, self.trouble = tick.at, ""
            self._first = self._newest
        # A venue that drops every connection after its first prices must not fill the log.
        if self._is_lost and self._was_steady():
            self._is_lost = False
            logger.info("%s: stream live again since %s", self.name, self.live_since)

    def _note_lost(self, lost: Lost) -> None:
        self.live_since, self.trouble = None, lost.reason
        self._first = self._newest
        if not self._is_lost:
            self._is_lost = True
            logger.warning("%s: stream lost: %s", self.name, lost.reason)

    def _was_steady(self) -> bool:
        return self._newest - self._first >= STEADY


def address_of(address: str, feed: Feed) -> str:
    """Where the feed is spoken."""
    return address if urlsplit(address).path.strip("/") else address.rstrip("/") + feed.path


def banned_seconds(status: int, retry_after: str) -> float:
    """How long a venue that refused with this HTTP status must not be bothered again."""
    if status in (403, 451):
        return BLOCKED_SECONDS
    if status not in (418, 429):
        return 0.0
    return min(float(retry_after), LONGEST_BAN) if retry_after.isdecimal() else LIMITED_SECONDS


def back_off(attempts: int, at_least: float, random: float) -> float:
    """Seconds until the next attempt, `random` of [0, 1) of the latter half of them by chance."""
    seconds = min(retry_delay(attempts).total_seconds(), LONGEST_BACK_OFF)
    return max(seconds * (1 + random) / 2, at_least)


async def first_of(*work: Coroutine[object, object, str]) -> str:
    """The result of whichever ends first; the others are cancelled."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
