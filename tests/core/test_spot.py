from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.core.snapshot import Tick
from bot.core.spot import agreeing, consensus, is_current, joint, take

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BTC = "BTCUSDT"
VENUES = ("binance", "bybit", "deribit", "derive", "okx")
PRICES = st.floats(1e-3, 1e9)


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def make_last(spot, seconds=0.0):
    return Tick(BTC, after(seconds), spot, "bybit index")


class Market:
    """Prints as they come, and the price after each one."""

    def __init__(self, last=None):
        self.quotes = {}
        self.last = last

    def hear(self, seconds, lag=0.0, **prices):
        """Hear these venues in this order; the price now, None when there is none."""
        spot = None
        for venue, price in prices.items():
            print_ = Tick(BTC, after(seconds - lag), price, venue)
            self.quotes = take(self.quotes, print_, after(seconds))
            spot = consensus(self.quotes, self.last, after(seconds))
            self.last = spot or self.last
        return spot.spot if spot else None

    def go_on(self, start, end, step=1.0, **prices):
        """Hear the same prices again and again; the times and prices of what counts."""
        heard = []
        for turn in range(round((end - start) / step) + 1):
            seconds = start + turn * step
            spot = self.hear(seconds, **prices)
            if spot is not None:
                heard.append((seconds, spot))
        return heard


def test_the_price_is_the_median_of_the_venues_and_names_them_in_order():
    market = Market()

    market.hear(0, okx=100.0, bybit=100.2, deribit=100.1)

    assert market.last == Tick(BTC, NOON, 100.1, "bybit+deribit+okx index")


def test_without_a_print_there_is_no_price():
    assert consensus({}, make_last(100.0), NOON) is None


@pytest.mark.parametrize(("seconds", "counts"), [(10, True), (10.1, False)])
def test_a_print_heard_long_ago_counts_no_more(seconds, counts):
    market = Market(make_last(100.0))
    market.hear(0, bybit=100.0)

    spot = consensus(market.quotes, market.last, after(seconds))

    assert (spot is not None) == counts


@pytest.mark.parametrize(("lag", "counts"), [(15, True), (15.1, False)])
def test_a_print_made_long_ago_does_not_count_however_lately_it_was_heard(lag, counts):
    market = Market(make_last(100.0))

    spot = market.hear(0, lag=lag, bybit=100.0)

    assert (spot is not None) == counts


def test_a_print_made_before_the_venues_last_one_is_no_news():
    market = Market(make_last(100.0))
    market.hear(0, bybit=100.0)

    late = market.hear(1, lag=2, bybit=90.0)

    assert late == 100.0


def test_a_frozen_venue_does_not_count_while_the_others_move():
    market = Market(make_last(100.0))
    market.go_on(0, 29, bybit=100.0, okx=100.0)

    within = market.hear(29.5, okx=100.2, bybit=100.0)
    market.hear(29.8, okx=100.2)
    frozen = market.hear(30, bybit=100.0)
    thawed = market.hear(31, bybit=100.1)

    assert within == pytest.approx(100.1)
    assert frozen == 100.2
    assert thawed == pytest.approx(100.15)


def test_no_venue_is_frozen_when_all_are_still():
    market = Market(make_last(100.0))

    market.go_on(0, 3_600, step=5.0, bybit=100.0, okx=100.05)

    assert market.last.source == "bybit+okx index"


def test_a_single_print_freezes_nobody():
    market = Market(make_last(100.0))
    market.go_on(0, 60, bybit=100.0, okx=100.0, deribit=100.0)

    assert market.hear(60.5, deribit=100.9) == 100.0


def test_a_venue_that_was_frozen_before_another_joined_is_found_out():
    market = Market(make_last(100.0))
    market.go_on(0, 60, bybit=100.0)
    market.hear(61, okx=100.0)

    market.hear(62, okx=100.3)
    market.hear(63, okx=100.3)

    assert market.last.source == "okx index"


@pytest.mark.parametrize("venues", [["bybit"], ["bybit", "okx"], VENUES])
@pytest.mark.parametrize("bad", [90.0, 98.9, 101.1, 110.0, 1e12])
def test_one_bad_print_never_counts(venues, bad):
    market = Market(make_last(100.0))
    market.go_on(0, 20, **dict.fromkeys(venues, 100.0))

    struck = market.hear(20.5, bybit=bad)
    healed = market.hear(21, bybit=100.0)

    assert struck in (None, 100.0)
    assert healed == 100.0


def test_a_lone_venues_gap_counts_once_it_has_lasted():
    market = Market(make_last(100.0))
    market.go_on(0, 10, bybit=100.0)

    heard = market.go_on(10.1, 13.1, step=0.5, bybit=95.0)

    assert heard == [(pytest.approx(seconds), 95.0) for seconds in (12.1, 12.6, 13.1)]


