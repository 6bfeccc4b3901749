"""How many requests somebody has left this minute, in all processes together."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bot.api.schema import RateLimit
from bot.api.soon import heed
from bot.core.quota import Drawn, enough, minute_of, reset_at

# Where nobody counts. It must be an integer, and not 0 or -1, which make a careful client wait; a
# round one, which nobody takes for a limit that someone chose, and which 32 bits hold.
UNLIMITED = 1_000_000_000

Draw = Callable[[str, int, int, int], Coroutine[Any, Any, Drawn]]  # ports.Store.draw_requests
DrawSome = Callable[[int], Coroutine[Any, Any, Drawn]]  # of one purse


@dataclass(frozen=True, slots=True)
class Share:
    """What a request may do, and what it is told of that."""

    limit: RateLimit
    allowed: bool = True


@dataclass(slots=True)
class Purse:
    """What this process has of somebody's minute, and knows of the rest."""

    left: int  # for every process, when the store was last asked
    held: int = 0  # drawn here and not used yet
    waiting: int = 0
    drawing: asyncio.Task[None] | None = None

    def pay(self) -> bool:
        """Use one; False when there is none."""
        if not self.held:
            return False
        self.held -= 1
        return True

    def put(self, drawn: Drawn) -> None:
        """Add what was drawn; what is left never grows, whatever became of the store's count."""
        self.held += drawn.taken
        self.left = min(self.left - drawn.taken, drawn.left)


class Quotas:
    """Counts requests by the minute; the counts are the store's.

    Each process draws a part of what is left and uses it without asking again. All of them
    together never allow more than the limit; they refuse when it is used up but for the unused
    part that each other process may hold, 1/64 of the limit at most. Limits below 128 are drawn
    singly, as is the end of every limit: they are exact. One draw serves, or fails, all who wait
    for it.

    The minute is by this process's clock. One that is ahead opens the next minute early, for all:
    what others still ask in theirs is counted there. Clocks more than a minute apart count each
    for itself.
    """

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._minute = 0
        self._purses: dict[str, Purse] = {}

    async def take(self, identity: str, per_minute: int, now: float) -> Share:
        """Count a request of whoever has this identity; a refused one is not counted.

        now is in seconds since 1970. Raises StoreError.
        """
        minute = minute_of(now)
        purse = self._purse(identity, per_minute, minute)
        if not purse.held and purse.left:
            await self._fill(purse, lambda count: self._draw(identity, minute, count, per_minute))
        paid = purse.pay()  # nobody came between: nothing was awaited since
        return Share(_limit(purse, per_minute, now), allowed=paid)

    def left(self, identity: str, per_minute: int, now: float) -> Share:
        """What whoever has this identity may still ask, as far as this process knows."""
        purse = self._purse(identity, per_minute, minute_of(now))
        return Share(_limit(purse, per_minute, now))

    def _purse(self, identity: str, per_minute: int, minute: int) -> Purse:
        if minute != self._minute:
            self._minute, self._purses = minute, {}
        return self._purses.get(identity) or self._purses.setdefault(identity, Purse(per_minute))

    async def _fill(self, purse: Purse, draw: DrawSome) -> None:
        """Wait until something was drawn, or nothing is left. Raises StoreError."""
        purse.waiting += 1
        try:
            while not purse.held and purse.left:
                # One who goes away takes it from nobody else.
                await asyncio.shield(purse.drawing or _begin(purse, draw))
        finally:
            purse.waiting -= 1


def _begin(purse: Purse, draw: DrawSome) -> asyncio.Task[None]:
    """The draw for all who wait by the time that it begins."""

    async def put() -> None:
        purse.put(await draw(enough(purse.waiting, purse.left)))

    def end(task: asyncio.Task[None]) -> None:
        purse.drawing = None
        heed(task)

    purse.drawing = task = asyncio.create_task(put())
    task.add_done_callback(end)
    return task


def _limit(purse: Purse, per_minute: int, now: float) -> RateLimit:
    return RateLimit(per_minute, purse.held + purse.left, reset_at(now))


def unlimited(now: float) -> Share:
    """As much as anyone can ask."""
    return _flat(UNLIMITED, reset_at(now))


def nothing(now: float) -> Share:
    """What someone without a key has."""
    return _flat(0, reset_at(now))


@lru_cache(4)  # two in a minute, and every request asks for one of them
def _flat(count: int, reset: int) -> Share:
    return Share(RateLimit(count, count, reset), allowed=count > 0)
