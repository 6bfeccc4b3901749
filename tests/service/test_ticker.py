import asyncio
import logging
from datetime import timedelta

import pytest

from bot.core.snapshot import Tick
from bot.core.symbols import coin_of, symbol_of
from bot.errors import NotListed, SourceError, StoreError
from bot.service.ticker import LONGEST_QUEUE, Ticker
from bot.store.memory import MemoryStore
from tests.service.builders import (
    BTC,
    NOON,
    FragileStore,
    ManualClock,
    after,
    events_of,
    make_chain,
    make_snapshot,
    make_tick,
    open_desk,
    run_virtually,
    virtual_now,
)

DOWN = SourceError("okx", "HTTP 503")
UNLISTED = NotListed("okx", "no such coin")


class LoopTimer:
    """The running loop's time."""

    def time(self):
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


class AskedVenue:
    """A venue that answers with the price or the error of the moment, and remembers when."""

    def __init__(self, name="okx", spot=80_000.0, now=virtual_now):
        self.name = name
        self.spot = spot
        self.seconds = 0.0  # until it answers
        self.age = timedelta(0)  # of its answers, by their stamps
        self.asked = []
        self.now = now

    async def fetch_spot(self, underlying):
        self.asked.append((underlying, (self.now() - NOON).total_seconds()))
        await asyncio.sleep(self.seconds)
        if isinstance(self.spot, SourceError):
            raise self.spot
        return Tick(symbol_of(underlying), self.now() - self.age, self.spot, self.name)

    async def fetch_perpetual(self, underlying):
        raise DOWN

    @property
    def times(self):
        return [seconds for _, seconds in self.asked]


class PushingVenue:
    """A venue's stream: the test says when and what."""

    def __init__(self, name="bybit"):
        self.name = name
        self.coins = None
        self._take = None

    async def run(self, coins, take):
        self.coins, self._take = coins, take
        await asyncio.Event().wait()

    def push(self, spot, symbol=BTC, age=0.0):
        self._take(Tick(symbol, virtual_now() - timedelta(seconds=age), spot, self.name))


class Judge:
    """A desk that remembers what it judged."""

    def __init__(self, symbol=BTC, tick=None):
        self.symbol = symbol
        self.tick = tick
        self.judged = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def judge(self, tick):
        await self.may_go_on.wait()
        self.judged.append(tick)
        return False

    @property
    def spots(self):
        return [tick.spot for tick in self.judged]


def nothing():
    """What is done about a tick that was stored."""


class Running:
    """A ticker at work; the test goes on when it is cancelled."""

    def __init__(self, desks, streams=(), sources=(), stored=nothing, listeners=()):
        self.ticker = Ticker(streams, sources, virtual_now, LoopTimer(), listeners)
        self._loops = self.ticker.loops(desks, stored)

    async def __aenter__(self):
        self._tasks = [asyncio.create_task(loop) for loop in self._loops]
        await asyncio.sleep(0)
        return self.ticker

    async def __aexit__(self, *trouble):
        alive = [task for task in self._tasks if not task.done()]
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        assert len(alive) == len(self._tasks)


async def until(seconds):
    await asyncio.sleep(seconds - (virtual_now() - NOON).total_seconds())


async def settle():
    """Let everything happen that can happen now."""
    await asyncio.sleep(0.001)


def look_at(*sources):
    clock = ManualClock()
    for source in sources:
        source.now = clock.now
    return Ticker([], sources, clock.now, LoopTimer())


async def test_a_look_at_two_venues_that_disagree_gives_no_price_that_nobody_quoted():
    sources = [AskedVenue("deribit", 45_000.0), AskedVenue("okx", 90_300.0)]

    assert await look_at(*sources).fetch(BTC) is None


@pytest.mark.parametrize(
    ("spots", "median"),
    [
        ([80_000.0], 80_000.0),
        ([80_000.0, 80_200.0, 99_000.0], 80_100.0),
        ([80_000.0, 80_200.0], 80_100.0),
        ([80_000.0, DOWN, 80_200.0], 80_100.0),
        ([UNLISTED, 80_000.0], 80_000.0),
    ],
)
async def test_a_look_gives_the_median_of_the_venues_that_agree(spots, median):
    sources = [AskedVenue(f"venue{number}", spot) for number, spot in enumerate(spots)]

    tick = await look_at(*sources).fetch(BTC)

    assert (tick.symbol, tick.at, tick.spot) == (BTC, NOON, median)


