import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.gex import StrikeProfile, exposure, live_rows, strike_profile
from bot.core.levels import (
    LevelSet,
    expected_move,
    find_hvl,
    level_set,
    nearest_max_pain,
    odte_set,
    ranked_strikes,
)
from tests.core.chains import NAN, NOW, make_chain, make_row

DAY = timedelta(days=1)


def make_profile(net: dict[float, float]) -> StrikeProfile:
    """A profile with these net exposures by strike, and no open interest."""
    strikes = sorted(net)
    values = np.array([net[strike] for strike in strikes])
    nothing = np.zeros(len(strikes))
    return StrikeProfile(
        np.array(strikes), np.maximum(values, 0.0), np.minimum(values, 0.0), nothing, nothing
    )


# Walls


def test_walls_are_the_three_largest_of_each_side_strongest_first():
    profile = make_profile(
        {70: -1, 80: -5, 85: -9, 90: -3, 105: 2, 110: 8, 115: 1, 120: 4, 130: 0.5}
    )

    levels = level_set(profile, 100.0)

    assert (levels.call_resistance, levels.call_wall_2, levels.call_wall_3) == (110, 120, 105)
    assert (levels.put_support, levels.put_wall_2, levels.put_wall_3) == (85, 80, 90)


def test_a_positive_strike_below_spot_and_a_negative_one_above_are_no_walls():
    levels = level_set(make_profile({90: 5, 110: -5}), 100.0)

    assert levels.call_resistance is None
    assert levels.put_support is None


@pytest.mark.parametrize(("net", "level"), [(5, "call_resistance"), (-5, "put_support")])
def test_a_strike_at_spot_may_be_a_wall(net, level):
    levels = level_set(make_profile({100: net}), 100.0)

    assert getattr(levels, level) == 100


def test_of_equal_magnitudes_the_nearer_to_spot_is_stronger():
    levels = level_set(make_profile({80: -5, 90: -5, 110: 5, 120: 5}), 100.0)

    assert (levels.call_resistance, levels.call_wall_2) == (110, 120)
    assert (levels.put_support, levels.put_wall_2) == (90, 80)


def test_magnitudes_that_differ_by_rounding_are_equal():
    levels = level_set(make_profile({110: 0.3, 120: 0.1 + 0.2}), 100.0)

    assert (levels.call_resistance, levels.call_wall_2) == (110, 120)


def test_what_does_not_exist_is_none():
    assert level_set(make_profile({}), 100.0) == LevelSet()
    assert level_set(make_profile({90: 0.0, 110: 0.0}), 100.0) == LevelSet()


def test_only_calls_have_no_put_support_and_no_hvl():
    levels = level_set(make_profile({90: 1, 110: 1}), 100.0)

    assert levels == LevelSet(call_resistance=110)


def test_only_puts_have_no_call_resistance_and_no_hvl():
    levels = level_set(make_profile({90: -1, 110: -1}), 100.0)

    assert levels == LevelSet(put_support=90)


def test_spot_above_all_strikes_leaves_no_call_resistance():
    levels = level_set(make_profile({90: -1, 110: 3}), 200.0)

    assert levels == LevelSet(hvl=110, put_support=90)


def test_spot_below_all_strikes_leaves_no_put_support():
    levels = level_set(make_profile({90: -1, 110: 3}), 50.0)

    assert levels == LevelSet(hvl=110, call_resistance=110)


def test_strikes_with_decimals_are_named_exactly():
    levels = level_set(make_profile({0.85: -1, 77.5: 3}), 1.0)

    assert (levels.put_support, levels.call_resistance, levels.hvl) == (0.85, 77.5, 77.5)


def test_exposures_that_cancel_are_no_wall_whatever_the_order_of_the_venues():
    rows = [make_row(110, "call", oi=oi) for oi in (3.0, 1.4, 5.9, 0.7)]
    rows += [make_row(110, "put", oi=oi) for oi in (0.7, 5.9, 1.4, 3.0)]
    live = live_rows(make_chain(rows), 100.0, NOW)

    profile = strike_profile(live, exposure(live))

    assert level_set(profile, 100.0) == LevelSet()
    assert ranked_strikes(profile, 100.0) == ()


def test_the_day_carries_three_levels():
    odte = odte_set(make_profile({90: -1, 110: 3}), 100.0)

    assert (odte.hvl, odte.call_resistance, odte.put_support) == (110, 110, 90)


