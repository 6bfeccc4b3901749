"""Waiting, but not for ever."""

import asyncio

import pytest

from bot.api.patience import within


async def test_what_need_not_wait_is_given_even_where_there_is_no_time():
    async def work():
        return 7

    assert await within(0.0, work()) == 7


async def test_what_waits_is_given_when_it_comes():
    came = asyncio.Event()

    async def work():
        await asyncio.sleep(0)
        await came.wait()
        return 7

    waiting = asyncio.create_task(within(60.0, work()))
    await asyncio.sleep(0)
    came.set()

    assert await waiting == 7


async def test_what_does_not_come_in_time_is_ended_and_told():
    ended = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(TimeoutError):
        await within(0.0, work())

    assert ended == [True]


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_errors_of_the_work_are_its_own(steps):
    async def work():
        for _ in range(steps):
            await asyncio.sleep(0)
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await within(60.0, work())


async def test_work_hears_the_errors_of_what_it_waits_for():
    failing = asyncio.get_running_loop().create_future()

    async def work():
        try:
            await failing
        except LookupError:
            return 7

    waiting = asyncio.create_task(within(60.0, work()))
    await asyncio.sleep(0)
    failing.set_exception(LookupError())

    assert await waiting == 7


async def test_whoever_is_cancelled_cancels_the_work():
    ended = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    waiting = asyncio.create_task(within(60.0, work()))
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == [True]


async def test_time_limits_within_the_work_are_its_own():
    async def work():
        async with asyncio.timeout(0.0):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await within(60.0, work())
