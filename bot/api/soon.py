"""Questions to the store that are answered soon, or not at all."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from bot.errors import StoreError

# A store that works answers within milliseconds, and after a pause of its own within a second or
# two; clients and people wait some five to ten, and had better be told before.
STORE_SECONDS = 2.5

P = ParamSpec("P")
T = TypeVar("T")


def soon(
    ask: Callable[P, Coroutine[Any, Any, T]], seconds: float = STORE_SECONDS
) -> Callable[P, Coroutine[Any, Any, T]]:
    """The same question; whoever asks it waits so long and no longer. Raises StoreError."""

    async def asked(*args: P.args, **named: P.kwargs) -> T:
        asking = asyncio.create_task(ask(*args, **named))
        asking.add_done_callback(heed)
        try:
            done, _ = await asyncio.wait({asking}, timeout=seconds)
        finally:
            asking.cancel()  # nobody waits for that: a connection that hangs takes its time to end
        if not done:
            raise StoreError(f"the database has not answered for {seconds:g} s")
        return asking.result()

    return asked


def heed(task: asyncio.Task[Any]) -> None:
    """Take note of a failure, should nobody be left who waits for it."""
    if not task.cancelled():
        task.exception()