# HVL


@pytest.mark.parametrize(
    ("net", "hvl"),
    [
        ({90: -2, 100: 1, 110: 3}, 110),
        ({90: 2, 100: -3}, 100),
        ({90: -2, 100: 2, 110: 1}, 110),  # the sum touches zero at 100 and rises at 110
        ({90: -2, 100: 2, 110: -1}, None),  # it touches zero and falls back
        ({90: 0, 100: 2}, None),  # zero has no sign to turn from
        ({90: 0, 100: -2, 110: 3}, 110),
        ({90: 1, 100: 1}, None),
        ({90: 1}, None),
        ({}, None),
    ],
)
def test_hvl_is_the_strike_where_the_running_sum_takes_the_other_sign(net, hvl):
    assert find_hvl(make_profile(net), 100.0) == hvl


def test_of_several_hvls_the_one_nearest_spot_counts():
    profile = make_profile({80: -1, 90: 2, 105: -2, 120: 2})

    assert find_hvl(profile, 100.0) == 105
    assert find_hvl(profile, 130.0) == 120


def test_of_two_hvls_equally_far_the_lower_counts():
    assert find_hvl(make_profile({80: -1, 95: 2, 105: -2}), 100.0) == 95


def test_a_running_sum_that_cancels_to_rounding_has_no_sign():
    assert find_hvl(make_profile({80: 0.1, 90: 0.2, 100: -(0.1 + 0.2), 110: 1e-3}), 100.0) is None


# Ranking


def test_the_ten_largest_of_either_sign_are_ranked():
    profile = make_profile({float(k): (-1) ** k * k for k in range(90, 104)})

    ranked = ranked_strikes(profile, 100.0)

    assert [one.strike for one in ranked] == list(range(103, 93, -1))
    assert ranked[0].net_gex == -103
    assert ranked[0].distance_pct == pytest.approx(3.0)


def test_of_equal_ranks_the_nearer_to_spot_leads_then_the_lower_strike():
    profile = make_profile({80: 5, 90: -5, 110: 5, 115: 7})

    assert [one.strike for one in ranked_strikes(profile, 100.0)] == [115, 90, 110, 80]


def test_a_strike_without_net_exposure_is_not_ranked():
    assert [one.strike for one in ranked_strikes(make_profile({90: 0, 100: 1}), 100.0)] == [100]


def test_a_ranked_strike_names_all_open_interest_even_without_gamma():
    rows = [make_row(100, oi=3), make_row(100, oi=4, iv=NAN), make_row(100, "put", oi=2)]
    live = live_rows(make_chain(rows), 100.0, NOW)

    [ranked] = ranked_strikes(strike_profile(live, exposure(live)), 100.0)

    assert (ranked.call_oi, ranked.put_oi) == (7, 2)
    assert ranked.net_gex == pytest.approx(ranked.call_gex + ranked.put_gex)
    assert ranked.call_gex == pytest.approx(-1.5 * ranked.put_gex)


# Max pain


def test_max_pain_is_the_strike_that_pays_holders_least():
    rows = [make_row(90, "call", oi=5), make_row(100, "call", oi=1), make_row(110, "put", oi=2)]

    pain = nearest_max_pain(live(rows))

    assert (pain.strike, pain.value) == (90, 2 * 20)
    assert pain.expiry == NOW + timedelta(days=30)


def test_a_strike_without_open_interest_is_a_candidate_for_max_pain():
    rows = [make_row(90, "put", oi=1), make_row(95, oi=0), make_row(110, "call", oi=1)]

    pain = nearest_max_pain(live(rows, spot=96.0))

    assert (pain.strike, pain.value) == (95, 0)


def test_rows_without_iv_count_for_max_pain():
    rows = [make_row(90, "call", oi=5, iv=NAN), make_row(110, "put", oi=1)]

    assert nearest_max_pain(live(rows)).strike == 90


@pytest.mark.parametrize(("spot", "strike"), [(97.0, 95), (103.0, 105), (100.0, 95)])
def test_of_equal_payouts_the_nearer_to_spot_counts_then_the_lower(spot, strike):
    rows = [make_row(95, "put", oi=1), make_row(105, "call", oi=1)]

    assert nearest_max_pain(live(rows, spot=spot)).strike == strike


