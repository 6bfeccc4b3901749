from collections import Counter
from datetime import timedelta

import pytest

from bot.errors import NotListed, SourceError
from bot.ports import Moment
from bot.service.collector import Collector
from bot.service.desk import Desk
from bot.service.replay import Replay
from bot.service.rulebook import Rulebook
from bot.service.sources import Sources
from bot.store.memory import MemoryStore
from tests.service.builders import (
    NOON,
    TARGET,
    FragileStore,
    ManualClock,
    ScriptedMessenger,
    TimedSource,
    events_of,
    journal_of,
    make_book,
    make_dispatcher,
    make_rule,
    make_tick,
)

MINUTE = timedelta(minutes=1)
EVERY = 15 * MINUTE
STALE = 50 * MINUTE
LEFTS = (40 * MINUTE, timedelta(days=20))
RULES = (
    "btc call_resistance cross any cooldown 0s",
    "btc flip cross any",
    "btc 81000 cross up once",
    "btc call_resistance moved 1% cooldown 0s",
    "btc regime cooldown 1m",
    "eth put_support cross any cooldown 0s",
    "eth hvl moved 1%",
)


class Killed(Exception):
    """What kill -9 looks like from inside."""


def at(minutes):
    return NOON + minutes * MINUTE


def book(minutes, coin="BTC", venue="deribit", **walls):
    scale = 1.0 if coin == "BTC" else 0.05
    walls.setdefault("lefts", LEFTS)
    return make_book(coin=coin, venue=venue, at=at(minutes), scale=scale, **walls)


class Tape:
    """What happened at two venues and to two spots, minute by minute."""

    def __init__(self, chains, paths):
        self.chains = chains  # venue -> coin -> minute -> answer
        self.paths = paths  # symbol -> minute -> spot

    def moments(self):
        minutes = {minute for path in self.paths.values() for minute in path}
        renewed = {}
        for coins in self.chains.values():
            for coin, answers in coins.items():
                for minute in answers:
                    renewed.setdefault(minute, set()).add(f"{coin}USDT")
        return {
            at(minute): Moment(
                [
                    make_tick(path[minute], 60 * minute, symbol)
                    for symbol, path in self.paths.items()
                    if minute in path
                ],
                frozenset(renewed.get(minute, ())),
            )
            for minute in sorted(minutes | renewed.keys())
        }

    async def play(self, store, written=None):
        """One run of the program over the store, from its start to the end or to its death."""
        moments = self.moments()
        clock = ManualClock(min(moments, default=NOON))
        sources = [
            TimedSource(
                venue,
                clock.now,
                {coin: {at(m): one for m, one in a.items()} for coin, a in coins.items()},
            )
            for venue, coins in self.chains.items()
        ]
        rulebook = Rulebook(store, TARGET)
        await rulebook.reload()
        desks = {symbol: Desk(symbol, store, rulebook, STALE) for symbol in self.paths}
        collector = Collector(Sources(sources), [], [], clock.now)
        dispatcher = make_dispatcher(store, ScriptedMessenger(), now=clock.now)
        replay = Replay(moments, clock, desks, collector, dispatcher, store, EVERY)

        async def nothing(*_):
            return None

        await replay.run(written or nothing, nothing)


def make_tape(quiet_from=999):
    """An hour and a half: a wall moves, options expire, a venue fails, data grows stale.

    Spot is where it was at each cycle, and beyond some levels in between. From `quiet_from` on
    nobody trades until 80 minutes have passed.
    """
    spots = dict.fromkeys(range(0, 90, 5), 80000.0)
    spots |= {0.5: 80_000.0, 2: 86_000.0, 3: 80_000.0, 17: 76_000.0, 22: 83_500.0}
    spots |= {33: 82_600.0, 42: 90_100.0, 43: 74_000.0, 52: 88_000.0, 88: 85_000.0}
    heard = {minute: spot for minute, spot in spots.items() if minute < quiet_from or minute > 80}
    chains = {
        "deribit": {
            "BTC": {0: book(0), 20: book(20, call_wall=87_500.0)},
            "ETH": {0: book(0, "ETH", lefts=LEFTS[1:])},
        },
        "derive": {
            "BTC": {
                4: book(4, venue="derive", call_wall=90_000.0),
                14: SourceError("derive", "HTTP 503"),
            },
            "ETH": {0: NotListed("derive", "no ETH options")},
        },
    }
    ether = {minute: spot * 0.05 for minute, spot in heard.items() if minute < 50}
    return Tape(chains, {"BTCUSDT": heard, "ETHUSDT": ether})


