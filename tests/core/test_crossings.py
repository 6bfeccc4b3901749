import math
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.crossings import (
    BUFFER,
    Latches,
    Watches,
    judge_freshness,
    judge_snapshot,
    judge_tick,
)
from bot.core.events import Crossing, Freshness, LevelKey, Moved, RegimeChange
from bot.core.rules import watches_of
from tests.service.builders import BTC, NOON, after, make_rule, make_snapshot, make_tick

HVL = LevelKey("all_expiry", "hvl")
CALL = LevelKey("all_expiry", "call_resistance")
PUT = LevelKey("all_expiry", "put_support")
MAX_PAIN = LevelKey("all_expiry", "max_pain")
ODTE_HVL = LevelKey("odte", "hvl")
NOTHING_ASKED = Watches()


def flip(zone):
    return LevelKey("all_expiry", "flip", zone)


class Bench:
    """The judgement of one symbol, fed by hand."""

    def __init__(self, shown=None, watches=NOTHING_ASKED):
        self.shown = shown or {}
        self.watches = watches
        self.latches = Latches()
        self.seconds = 0
        self.spot = 80_000.0

    def tick(self, *spots):
        """What rings: the crossings of all these ticks."""
        crossings = []
        for spot in spots:
            self.seconds += 1
            self.spot = spot
            rung, self.latches = judge_tick(
                self.latches,
                self.shown,
                self.watches,
                make_tick(spot, self.seconds),
                "snapshot",
                late=False,
            )
            crossings += rung
        return crossings

    def show(self, new, spot=None, regime="positive"):
        """What the new levels bring."""
        self.seconds += 1
        self.spot = self.spot if spot is None else spot
        events, self.latches = judge_snapshot(
            self.latches,
            self.shown,
            "earlier",
            new,
            self.watches,
            make_snapshot(self.spot, self.seconds, regime=regime),
            lambda *move: {"asked": move},
        )
        self.shown = new
        return events


def directions(crossings):
    return [crossing.direction for crossing in crossings]


@pytest.mark.parametrize(
    ("before", "beyond", "direction"), [(79_000, 80_100, "up"), (81_000, 79_900, "down")]
)
def test_passing_a_level_by_the_buffer_rings_once_and_says_everything(before, beyond, direction):
    bench = Bench({HVL: 80_000.0})
    bench.tick(before)

    crossings = bench.tick(beyond, beyond, beyond)

    assert crossings == [
        Crossing(
            after(2), BTC, HVL, 80_000.0, direction, beyond, before, "snapshot", BUFFER, late=False
        )
    ]


@pytest.mark.parametrize(("way", "start"), [(1, 79_000.0), (-1, 81_000.0)])
def test_exactly_the_buffer_is_not_yet_a_crossing(way, start):
    edge = 80_000.0 * (1 + way * BUFFER)
    bench = Bench({HVL: 80_000.0})
    bench.tick(start)

    on_the_edge = bench.tick(edge)
    past_it = bench.tick(math.nextafter(edge, way * math.inf))

    assert (on_the_edge, len(past_it)) == ([], 1)


def test_the_first_tick_is_latched_in_silence():
    assert Bench({HVL: 80_000.0}).tick(85_000.0) == []


def test_a_first_tick_exactly_on_the_level_takes_no_side():
    bench = Bench({HVL: 80_000.0})
    bench.tick(80_000.0)

    assert bench.tick(80_030.0, 80_100.0) == []
    assert directions(bench.tick(79_900.0)) == ["down"]


def test_whipsaw_inside_the_buffer_rings_once():
    bench = Bench({HVL: 80_000.0})
    bench.tick(79_900.0)

    crossings = bench.tick(80_050.0, *[79_965.0, 80_035.0] * 500)

    assert directions(crossings) == ["up"]


def test_a_wick_is_not_rung_again_by_every_tick_that_follows_it():
    bench = Bench({HVL: 80_000.0})
    bench.tick(79_000.0)

    crossings = bench.tick(80_500.0, *[79_980.0] * 500)

    assert directions(crossings) == ["up"]


def test_a_level_rings_each_way_as_often_as_spot_truly_passes_it():
    bench = Bench({HVL: 80_000.0})
    bench.tick(79_900.0)

    crossings = bench.tick(80_100.0, 79_900.0, 80_100.0)

    assert directions(crossings) == ["up", "down", "up"]


