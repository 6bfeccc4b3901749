import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import SourceError, StoreError
from bot.service.collector import Collector
from bot.service.daemon import Daemon, poll
from bot.service.desk import Desk
from bot.service.rulebook import Rulebook
from bot.service.sources import Sources
from bot.service.ticker import Ticker
from bot.store.memory import MemoryStore
from tests.service.builders import (
    LATE_AFTER,
    NOON,
    STALE_AFTER,
    TARGET,
    FragileStore,
    ScriptedMessenger,
    ScriptedPrices,
    VirtualTimer,
    after,
    events_of,
    journal_of,
    make_book,
    make_dispatcher,
    make_rule,
    run_virtually,
    virtual_now,
)

EVERY = timedelta(seconds=30)
MONTH = timedelta(days=30)
CALL_WALL = 82_500.0


class LiveSource:
    """A venue whose chain is always of now."""

    name = "deribit"

    def __init__(self, lefts=(MONTH,)):
        self.lefts = lefts
        self.asked = []
        self.down = False
        self.rise = 0.0  # USD, of index and forwards

    async def fetch_chain(self, underlying):
        self.asked.append((underlying, (virtual_now() - NOON).total_seconds()))
        if self.down:
            raise SourceError(self.name, "HTTP 503")
        book = make_book(call_wall=CALL_WALL, lefts=self.lefts, coin=underlying, at=virtual_now())
        return replace(book, index=book.index + self.rise, forward=book.forward + self.rise)


