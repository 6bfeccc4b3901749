import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import StoreError
from bot.service.ticker import Ticker
from bot.service.ticks import LIVE, TickKeeper, TickReader
from bot.store.memory import MemoryStore
from tests.service.builders import (
    BTC,
    NOON,
    ManualClock,
    VirtualTimer,
    make_tick,
    run_virtually,
    virtual_now,
)

ETH = "ETHUSDT"
TICK, OTHER = make_tick(80_000.0), make_tick(3_000.0, symbol=ETH)


class TickStore(MemoryStore):
    """Remembers what was written; refuses as often as it is told to, or hangs."""

    def __init__(self, refusals=0, meanwhile=lambda: None):
        super().__init__()
        self.refusals = refusals
        self.written = []
        self.answers = asyncio.Event()
        self.answers.set()
        self._meanwhile = meanwhile

    async def put_ticks(self, ticks):
        await self._obey()
        self.written.append(list(ticks))
        await super().put_ticks(ticks)

    async def newest_ticks(self):
        await self._obey()
        return await super().newest_ticks()

    async def _obey(self):
        await self.answers.wait()
        if self.refusals:
            self.refusals -= 1
            self._meanwhile()
            raise StoreError("the disk is full")


async def test_of_each_symbol_the_newest_tick_alone_is_stored():
    store = TickStore()
    keeper = TickKeeper(store)
    for tick in (TICK, OTHER, replace(TICK, spot=80_001.0)):
        keeper.take(tick)

    await keeper.store()

    assert store.written == [[replace(TICK, spot=80_001.0), OTHER]]


async def test_only_what_is_new_is_stored_and_nothing_when_nothing_is():
    store = TickStore()
    keeper = TickKeeper(store)
    keeper.take(TICK)
    keeper.take(OTHER)
    await keeper.store()
    keeper.take(later := make_tick(80_000.0, 1))

    await keeper.store()
    await keeper.store()

    assert store.written == [[TICK, OTHER], [later]]


async def test_what_the_store_refuses_is_stored_later_unless_there_is_a_newer(caplog):
    caplog.set_level(logging.INFO)
    newer = make_tick(80_001.0, 1)
    store = TickStore(refusals=3, meanwhile=lambda: keeper.take(newer))
    keeper = TickKeeper(store)
    keeper.take(TICK)
    keeper.take(OTHER)

    for _ in range(6):
        await keeper.store()

    assert store.written == [[newer, OTHER]]
    assert [record.message for record in caplog.records] == [
        "prices not told to other processes: the disk is full",
        "prices are told again",
    ]


def test_ticks_are_judged_while_the_store_hangs():
    assert run_virtually(judged_beside_a_store_that_hangs()) == [80_000.0, 80_100.0, 80_200.0]


async def judged_beside_a_store_that_hangs():
    store = TickStore()
    store.answers.clear()
    keeper, desk = TickKeeper(store), Judge()
    ticker = Ticker([venue := Venue()], [], virtual_now, VirtualTimer(), [keeper.take])
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop) for loop in ticker.loops([desk], lambda: None)]
        await asyncio.sleep(1)
        venue.push(80_000.0)
        await asyncio.sleep(5)  # of one venue alone the price counts when it has lasted
        venue.push(80_000.0)
        tasks.append(group.create_task(keeper.store()))
        for spot in (80_100.0, 80_200.0):
            await asyncio.sleep(1)
            venue.push(spot)
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
    return [tick.spot for tick in desk.judged]


class Venue:
    """A stream that says what the test pushes."""

    name = "deribit"

    async def run(self, coins, take):
        self._take = take
        await asyncio.Event().wait()

    def push(self, spot):
        self._take(replace(TICK, at=virtual_now(), spot=spot, source=self.name))


class Judge:
    """A desk that remembers what it judged."""

    symbol, tick = BTC, None

    def __init__(self):
        self.judged = []

    async def judge(self, tick):
        self.judged.append(tick)
        return False


async def test_a_process_that_does_not_collect_knows_what_was_read_last():
    store, clock = TickStore(), ManualClock()
    reader = TickReader(store, clock.now)
    unread = reader.newest(BTC)
    await store.put_ticks([TICK])

    await reader.read()

    assert unread is None
    assert reader.newest(BTC) == TICK
    assert reader.newest(ETH) is None


@pytest.mark.parametrize("way", [1, -1])
async def test_a_tick_of_long_ago_is_no_live_price_even_where_a_clock_was_set_back(way):
    store, clock = TickStore(), ManualClock(NOON)
    reader = TickReader(store, clock.now)
    await store.put_ticks([replace(TICK, at=NOON - way * LIVE)])
    await store.put_ticks([replace(OTHER, at=NOON - way * (LIVE + timedelta(microseconds=1)))])

    await reader.read()

    assert reader.newest(BTC) is not None
    assert reader.newest(ETH) is None


async def test_a_store_that_cannot_be_read_leaves_what_is_known_to_grow_old(caplog):
    caplog.set_level(logging.INFO)
    store, clock = TickStore(), ManualClock()
    reader = TickReader(store, clock.now)
    await store.put_ticks([TICK])
    await reader.read()
    store.refusals = 3
    for _ in range(3):
        await reader.read()
    during = reader.newest(BTC)
    clock.wait(60)

    later = reader.newest(BTC)
    await reader.read()

    assert during == TICK
    assert later is None
    assert [record.message for record in caplog.records] == [
        "no prices of the process that collects: the disk is full",
        "prices again",
    ]