async def test_a_look_names_the_venues_it_rests_on():
    sources = AskedVenue("deribit"), AskedVenue("okx", DOWN), AskedVenue("bybit")

    assert (await look_at(*sources).fetch(BTC)).source == "bybit+deribit index"


async def test_a_look_passes_over_a_price_of_long_ago():
    stale = AskedVenue("okx", 70_000.0)
    stale.age = timedelta(minutes=10)

    assert (await look_at(stale, AskedVenue("bybit")).fetch(BTC)).spot == 80_000.0


@pytest.mark.parametrize("sources", [[], [AskedVenue("okx", DOWN)]])
async def test_a_look_without_a_price_gives_no_tick(sources):
    assert await look_at(*sources).fetch(BTC) is None


async def test_a_look_asks_for_the_coin():
    venue = AskedVenue()

    await look_at(venue).fetch("HYPEUSDT")

    assert venue.asked == [("HYPE", 0.0)]


def test_a_look_does_not_wait_for_a_venue_that_hangs():
    async def scenario():
        hung = AskedVenue("bybit")
        hung.seconds = 60
        tick = await Ticker([], [hung, AskedVenue()], virtual_now, LoopTimer()).fetch(BTC)
        return tick, virtual_now()

    tick, now = run_virtually(scenario())

    assert (tick.source, now) == ("okx index", after(2))


def test_a_pushed_print_is_judged_in_the_moment_it_comes():
    async def scenario():
        stream, desk = PushingVenue(), Judge(tick=make_tick(80_000.0))
        async with Running([desk], [stream]) as ticker:
            await until(5.25)
            stream.push(80_100.0)
            await settle()
            return stream.coins, desk.judged, ticker.newest(BTC)

    coins, judged, newest = run_virtually(scenario())

    assert coins == ["BTC"]
    assert judged == [newest] == [Tick(BTC, after(5.25), 80_100.0, "bybit index")]


def test_a_desk_that_is_busy_gets_every_tick_in_its_order():
    async def scenario():
        stream, desk = PushingVenue(), Judge(tick=make_tick(80_000.0))
        async with Running([desk], [stream]):
            desk.may_go_on.clear()
            for step in range(50):
                stream.push(80_000.0 + step)
                await settle()
            desk.may_go_on.set()
            await settle()
            return desk.spots

    assert run_virtually(scenario()) == [80_000.0 + step for step in range(50)]


def test_a_desk_that_stays_busy_loses_the_oldest_ticks():
    async def scenario():
        stream, desk = PushingVenue(), Judge(tick=make_tick(80_000.0))
        async with Running([desk], [stream]):
            desk.may_go_on.clear()
            for step in range(LONGEST_QUEUE + 100):
                stream.push(80_000.0 + step / 10)
            desk.may_go_on.set()
            await settle()
            return desk.spots

    assert run_virtually(scenario()) == [80_000.0 + step / 10 for step in range(100, 1_100)]


def test_a_desk_that_is_busy_holds_up_no_other():
    async def scenario():
        stream = PushingVenue()
        busy, free = Judge(tick=make_tick(80_000.0)), Judge("ETHUSDT")
        busy.may_go_on.clear()
        async with Running([busy, free], [stream, PushingVenue("okx")]):
            stream.push(80_000.0)
            for _ in range(3):
                stream.push(2_000.0, "ETHUSDT")
                await asyncio.sleep(1)
            return busy.spots, free.spots

    assert run_virtually(scenario()) == ([], [2_000.0])


def test_the_same_price_again_is_judged_once_a_second():
    async def scenario():
        stream, desk = PushingVenue(), Judge(tick=make_tick(80_000.0))
        async with Running([desk], [stream]) as ticker:
            for tenth in range(25):
                await until(tenth / 10)
                stream.push(80_000.0)
            await settle()
            return desk.judged, ticker.newest(BTC)

    judged, newest = run_virtually(scenario())

    assert [tick.at for tick in judged] == [after(seconds) for seconds in (0, 1, 2)]
    assert newest.at == after(2.4)