def test_max_pain_is_of_the_nearest_live_expiry_that_has_open_interest():
    rows = [
        make_row(80, left=-DAY),
        make_row(90, left=DAY, oi=0),
        make_row(100, left=2 * DAY),
        make_row(110, left=3 * DAY),
    ]

    pain = nearest_max_pain(live(rows))

    assert (pain.strike, pain.expiry) == (100, NOW + 2 * DAY)


def test_without_open_interest_there_is_no_max_pain():
    assert nearest_max_pain(live([make_row(oi=0), make_row(oi=NAN)])) is None
    assert nearest_max_pain(live([])) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from([77.5, 80.0, 95.0, 100.0, 117.25]),
            st.sampled_from(["call", "put"]),
            st.floats(0.01, 100),
        ),
        min_size=1,
    )
)
def test_max_pain_pays_no_more_than_any_other_listed_strike(options):
    rows = [make_row(strike, side, oi=oi) for strike, side, oi in options]

    pain = nearest_max_pain(live(rows))

    payouts = {
        settled: math.fsum(
            oi * max(settled - k if side == "call" else k - settled, 0) for k, side, oi in options
        )
        for settled, _, _ in options
    }
    assert pain.value == pytest.approx(min(payouts.values()), rel=1e-9)
    assert payouts[pain.strike] == pytest.approx(pain.value, rel=1e-9)


# Expected move


def test_the_expected_move_is_one_day_at_the_money():
    move = expected_move(live([make_row(100, iv=0.5)]))

    day = 0.5 * math.sqrt(1 / 365)
    assert move.upper_1sd == pytest.approx(100 * math.exp(day))
    assert move.lower_1sd == pytest.approx(100 * math.exp(-day))
    assert move.upper_2sd == pytest.approx(100 * math.exp(2 * day))
    assert move.lower_2sd == pytest.approx(100 * math.exp(-2 * day))


def test_iv_is_linear_between_the_strikes_around_the_median_forward():
    rows = [make_row(90, iv=0.4, forward=94.0), make_row(110, "put", iv=0.8, forward=96.0)]

    assert daily_iv(rows) == pytest.approx(0.5)


def test_iv_is_flat_outside_the_strikes():
    assert daily_iv([make_row(120, iv=0.4), make_row(130, iv=0.8)]) == pytest.approx(0.4)
    assert daily_iv([make_row(70, iv=0.4), make_row(80, iv=0.8)]) == pytest.approx(0.8)


def test_iv_at_a_strike_is_the_mean_over_calls_puts_and_venues():
    rows = [
        make_row(100, "call", iv=0.4),
        make_row(100, "put", iv=0.5),
        make_row(100, "put", iv=0.9, venue="okx"),
        make_row(100, "call", iv=NAN, venue="okx"),
    ]

    assert daily_iv(rows) == pytest.approx(0.6)


def test_iv_without_open_interest_counts_for_the_expected_move():
    assert daily_iv([make_row(100, iv=0.7, oi=0)]) == pytest.approx(0.7)


@pytest.mark.parametrize("left", [timedelta(hours=1), timedelta(minutes=5), -DAY])
def test_an_expiry_within_the_hour_says_nothing_of_the_day(left):
    rows = [make_row(iv=0.9, left=left), make_row(iv=0.5)]

    assert daily_iv(rows) == pytest.approx(0.5)


def test_an_expiry_just_over_an_hour_away_is_used():
    rows = [make_row(iv=0.9, left=timedelta(hours=1, milliseconds=1)), make_row(iv=0.5)]

    assert daily_iv(rows) == pytest.approx(0.9)


def test_an_expiry_without_any_valid_iv_is_passed_over():
    rows = [make_row(iv=60.0, left=DAY), make_row(iv=NAN, left=DAY), make_row(iv=0.5)]

    assert daily_iv(rows) == pytest.approx(0.5)


def test_without_any_valid_iv_there_is_no_expected_move():
    assert expected_move(live([make_row(iv=NAN)])) is None
    assert expected_move(live([])) is None


def live(rows, spot=100.0):
    return live_rows(make_chain(rows), spot, NOW)


def daily_iv(rows):
    move = expected_move(live(rows))
    return math.log(move.upper_1sd / 100) * math.sqrt(365)