def test_two_prints_of_a_lone_venue_are_too_few_when_they_come_at_once():
    market = Market(make_last(100.0))
    market.go_on(0, 10, bybit=100.0)
    market.hear(10.1, bybit=95.0)

    assert market.hear(10.2, bybit=95.0) is None


def test_a_gap_that_two_venues_make_counts_at_once():
    market = Market(make_last(100.0))
    market.go_on(0, 10, bybit=100.0, okx=100.0)

    assert market.hear(10.1, bybit=95.0) == 100.0
    assert market.hear(10.3, okx=94.9) == pytest.approx(94.95)


def test_a_gap_of_all_venues_counts_when_most_of_them_have_made_it():
    market = Market(make_last(100.0))
    market.go_on(0, 10, **dict.fromkeys(VENUES, 100.0))

    heard = [market.hear(10.1 + turn * 0.04, **{venue: 95.0}) for turn, venue in enumerate(VENUES)]

    assert heard == [100.0, 100.0, 95.0, 95.0, 95.0]


def test_a_fast_fall_of_a_lone_venue_is_followed_print_by_print():
    market = Market(make_last(100.0))
    path = [100.0 * 0.995**turn for turn in range(100)]

    heard = [market.hear(turn * 0.1, bybit=price) for turn, price in enumerate(path)]

    assert heard == path


def test_a_second_venue_at_another_level_changes_nothing():
    market = Market(make_last(100.0))
    market.go_on(0, 600, bybit=100.0)

    heard = market.go_on(601, 900, bybit=100.0, okx=105.0)

    assert {spot for _, spot in heard} == {100.0}


def test_two_venues_at_different_levels_count_together_once_they_agree():
    market = Market(make_last(100.0))
    market.go_on(0, 20, bybit=100.0, okx=105.0)

    assert market.hear(21, okx=100.2) == pytest.approx(100.1)


def test_when_the_good_venue_dies_the_bad_one_counts_a_minute_later():
    market = Market(make_last(100.0))
    market.go_on(0, 100, bybit=100.0, okx=105.0)

    (first, spot), *_ = market.go_on(111, 200, okx=105.0)

    assert (first, spot) == (161, 105.0)


def test_a_gap_during_which_the_other_venue_dies_counts_when_that_is_stale():
    market = Market(make_last(100.0))
    market.go_on(0, 100, bybit=100.0, okx=100.01)
    market.hear(100, okx=100.0)

    heard = market.go_on(100.5, 115.5, step=0.5, bybit=95.0)

    assert next(seconds for seconds, spot in heard if spot == 95.0) == 110.5


def test_a_gap_during_which_the_other_venue_freezes_counts_within_half_a_minute():
    market = Market(make_last(100.0))
    market.go_on(0, 100, bybit=100.0, okx=100.01)
    market.hear(101, bybit=100.0, okx=100.0)

    heard = market.go_on(102, 140, bybit=95.0, okx=100.0)

    assert next(seconds for seconds, spot in heard if spot == 95.0) <= 131


@pytest.mark.parametrize("last", [None, make_last(100.0, -86_400)])
def test_a_restart_with_one_venue_begins_when_its_price_has_lasted(last):
    market = Market(last)

    heard = market.go_on(0, 4, bybit=120.0)

    assert heard == [(2, 120.0), (3, 120.0), (4, 120.0)]


@pytest.mark.parametrize("last", [None, make_last(100.0, -86_400)])
def test_a_restart_with_venues_that_agree_begins_at_once(last):
    market = Market(last)

    assert market.hear(0, bybit=120.0, okx=120.2) == pytest.approx(120.1)


def test_a_restart_near_the_last_price_begins_at_once():
    market = Market(make_last(100.0, -86_400))

    assert market.hear(0, bybit=100.5) == 100.5


@pytest.mark.parametrize("last", [None, make_last(100.0, -86_400)])
def test_a_restart_with_venues_that_disagree_begins_after_a_minute(last):
    market = Market(last)

    heard = market.go_on(0, 62, bybit=102.0, okx=107.0)

    assert heard == [(seconds, 102.0) for seconds in (60, 61, 62)]


def test_three_venues_that_all_disagree_leave_the_nearest_to_the_last_price():
    market = Market(make_last(100.0))

    assert market.hear(0, bybit=100.3, okx=105.0, deribit=90.0) == 100.3


def test_between_two_camps_of_equal_size_the_last_price_decides():
    market = Market(make_last(105.0))
    market.go_on(0, 5, bybit=105.0, okx=105.2)

    assert market.hear(5, deribit=100.0, derive=100.2) == pytest.approx(105.1)


def test_those_that_agree_are_within_a_percent_of_the_median():
    near = [Tick(BTC, NOON, price, venue) for price, venue in ((100.0, "okx"), (100.8, "bybit"))]
    far = Tick(BTC, NOON, 99.8, "deribit"), Tick(BTC, NOON, 90.0, "derive")

    assert agreeing([*near, *far]) == [*near, far[0]]