def test_a_bad_print_is_not_judged():
    async def scenario():
        stream, desk = PushingVenue(), Judge(tick=make_tick(80_000.0))
        async with Running([desk], [stream]):
            for spot in (80_000.0, 99_000.0, 80_001.0):
                stream.push(spot)
                await settle()
            return desk.spots

    assert run_virtually(scenario()) == [80_000.0, 80_001.0]


def test_the_last_runs_price_is_known_before_the_first_print():
    async def scenario():
        async with Running([Judge(tick=make_tick(80_000.0)), Judge("ETHUSDT")]) as ticker:
            return [ticker.newest(symbol) for symbol in (BTC, "ETHUSDT", "SOLUSDT")]

    assert run_virtually(scenario()) == [make_tick(80_000.0), None, None]


def test_a_symbol_that_nobody_asked_for_is_passed_over():
    async def scenario():
        stream, desk = PushingVenue(), Judge()
        async with Running([desk], [stream]) as ticker:
            stream.push(2.0, "XRPUSDT")
            await settle()
            return desk.judged, ticker.newest("XRPUSDT"), ticker.state()

    assert run_virtually(scenario()) == ([], None, {})


def test_listeners_hear_what_is_judged():
    async def scenario():
        stream, desk, heard = PushingVenue(), Judge(tick=make_tick(80_000.0)), []
        async with Running([desk], [stream], listeners=[heard.append]):
            for spot in (80_000.0, 99_000.0, 80_000.0, 80_001.0):
                stream.push(spot)
            await settle()
            return heard, desk.judged

    heard, judged = run_virtually(scenario())

    assert heard == judged
    assert [tick.spot for tick in heard] == [80_000.0, 80_001.0]


def test_the_age_of_each_venues_newest_print_is_told():
    async def scenario():
        streams = PushingVenue("okx"), PushingVenue("bybit")
        async with Running([Judge(), Judge("ETHUSDT")], streams) as ticker:
            streams[0].push(80_000.0, age=1)
            streams[0].push(2_000.0, "ETHUSDT", age=3)
            await until(2)
            streams[1].push(80_000.0)
            await until(4.5)
            return ticker.state()

    assert list(run_virtually(scenario()).items()) == [
        ("bybit", timedelta(seconds=2.5)),
        ("okx", timedelta(seconds=5.5)),
    ]


def test_a_venue_without_a_stream_is_asked_every_second_for_every_coin():
    async def scenario():
        venue, desks = AskedVenue(), [Judge(), Judge("ETHUSDT")]
        async with Running(desks, sources=[venue]):
            await until(3.5)
        return venue.asked

    assert run_virtually(scenario()) == [
        (coin, pytest.approx(seconds)) for seconds in range(4) for coin in ("BTC", "ETH")
    ]


def test_a_venue_is_asked_only_while_its_stream_is_silent():
    async def scenario():
        venue, stream = AskedVenue("bybit"), PushingVenue("bybit")
        async with Running([Judge()], [stream], [venue]):
            for half in range(1, 20):
                await until(half / 2)
                stream.push(80_000.0)
            await until(14.8)
        return venue.times

    assert run_virtually(scenario()) == pytest.approx([0, 13, 14])


def test_a_venue_whose_stream_tells_of_long_ago_is_asked_too():
    async def scenario():
        venue, stream, desk = AskedVenue("bybit"), PushingVenue("bybit"), Judge()
        async with Running([desk], [stream], [venue]):
            for half in range(1, 20):
                await until(half / 2)
                stream.push(70_000.0, age=600)
        return desk.spots

    assert set(run_virtually(scenario())) == {80_000.0}


def test_a_stream_that_lacks_a_coin_does_not_keep_it_from_being_asked_for():
    async def scenario():
        venue, stream = AskedVenue("bybit"), PushingVenue("bybit")
        async with Running([Judge(), Judge("HYPEUSDT")], [stream], [venue]):
            for half in range(1, 10):
                await until(half / 2)
                stream.push(80_000.0)
        return [coin for coin, seconds in venue.asked if seconds]

    assert set(run_virtually(scenario())) == {coin_of("HYPEUSDT")}


