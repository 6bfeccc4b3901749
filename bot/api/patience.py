"""Waiting, but not for ever; what need not wait pays nothing for that."""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives. Raises TimeoutError, what the work raises.

    Most requests are answered from what is in memory and never wait, and a timer costs them as
    much as all the rest: it is set when something is waited for first.
    """
    try:
        first = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    async with asyncio.timeout(seconds):
        return await _rest(work, first)


@coroutine
def _rest(work: Coroutine[Any, Any, T], waits_for: object) -> Generator[Any, Any, T]:
    """What begun work gives, which now waits for that. Wakes and cancellations are handed on."""
    while True:
        thrown: BaseException | None = None
        try:
            yield waits_for
        except BaseException as error:  # noqa: BLE001  the work decides what becomes of it
            thrown = error
        try:
            waits_for = work.throw(thrown) if thrown else work.send(None)
        except StopIteration as done:
            result: T = done.value
            return result
