"""The newest snapshots, read once for everyone who asks at about the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bot.core.snapshot import Snapshot

KEPT_SECONDS = 0.5

Fetch = Callable[[str], Coroutine[Any, Any, Snapshot | None]]


class Newest:
    """The newest snapshot of each symbol, half a second old at most."""

    def __init__(self, fetch: Fetch, time: Callable[[], float]) -> None:
        self._fetch = fetch
        self._time = time  # never runs backwards
        self._asked: dict[str, tuple[float, asyncio.Task[Snapshot | None]]] = {}

    async def of(self, symbol: str) -> Snapshot | None:
        """The symbol's newest snapshot. Raises StoreError."""
        asked_at, task = self._asked.get(symbol, (0.0, None))
        if task is None or (task.done() and self._is_old(asked_at, task)):
            task = asyncio.create_task(self._fetch(symbol))
            task.add_done_callback(_heed)
            self._asked[symbol] = self._time(), task
        # One who goes away takes the answer from nobody else.
        return await asyncio.shield(task)

    def _is_old(self, asked_at: float, task: asyncio.Task[Snapshot | None]) -> bool:
        """Failures, and that there is nothing yet, are not kept."""
        failed = task.cancelled() or task.exception() is not None
        return failed or task.result() is None or self._time() - asked_at >= KEPT_SECONDS


def _heed(task: asyncio.Task[Snapshot | None]) -> None:
    """Take note of a failure, should nobody be left who waits for it."""
    if not task.cancelled():
        task.exception()
