import math
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.gex import live_rows
from bot.core.zones import flip_zones, reprice
from tests.core.chains import NAN, NOW, change, make_chain, make_row
from tests.oracle import clean

SPOT = 100.0
WEEK, YEAR = timedelta(days=7), timedelta(days=365)
PUT_BELOW, CALL_ABOVE = make_row(90, "put"), make_row(110, "call")


# Flips


def test_a_flip_is_where_the_total_changes_sign():
    rows = [PUT_BELOW, CALL_ABOVE]

    [zone] = zones(rows)

    [flip] = zone.flips
    assert flip == zone.flip
    assert total(rows, flip * (1 - 1e-9)) < 0 < total(rows, flip * (1 + 1e-9))
    assert zone.direction == "negative_to_positive"
    assert zone.distance_pct == pytest.approx((flip / SPOT - 1) * 100)


def test_calls_below_puts_flip_from_positive_to_negative():
    [zone] = zones([make_row(90, "call"), make_row(110, "put")])

    assert zone.direction == "positive_to_negative"


@pytest.mark.parametrize("side", ["call", "put"])
def test_one_side_alone_has_no_flip(side):
    assert zones([make_row(strike, side) for strike in (80, 100, 120)]) == ()


def test_one_row_has_no_flip():
    assert zones([make_row()]) == ()


def test_a_chain_without_weight_has_no_flip():
    assert zones([]) == ()
    assert zones([change(PUT_BELOW, oi=0.0), CALL_ABOVE]) == ()
    assert zones([change(PUT_BELOW, iv=NAN), change(CALL_ABOVE, iv=NAN)]) == ()
    assert zones([make_row(left=timedelta(0)), make_row(90, "put", left=-WEEK)]) == ()


def test_a_put_that_the_calls_outweigh_everywhere_makes_no_flip():
    assert zones([make_row(100, "call", oi=10), make_row(100, "put", oi=9)]) == ()


def test_a_straddle_that_cancels_everywhere_has_no_flip():
    assert zones([make_row(100, "call"), make_row(100, "put"), make_row(120, "call")]) == ()
    assert zones([make_row(100, "call"), make_row(100, "put")]) == ()


def test_several_flips_are_found_ascending():
    sides = ("put", "call", "put", "call", "put")
    rows = [
        make_row(strike, side, left=WEEK)
        for strike, side in zip((70, 85, 100, 115, 130), sides, strict=True)
    ]

    found = zones(rows)

    assert [zone.lower for zone in found] == sorted(zone.lower for zone in found)
    flips = [flip for zone in found for flip in zone.flips]
    assert flips == sorted(flips)
    assert len(flips) == 4
    for flip in flips:
        assert total(rows, flip * (1 - 1e-9)) * total(rows, flip * (1 + 1e-9)) < 0


# How far a put of another expiry may dip into a call before the sum turns.


def call_with_put(oi: float) -> list:
    return [make_row(100, "call", iv=0.9, left=YEAR), make_row(103, "put", oi=oi, left=WEEK)]


def oi_that_touches() -> float:
    """The open interest of the put at which the total touches zero at one spot."""
    call, put = call_with_put(1.0)
    low, high = 90.0, 115.0
    while high - low > 1e-9:
        third = (high - low) / 3
        if total([call], low + third) / -total([put], low + third) < total(
            [call], high - third
        ) / -total([put], high - third):
            high -= third
        else:
            low += third
    return total([call], low) / -total([put], low)