def test_one_jump_of_spot_crosses_every_level_in_between():
    bench = Bench({HVL: 80_000.0, CALL: 82_000.0, flip(0): 81_000.0, flip(1): 90_000.0})
    bench.tick(79_000.0)

    crossings = bench.tick(83_000.0)

    assert {crossing.key for crossing in crossings} == {HVL, CALL, flip(0)}


def test_a_level_that_jumps_over_a_still_spot_has_moved_and_rings_only_when_spot_comes_back():
    bench = Bench({HVL: 79_000.0})
    bench.show(bench.shown, 80_000.0)
    bench.tick(80_000.0)

    events = bench.show({HVL: 81_000.0})

    assert [type(event) for event in events] == [Moved]
    assert bench.tick(80_000.0, 79_000.0, 80_999.0) == []
    assert directions(bench.tick(81_100.0)) == ["up"]


def test_a_level_that_jumps_over_spot_by_less_than_the_buffer_takes_its_latch_with_it():
    bench = Bench({HVL: 79_990.0})
    bench.tick(80_000.0)

    bench.show({HVL: 80_010.0})

    assert bench.tick(79_000.0) == []
    assert directions(bench.tick(80_060.0)) == ["up"]


def test_a_level_that_passes_a_still_spot_in_two_steps_takes_its_latch_with_it():
    bench = Bench({HVL: 79_990.0})
    bench.tick(80_000.0)

    bench.show({HVL: 80_000.0})
    bench.show({HVL: 80_020.0})

    assert bench.tick(79_970.0) == []


def test_a_level_that_drifts_away_from_a_spot_inside_its_buffer_settles_the_side_in_silence():
    bench = Bench({HVL: 80_000.0})
    bench.tick(79_000.0, 80_030.0)

    bench.show({HVL: 79_900.0})

    assert bench.tick(80_030.0, 80_500.0) == []
    assert directions(bench.tick(79_800.0)) == ["down"]


def test_a_level_that_drifts_towards_spot_stays_uncrossed_until_the_buffer_is_passed():
    bench = Bench({HVL: 80_000.0})
    bench.tick(79_000.0)
    for price in (79_500.0, 79_100.0, 79_010.0):
        bench.show({HVL: price})

    assert bench.tick(79_010.0, 79_040.0) == []
    assert directions(bench.tick(79_060.0)) == ["up"]


def test_a_wall_that_re_forms_beyond_the_spot_that_crossed_it_can_be_crossed_again():
    bench = Bench({CALL: 80_000.0})
    bench.show(bench.shown, 79_000.0)
    bench.tick(79_000.0)
    bench.tick(80_100.0)

    events = bench.show({CALL: 85_000.0})

    assert [(event.key, event.was, event.to) for event in events] == [(CALL, 80_000.0, 85_000.0)]
    assert bench.tick(80_100.0, 79_000.0, 84_000.0) == []
    assert directions(bench.tick(85_100.0)) == ["up"]


def test_a_level_that_was_absent_comes_back_on_spots_other_side_in_silence():
    bench = Bench({HVL: 80_000.0})
    bench.tick(79_000.0)
    bench.show({})

    bench.tick(81_000.0)
    bench.show({HVL: 80_000.0})

    assert bench.tick(81_000.0, 82_000.0) == []
    assert directions(bench.tick(79_900.0)) == ["down"]


def test_a_level_that_was_absent_a_moment_is_still_crossed_from_the_side_it_was_on():
    bench = Bench({HVL: 80_000.0})
    bench.tick(79_000.0)
    bench.show({})
    bench.show({HVL: 80_000.0})

    assert directions(bench.tick(80_100.0)) == ["up"]


def test_the_moves_of_an_absent_level_are_counted_from_where_it_was_last_reported():
    bench = Bench()
    bench.show({HVL: 80_000.0}, 79_000.0)
    bench.show({})

    events = bench.show({HVL: 81_000.0})

    assert [(event.was, event.to) for event in events] == [(80_000.0, 81_000.0)]


