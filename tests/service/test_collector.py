import asyncio
from datetime import timedelta

import pytest

from bot.core.snapshot import Candle
from bot.errors import NothingHeard, NotListed, SourceError
from bot.service.collector import Collector
from bot.service.sources import Sources
from bot.store.memory import MemoryStore
from tests.service.builders import (
    BTC,
    LATE_AFTER,
    NOON,
    STALE_AFTER,
    ManualClock,
    ScriptedCandles,
    ScriptedPrices,
    ScriptedSource,
    after,
    events_of,
    make_book,
    make_tick,
    open_desk,
    run_virtually,
)

CANDLES = [Candle(NOON, 1.0, 2.0, 0.5, 1.5, 10.0)]


def make_collector(clock, *venues, candles=(), perpetuals=()):
    return Collector(Sources(venues), candles, perpetuals, clock.now)


def book_at(seconds, venue="deribit", **fields):
    return make_book(venue=venue, at=after(seconds), **fields)


def deribit(*answers):
    return ScriptedSource("deribit", *(answers or [make_book()]))


async def look(collector, tick=None, exchanges=None):
    looked = await collector.look(BTC, lambda: tick, STALE_AFTER, exchanges)
    return looked[0] if looked else None


async def test_the_spot_is_the_newest_tick_while_it_is_half_an_hour_old_at_most():
    clock = ManualClock(after(1_800))
    collector = make_collector(clock, deribit(book_at(1_800)))

    young = await look(collector, make_tick(81_234.0))
    clock.wait(0.001)
    old = await look(collector, make_tick(81_234.0))

    assert [young.spot, old.spot] == [81_234.0, 80_000.0]


async def test_without_a_tick_the_spot_is_the_median_over_the_venues_of_their_index():
    venues = [
        ScriptedSource(name, make_book(venue=name, scale=scale))
        for name, scale in (("deribit", 1.0), ("derive", 1.1), ("okx", 3.0))
    ]

    snapshot = await look(make_collector(ManualClock(), *venues))

    assert snapshot.spot == pytest.approx(88_000.0)


async def test_the_tick_is_read_after_the_venues_have_answered():
    ticks = [make_tick(70_000.0)]

    class Slow(ScriptedSource):
        async def fetch_chain(self, underlying):
            ticks[0] = make_tick(81_000.0)
            return await super().fetch_chain(underlying)

    collector = make_collector(ManualClock(), Slow("deribit", make_book()))

    snapshot, _ = await collector.look(BTC, lambda: ticks[0], STALE_AFTER)

    assert snapshot.spot == 81_000.0


async def test_the_perpetual_is_the_median_of_those_that_answer():
    perpetuals = [ScriptedPrices(perp=price) for price in (80_100.0, 80_300.0, 99_000.0)]
    perpetuals.append(ScriptedPrices(perp=SourceError("okx", "down")))

    collector = make_collector(ManualClock(), deribit(), perpetuals=perpetuals)

    assert (await look(collector)).perps_price == 80_300.0


async def test_without_a_perpetual_its_price_is_none():
    perpetuals = [ScriptedPrices(perp=NotListed("okx", "no such coin"))]

    collector = make_collector(ManualClock(), deribit(), perpetuals=perpetuals)

    assert (await look(collector)).perps_price is None


@pytest.mark.parametrize(
    ("candles", "shown"),
    [
        ([ScriptedCandles(CANDLES)], tuple(CANDLES)),
        ([ScriptedCandles(SourceError("binance", "HTTP 451"))], ()),
        ([], ()),
    ],
)
async def test_a_snapshot_goes_without_candles_that_cannot_be_had(candles, shown):
    snapshot = await look(make_collector(ManualClock(), deribit(), candles=candles))

    assert snapshot.candles == shown


async def test_a_venue_filter_filters_rows_and_leaves_the_spot_alone():
    venues = [
        ScriptedSource("deribit", make_book()),
        ScriptedSource("derive", make_book(venue="derive", scale=1.1)),
    ]
    collector = make_collector(ManualClock(), *venues)

    everyone, one = await look(collector), await look(collector, exchanges=["derive"])

    assert [source.venue for source in one.sources] == ["derive"]
    assert one.spot == everyone.spot


async def test_a_filter_that_leaves_no_row_gives_no_snapshot():
    with pytest.raises(NothingHeard, match="no row of okx"):
        await look(make_collector(ManualClock(), deribit()), exchanges=["okx"])


async def test_without_any_venue_there_is_no_snapshot():
    collector = make_collector(ManualClock(), deribit(SourceError("deribit", "HTTP 503")))

    with pytest.raises(NothingHeard, match="deribit: HTTP 503"):
        await look(collector, make_tick(80_000.0))


async def test_a_cycle_shows_its_snapshot_and_stores_it_with_its_chain():
    store = MemoryStore()
    desk = await open_desk(store)

    assert await make_collector(ManualClock(), deribit()).collect(desk)

    assert await store.snapshot(BTC) == desk.snapshot
    assert len(await store.chain(desk.snapshot)) == len(make_book())