class Program:
    """The daemon with its dispatcher, as the composition root puts them together."""

    def __init__(self, store, source, prices, symbols=("BTCUSDT",)):
        self.store = store
        self.source = source
        self.prices = prices
        self.symbols = symbols
        self.messenger = ScriptedMessenger()

    async def run(self, seconds):
        """Run that long; whether every loop ended by its cancellation."""
        rulebook = Rulebook(self.store, TARGET)
        await rulebook.reload()
        desks = [
            Desk(symbol, self.store, rulebook, STALE_AFTER, LATE_AFTER) for symbol in self.symbols
        ]
        dispatcher = make_dispatcher(self.store, self.messenger)
        collector = Collector(Sources([self.source]), [], [], virtual_now)
        ticker = Ticker([], [self.prices], virtual_now, VirtualTimer())
        daemon = Daemon(
            desks, collector, ticker, dispatcher, self.store, virtual_now, VirtualTimer(), EVERY
        )
        await daemon.open()
        work = [*daemon.loops(), daemon.keep_house(2 * MONTH, 2 * MONTH), dispatcher.run()]
        tasks = [asyncio.create_task(one) for one in work]
        await asyncio.sleep(seconds)
        still_running = [task for task in tasks if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return len(still_running) == len(tasks) and all(task.cancelled() for task in tasks)


async def crossings_of(store):
    found = await events_of(store, "crossing")
    return [
        (event["direction"], event["late"])
        for event in found
        if (event["scope"], event["level"]) == ("all_expiry", "call_resistance")
    ]


def test_every_symbol_is_collected_at_its_start_and_at_every_turn_of_the_clock():
    source = LiveSource()
    symbols = ("BTCUSDT", "ETHUSDT")

    run_virtually(Program(MemoryStore(), source, ScriptedPrices(), symbols).run(125))

    for coin in ("BTC", "ETH"):
        first, *turns = [at for asked, at in source.asked if asked == coin]
        assert first == 1
        assert turns == pytest.approx([30, 60, 90, 120], abs=0.1)


def test_an_expiry_is_collected_in_the_moment_it_comes():
    source = LiveSource(lefts=(timedelta(seconds=47), MONTH))

    run_virtually(Program(MemoryStore(), source, ScriptedPrices()).run(70))

    assert [at for _, at in source.asked][1:] == pytest.approx([30, 47, 60], abs=0.1)
    assert all(at >= 47 for _, at in source.asked[2:])


def test_a_crossing_reaches_the_terminal_within_two_seconds():
    async def scenario():
        prices, source = ScriptedPrices(spot=82_000.0), LiveSource()
        source.rise = 2_000.0
        program = Program(MemoryStore(), source, prices)
        running = asyncio.create_task(program.run(102))
        await asyncio.sleep(100)
        before = list(program.messenger.sent)
        prices.spot = 82_700.0
        ended_well = await running
        return ended_well, before, program.messenger.sent

    ended_well, before, sent = run_virtually(scenario())

    assert ended_well
    assert before == []
    assert any("crossed Call Resistance $82,500 going up" in alert.text for alert in sent)


def test_a_quiet_market_rings_nothing_and_is_never_stale():
    async def scenario():
        store = MemoryStore()
        await Program(store, LiveSource(), ScriptedPrices(spot=80_000.0)).run(3_600)
        return [entry.body for entry in await journal_of(store)]

    bodies = run_virtually(scenario())

    assert 120 <= len(bodies) <= 122
    assert set(bodies) == {None}


def test_an_outage_of_every_venue_is_told_once_and_so_is_its_end():
    async def scenario():
        store, source = MemoryStore(), LiveSource()
        program = Program(store, source, ScriptedPrices())
        running = asyncio.create_task(program.run(1_200))
        for moment, down in ((100, True), (700, False)):
            await asyncio.sleep(moment - (virtual_now() - NOON).total_seconds())
            source.down = down
        ended_well = await running
        return ended_well, await events_of(store)

    ended_well, events = run_virtually(scenario())

    assert ended_well
    stale, fresh = events
    assert (stale["event"], fresh["event"]) == ("stale", "fresh")
    assert after(90 + 180) <= stale["at"] <= after(90 + 182)
    assert after(700) <= fresh["at"] <= after(700 + 31)


def test_a_store_that_refuses_for_minutes_ends_no_loop():
    async def scenario():
        store, prices = FragileStore(StoreError), ScriptedPrices()
        program = Program(store, LiveSource(), prices)
        running = asyncio.create_task(program.run(600))
        await asyncio.sleep(100)
        store.refusals = 200
        prices.spot = 83_000.0
        return await running, await events_of(store, "delivery")

    ended_well, deliveries = run_virtually(scenario())

    assert ended_well
    assert deliveries


def test_a_restart_repeats_nothing_and_rings_late_what_happened_in_between():
    async def scenario():
        store, prices, source = MemoryStore(), ScriptedPrices(), LiveSource()
        await Program(store, source, prices).run(100)
        await asyncio.sleep(3_600)
        prices.spot, source.rise = 83_000.0, 3_000.0
        while_away = await crossings_of(store)
        again = Program(store, source, prices)
        await again.run(100)
        await Program(store, source, prices).run(100)
        return while_away, await crossings_of(store), again.messenger.sent

    while_away, crossings, sent = run_virtually(scenario())

    assert while_away == []
    assert crossings == [("up", True)]
    assert sum("crossed Call Resistance $82,500" in alert.text for alert in sent) == 1


def test_a_restart_into_an_outage_of_the_prices_swallows_no_crossing():
    async def scenario():
        store, prices = MemoryStore(), ScriptedPrices(spot=80_000.0)
        await store.add_rule(make_rule("btc 82000 cross any"))
        source = LiveSource()
        await Program(store, source, prices).run(100)
        await asyncio.sleep(3_600)
        prices.spot, source.rise = SourceError("deribit", "HTTP 503"), 3_000.0
        restarted = asyncio.create_task(Program(store, source, prices).run(100))
        await asyncio.sleep(40)
        prices.spot = 83_000.0
        await restarted
        return await events_of(store, "alert")

    assert len(run_virtually(scenario())) == 1


def test_a_venue_without_prices_lets_the_levels_be_shown_all_the_same():
    async def scenario():
        store = MemoryStore()
        prices = ScriptedPrices(spot=SourceError("deribit", "HTTP 503"))
        await Program(store, LiveSource(), prices).run(65)
        return await store.snapshot("BTCUSDT")

    assert run_virtually(scenario()).spot == 80_000.0


def test_the_house_is_kept_at_once_and_every_hour():
    calls = []

    class Counting(MemoryStore):
        async def prune(self, chains_before, all_before):
            calls.append(virtual_now() - NOON)
            assert virtual_now() - chains_before == timedelta(days=2)
            assert virtual_now() - all_before == timedelta(days=30)
            if len(calls) == 2:
                raise StoreError("busy")
            return 0

    async def scenario():
        daemon = Daemon([], None, None, None, Counting(), virtual_now, VirtualTimer(), EVERY)
        running = asyncio.create_task(daemon.keep_house(timedelta(days=2), timedelta(days=30)))
        await asyncio.sleep(3 * 3_600 + 1)
        running.cancel()
        await asyncio.wait([running])
        return running.cancelled()

    assert run_virtually(scenario())
    assert [call.total_seconds() for call in calls] == [0, 3_600, 7_200, 10_800]


def test_a_poll_goes_on_after_the_store_refused_and_says_so_once_an_outage(caplog):
    async def scenario():
        calls = []

        async def act():
            calls.append((virtual_now() - NOON).total_seconds())
            if calls[-1] != 60:
                raise StoreError("busy")

        running = asyncio.create_task(poll(30, act))
        await asyncio.sleep(100)
        running.cancel()
        await asyncio.wait([running])
        return running.cancelled(), calls

    assert run_virtually(scenario()) == (True, [0, 30, 60, 90])
    assert caplog.messages == ["busy", "busy"]