def test_zones_that_are_renumbered_neither_move_nor_cross():
    bench = Bench()
    bench.show({flip(0): 70_000.0, flip(1): 90_000.0}, 80_000.0)
    bench.tick(80_000.0)

    gone = bench.show({flip(0): 90_000.0})
    quiet = bench.tick(80_000.0)
    back = bench.show({flip(0): 70_000.0, flip(1): 90_000.0})

    assert (gone, quiet, back) == ([], [], [])
    assert [c.key for c in bench.tick(90_100.0)] == [flip(1)]


def test_a_level_of_the_day_is_judged_on_its_own():
    bench = Bench({HVL: 80_000.0, ODTE_HVL: 81_000.0})
    bench.tick(79_000.0)

    assert [c.key for c in bench.tick(80_500.0)] == [HVL]
    assert [c.key for c in bench.tick(81_500.0)] == [ODTE_HVL]


def test_a_level_that_nobody_asked_for_is_judged_when_a_rule_asks_for_it():
    asked = watches_of([make_rule("btc max_pain cross any")])
    unasked, bench = Bench({MAX_PAIN: 80_000.0}), Bench({MAX_PAIN: 80_000.0}, asked)

    rings = [len(one.tick(79_000.0, 81_000.0)) for one in (unasked, bench)]

    assert rings == [0, 1]


def test_a_buffer_of_ones_own_is_judged_beside_the_default():
    bench = Bench({HVL: 80_000.0}, watches_of([make_rule("btc hvl cross any buffer 1%")]))
    bench.tick(79_000.0)

    first, second = bench.tick(80_100.0), bench.tick(81_000.0)

    assert [[crossing.buffer for crossing in one] for one in (first, second)] == [[BUFFER], [0.01]]


def test_a_buffer_of_nothing_rings_at_every_passage_and_not_on_the_level_itself():
    bench = Bench({MAX_PAIN: 80_000.0}, watches_of([make_rule("btc max_pain cross any buffer 0%")]))
    bench.tick(79_999.0)

    assert bench.tick(80_000.0) == []
    assert directions(bench.tick(80_000.01, 80_000.0, 79_999.99)) == ["up", "down"]


def test_two_buffers_that_are_nearly_the_same_are_two():
    lines = ("btc max_pain cross any buffer 1.234567%", "btc max_pain cross any buffer 1.234568%")
    bench = Bench({MAX_PAIN: 80_000.0}, watches_of(map(make_rule, lines)))

    assert len(bench.tick(79_000.0, 82_000.0)) == 2


def test_a_price_of_ones_own_is_crossed_like_a_level_whatever_levels_there_are():
    bench = Bench({}, watches_of([make_rule("btc 70000.5 cross any")]))
    bench.tick(69_000.0)
    bench.show({}, regime=None)

    crossings = bench.tick(70_100.0)

    assert [(c.key, c.price) for c in crossings] == [(LevelKey("price", "70000.5"), 70_000.5)]


@pytest.mark.parametrize("line", ["btc 70000 cross any", "btc hvl cross any buffer 1%"])
def test_a_rule_that_is_made_again_does_not_ring_for_what_spot_did_in_between(line):
    asked = watches_of([make_rule(line)])
    bench = Bench({HVL: 70_000.0}, asked)
    bench.tick(69_000.0)

    bench.watches = NOTHING_ASKED
    bench.tick(80_000.0)
    bench.watches = asked

    assert bench.tick(80_001.0) == []


def test_a_snapshot_does_not_swallow_the_crossing_of_a_level_that_stands_still():
    bench = Bench({HVL: 80_000.0})
    bench.tick(79_000.0)

    bench.show({HVL: 80_000.0}, spot=81_000.0)

    assert directions(bench.tick(81_000.0)) == ["up"]


def test_a_snapshot_at_another_spot_than_the_last_tick_does_not_make_it_ring_twice():
    bench = Bench({HVL: 80_000.0})
    bench.tick(79_000.0, 81_000.0)

    bench.show({HVL: 80_000.0}, spot=79_000.0)

    assert bench.tick(81_000.0) == []


def test_a_restart_between_two_ticks_repeats_nothing():
    bench = Bench({HVL: 80_000.0})
    bench.tick(79_000.0, 81_000.0)

    restarted = Bench({HVL: 80_000.0})
    restarted.latches = replace(bench.latches)

    assert restarted.tick(81_000.0) == []
    assert directions(restarted.tick(79_000.0)) == ["down"]


