"""The matrix would tell: each promise is broken once on purpose."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.events import Crossing, LevelKey, Moved
from bot.core.snapshot import Tick
from tests.faults import verdict
from tests.faults.cases import LISTED, Case, Row
from tests.faults.story import Evidence
from tests.faults.verdict import MARKET, judged
from tests.service.builders import BTC, after, make_snapshot

VENUE = "okx"
OTHERS = [venue for venue in LISTED[BTC] if venue != VENUE]
BEGAN, STALE, ENDED, LAST = 45, 210, 255, 270
SILENT = Row("500", "http")
WALL, HVL = LevelKey("all_expiry", "call_resistance"), LevelKey("all_expiry", "hvl")


def make_shown(seconds, heard=None, others=OTHERS, **fields):
    """A snapshot of the other venues, and of the one that fails where it was heard."""
    times = dict.fromkeys(others, seconds) | ({} if heard is None else {VENUE: heard})
    return make_snapshot(seconds=seconds, heard=times, **fields)


def make_story(seconds):
    """What a snapshot should be while the venue gives nothing from BEGAN to ENDED."""
    if seconds < BEGAN or seconds > ENDED:
        return make_shown(seconds, seconds)
    if seconds <= STALE:
        return make_shown(seconds, 30)
    return make_shown(seconds, left_out={VENUE: "HTTP 500"})


def make_ticks():
    names = " index".join(("+".join(LISTED[BTC]), ""))
    moments = map(after, range(LAST))
    return [Tick(BTC, at, MARKET.spot("BTC", at), names) for at in moments]


def make_evidence(row=SILENT, **fields):
    """A story in which every promise is kept."""
    kept = Evidence(
        Case(row, VENUE),
        after(BEGAN),
        after(ENDED),
        back=after(LAST),
        snapshots=[make_story(seconds) for seconds in range(0, LAST + 1, 30)],
        ticks=make_ticks(),
        pushed=[after(seconds) for seconds in range(LAST)],
    )
    return replace(kept, **fields)


def make_crossing(times, seconds=100, **fields):
    """Spot rising through a level at so many times its price."""
    spot = MARKET.spot("BTC", after(seconds))
    facts = {"price": spot * times, "direction": "up", "spot": spot, "previous_spot": None}
    return Crossing(after(seconds), BTC, WALL, **{**facts, **fields}, snapshot="", buffer=0.0005)


def make_move(seconds, **cause):
    return Moved(after(seconds), BTC, HVL, 80_000.0, 81_000.0, 0.01, cause)


def instead(snapshot):
    """The kept story, but for one snapshot."""
    story = make_evidence().snapshots
    return [snapshot if one.at == snapshot.at else one for one in story]


SHOWN, TICKS = make_evidence().snapshots, make_ticks()
SILENCE = [one for one in TICKS if not after(100) < one.at < after(106)]
STRAY = Tick(BTC, after(LAST), 1.0, "okx index")
BREACHES = {
    "a cycle that stores nothing": (verdict.goes_on, {"snapshots": [*SHOWN[:4], *SHOWN[5:]]}),
    "another venue missing": (
        verdict.goes_on,
        {"snapshots": instead(make_shown(120, 30, others=OTHERS[1:]))},
    ),
    "absence in silence": (verdict.says_who_was_heard, {"snapshots": instead(make_shown(240))}),
    "an answer too old": (verdict.says_who_was_heard, {"snapshots": instead(make_shown(240, 30))}),
    "a worthless answer that serves": (
        verdict.leaves_out_what_is_worthless,
        {"snapshots": instead(make_shown(240, 240))},
    ),
    "a crossing that never was": (
        verdict.rings_only_what_happened,
        {"events": [make_crossing(1.02)]},
    ),
    "a crossing at another price": (
        verdict.rings_only_what_happened,
        {"events": [make_crossing(1.0, spot=1.0)]},
    ),
    "a crossing told late": (
        verdict.rings_only_what_happened,
        {"events": [make_crossing(0.999, late=True)]},
    ),
    "a move by venues that stayed": (
        verdict.explains_moves,
        {"events": [make_move(120, venues=1_000.0)]},
    ),
    "a move that is silent of venues": (
        verdict.explains_moves,
        {"events": [make_move(240, spot=1_000.0)]},
    ),
    "causes of another sum": (
        verdict.explains_moves,
        {"events": [make_move(240, venues=1.0, spot=1.0)]},
    ),
    "a silence": (verdict.keeps_ticking, {"ticks": SILENCE}),
    "a price of nowhere": (verdict.is_near_the_truth, {"ticks": [*TICKS, STRAY]}),
    "a venue that stays away": (verdict.is_back_in_time, {"back": None}),
    "an error": (verdict.says_little, {"errors": ["Task exception was never retrieved"]}),
    "a flood": (verdict.says_little, {"warnings": ["not heard"] * 20}),
}


def test_a_story_without_a_breach_has_none():
    rightly = [make_crossing(0.9999), make_move(240, venues=400.0, spot=600.0, reformed=False)]

    assert judged(make_evidence(events=rightly)).broken == ()


@pytest.mark.parametrize("breach", BREACHES)
def test_a_broken_promise_is_noticed(breach):
    promise, fields = BREACHES[breach]

    assert list(promise(make_evidence(**fields)))


def test_a_chain_that_ends_with_the_prices_is_noticed():
    story = make_evidence(Row("drop", "ws"))

    assert list(verdict.keeps_the_chain(story))


def test_a_venue_that_is_not_waited_for_need_not_be_back():
    assert judged(make_evidence(back=None, waited=False)).broken == ()


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ({}, "last answer, out after 3 min, 1 without"),
        ({"snapshots": [make_shown(one, one) for one in range(0, 300, 30)]}, "heard"),
        ({"back": after(ENDED + 40)}, "last answer, out after 3 min, 1 without, back in 2"),
    ],
)
def test_a_cell_says_what_became_of_the_venue(shown, words):
    assert str(judged(make_evidence(Row("nulls", "http"), **shown))) == words


@pytest.mark.parametrize(
    ("pushed", "polled", "words"),
    [
        (range(LAST), (), "pushed"),
        (range(BEGAN), range(BEGAN, LAST), "polled instead"),
        (range(0, LAST, 9), range(BEGAN, LAST), "pushed, polled in between"),
    ],
)
def test_a_cell_says_where_the_price_came_from(pushed, polled, words):
    heard = {"pushed": [*map(after, pushed)], "polled": [*map(after, polled)]}

    assert judged(make_evidence(Row("nulls", "ws"), **heard)).words == words


def test_a_price_that_the_others_contradict_is_called_outvoted():
    ticks = [replace(one, source="bybit+deribit index") for one in make_ticks()]

    assert judged(make_evidence(Row("frozen", "ws"), ticks=ticks)).words == "pushed, outvoted"


def test_a_breach_is_what_the_cell_says():
    outcome = judged(make_evidence(back=None))

    assert str(outcome) == "BROKEN: not back in time"


def test_the_venue_is_missed_in_whole_cycles():
    ticks = [one for one in make_ticks() if one.at < after(BEGAN) + timedelta(seconds=1)]
    quiet = Row("frozen", "ws")

    assert judged(make_evidence(quiet, ticks=ticks)).without == 1