@pytest.mark.parametrize("depth", [1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
def test_two_flips_between_two_points_of_a_grid_are_found(depth):
    rows = call_with_put(oi_that_touches() * (1 + depth))

    [zone] = zones(rows)

    low, high = zone.flips
    assert high - low < 100 * math.sqrt(depth)
    assert total(rows, (low + high) / 2) < 0 < total(rows, low - (high - low))
    assert zone.direction == "unchanged"


@pytest.mark.parametrize("depth", [1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
def test_a_touch_without_crossing_is_no_flip(depth):
    assert zones(call_with_put(oi_that_touches() * (1 - depth))) == ()


def test_flips_between_rows_of_minutes_to_expiry_are_found():
    soon = timedelta(minutes=5)
    rows = [
        make_row(100, "call", oi=100, left=YEAR),
        make_row(103.3, "put", oi=1, left=soon),
        make_row(96.1, "put", oi=1, left=soon),
    ]

    found = zones(rows)

    flips = [flip for zone in found for flip in zone.flips]
    assert len(flips) == 4
    for flip in flips:
        assert total(rows, flip * (1 - 1e-9)) * total(rows, flip * (1 + 1e-9)) < 0


def test_the_tail_of_a_narrow_row_may_turn_a_total_that_nearly_cancels():
    hour, autumn = timedelta(hours=1), timedelta(days=307)
    rows = [
        make_row(85, "put", oi=10, iv=0.57, left=autumn),
        make_row(110, "call", oi=10, iv=0.5, left=autumn),
        make_row(125, "put", oi=1, iv=3.41, left=hour, forward=102.44),
        make_row(140, "put", oi=5.5, iv=2.77, left=hour * 0.68, forward=99.55),
        make_row(135, "call", oi=978, iv=0.23, left=hour / 60, forward=101.385),
    ]

    found = zones(rows)

    assert [flip for zone in found for flip in zone.flips] == sign_turns(rows, 4_001)


@pytest.mark.parametrize("lowest", [72.0, 72.15, 72.3, 90.0, 90.5, 91.0, 120.0, 120.7])
def test_three_flips_close_together_are_found(lowest):
    wanted = [lowest, lowest * 1.0035, lowest * 1.0115]
    strikes = [lowest * (0.93 + 0.05 * k) for k in range(4)]
    one_coin = [make_row(strike, oi=1.0, iv=0.45, left=timedelta(hours=20)) for strike in strikes]
    terms = np.array([[total([row], spot) for row in one_coin] for spot in wanted])
    coins = np.append(np.linalg.solve(terms[:, :3], -terms[:, 3]), 1.0)
    rows = [
        change(row, oi=abs(oi) * 100, is_call=bool(oi > 0))
        for row, oi in zip(one_coin, coins, strict=True)
    ]

    found = zones(rows)

    flips = [flip for zone in found for flip in zone.flips]
    assert flips == pytest.approx(wanted, rel=1e-9)


def test_a_flip_outside_half_to_one_and_a_half_of_spot_is_not_searched():
    far = [make_row(170, "call", left=WEEK), make_row(160, "put", left=WEEK)]

    assert zones(far) == ()


def test_a_flip_in_the_noise_is_left_out():
    rows = [make_row(60, "put", oi=1, left=WEEK), make_row(140, "call", oi=1, left=WEEK)]

    assert zones(rows) == ()
    assert total(rows, 60) < 0 < total(rows, 140)


def test_the_noise_is_measured_by_all_rows_even_those_that_cancel():
    straddle = [make_row(80, side, oi=1e9, left=WEEK) for side in ("call", "put")]
    rows = [make_row(130, "put", left=WEEK), make_row(140, "call", left=WEEK)]

    assert len(zones(rows)) == 1
    assert zones([*straddle, *rows]) == ()


def test_spot_outside_all_strikes_still_finds_the_flip():
    rows = [make_row(70, "put"), make_row(80, "call")]

    [zone] = zones(rows)

    assert 70 < zone.flip < 80


# The band


def test_the_edges_are_where_the_total_reaches_five_percent_of_the_peak():
    rows = [PUT_BELOW, CALL_ABOVE, make_row(100, "call", oi=3, left=WEEK)]

    found = zones(rows)

    assert found
    limit = 0.05 * peak(rows)
    for zone in found:
        for edge in (zone.lower, zone.upper):
            low, high = (abs(total(rows, edge * (1 + step))) for step in (-1e-5, 1e-5))
            assert min(low, high) < limit < max(low, high)


def test_a_band_that_meets_the_end_of_the_searched_range_is_clipped_to_it():
    big, small = make_row(100, "call", oi=1_000, left=WEEK), make_row(140, "put", oi=1, left=WEEK)

    [zone] = zones([big, small])

    assert zone.upper == pytest.approx(150, rel=1e-12)
    assert zone.direction == "positive_to_negative"


def test_a_clipped_band_has_the_sign_beside_its_flip_whatever_noise_lies_beyond():
    hour = timedelta(hours=1)
    rows = [make_row(70, "call", oi=1, left=hour), make_row(94, "put", oi=1, left=hour)]

    [zone] = zones([*rows, make_row(97, "call", oi=100, left=hour)])

    assert zone.lower == pytest.approx(50, rel=1e-12)
    assert len(zone.flips) == 1
    assert zone.direction == "negative_to_positive"


def test_bands_that_touch_are_one_zone_with_both_flips():
    [zone] = zones(call_with_put(oi_that_touches() * 1.001))

    assert len(zone.flips) == 2
    assert zone.lower < zone.flips[0] < zone.flips[1] < zone.upper
    assert zone.flip == min(zone.flips, key=lambda flip: abs(flip - SPOT))


def test_bands_apart_are_two_zones():
    found = zones(call_with_put(oi_that_touches() * 3))

    assert [len(zone.flips) for zone in found] == [1, 1]
    assert found[0].upper < found[1].lower
    assert [zone.direction for zone in found] == ["positive_to_negative", "negative_to_positive"]


@pytest.mark.parametrize("strike", [105.0, 106.1, 107.2, 108.3, 109.4, 110.5, 111.6, 112.7])
def test_a_flip_exactly_at_spot_keeps_its_direction(strike):
    put, call = make_row(90, "put"), make_row(strike, "call")
    put = change(put, oi=put.oi * total([call], SPOT) / -total([put], SPOT))

    [zone] = zones([put, call])

    assert zone.flip == pytest.approx(SPOT, rel=1e-9)
    assert zone.direction == "negative_to_positive"


def test_the_direction_is_of_the_signs_outside_the_zone_whatever_noise_lies_inside():
    soon = timedelta(minutes=10)
    rows = [
        make_row(0.8075, "put", oi=10.0, iv=0.57, left=soon, forward=0.8472, index=0.85),
        make_row(0.765, "call", oi=7.24, iv=3.52, left=soon, forward=0.85, index=0.85),
        make_row(0.935, "put", oi=2.63, iv=0.353, left=soon, forward=0.8472, index=0.85),
    ]

    *_, zone = zones(rows, spot=0.85)

    assert total(rows, zone.lower) < 0
    assert total(rows, zone.upper) < 0
    assert zone.direction == "unchanged"


# Laws


@given(
    st.lists(
        st.builds(
            make_row,
            st.sampled_from([77.5, 85.0, 90.0, 95.0, 100.0, 105.0, 110.0, 122.5]),
            st.sampled_from(["call", "put"]),
            oi=st.floats(1, 1_000),
            iv=st.floats(0.2, 1.5),
            left=st.integers(12, 5_000).map(lambda hours: timedelta(hours=hours)),
        ),
        min_size=2,
        max_size=15,
    )
)
def test_every_flip_of_any_chain_is_a_root_and_lies_in_its_zone(rows):
    found = zones(rows)

    for zone in found:
        assert zone.lower <= zone.flips[0] <= zone.flips[-1] <= zone.upper
        assert zone.flip in zone.flips
        for flip in zone.flips:
            assert abs(total(rows, flip)) <= 1e-7 * gross(rows, flip)
    for below, above in pairwise(found):
        assert below.upper < above.lower


def test_scaling_all_open_interest_moves_no_zone():
    rows = [PUT_BELOW, CALL_ABOVE]

    [zone] = zones(rows)
    [scaled] = zones([change(row, oi=row.oi * 1e6) for row in rows])

    for name in ("flip", "lower", "upper"):
        assert getattr(scaled, name) == pytest.approx(getattr(zone, name), rel=1e-12)


def test_repricing_agrees_with_the_formula_of_the_page():
    rows = [PUT_BELOW, CALL_ABOVE, make_row(100, left=timedelta(minutes=5))]
    spots = np.linspace(50, 150, 41)

    repriced = reprice(live_rows(make_chain(rows), SPOT, NOW), spots)

    np.testing.assert_allclose(repriced, [total(rows, spot) for spot in spots], rtol=1e-9)


def zones(rows, spot=SPOT):
    return flip_zones(live_rows(make_chain(rows), spot, NOW))


def total(rows, spot):
    """The sum of the page's formula with every forward moved to this spot."""
    return math.fsum(option.gex for option in clean(rows, spot, NOW))


def gross(rows, spot):
    return math.fsum(abs(option.gex) for option in clean(rows, spot, NOW))


def peak(rows):
    """The largest unsigned total from 75 to 125, by a scan and a finer scan."""
    best = max(range(75_00, 125_01), key=lambda cent: abs(total(rows, cent / 100)))
    return max(abs(total(rows, best / 100 + step / 100_000)) for step in range(-1_000, 1_001))


def sign_turns(rows, points):
    """Roots of the total above the noise, by a dense scan and bisection; to compare with."""
    spots = [50 * 3 ** (k / (points - 1)) for k in range(points)]
    noise = 1e-6 * max(gross(rows, spot) for spot in spots[:: points // 2_000 or 1])
    roots = []
    for a, b in pairwise(spots):
        if (total(rows, a) < 0) != (total(rows, b) < 0):
            rising, low, high = total(rows, a) < 0, a, b
            while low < (middle := (low + high) / 2) < high:
                low, high = (middle, high) if (total(rows, middle) < 0) == rising else (low, middle)
            if gross(rows, low) >= noise:
                roots.append(pytest.approx(low, rel=1e-9))
    return roots