def test_a_late_judgement_says_so():
    latches = judge_tick(
        Latches(), {HVL: 80_000.0}, NOTHING_ASKED, make_tick(79_000.0), "s", late=False
    )[1]

    crossings, _ = judge_tick(
        latches, {HVL: 80_000.0}, NOTHING_ASKED, make_tick(81_000.0), "s", late=True
    )

    assert [crossing.late for crossing in crossings] == [True]


PRICES = st.integers(79_800, 80_200).map(lambda price: price + 0.5)  # never where a tick can be
SPOTS = st.integers(79_700, 80_300).map(float)
KEYS = (HVL, LevelKey("odte", "hvl"), flip(0))  # no walls: those are held, see below
SHOWN = st.fixed_dictionaries(dict.fromkeys(KEYS, PRICES))
STEPS = st.lists(st.one_of(SPOTS, SHOWN), max_size=40)
TWO_BUFFERS = watches_of([make_rule("btc hvl cross any buffer 0.1%")])


class Reference:
    """Crossings by the words of the contract alone, one level and one buffer."""

    def __init__(self, key, buffer):
        self.key = key
        self.buffer = buffer
        self.came_from = 0  # -1: spot was last known below the level, +1: above it

    def tick(self, spot, shown):
        gap = spot - shown[self.key]
        if not self.came_from:
            self.came_from = math.copysign(1, gap)
        elif gap * self.came_from < 0 and abs(gap) > self.buffer * shown[self.key]:
            self.came_from = -self.came_from
            return [(str(self.key), self.buffer, "up" if gap > 0 else "down")]
        return []

    def show(self, spot, old, new):
        gap, gap_before = spot - new[self.key], spot - old[self.key]
        clear = abs(gap) > self.buffer * new[self.key]
        if gap * gap_before < 0 or clear or not self.came_from:
            self.came_from = math.copysign(1, gap)


@given(first=SHOWN, start=SPOTS, steps=STEPS)
def test_crossings_agree_with_the_contract_taken_literally(first, start, steps):
    bench = Bench(first, TWO_BUFFERS)
    latches = [Reference(HVL, 0.001), *(Reference(key, BUFFER) for key in KEYS)]
    expected, seen = [], []

    for step in (start, *steps):
        if isinstance(step, float):
            seen.append({(str(c.key), c.buffer, c.direction) for c in bench.tick(step)})
            expected.append({ring for one in latches for ring in one.tick(step, bench.shown)})
        else:
            for one in latches:
                one.show(bench.spot, bench.shown, step)
            bench.show(step)

    assert seen == expected


def test_a_wall_that_re_forms_before_the_buffer_is_passed_is_crossed_all_the_same():
    bench = Bench({CALL: 80_000.0})
    bench.tick(79_900.0, 80_020.0)
    bench.show({CALL: 80_500.0})

    (crossing,) = bench.tick(80_041.0)

    assert (crossing.price, crossing.direction, crossing.snapshot) == (80_000.0, "up", "earlier")
    assert bench.tick(80_100.0, 80_030.0, 80_050.0) == []


def test_a_wall_that_spot_did_not_go_through_is_forgotten_when_it_re_forms():
    bench = Bench({PUT: 80_000.0})
    bench.tick(80_100.0, 79_980.0)
    bench.show({PUT: 79_500.0})

    assert bench.tick(80_001.0, 79_950.0) == []


def test_a_wall_is_held_over_many_snapshots_and_rings_once():
    bench = Bench({CALL: 80_000.0})
    bench.tick(79_900.0, 80_020.0)
    for wall in (80_500.0, 80_000.0, 80_500.0):
        bench.show({CALL: wall})

    assert directions(bench.tick(80_041.0, 80_020.0, 80_060.0)) == ["up"]


SOME = st.dictionaries(st.sampled_from(KEYS), st.integers(79_900, 80_100).map(float))


@given(first=SOME, changes=st.lists(SOME, max_size=20))
def test_whatever_the_levels_do_a_spot_that_stands_still_crosses_none(first, changes):
    bench = Bench(first)
    bench.tick(80_000.0)

    crossings = []
    for shown in changes:
        bench.show(shown)
        crossings += bench.tick(80_000.0)

    assert crossings == []