async def test_the_snapshot_says_who_was_left_out_and_why():
    venues = (deribit(), ScriptedSource("okx", SourceError("okx", "HTTP 503")))

    snapshot = await look(make_collector(ManualClock(), *venues))

    assert snapshot.left_out == {"okx": "HTTP 503"}
    assert not snapshot.stale


async def test_stale_data_is_never_shown_as_new_and_is_reported_once():
    store, clock = MemoryStore(), ManualClock()
    desk = await open_desk(store)
    collector = make_collector(clock, deribit(make_book(), SourceError("deribit", "HTTP 503")))
    await collector.collect(desk)
    shown = desk.snapshot

    stored = []
    for _ in range(3):
        clock.wait(181)
        stored.append(await collector.collect(desk))

    assert stored == [True, False, False]
    assert desk.snapshot is shown
    assert [event["event"] for event in await events_of(store)] == ["stale"]


async def test_the_first_cycle_after_an_outage_is_fresh_again():
    store, clock = MemoryStore(), ManualClock()
    desk = await open_desk(store)
    outage = SourceError("deribit", "HTTP 503")
    collector = make_collector(clock, deribit(make_book(), outage, book_at(600)))
    for seconds in (0, 300, 600):
        clock.advance(after(seconds))
        await collector.collect(desk)

    assert [event["event"] for event in await events_of(store)] == ["stale", "fresh"]


async def test_a_cycle_that_finds_the_data_stale_stores_how_far_the_replay_is():
    store, clock = MemoryStore(), ManualClock()
    desk = await open_desk(store)
    collector = make_collector(clock, deribit(make_book(), SourceError("deribit", "HTTP 503")))
    await collector.collect(desk, "first")

    clock.wait(181)
    await collector.collect(desk, "second")

    assert await store.position() == "second"


async def test_an_outage_of_one_venue_of_two_never_makes_the_symbol_stale():
    store, clock = MemoryStore(), ManualClock()
    desk = await open_desk(store)
    answers = [book_at(30 * cycle) for cycle in range(12)]
    okx = ScriptedSource("okx", make_book(venue="okx"), SourceError("okx", "HTTP 503"))
    collector = make_collector(clock, deribit(*answers), okx)

    for cycle in range(12):
        await collector.collect(desk)
        for _ in range(30):
            clock.wait(1)
            await desk.judge(make_tick(80_000.0, (clock.now() - NOON).total_seconds()))
        assert (clock.now() - NOON).total_seconds() == 30 * (cycle + 1)

    assert await events_of(store, "stale", "fresh") == []


async def test_a_venue_that_fails_slowly_leaves_the_sources_when_its_chain_is_stale():
    clock = ManualClock()

    class TimingOut(ScriptedSource):
        async def fetch_chain(self, underlying):
            clock.wait(10 if len(self.answers) == 1 else 0)
            return await super().fetch_chain(underlying)

    okx = TimingOut("okx", make_book(venue="okx"), SourceError("okx", "timed out"))
    collector = make_collector(clock, deribit(make_book(), book_at(175)), okx)
    await look(collector)
    clock.wait(175)

    snapshot = await look(collector)

    assert all(snapshot.at - source.at <= STALE_AFTER for source in snapshot.sources)


async def test_what_an_earlier_run_stored_serves_after_a_restart():
    store, clock = MemoryStore(), ManualClock()
    okx = ScriptedSource("okx", make_book(venue="okx"))
    await make_collector(clock, deribit(), okx).collect(await open_desk(store))

    desk = await open_desk(store, late_after=LATE_AFTER)
    clock.wait(60)
    down = ScriptedSource("okx", SourceError("okx", "HTTP 503"))
    restarted = make_collector(clock, deribit(book_at(60)), down)
    restarted.recall(desk.chain)
    await restarted.collect(desk)

    ages = {source.venue: desk.snapshot.at - source.at for source in desk.snapshot.sources}
    assert ages == {"deribit": timedelta(0), "okx": timedelta(seconds=60)}


class Silent:
    """Never answers."""

    async def fetch_perpetual(self, underlying):
        await asyncio.Event().wait()

    async def fetch_candles(self, symbol):
        await asyncio.Event().wait()


def test_a_snapshot_does_not_wait_for_prices_and_candles_that_do_not_come():
    async def scenario():
        perpetuals = [Silent(), ScriptedPrices(perp=80_100.0)]
        collector = make_collector(
            ManualClock(), deribit(), candles=[Silent()], perpetuals=perpetuals
        )
        first = await look(collector)
        began = asyncio.get_running_loop().time()
        await look(collector)
        return first, asyncio.get_running_loop().time() - began

    snapshot, waited = run_virtually(scenario())

    assert (snapshot.perps_price, snapshot.candles) == (80_100.0, ())
    assert waited < 1