async def store_with_rules(error=Killed):
    store = FragileStore(error)
    for line in RULES:
        await store.add_rule(make_rule(line))
    return store


async def story_of(store):
    """All that happened, in order: snapshots whole, events as they are written."""
    return [(entry.body, entry.snapshot) for entry in await journal_of(store)]


async def uninterrupted(tape):
    store = await store_with_rules()
    await tape.play(store)
    return await story_of(store), store.writes


async def test_the_tape_has_everything_that_can_happen():
    story, _ = await uninterrupted(make_tape())

    kinds = Counter(body["event"] if body else "snapshot" for body, _ in story)
    expected = {"snapshot", "crossing", "moved", "regime", "stale", "alert", "delivery"}
    assert kinds.keys() >= expected
    assert kinds["alert"] == kinds["delivery"] > 10
    assert {body["symbol"] for body, _ in story if body and "symbol" in body} == {
        "BTCUSDT",
        "ETHUSDT",
    }


async def test_the_same_recording_gives_the_same_story():
    first, _ = await uninterrupted(make_tape())
    second, _ = await uninterrupted(make_tape())

    assert first == second


async def test_killed_after_any_write_and_started_again_it_tells_the_same_story():
    tape, store = make_tape(), await store_with_rules()
    await tape.play(store)
    expected = await story_of(store)

    for write, left in enumerate(store.left_behind(), 1):
        await tape.play(left)

        assert await story_of(left) == expected, f"killed after write {write}"


@pytest.mark.parametrize("after_commit", [False, True], ids=["before", "after"])
async def test_killed_again_and_again_it_tells_the_same_story(after_commit):
    tape = make_tape()
    expected, _ = await uninterrupted(tape)
    store, deaths, over = await store_with_rules(), 0, False

    while not over:
        store.breaks_at, store.breaks_after = store.writes + 9, after_commit
        try:
            await tape.play(store)
            over = True
        except Killed:
            deaths += 1

    assert await story_of(store) == expected
    assert deaths > 10


async def test_killed_after_a_cycle_found_the_data_stale_it_tells_the_same_story():
    tape, store = make_tape(quiet_from=66), await store_with_rules()
    await tape.play(store)
    expected = await story_of(store)

    for write, left in enumerate(store.left_behind(), 1):
        if write > 0.7 * store.writes:
            await tape.play(left)

            assert await story_of(left) == expected, f"killed after write {write}"


async def test_a_second_run_over_a_finished_replay_adds_nothing():
    tape, store = make_tape(), await store_with_rules()
    await tape.play(store)
    before = await story_of(store)

    await tape.play(store)

    assert await story_of(store) == before


async def test_every_alert_is_delivered_once_at_the_time_it_rang():
    store = await store_with_rules()
    await make_tape().play(store)

    rung = [(alert["id"], alert["at"]) for alert in await events_of(store, "alert")]
    ended = [(one["alert"], one["at"], one["state"]) for one in await events_of(store, "delivery")]

    assert ended == [(identity, moment, "sent") for identity, moment in rung]
    assert len(set(rung)) == len(rung)


async def snapshot_minutes(tape, symbol="BTCUSDT"):
    store = MemoryStore()
    await tape.play(store)
    shown = [snapshot for _, snapshot in await story_of(store) if snapshot]
    return [(one.at - NOON) / MINUTE for one in shown if one.symbol == symbol]


async def test_the_collector_runs_at_every_new_chain_every_quarter_and_every_expiry():
    chains = {"deribit": {"BTC": {3: book(3), 20: book(20)}}}
    tape = Tape(chains, {"BTCUSDT": {0: 80_000.0, 50: 80_000.0}})

    assert await snapshot_minutes(tape) == [3, 15, 20, 30, 40, 45]


