"""What was made once for everyone who asks for the same."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The values that were asked for last, each made once; what failed is made again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ready: OrderedDict[Hashable, T] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._ready)

    def get(self, key: Hashable) -> T | None:
        """The value, if it is there already."""
        value = self._ready.get(key)
        if value is not None:
            self._ready.move_to_end(key)
        return value

    def put(self, key: Hashable, value: T) -> T:
        """Keep the value; the one that was asked for longest ago goes."""
        self._ready[key] = value
        if len(self._ready) > self._most:
            self._ready.popitem(last=False)
        return value

    async def of(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The value, made now unless it is there or being made. Raises what `make` raises."""
        value = self.get(key)
        if value is not None:
            return value
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(make())
            task.add_done_callback(lambda done: self._made(key, done))
        # One who goes away takes the value from nobody else.
        return await asyncio.shield(task)

    def _made(self, key: Hashable, task: asyncio.Task[T]) -> None:
        del self._making[key]
        if not task.cancelled() and task.exception() is None:
            self.put(key, task.result())
