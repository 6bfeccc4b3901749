from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.attribution import Causes, State, _chains
from bot.core.chain import merge
from bot.core.events import LevelKey, level_price
from bot.core.snapshot import compute_levels
from tests.service.builders import NOON, make_book, make_chain

HVL = LevelKey("all_expiry", "hvl")
CALL = LevelKey("all_expiry", "call_resistance")
CALL_0DTE = LevelKey("odte", "call_resistance")
PUT = LevelKey("all_expiry", "put_support")
FLIP = LevelKey("all_expiry", "flip", 0)
SPOT = 80_000.0
MONTH = (timedelta(days=30),)


def state_of(chain, spot, at):
    """The state with its levels."""
    return State(chain, spot, at, compute_levels(chain, spot, at))


def price(key, state):
    return level_price(key, compute_levels(state.chain, state.spot, state.at))


def parts_of(key, before, after):
    """The causes that account for anything, of a move from where the level stood before."""
    was, to = price(key, before), price(key, after)
    parts = Causes(before, after).explain(key, was, to)
    causes = {cause: part for cause, part in parts.items() if cause != "reformed"}
    assert sum(causes.values()) == pytest.approx(to - was)
    return {cause: part for cause, part in causes.items() if abs(part) > 1e-6}


def weighed(chain, factor):
    return replace(chain, oi=chain.oi * factor)


def test_a_wall_that_follows_open_interest_moved_by_open_interest():
    before = state_of(make_book(call_wall=85_000.0), SPOT, NOON)
    after = state_of(make_book(call_wall=87_500.0), SPOT, NOON)

    assert parts_of(CALL, before, after) == {"open_interest": 2_500.0}


def test_a_flip_that_follows_iv_moved_by_iv():
    before = state_of(make_book(iv=0.5), SPOT, NOON)
    after = state_of(make_book(iv=0.8), SPOT, NOON)

    assert set(parts_of(FLIP, before, after)) == {"iv"}


def test_a_wall_that_spot_went_through_moved_by_spot():
    chain = make_book(call_wall=82_500.0, lefts=MONTH)

    parts = parts_of(CALL, state_of(chain, SPOT, NOON), state_of(chain, 83_000.0, NOON))

    assert set(parts) == {"spot"}


def test_a_level_of_the_day_moves_by_expiry_when_its_options_are_gone():
    hour = timedelta(hours=1)
    options = [("call", 80_000.0, hour, 900.0, 0.5), ("call", 82_500.0, 20 * hour, 100.0, 0.5)]
    chain = make_chain(options)

    parts = parts_of(CALL_0DTE, state_of(chain, SPOT, NOON), state_of(chain, SPOT, NOON + hour))

    assert set(parts) == {"expiry"}


@pytest.mark.parametrize("key", [CALL, FLIP], ids=str)
def test_a_venue_that_dropped_out_is_named_and_no_market_cause_is(key):
    deribit = make_book(call_wall=85_000.0, lefts=MONTH)
    derive = weighed(make_book(call_wall=90_000.0, lefts=MONTH, venue="derive"), 3)
    both = state_of(merge("BTC", [deribit, derive]), SPOT, NOON)

    parts = parts_of(key, both, state_of(deribit, SPOT, NOON))

    assert set(parts) == {"venues"}


@pytest.mark.parametrize("key", [CALL, FLIP], ids=str)
def test_a_venue_that_is_back_is_named_and_no_market_cause_is(key):
    deribit = make_book(call_wall=85_000.0, lefts=MONTH)
    derive = weighed(make_book(call_wall=90_000.0, lefts=MONTH, venue="derive"), 3)
    both = state_of(merge("BTC", [deribit, derive]), SPOT, NOON)

    parts = parts_of(key, state_of(deribit, SPOT, NOON), both)

    assert set(parts) == {"venues"}


def test_one_venue_in_place_of_another_is_no_market_move():
    deribit = make_book(call_wall=85_000.0, lefts=MONTH)
    derive = make_book(call_wall=90_000.0, lefts=MONTH, venue="derive")

    parts = parts_of(CALL, state_of(deribit, SPOT, NOON), state_of(derive, SPOT, NOON))

    assert set(parts) == {"venues"}


def test_a_venue_that_dropped_out_while_the_market_moved_is_told_apart_from_it():
    deribit = make_book(call_wall=85_000.0, lefts=MONTH)
    derive = weighed(make_book(call_wall=90_000.0, lefts=MONTH, venue="derive"), 3)
    before = state_of(merge("BTC", [deribit, derive]), SPOT, NOON)
    after = state_of(make_book(call_wall=87_500.0, lefts=MONTH), SPOT, NOON)

    parts = parts_of(CALL, before, after)

    assert parts == {"venues": -5_000.0, "open_interest": 2_500.0}


def test_an_option_that_is_newly_listed_moves_a_level_by_open_interest():
    whole = make_book(call_wall=90_000.0, lefts=MONTH)
    listed = whole.strike < 89_000

    parts = parts_of(CALL, state_of(whole.take(listed), SPOT, NOON), state_of(whole, SPOT, NOON))

    assert set(parts) == {"open_interest"}


