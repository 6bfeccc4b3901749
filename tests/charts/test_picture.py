import pickle
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts.picture import MOST_BARS, Level, choose_window, make_bars, nice_step
from bot.core.gex import StrikeProfile
from tests.charts.pictures import a_market, a_picture, a_snapshot, no_gamma

strikes = st.lists(st.floats(1, 400), min_size=1, max_size=60, unique=True)


def a_profile(strike, seed=1):
    """Calls and puts of some size at each strike."""
    strike = np.sort(np.array(strike))
    sizes = np.random.default_rng(seed).uniform(0.1, 1.0, (2, len(strike))) * 1e6
    return StrikeProfile(strike, sizes[0], -sizes[1], sizes[0], sizes[1])


@given(strikes=strikes, level=st.floats(10, 300))
def test_the_window_is_around_spot_and_holds_every_level_within_reach(strikes, level):
    low, high = choose_window(a_profile(strikes), 100.0, [Level("HVL", "hvl", level)])

    assert 60 < low < 92
    assert 108 < high < 140
    assert low < level < high or not 65 <= level <= 135


@given(strikes=st.lists(st.floats(66, 134), min_size=1, max_size=60, unique=True))
def test_the_window_holds_97_percent_of_the_exposure_within_reach(strikes):
    profile = a_profile(strikes)
    gross = profile.call_gex - profile.put_gex

    low, high = choose_window(profile, 100.0, [])

    inside = (profile.strike >= low) & (profile.strike <= high)
    assert gross[inside].sum() >= 0.97 * gross.sum()


@given(strikes=strikes)
def test_bars_are_few_and_never_cover_each_other(strikes):
    bars = make_bars(a_profile(strikes), (50.0, 150.0))

    assert len(bars.strike) <= MOST_BARS + 2
    assert np.all(np.diff(bars.strike) >= bars.thickness * (1 - 1e-9))


def test_each_strike_has_its_own_bar_while_there_is_room():
    bars = make_bars(a_profile([90.0, 95.0, 100.0, 102.5]), (65.0, 135.0))

    assert bars.strike == (90.0, 95.0, 100.0, 102.5)
    assert bars.step is None


def test_thousands_of_strikes_share_bars_that_add_up():
    profile = a_profile(np.linspace(60, 140, 4001))

    bars = make_bars(profile, (60.0, 140.0))

    assert bars.step == 1.0
    assert bars.strike[:3] == (60.0, 61.0, 62.0)
    assert sum(bars.call_gex) == pytest.approx(profile.call_gex.sum())
    assert sum(bars.put_gex) == pytest.approx(profile.put_gex.sum())


@given(least=st.floats(1e-6, 1e6))
def test_a_step_is_round_and_hardly_larger_than_needed(least):
    step = nice_step(least)

    assert least * (1 - 1e-9) <= step <= least * 2.01


def test_the_curve_crosses_zero_at_the_flip():
    chain = a_market()
    (zone,) = a_snapshot(chain).levels.gamma_flip_zones

    picture = a_picture(chain)

    gex = np.interp([zone.flip - 1, zone.flip + 1], picture.curve_spot, picture.curve_gex)
    assert gex[0] < 0 < gex[1]
    assert picture.zones == ((zone.lower, zone.upper),)


def test_the_curve_at_spot_is_the_net_exposure_and_the_sum_of_the_bars():
    picture = a_picture()

    at_spot = np.interp(picture.spot, picture.curve_spot, picture.curve_gex)

    assert at_spot == pytest.approx(picture.net_gex, rel=1e-3)
    bars = picture.bars
    assert sum(bars.call_gex) + sum(bars.put_gex) == pytest.approx(picture.net_gex)


def test_bars_are_those_of_the_snapshots_time_however_late_it_is_drawn():
    chain = a_market(left=timedelta(hours=2))

    picture = a_picture(chain, later=timedelta(hours=3))

    assert picture.bars == a_picture(chain).bars
    assert picture.bars.strike
    assert picture.ages == (("deribit", timedelta(hours=3)),)


def test_levels_come_in_the_order_of_their_weight():
    names = [level.name for level in a_picture().levels]

    assert names[:2] == ["Call Resistance", "Put Support"]
    assert names[-1].endswith("Wall 3")


def test_a_chain_without_iv_has_a_picture_without_gamma():
    picture = a_picture(no_gamma())

    assert picture.net_gex is None
    assert picture.bars.strike == picture.curve_gex == ()
    assert [level.name for level in picture.levels] == ["Max Pain"]
    assert picture.window == pytest.approx((89.64, 108.36))  # Max Pain, 90 and 8 % with a margin


def test_a_picture_travels_and_stays_the_same():
    picture = a_picture(stale=True, left_out={"okx": "HTTP 502"}, simulated=True)

    copy = pickle.loads(pickle.dumps(picture))

    assert copy == picture
    assert hash(copy) == hash(picture)
