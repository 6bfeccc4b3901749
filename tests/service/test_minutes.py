import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.minutes import Minute
from bot.core.snapshot import Tick
from bot.errors import StoreError
from bot.service import minutes
from bot.service.minutes import MinuteKeeper
from bot.store.memory import MemoryStore

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
BTC, ETH = "BTCUSDT", "ETHUSDT"


class World:
    """A clock and a timer: sleeping moves the clock; with no turns left it sleeps for ever."""

    def __init__(self, turns=0):
        self.at = NOON
        self.slept = []
        self._turns = turns

    def now(self):
        return self.at

    def time(self):
        return self.at.timestamp()

    async def sleep(self, seconds):
        if len(self.slept) == self._turns:
            raise asyncio.CancelledError
        self.slept.append(seconds)
        self.at += seconds * SECOND


class RefusingStore(MemoryStore):
    """Refuses minutes a few times; ticks may come in while it does."""

    def __init__(self, refusals, error=None, meanwhile=lambda: None):
        super().__init__()
        self.refusals = refusals
        self._error = error or StoreError("the disk is full")
        self._meanwhile = meanwhile

    async def add_minutes(self, minutes):
        if self.refusals:
            self.refusals -= 1
            self._meanwhile()
            raise self._error
        await super().add_minutes(minutes)


def tick(spot, after=0 * SECOND, symbol=BTC):
    return Tick(symbol, NOON + after, spot, "deribit index")


async def stored(store, symbol=BTC):
    return list(await store.minutes(symbol, NOON - DAY, NOON + DAY))


async def run(keeper):
    """Until the world has no turns left."""
    with pytest.raises(asyncio.CancelledError):
        await keeper.run()


async def test_minutes_that_are_over_are_stored_once_a_minute():
    store, world = MemoryStore(), World(turns=1)
    keeper = MinuteKeeper(store, world.now, world)
    for spot, after in ((10.0, 0), (12.0, 20), (9.0, 40), (11.0, 59), (20.0, 60)):
        keeper.take(tick(spot, after * SECOND))
    keeper.take(tick(3.0, symbol=ETH))

    await run(keeper)

    assert world.slept == [60.0]
    assert await stored(store) == [Minute(BTC, NOON, 10.0, 12.0, 9.0, 11.0, 4)]
    assert await stored(store, ETH) == [Minute(ETH, NOON, 3.0, 3.0, 3.0, 3.0, 1)]


async def test_flushing_stores_the_minute_that_is_not_over_too():
    store, world = MemoryStore(), World()
    keeper = MinuteKeeper(store, world.now, world)
    keeper.take(tick(10.0))
    keeper.take(tick(11.0, MINUTE))

    await keeper.flush()

    assert [one.close for one in await stored(store)] == [10.0, 11.0]


async def test_flushing_nothing_stores_nothing():
    store, world = MemoryStore(), World()

    await MinuteKeeper(store, world.now, world).flush()

    assert await stored(store) == []


async def test_a_late_tick_is_merged_to_its_minute_that_was_stored_before():
    store, world = MemoryStore(), World()
    keeper = MinuteKeeper(store, world.now, world)
    keeper.take(tick(10.0))
    await keeper.flush()

    keeper.take(tick(8.0, 59 * SECOND))
    await keeper.flush()

    assert await stored(store) == [Minute(BTC, NOON, 10.0, 10.0, 8.0, 8.0, 2)]


async def test_minutes_that_the_store_refuses_are_stored_by_the_next_try(caplog):
    caplog.set_level(logging.INFO)
    store, world = RefusingStore(refusals=2), World(turns=4)
    keeper = MinuteKeeper(store, world.now, world)
    keeper.take(tick(10.0))

    await run(keeper)

    assert await stored(store) == [Minute(BTC, NOON, 10.0, 10.0, 10.0, 10.0, 1)]
    assert [record.message for record in caplog.records] == [
        "minutes not stored, kept for the next try: the disk is full",
        "minutes are stored again",
    ]


@pytest.mark.parametrize("error", [StoreError("gone"), asyncio.CancelledError()])
async def test_ticks_that_came_while_the_store_refused_follow_what_it_refused(error):
    world = World()
    store = RefusingStore(1, error, meanwhile=lambda: keeper.take(tick(12.0, SECOND)))
    keeper = MinuteKeeper(store, world.now, world)
    keeper.take(tick(10.0))

    await asyncio.gather(keeper.flush(), return_exceptions=True)
    await keeper.flush()

    assert await stored(store) == [Minute(BTC, NOON, 10.0, 12.0, 10.0, 12.0, 2)]


async def test_a_store_that_refuses_for_long_costs_the_oldest_minutes():
    store, world = RefusingStore(1), World()
    keeper = MinuteKeeper(store, world.now, world)
    for number in range(minutes.MOST_KEPT + 3):
        keeper.take(tick(10.0 + number, number * MINUTE))
    await keeper.flush()

    await keeper.flush()

    kept = await store.minutes(BTC, NOON, NOON + 30 * DAY)
    assert [kept[0].open, len(kept)] == [13.0, minutes.MOST_KEPT]