def test_what_had_moved_before_the_last_snapshot_is_called_earlier():
    state = state_of(make_book(call_wall=85_000.0), SPOT, NOON)

    parts = Causes(state, state).explain(CALL, 84_500.0, 85_000.0)

    assert {cause for cause, part in parts.items() if part} == {"earlier"}
    assert parts["earlier"] == 500.0


def test_without_the_chain_before_the_whole_move_is_called_earlier():
    state = state_of(make_book(), SPOT, NOON)

    parts = Causes(None, state).explain(CALL, 82_000.0, 85_000.0)

    assert parts == {"reformed": False, "earlier": 3_000.0}


@pytest.mark.parametrize(
    ("key", "was", "to", "spot", "reformed"),
    [
        (CALL, 80_000.0, 85_000.0, 80_100.0, True),
        (CALL, 80_000.0, 85_000.0, 79_900.0, False),
        (CALL, 85_000.0, 82_500.0, 80_000.0, False),
        (LevelKey("odte", "call_resistance"), 80_000.0, 85_000.0, 80_100.0, True),
        (LevelKey("all_expiry", "call_wall_2"), 80_000.0, 85_000.0, 80_100.0, True),
        (PUT, 80_000.0, 75_000.0, 79_900.0, True),
        (PUT, 80_000.0, 75_000.0, 80_100.0, False),
        (HVL, 80_000.0, 85_000.0, 80_100.0, False),
        (FLIP, 80_000.0, 85_000.0, 80_100.0, False),
    ],
)
def test_a_wall_re_formed_when_it_stands_beyond_the_spot_that_crossed_it(
    key, was, to, spot, reformed
):
    state = state_of(make_book(), spot, NOON)

    assert Causes(state, state).explain(key, was, to)["reformed"] is reformed


def test_a_wall_that_re_formed_is_seen_without_the_chain_before():
    state = state_of(make_book(), 80_100.0, NOON)

    assert Causes(None, state).explain(CALL, 80_000.0, 85_000.0)["reformed"] is True


def make_states(venues, seed, spot, minutes):
    """A state of these venues whose OI, IV and listing are drawn from the seed."""
    random = np.random.default_rng(seed)
    chains = []
    for venue in venues:
        book = make_book(venue=venue)
        book = replace(
            book,
            oi=book.oi * random.integers(0, 4, len(book)),
            iv=book.iv * random.choice([0.7, 1.0, 1.3, np.nan], len(book)),
        )
        chains.append(book.take(random.random(len(book)) < 0.9))
    return state_of(merge("BTC", chains), spot, NOON + timedelta(minutes=minutes))


VENUES = st.lists(st.sampled_from(("deribit", "derive", "okx")), min_size=1, unique=True)
STATES = st.builds(
    make_states,
    VENUES,
    st.integers(0, 10**6),
    st.floats(70_000, 90_000),
    st.sampled_from((0, 30, 1_199, 1_200, 30_000)),
)
KEYS = st.sampled_from((HVL, CALL, CALL_0DTE, PUT, FLIP, LevelKey("all_expiry", "flip", 1)))


@settings(max_examples=50)
@given(key=KEYS, before=STATES, after=STATES, was=st.floats(60_000, 100_000))
def test_the_parts_of_a_move_sum_to_the_whole(key, before, after, was):
    to = price(key, after) or 80_000.0

    parts = dict(Causes(before, after).explain(key, was, to))
    del parts["reformed"]

    assert sum(parts.values()) == pytest.approx(to - was, abs=1e-6)


@settings(max_examples=30)
@given(key=KEYS, state=STATES)
def test_nothing_moves_a_level_of_a_market_that_stands_still(key, state):
    was = price(key, state)
    if was is not None:
        assert set(Causes(state, state).explain(key, was, was).values()) <= {False}


def test_twins_of_two_families_are_told_apart():
    options = [
        ("call", 85_000.0, timedelta(days=9), oi, iv) for oi, iv in ((10.0, 0.5), (30.0, 0.9))
    ]
    chain = make_chain(options)

    venues, open_interest = _chains(chain, chain, NOON)

    assert venues is chain
    assert open_interest.iv.tolist() == [0.5, 0.9]


def test_a_part_that_went_is_a_venue_and_its_expiry():
    near, far = (
        make_chain([("call", 85_000.0, timedelta(days=days), 1.0, 0.5)]) for days in (3, 30)
    )

    venues, _ = _chains(merge("BTC", [near, far]), far, NOON)

    assert venues.expiry.tolist() == far.expiry.tolist()


def test_an_expiry_whose_time_has_come_went_by_time():
    near, far = (
        make_chain([("call", 85_000.0, timedelta(days=days), 1.0, 0.5)]) for days in (3, 30)
    )
    both = merge("BTC", [near, far])

    venues, _ = _chains(both, far, NOON + timedelta(days=3))

    assert venues is both
