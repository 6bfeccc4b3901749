import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.charts.levels import Level
from bot.charts.window import price_window, profile_window
from bot.core.levels import ExpectedMove
from tests.charts.pictures import a_profile, candles

strikes = st.lists(st.floats(1, 400), min_size=1, max_size=60, unique=True)
prices = st.lists(st.floats(10, 300), max_size=30)
MOVE = ExpectedMove(103.0, 97.0, 106.0, 94.0)


@given(strikes=strikes, level=st.floats(10, 300))
def test_the_window_is_around_spot_and_holds_every_level_within_reach(strikes, level):
    low, high = profile_window(a_profile(strikes), 100.0, [Level("HVL", "hvl", level)])

    assert 60 < low < 92
    assert 108 < high < 140
    assert low < level < high or not 65 <= level <= 135


@given(strikes=st.lists(st.floats(66, 134), min_size=1, max_size=60, unique=True))
def test_the_window_holds_97_percent_of_the_exposure_within_reach(strikes):
    profile = a_profile(strikes)
    gross = profile.call_gex - profile.put_gex

    low, high = profile_window(profile, 100.0, [])

    inside = (profile.strike >= low) & (profile.strike <= high)
    assert gross[inside].sum() >= 0.97 * gross.sum()


def levels_at(*prices):
    return [Level("HVL", "hvl", price) for price in prices]


@given(prices=prices, count=st.integers(0, 96), swing=st.floats(0, 0.3))
def test_the_price_is_within_the_window_and_fills_nearly_half_of_it(prices, count, swing):
    past = candles(100.0, count, swing)

    low, high = price_window(past, 100.0, levels_at(*prices), MOVE)

    lowest = min([98.5, *(candle.low for candle in past)])
    highest = max([101.5, *(candle.high for candle in past)])
    assert low < lowest < highest < high
    assert highest - lowest >= 0.48 * (high - low)


@given(prices=prices)
def test_the_levels_within_the_window_are_those_nearest_to_spot_on_their_side(prices):
    low, high = price_window(candles(), 100.0, levels_at(*prices), MOVE)

    above = sorted(price for price in prices if price > 100)
    below = sorted((price for price in prices if price < 100), reverse=True)
    for side in (above, below):
        inside = [low < price < high for price in side]
        assert inside == sorted(inside, reverse=True)


def test_without_candles_the_window_is_the_expected_move():
    low, high = price_window((), 100.0, levels_at(103.0, 97.0, 106.0), MOVE)

    np.testing.assert_allclose((low, high), (96.88, 103.12))


def test_a_market_without_expected_move_has_a_window_too():
    low, high = price_window((), 100.0, [], None)

    assert 99 < low < 100 < high < 101