async def test_an_expired_option_is_in_no_level_from_the_moment_it_expires():
    chains = {"deribit": {"BTC": {0: book(0)}}}
    store = MemoryStore()

    await Tape(chains, {"BTCUSDT": {0: 80_000.0, 41: 80_000.0}}).play(store)

    dropped = {
        (one.at - NOON) / MINUTE: one.levels.dropped.get("expired", 0)
        for _, one in await story_of(store)
        if one
    }
    assert dropped == {0: 0, 15: 0, 30: 0, 40: len(book(0)) // 2}


async def test_each_symbol_is_collected_by_its_own_chains():
    chains = {"deribit": {"BTC": {1: book(1)}, "ETH": {2: book(2, "ETH")}}}
    paths = {"BTCUSDT": {0: 80_000.0, 9: 80_000.0}, "ETHUSDT": {0: 4_000.0, 9: 4_000.0}}
    tape = Tape(chains, paths)

    assert await snapshot_minutes(tape, "BTCUSDT") == [1]
    assert await snapshot_minutes(tape, "ETHUSDT") == [2]


async def test_a_tick_is_judged_before_the_chain_of_the_same_time_is_shown():
    chains = {"deribit": {"BTC": {0: book(0, lefts=LEFTS[1:]), 5: book(5, lefts=LEFTS[1:])}}}
    store = MemoryStore()
    await store.add_rule(make_rule("btc call_resistance cross any"))

    await Tape(chains, {"BTCUSDT": {0: 80_000.0, 5: 86_000.0}}).play(store)

    story = [body["event"] if body else "snapshot" for body, _ in await story_of(store)]
    assert story.index("crossing") < len(story) - 1 - story[::-1].index("snapshot")
    (alert,) = await events_of(store, "alert")
    assert "Call Resistance $85,000 going up: spot $86,000" in alert["text"]


async def test_a_gap_in_a_recording_makes_nothing_late():
    chains = {"deribit": {"BTC": {0: book(0, lefts=LEFTS[1:])}}}
    store = FragileStore(Killed)
    tape = Tape(chains, {"BTCUSDT": {0: 80_000.0, 45: 86_000.0}})
    store.breaks_at = 5
    with pytest.raises(Killed):
        await tape.play(store)

    await tape.play(store)

    crossings = await events_of(store, "crossing")
    assert crossings
    assert not any(crossing["late"] for crossing in crossings)


async def test_whoever_prints_is_told_after_every_step_that_wrote():
    chains = {"deribit": {"BTC": {0: book(0)}}}
    store, told = MemoryStore(), []

    async def written():
        told.append(len(await journal_of(store)))

    await Tape(chains, {"BTCUSDT": {0: 80_000.0, 20: 80_000.0}}).play(store, written)

    assert told == [0, 1, 2]


async def test_the_program_waits_for_each_recorded_time_in_turn():
    waited = []
    store, clock = MemoryStore(), ManualClock()
    moments = {at(minute): Moment([make_tick(80_000.0, 60 * minute)]) for minute in (0, 7, 3)}
    rulebook = Rulebook(store, None)
    desks = {"BTCUSDT": Desk("BTCUSDT", store, rulebook, STALE)}
    collector = Collector(Sources([]), [], [], clock.now)
    dispatcher = make_dispatcher(store, now=clock.now)
    replay = Replay(moments, clock, desks, collector, dispatcher, store, EVERY)

    async def wait_until(time):
        waited.append(((time - NOON) / MINUTE, (clock.now() - NOON) / MINUTE))

    async def nothing():
        return None

    await replay.run(nothing, wait_until)

    assert waited == [(0, 0), (3, 0), (7, 3)]


async def test_venues_that_cannot_be_heard_do_not_end_the_replay():
    chains = {"deribit": {"BTC": {0: SourceError("deribit", "unreadable answer"), 20: book(20)}}}
    tape = Tape(chains, {"BTCUSDT": {0: 80_000.0, 25: 80_000.0}})

    assert await snapshot_minutes(tape) == [20]


async def test_a_recording_of_other_symbols_is_over_at_once():
    store = MemoryStore()

    await Tape({}, {"BTCUSDT": {}}).play(store)

    assert await store.journal(0, 10) == []
