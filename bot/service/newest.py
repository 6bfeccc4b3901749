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
        self._asked: dict[str, tuple[float, asyncio.Task[Snapshot | None]]] = {}

    async def of(self, symbol: str) -> Snapshot | None:
        """The symbol's newest snapshot. Raises StoreError."""
        asked_at, task = self._asked.get(symbol, (0.0, None))
        if task and task.done() and not self._is_old(asked_at, task):
            return task.result()
        if task is None or task.done():
            task = asyncio.create_task(self._fetch(symbol))
            task.add_done_callback(_heed)
            self._asked[symbol] = self._time(), task
        # One who goes away takes the answer from nobody else.
        return await asyncio.shield(task)

    def _is_old(self, asked_at: float, task: asyncio.Task[Snapshot | None]) -> bool:
        """Failures, and that there is nothing yet, are not kept."""
        kept = not _has_failed(task) and task.result() is not None
        return not kept or self._time() - asked_at >= KEPT_SECONDS


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