def test_two_that_differ_by_more_than_a_percent_do_not_agree():
    low, high = Tick(BTC, NOON, 100.0, "okx"), Tick(BTC, NOON, 101.2, "bybit")

    assert agreeing([low, high]) == []


def test_prints_are_joined_at_their_median():
    prints = [Tick(BTC, NOON, 100.0, "okx"), Tick(BTC, after(1), 101.0, "bybit")]

    assert joint(prints, after(2)) == Tick(BTC, after(2), 100.5, "bybit+okx index")


@pytest.mark.parametrize(("age", "current"), [(15, True), (16, False)])
def test_a_print_is_current_by_its_stamp(age, current):
    assert is_current(Tick(BTC, NOON, 100.0, "okx"), after(age)) == current


HEARD = st.lists(
    st.tuples(st.sampled_from(VENUES), st.floats(50, 200), st.floats(0, 20)), min_size=1
)


@given(heard=HEARD, last=st.none() | st.floats(50, 200).map(make_last))
def test_the_price_lies_within_the_fresh_prints(heard, last):
    market, seconds = Market(last), 0.0

    for venue, price, pause in heard:
        seconds += pause
        spot = market.hear(seconds, **{venue: price})
        fresh = [
            quote.price
            for quote in market.quotes.values()
            if after(seconds) - quote.heard <= timedelta(seconds=10)
        ]
        assert spot is None or min(fresh) <= spot <= max(fresh)


@given(
    prices=st.lists(st.floats(95, 105) | st.sampled_from([99.0, 101.0]), min_size=1, max_size=4),
    last=st.none() | st.just(make_last(100.0)),
)
def test_the_order_of_the_venues_changes_nothing(prices, last):
    found = set()

    for order in permutations(zip(VENUES, prices, strict=False)):
        market = Market()
        for turn in (0, 1, 2, 60):
            for venue, price in order:
                market.quotes = take(
                    market.quotes, Tick(BTC, after(turn), price, venue), after(turn)
                )
        found.add(consensus(market.quotes, last, after(60)))

    assert len(found) == 1


@given(
    shares=st.lists(st.floats(0, 0.001), min_size=3, max_size=5),
    turn=st.integers(0, 4),
    further=PRICES,
)
def test_no_single_print_moves_the_price_of_three_that_agree(shares, turn, further):
    market = Market()
    agreed = {venue: 100.0 * (1 + share) for venue, share in zip(VENUES, shares, strict=False)}
    assume(max(agreed.values()) <= min(agreed.values()) * 1.001)
    assume(len(agreed) > 3 or turn > 2)  # three agree without the one that prints again
    before = market.hear(0, **agreed)

    spot = market.hear(0.5, **{VENUES[turn]: further})

    assert abs(spot - before) <= 0.001 * before * (1 + 1e-9)


@given(venue=st.sampled_from(VENUES), price=PRICES, age=st.floats(0, 1e6))
def test_a_lone_far_print_is_never_accepted_at_once(venue, price, age):
    assume(abs(price - 100.0) > 1.0 + 1e-9)
    market = Market(make_last(100.0, -age))

    assert market.hear(0, **{venue: price}) is None


@given(
    paths=st.lists(
        st.dictionaries(st.sampled_from(VENUES), st.floats(50, 200), min_size=1),
        min_size=1,
        max_size=5,
    ),
    last=st.none() | st.floats(50, 200).map(make_last),
)
def test_whatever_happened_the_silence_ends_within_two_minutes(paths, last):
    market = Market(last)
    for turn, prices in enumerate(paths):
        market.go_on(turn * 7, turn * 7 + 6, **prices)

    heard = market.go_on(len(paths) * 7, len(paths) * 7 + 120, **paths[-1])

    assert heard
    assert heard[-1][0] == len(paths) * 7 + 120


def test_one_bad_venue_does_not_disown_four_that_agree_and_stand_still():
    market = Market(make_last(90_300.0))
    still = dict.fromkeys(("binance", "bybit", "derive", "okx"), 90_300.0)
    market.go_on(0, 60, deribit=90_300.0, **still)

    heard = market.go_on(61, 120, deribit=87_591.0, **still)

    assert {spot for _, spot in heard} == {90_300.0}


@pytest.mark.parametrize("off", [0.004, 0.009, -0.009])
def test_of_two_venues_a_bad_print_of_less_than_a_percent_does_not_count_either(off):
    market = Market(make_last(100.0))
    market.go_on(0, 5, deribit=100.0, okx=100.01)

    heard = market.go_on(6, 8, deribit=100.0 * (1 + off), okx=100.01)

    assert {spot for _, spot in heard} <= {100.01}
