import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import FastClock, SystemClock


def test_a_clock_runs_as_fast_as_it_is_told():
    elapsed = iter([100.0, 100.0, 101.5])

    clock = FastClock(60.0, monotonic=lambda: next(elapsed))
    first, second = clock.now(), clock.now()

    assert first.tzinfo is UTC
    assert second - first == timedelta(seconds=90)


def test_two_clocks_of_one_beginning_tell_one_time():
    first = FastClock(1_000.0, monotonic=lambda: 7.0)

    second = FastClock(first.speed, first.started, first.began, monotonic=lambda: 7.5)

    assert second.now() - first.now() == timedelta(seconds=500)


async def test_its_waits_are_as_much_shorter():
    clock = FastClock(1e6)
    began = clock.time()

    await clock.sleep(3_600)

    assert clock.time() - began >= 3_600


@pytest.mark.parametrize("clock", [SystemClock(), FastClock(10.0)])
async def test_time_never_runs_backwards(clock):
    before, now = clock.time(), clock.now()

    await clock.sleep(0)
    await asyncio.sleep(0)

    assert clock.time() >= before
    assert clock.now() >= now > datetime(2026, 1, 1, tzinfo=UTC)
