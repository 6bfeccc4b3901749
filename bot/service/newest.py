"""The newest snapshots, read once for everyone who asks at about the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from bot.core.snapshot import Snapshot

KEPT_SECONDS = 0.5

Fetch = Callable[[str], Coroutine[Any, Any, Snapshot | None]]
T = TypeVar("T")


class Newest:
    """The newest snapshot of each symbol, half a second old at most."""

    def __init__(self, fetch: Fetch, time: Callable[[], float]) -> None:
        self._fetch = fetch
        self._time = time  # never runs backwards
        self._known: dict[str, tuple[float, Snapshot]] = {}  # and when it was asked for
        self._asking: dict[str, asyncio.Task[Snapshot | None]] = {}

    async def of(self, symbol: str) -> Snapshot | None:
        """The symbol's newest snapshot. Raises StoreError."""
        known = self._known.get(symbol)
        if known and self._time() - known[0] < KEPT_SECONDS:
            return known[1]
        task = self._asking.get(symbol)
        if task is None:
            task = self._asking[symbol] = asyncio.create_task(self._ask(symbol))
            task.add_done_callback(_heed)
        # One who goes away takes the answer from nobody else.
        return await asyncio.shield(task)

    async def _ask(self, symbol: str) -> Snapshot | None:
        """What the store has; failures, and that there is nothing yet, are not kept."""
        asked_at = self._time()
        try:
            found = await self._fetch(symbol)
        finally:
            del self._asking[symbol]
        if found:
            self._known[symbol] = asked_at, found
        return found


class OfNewest(Generic[T]):
    """What is computed of a snapshot, once however many ask; of each symbol the last is kept."""

    def __init__(self, compute: Callable[[Snapshot], Coroutine[Any, Any, T]]) -> None:
        self._compute = compute
        self._made: dict[str, tuple[str, asyncio.Task[T]]] = {}  # of the snapshot with that id

    async def of(self, snapshot: Snapshot) -> T:
        """What the snapshot gives. Raises what computing it raises, which is not kept."""
        identity, task = self._made.get(snapshot.symbol, ("", None))
        if task is None or identity != snapshot.id or (task.done() and _has_failed(task)):
            task = asyncio.create_task(self._compute(snapshot))
            task.add_done_callback(_heed)
            self._made[snapshot.symbol] = snapshot.id, task
        return await asyncio.shield(task)


def _has_failed(task: asyncio.Task[T]) -> bool:
    return task.cancelled() or task.exception() is not None


def _heed(task: asyncio.Task[T]) -> None:
    """Take note of a failure, should nobody be left who waits for it."""
    if not task.cancelled():
        task.exception()
