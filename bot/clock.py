"""Clocks that run: the system's, and one that makes a simulated market's time fly."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The system's time and waits."""

    def now(self) -> datetime:
        """The system's time, UTC."""
        return datetime.now(UTC)

    def time(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        await asyncio.sleep(seconds)


class FastClock:
    """Starts at the system's time and runs so many times as fast; its waits are as much shorter.

    Another process that is given `started` and `began` has the same time.
    """

    def __init__(
        self,
        speed: float,
        started: datetime | None = None,
        began: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.speed = speed
        self.started = started or datetime.now(UTC)
        self.began = monotonic() if began is None else began  # the same on the whole machine
        self._monotonic = monotonic

    def now(self) -> datetime:
        """The system's time at the start, and what has gone by since."""
        return self.started + timedelta(seconds=self.time())

    def time(self) -> float:
        """Seconds since the start."""
        return self.speed * (self._monotonic() - self.began)

    async def sleep(self, seconds: float) -> None:
        """Wait until so much of this clock's time has gone by."""
        await asyncio.sleep(seconds / self.speed)