def test_a_venue_that_fails_is_asked_ever_less_often_until_it_answers():
    async def scenario():
        venue = AskedVenue(spot=DOWN)
        async with Running([Judge()], sources=[venue]):
            await until(45.5)
            venue.spot = 80_000.0
            await until(62.5)
        return venue.times

    assert run_virtually(scenario()) == pytest.approx([0, 1, 3, 7, 15, 30, 45, 60, 61, 62])


def test_a_venue_that_does_not_list_the_coin_is_asked_again_after_an_hour():
    async def scenario():
        venue = AskedVenue(spot=UNLISTED)
        async with Running([Judge()], sources=[venue]):
            await until(7_201)
        return venue.times

    assert run_virtually(scenario()) == pytest.approx([0, 3_600, 7_200])


def test_a_venue_that_hangs_holds_up_no_other():
    async def scenario():
        hung, venue, desk = AskedVenue("bybit"), AskedVenue(), Judge(tick=make_tick(80_000.0))
        hung.seconds = 60
        async with Running([desk], sources=[hung, venue]):
            await until(9.5)
        return hung.times, venue.times, [tick.at for tick in desk.judged]

    hung, asked, judged = run_virtually(scenario())

    assert hung == pytest.approx([0, 3, 7])
    assert asked == pytest.approx(range(10))
    assert len(judged) == 10


async def ring(store, spots, stored):
    """What a desk with a level at 80,000 makes of prices of one venue, a second apart."""
    desk = await open_desk(store)
    await desk.show(make_snapshot(79_700.0, hvl=80_000.0), make_chain())
    venue = AskedVenue(spot=79_700.0)
    async with Running([desk], sources=[venue], stored=stored):
        for second, change in enumerate(spots, 10):
            await until(second - 0.5)
            change(venue)
        await until(30)
    return await events_of(store, "crossing")


def test_a_tick_that_changed_something_is_told():
    told = []

    crossings = run_virtually(
        ring(
            MemoryStore(),
            [lambda venue: setattr(venue, "spot", 80_100.0)],
            lambda: told.append((virtual_now() - NOON).total_seconds()),
        )
    )

    assert told == pytest.approx([10])
    assert len(crossings) == 1


def test_a_tick_that_the_store_refuses_is_judged_again_until_it_is_stored(caplog):
    caplog.set_level(logging.INFO, "bot.service.ticker")
    store, told = FragileStore(StoreError), []

    def rise(venue):
        venue.spot, store.refusals = 80_100.0, 3

    def fall(venue):
        venue.spot = 79_700.0

    crossings = run_virtually(ring(store, [rise, fall], lambda: told.append(virtual_now())))

    assert [(event["direction"], event["at"]) for event in crossings] == [
        ("up", pytest.approx(after(10), abs=timedelta(milliseconds=1))),
        ("down", pytest.approx(after(11), abs=timedelta(milliseconds=1))),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "BTCUSDT tick not stored, it is judged again: the disk is gone",
        "BTCUSDT ticks are stored again",
    ]


async def watched(*venues):
    """A ticker that has asked these venues for two minutes."""
    async with Running([Judge()], sources=venues) as ticker:
        await until(120)
        return ticker


def late(name, seconds):
    venue = AskedVenue(name)
    venue.age = timedelta(seconds=seconds)
    return venue


def test_a_clock_that_is_ahead_of_every_venue_is_told_once_and_so_is_the_silence(caplog):
    ticker = run_virtually(watched(late("okx", 20), late("bybit", 21)))

    said = [record.getMessage() for record in caplog.records]
    assert ticker.clock_is_off_by == timedelta(seconds=20)
    assert said == [
        "every price comes 0:00:20 old: set this machine's clock",
        "BTCUSDT: no price for 0:00:30: no crossing can ring",
    ]


def test_one_venue_that_is_late_is_no_matter_of_the_clock(caplog):
    ticker = run_virtually(watched(late("okx", 20), late("bybit", 0)))

    assert ticker.clock_is_off_by is None
    assert caplog.records == []
