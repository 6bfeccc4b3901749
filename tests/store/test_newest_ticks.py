"""What every store promises of the newest ticks, and the pages of other processes hear of them."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.api.live import Live
from bot.api.pages import Place
from bot.core.snapshot import Tick
from bot.service.ticks import LIVE, TickKeeper, TickReader
from tests.api.serving import served
from tests.store.values import BTC, DAY, ETH, NOON, SECOND

PATIENCE = 30.0  # seconds, for what takes a moment
TICK = Tick(BTC, NOON + timedelta(microseconds=1), 80_000.123456789, "bybit+deribit index")
OTHER = replace(TICK, symbol=ETH, spot=3e-9)


def by_symbol(ticks):
    return {tick.symbol: tick for tick in ticks}


async def test_ticks_are_read_back_equal_in_another_process(store, other):
    await store.put_ticks([TICK, OTHER])

    assert by_symbol(await other.newest_ticks()) == {BTC: TICK, ETH: OTHER}


async def test_a_symbol_has_one_tick_the_last_and_others_keep_theirs(store, other):
    await store.put_ticks([TICK, OTHER])
    later = replace(TICK, at=NOON + SECOND, spot=80_001.0, source="okx index")

    await store.put_ticks([later])
    found = await other.newest_ticks()

    assert len(found) == 2
    assert by_symbol(found) == {BTC: later, ETH: OTHER}


async def test_no_ticks_are_no_trouble(store):
    await store.put_ticks([])

    assert list(await store.newest_ticks()) == []


async def test_pruning_leaves_the_newest_ticks_and_counts_none(store):
    await store.put_ticks([TICK])

    deleted = await store.prune(NOON + 9 * DAY, NOON + 9 * DAY)

    assert deleted == 0
    assert list(await store.newest_ticks()) == [TICK]


async def test_a_time_without_a_zone_is_refused_and_nothing_is_stored(store):
    with pytest.raises(Exception, match="time zone"):
        await store.put_ticks([TICK, replace(OTHER, at=datetime(2026, 3, 2))])  # noqa: DTZ001 the point

    assert list(await store.newest_ticks()) == []


async def test_two_processes_that_store_at_once_both_succeed(store, other):
    ticks = [[replace(TICK, spot=1.0 + n), replace(OTHER, spot=1.0 + n)] for n in range(10)]

    await asyncio.gather(
        *(
            (store, other)[n % 2].put_ticks(some[:: 1 if n % 3 else -1])
            for n, some in enumerate(ticks)
        )
    )

    assert by_symbol(await store.newest_ticks()).keys() == {BTC, ETH}


class Elsewhere:
    """The page of a process that does not collect, over a store that another writes."""

    def __init__(self, writes, reads):
        self.at = NOON
        self.keeper = TickKeeper(writes)
        self.reader = TickReader(reads, lambda: self.at)
        self.live = Live(reads.journal, self.reader.newest, (BTC, ETH))

    async def pass_on(self):
        """What both do every second."""
        await self.keeper.store()
        await self.reader.read()
        self.live.tell_prices()

    def page(self, store):
        return served(store, places={"/events": Place(self.live.open)})


async def next_event(content):
    """The name and data of the next one."""
    async with asyncio.timeout(PATIENCE):
        name = (await content.readuntil(b"\ndata: ")).rpartition(b"event: ")[2]
        return name.partition(b"\n")[0].decode(), json.loads(await content.readuntil(b"\n\n"))


async def test_a_page_hears_what_another_process_collects(store, other):
    elsewhere = Elsewhere(store, other)
    async with (
        elsewhere.page(other) as client,
        client.session.get(f"{client.address}/events") as response,
    ):
        hello, _ = await next_event(response.content)
        elsewhere.keeper.take(TICK)
        elsewhere.keeper.take(replace(TICK, spot=80_002.0))
        await elsewhere.pass_on()
        first = await next_event(response.content)
        elsewhere.keeper.take(OTHER)
        await elsewhere.pass_on()
        second = await next_event(response.content)

    assert hello == "hello"
    at = "2026-03-02T12:00:00.000001Z"
    assert first == ("spot", {"symbol": BTC, "spot": 80_002.0, "at": at})
    assert second == ("spot", {"symbol": ETH, "spot": 3e-9, "at": at})


async def test_what_was_heard_last_is_no_live_price_once_the_collector_is_gone(store, other):
    elsewhere = Elsewhere(store, other)
    elsewhere.keeper.take(TICK)
    await elsewhere.pass_on()
    elsewhere.at = NOON + LIVE + SECOND
    await elsewhere.pass_on()

    async with (
        elsewhere.page(other) as client,
        client.session.get(f"{client.address}/events") as response,
    ):
        names = [(await next_event(response.content))[0]]
        again = replace(TICK, at=elsewhere.at, spot=81_000.0)  # the collector is back
        elsewhere.keeper.take(again)
        await elsewhere.pass_on()
        name, told = await next_event(response.content)

    assert [*names, name] == ["hello", "spot"]
    assert told["spot"] == 81_000.0
