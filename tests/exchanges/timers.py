"""A clock and its waits, moved by the test or by whoever sleeps."""

import asyncio
from datetime import datetime, timedelta

from tests.exchanges.wires import NOW


class ManualTimer:
    """Time that passes when someone sleeps, and at once."""

    def __init__(self, start: datetime = NOW) -> None:
        self._start = start
        self.passed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.passed)

    def time(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0)
