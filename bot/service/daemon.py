"""The live program's loops: collect, tick, deliver, keep house."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta

from bot.core.schedule import next_collect
from bot.core.snapshot import Snapshot
from bot.errors import StoreError
from bot.ports import Store, Timer
from bot.service.collector import Collector
from bot.service.desk import Desk
from bot.service.dispatcher import Dispatcher
from bot.service.ticker import Ticker

logger = logging.getLogger(__name__)

HOUSEKEEPING_SECONDS = 3_600.0
START_SECONDS = 1.0
EXPIRY_GRACE = timedelta(milliseconds=50)  # a row expires at its time, not before


class Daemon:
    """Keeps the desks of its symbols up to date, each in loops of its own."""

    def __init__(  # noqa: PLR0913 - plain parts, joined in app.py
        self,
        desks: Sequence[Desk],
        collector: Collector,
        ticker: Ticker,
        dispatcher: Dispatcher,
        store: Store,
        now: Callable[[], datetime],
        timer: Timer,
        every: timedelta,
        *,
        shown: Callable[[Snapshot], None] = lambda _: None,
    ) -> None:
        self._desks = desks
        self._collector = collector
        self._ticker = ticker
        self._dispatcher = dispatcher
        self._store = store
        self._now = now
        self._timer = timer
        self._every = every
        self._shown = shown  # told of every new snapshot, once it is stored

    def loops(self) -> list[Coroutine[object, object, object]]:
        """Collecting, a loop each a symbol, and everything that ticks need."""
        ticking = self._ticker.loops(self._desks, self._dispatcher.nudge)
        return [*map(self._collect, self._desks), *ticking]

    async def open(self) -> None:
        """Read every desk's state."""
        for desk in self._desks:
            await desk.open()
            if desk.chain is not None:
                self._collector.recall(desk.chain)

    async def take_sides(self) -> None:
        """Know on which side spot is of what was just asked for."""
        for desk in self._desks:
            try:
                await desk.take_sides(self._now())
            except StoreError as error:
                logger.error("%s: the side of new rules waits for a tick: %s", desk.symbol, error)

    async def keep_house(self, keep_chains: timedelta, keep: timedelta) -> None:
        """Delete what is older than it need be, now and every hour."""
        while True:
            now = self._now()
            try:
                deleted = await self._store.prune(now - keep_chains, now - keep)
                logger.info("housekeeping: %d rows deleted", deleted)
            except StoreError as error:
                logger.error("housekeeping: %s", error)
            await self._timer.sleep(HOUSEKEEPING_SECONDS)

    async def _collect(self, desk: Desk) -> None:
        # After the first tick, which judges what happened before; all at once, as every later
        # cycle: one answer of a venue may serve several symbols.
        await self._timer.sleep(START_SECONDS)
        while True:
            try:
                if await self._collector.collect(desk):
                    self._dispatcher.nudge()
                    self._tell(desk.snapshot)
            except StoreError as error:
                logger.error("%s not stored, the cycle is repeated: %s", desk.symbol, error)
            await self._sleep_until_due(desk)

    def _tell(self, snapshot: Snapshot | None) -> None:
        if snapshot:
            self._shown(snapshot)

    async def _sleep_until_due(self, desk: Desk) -> None:
        expiries = set(desk.chain.expiry.tolist()) if desk.chain is not None else set()
        now = self._now()
        due = next_collect(now, expiries, self._every) + EXPIRY_GRACE
        await self._timer.sleep((due - now).total_seconds())


async def poll(every_seconds: float, act: Callable[[], Awaitable[object]]) -> None:
    """Do it again and again, until cancelled; the log says once what fails in a row."""
    said = ""
    while True:
        try:
            await act()
            said = ""
        except StoreError as error:
            if str(error) != said:
                logger.error("%s", error)
            said = str(error)
        await asyncio.sleep(every_seconds)