@given(spots=st.lists(SPOTS, min_size=1))
def test_the_crossings_of_a_level_that_stands_still_alternate(spots):
    ways = directions(Bench({HVL: 80_000.5}).tick(*spots))

    assert all(one != other for one, other in pairwise(ways))


@given(spots=st.lists(SPOTS, min_size=1), cut=st.integers(0, 20))
def test_a_restart_anywhere_changes_no_crossing(spots, cut):
    whole = Bench({HVL: 80_000.5})
    first, second = Bench({HVL: 80_000.5}), Bench({HVL: 80_000.5})

    before = first.tick(*spots[:cut])
    second.latches, second.seconds = first.latches, first.seconds

    assert before + second.tick(*spots[cut:]) == whole.tick(*spots)


def test_a_level_is_reported_once_it_stands_one_percent_from_its_last_report():
    bench = Bench()
    steps = (80_000.0, 80_500.0, 80_799.0, 80_900.0, 80_950.0, 80_000.0)

    events = [event for price in steps for event in bench.show({HVL: price}, 90_000.0)]

    assert [(e.was, e.to, e.threshold) for e in events] == [
        (80_000.0, 80_900.0, 0.01),
        (80_900.0, 80_000.0, 0.01),
    ]


def test_a_move_asks_for_its_cause_and_carries_it():
    bench = Bench()
    bench.show({HVL: 80_000.0}, 90_000.0)

    (event,) = bench.show({HVL: 85_000.0})

    assert event.cause == {"asked": (HVL, 80_000.0, 85_000.0)}


def test_a_threshold_of_ones_own_is_judged_beside_the_default():
    bench = Bench(watches=watches_of([make_rule("btc hvl moved 5%")]))
    bench.show({HVL: 80_000.0}, 90_000.0)

    steps = [bench.show({HVL: price}) for price in (82_000.0, 84_100.0)]

    assert [[event.threshold for event in events] for events in steps] == [[0.01], [0.01, 0.05]]


def test_a_level_off_the_list_of_facts_moves_only_for_those_who_ask():
    asked = watches_of([make_rule("btc max_pain moved 2%")])

    events = []
    for bench in (Bench(), Bench(watches=asked)):
        bench.show({MAX_PAIN: 80_000.0}, 90_000.0)
        events.append([event.threshold for event in bench.show({MAX_PAIN: 82_000.0})])

    assert events == [[], [0.02]]


@pytest.mark.parametrize(
    ("percent", "was", "to"), [("0.5", 80_000.0, 80_400.0), ("0.5", 20_000.0, 20_100.0)]
)
def test_a_move_of_exactly_its_threshold_is_reported(percent, was, to):
    bench = Bench(watches=watches_of([make_rule(f"btc max_pain moved {percent}%")]))
    bench.show({MAX_PAIN: was}, 90_000.0)

    assert len(bench.show({MAX_PAIN: to})) == 1


def test_a_change_of_regime_is_reported_once_with_both_ends():
    bench = Bench()
    regimes = ("negative", "negative", "positive", "neutral", "neutral")

    events = [e for regime in regimes for e in bench.show({}, 80_000.0, regime)]

    assert events == [
        RegimeChange(after(3), BTC, "negative", "positive", 80_000.0),
        RegimeChange(after(4), BTC, "positive", "neutral", 80_000.0),
    ]


def test_a_regime_that_is_not_known_for_a_while_is_compared_with_the_last_known():
    bench = Bench()
    regimes = ("negative", None, "negative", None, "positive")

    events = [e for regime in regimes for e in bench.show({}, 80_000.0, regime)]

    assert [(event.was, event.to) for event in events] == [("negative", "positive")]


def test_data_turns_stale_once_and_fresh_once():
    latches, limit, found = Latches(), timedelta(minutes=3), []
    for seconds, data in ((0, 0), (180, 0), (181, 0), (240, 0), (300, 299), (301, 299)):
        events, latches = judge_freshness(latches, BTC, after(data), limit, after(seconds))
        found += events

    assert found == [
        Freshness(after(181), BTC, True, NOON),
        Freshness(after(300), BTC, False, after(299)),
    ]
