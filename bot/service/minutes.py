"""Keeping one-minute prices of our own ticks."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from bot.core.minutes import MINUTE, Minute, merge, minute_of
from bot.core.snapshot import Tick
from bot.errors import StoreError
from bot.ports import Store, Timer

logger = logging.getLogger(__name__)

MOST_KEPT = 10_000  # minutes while the store refuses: a day of seven symbols


class MinuteKeeper:
    """Gathers ticks into minutes and stores these when they are over."""

    def __init__(self, store: Store, now: Callable[[], datetime], timer: Timer) -> None:
        self._store = store
        self._now = now
        self._timer = timer
        self._parts: dict[tuple[datetime, str], Minute] = {}
        self._failing = False

    def take(self, tick: Tick) -> None:
        """Add the tick to its minute."""
        part = minute_of(tick)
        key = part.at, part.symbol
        self._parts[key] = merge(self._parts.get(key), part)

    async def run(self) -> None:
        """Store what is over, once a minute until cancelled."""
        while True:
            await self._timer.sleep(MINUTE.total_seconds())
            await self._store_until(self._now() - MINUTE)

    async def flush(self) -> None:
        """Store everything, the minutes that are not over too."""
        await self._store_until(max((one.at for one in self._parts.values()), default=self._now()))

    async def _store_until(self, newest: datetime) -> None:
        """Store the minutes that began until then; what the store refuses is kept."""
        due = [self._parts.pop(key) for key in sorted(self._parts) if key[0] <= newest]
        try:
            await self._store.add_minutes(due)
        except StoreError as error:
            self._keep(due)
            self._report(error)
        except asyncio.CancelledError:
            # Perhaps they were stored: then `ticks` counts them twice, and the prices are right.
            self._keep(due)
            raise
        else:
            self._report(None)

    def _keep(self, refused: Iterable[Minute]) -> None:
        """Put them back before what came meanwhile; the oldest go where there are too many."""
        for part in refused:
            key = part.at, part.symbol
            newer = self._parts.get(key)
            self._parts[key] = merge(part, newer) if newer else part
        for key in sorted(self._parts)[:-MOST_KEPT]:
            del self._parts[key]

    def _report(self, error: StoreError | None) -> None:
        """One line when storing begins to fail, one when it works again."""
        if error and not self._failing:
            logger.error("minutes not stored, kept for the next try: %s", error)
        if self._failing and not error:
            logger.info("minutes are stored again")
        self._failing = error is not None
