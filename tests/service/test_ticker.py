import asyncio

import pytest

from bot.core.snapshot import Tick
from bot.errors import NotListed, SourceError, StoreError
from bot.service.ticker import Ticker
from bot.store.memory import MemoryStore
from tests.service.builders import (
    BTC,
    NOON,
    FragileStore,
    ManualClock,
    ScriptedPrices,
    events_of,
    make_chain,
    make_snapshot,
    open_desk,
    run_virtually,
    virtual_now,
)

DOWN = SourceError("okx", "HTTP 503")


@pytest.mark.parametrize(
    ("spots", "median"),
    [
        ([80_000.0], 80_000.0),
        ([80_000.0, 80_200.0, 99_000.0], 80_200.0),
        ([80_000.0, 80_200.0], 80_100.0),
        ([80_000.0, DOWN, 80_200.0], 80_100.0),
        ([NotListed("okx", "no such coin"), 80_000.0], 80_000.0),
    ],
)
async def test_spot_is_the_median_of_the_venues_that_answer(spots, median):
    sources = [ScriptedPrices(f"venue{number}", spot) for number, spot in enumerate(spots)]

    tick = await Ticker(sources, ManualClock().now).fetch(BTC)

    assert (tick.symbol, tick.at, tick.spot) == (BTC, NOON, median)


async def test_a_tick_names_the_venues_it_rests_on():
    sources = [
        ScriptedPrices("deribit", 80_000.0),
        ScriptedPrices("okx", DOWN),
        ScriptedPrices("bybit", 80_001.0),
    ]

    assert (await Ticker(sources, ManualClock().now).fetch(BTC)).source == "deribit+bybit index"


@pytest.mark.parametrize("sources", [[], [ScriptedPrices("okx", DOWN)]])
async def test_without_a_price_there_is_no_tick(sources):
    assert await Ticker(sources, ManualClock().now).fetch(BTC) is None


async def test_the_venues_are_asked_for_the_coin():
    asked = []

    class Curious(ScriptedPrices):
        async def fetch_spot(self, underlying):
            asked.append(underlying)
            return Tick("HYPEUSDT", NOON, 40.0, "deribit")

    await Ticker([Curious()], ManualClock().now).fetch("HYPEUSDT")

    assert asked == ["HYPE"]


async def tick_for(seconds, store, prices, script):
    """What the desk tells while the script changes the price, and how often it was told of."""
    desk = await open_desk(store)
    await desk.show(make_snapshot(79_000.0, hvl=80_000.0), make_chain())
    told = []
    ticker = Ticker([prices], virtual_now)
    running = asyncio.create_task(ticker.run(desk, lambda: told.append(virtual_now())))
    for at, change in sorted(script.items()):
        await asyncio.sleep(at - (virtual_now() - NOON).total_seconds())
        change()
    await asyncio.sleep(seconds - (virtual_now() - NOON).total_seconds())
    running.cancel()
    await asyncio.wait([running])
    return running.cancelled(), told


def test_every_tick_is_judged_a_second_apart_and_a_ring_is_told():
    async def scenario():
        store, prices = MemoryStore(), ScriptedPrices(spot=79_000.0)
        script = {10.5: lambda: setattr(prices, "spot", 80_100.0)}
        return await tick_for(20, store, prices, script), await events_of(store, "crossing")

    (cancelled, told), crossings = run_virtually(scenario())

    assert cancelled
    assert [(moment - NOON).total_seconds() for moment in told] == pytest.approx([11])
    assert len(crossings) == 1


def test_a_venue_that_fails_and_a_store_that_refuses_end_nothing():
    async def scenario():
        store, prices = FragileStore(StoreError), ScriptedPrices(spot=79_000.0)
        script = {
            5.5: lambda: setattr(prices, "spot", DOWN),
            10.5: lambda: setattr(prices, "spot", 80_100.0),
            10.6: lambda: setattr(store, "refusals", 3),
        }
        return await tick_for(20, store, prices, script), await events_of(store, "crossing")

    (cancelled, told), crossings = run_virtually(scenario())

    assert cancelled
    assert len(told) == len(crossings) == 1
