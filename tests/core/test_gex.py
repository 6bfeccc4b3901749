from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.chain import from_milliseconds
from bot.core.gex import exposure, live_rows, strike_profile
from bot.core.zones import reprice
from tests.core.chains import NAN, NOW, change, make_chain, make_row
from tests.oracle import Row

# Published or recomputed by hand: side, F, K, iv, made at, expiry (ms); T, d1, gamma.
VECTORS = {
    "OKX BTC-USD-220309-33000-C": (
        ("call", 39016.8143629068452065, 33000, 1.5551965233045728, 1646733631242, 1646812800000),
        (0.0025104248, 2.18836148, 1.197009e-05),
    ),
    "OKX BTC-USD-251226-100000-C": (
        ("call", 112782.12029616143501, 100000, 0.4335822639833618, 1752086420763, 1766736000000),
        (0.4645351103, 0.55480084, 1.026243e-05),
    ),
    "OKX BTC-USD-240329-32000-C": (
        ("call", 37675.80158694987186, 32000, 0.5916253554539876, 1699586421976, 1711699200000),
        (0.3840936715, 0.62865187, 2.370091e-05),
    ),
    "Bybit BTC-27DEC24-55000-P": (
        ("put", 71690.55303594, 55000, 0.8866, 1711162003672, 1735286400000),
        (0.7649795893, 0.72949520, 5.499684e-06),
    ),
    "Bybit BTC-26JAN24-39000-C": (
        ("call", 37649.67254894, 39000, 0.5577, 1699584008326, 1706256000000),
        (0.2115674681, -0.00910467, 4.130530e-05),
    ),
    "Bybit BTC-6JAN23-17500-C": (
        ("call", 16815.1, 17500, 0.4896, 1672917511074, 1672992000000),
        (0.0023620283, -1.66592349, 2.489303e-04),
    ),
    "Binance BTC-251120-126000-C": (
        ("call", 104334.60217391, 126000, 0.9408058, 1762867543321, 1763625600000),
        (0.0240378196, -1.22059565, 1.244562e-05),
    ),
    "Deribit BTC-27SEP24-40000-C": (
        ("call", 38992.71, 40000, 0.6127, 1699578548021, 1727424000000),
        (0.8829734899, 0.24356734, 1.725133e-05),
    ),
}


@pytest.mark.parametrize("contract", VECTORS)
def test_time_d1_and_gamma_are_the_published_ones(contract):
    (side, forward, strike, iv, made, expiry), (years, d1, gamma) = VECTORS[contract]
    row = Row("x", from_milliseconds(expiry), strike, side == "call", 1.0, iv, forward, forward)

    rows = live_rows(make_chain([row]), forward, from_milliseconds(made))

    [gex] = exposure(rows)
    assert (rows.v[0] / iv) ** 2 == pytest.approx(years, abs=5.1e-11)
    assert rows.d1[0] == pytest.approx(d1, abs=5.1e-9)
    assert abs(gex) / (forward**2 * 0.01) == pytest.approx(gamma, rel=5e-7)
    assert (gex > 0) == (side == "call")


def test_dollar_gamma_is_the_published_one_and_a_put_counts_negative():
    expiry, made = from_milliseconds(1735286400000), from_milliseconds(1711162003672)
    row = Row("bybit", expiry, 55_000, False, 0.01, 0.8866, 71690.55303594, 63838.92)

    gex = exposure(live_rows(make_chain([row]), 63838.92, made))

    np.testing.assert_allclose(gex, [-2.82658184], atol=5e-9)


def test_a_put_has_the_opposite_exposure_of_the_call_beside_it():
    call, put = exposures(make_row(33_000, "call"), make_row(33_000, "put"))

    assert call == -put


# Laws

OI = st.floats(0.001, 10_000)
ROWS = st.lists(
    st.builds(
        make_row,
        st.sampled_from([0.85, 77.5, 90.0, 95.0, 100.0, 105.0, 110.0]),
        st.sampled_from(["call", "put"]),
        oi=OI,
        iv=st.floats(0.1, 2.0),
        left=st.integers(1, 9_000).map(lambda hours: timedelta(hours=hours)),
        venue=st.sampled_from(["deribit", "okx"]),
        forward=st.floats(97, 103),
    ),
    min_size=1,
    max_size=20,
)


@given(ROWS, st.floats(0.1, 10))
def test_exposure_is_proportional_to_open_interest(rows, scale):
    scaled = [change(row, oi=row.oi * scale) for row in rows]

    np.testing.assert_allclose(exposures(*scaled), scale * exposures(*rows), rtol=1e-12)


@given(ROWS, st.floats(0.1, 0.9))
def test_a_row_split_in_two_changes_no_sum(rows, share):
    first, *others = rows
    halves = [change(first, oi=first.oi * share), change(first, oi=first.oi * (1 - share))]

    assert_same_profile(profile([*halves, *others]), profile(rows))


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_irrelevant(rows, random):
    shuffled = random.sample(rows, len(rows))

    assert_same_profile(profile(shuffled), profile(rows))


@given(ROWS)
def test_the_sums_at_all_strikes_are_the_sums_of_all_rows(rows):
    summed = profile(rows)

    gross = np.abs(exposures(*rows)).sum()
    np.testing.assert_allclose(summed.net_gex.sum(), exposures(*rows).sum(), atol=1e-12 * gross)
    np.testing.assert_allclose(
        (summed.call_oi + summed.put_oi).sum(), sum(row.oi for row in rows), rtol=1e-12
    )


@given(ROWS)
def test_the_total_repriced_at_spot_is_the_net_gex(rows):
    live = live_rows(make_chain(rows), 100.0, NOW)

    gross = np.abs(exposure(live)).sum()
    np.testing.assert_allclose(
        reprice(live, np.array([100.0]))[0],
        exposure(live).sum(),
        rtol=1e-9,
        atol=1e-12 * gross + 1e-300,
    )


@given(ROWS, st.floats(60, 140))
def test_repricing_moves_every_forward_with_spot(rows, spot):
    here = live_rows(make_chain(rows), 100.0, NOW)
    there = live_rows(make_chain(rows), spot, NOW)

    gross = np.abs(exposure(there)).sum()
    np.testing.assert_allclose(
        reprice(here, np.array([spot]))[0],
        exposure(there).sum(),
        rtol=1e-9,
        atol=1e-12 * gross + 1e-300,
    )


# Edge cases


def test_a_row_that_expires_now_is_dead():
    rows = live_rows(make_chain([make_row(left=timedelta(0))]), 100.0, NOW)

    assert len(rows.strike) == 0
    assert rows.dropped == {"expired": 1}


def test_a_row_a_microsecond_before_its_expiry_lives():
    row = make_row(left=timedelta(hours=1))

    rows = live_rows(make_chain([row]), 100.0, row.expiry - timedelta(microseconds=1))

    assert len(rows.strike) == 1


def test_the_last_minutes_count_as_half_an_hour():
    last_minute, half_hour, more = exposures(
        make_row(left=timedelta(minutes=1)),
        make_row(left=timedelta(minutes=30)),
        make_row(left=timedelta(minutes=31)),
    )

    assert last_minute == half_hour > more


def test_no_floor_revives_an_expired_row():
    assert exposures(make_row(left=timedelta(minutes=-1))).size == 0


@pytest.mark.parametrize("iv", [NAN, 0.0, -0.5, 0.0099, 5.01, 55.64, float("inf")])
def test_a_row_without_usable_iv_has_no_gamma_and_is_counted(iv):
    rows = live_rows(make_chain([make_row(iv=iv)]), 100.0, NOW)

    assert exposure(rows).tolist() == [0.0]
    assert rows.oi.tolist() == [10.0]
    assert rows.dropped == {"iv_unusable": 1}


@pytest.mark.parametrize("iv", [0.01, 5.0])
def test_the_ends_of_the_valid_iv_are_valid(iv):
    assert exposures(make_row(100, iv=iv))[0] > 0


@pytest.mark.parametrize("oi", [NAN, float("inf"), -1.0])
def test_unusable_open_interest_is_zero_and_counted(oi):
    rows = live_rows(make_chain([make_row(oi=oi)]), 100.0, NOW)

    assert rows.oi.tolist() == [0.0]
    assert exposure(rows).tolist() == [0.0]
    assert rows.dropped == {"oi_unusable": 1}


def test_open_interest_of_zero_is_usable_and_weighs_nothing():
    rows = live_rows(make_chain([make_row(oi=0.0)]), 100.0, NOW)

    assert exposure(rows).tolist() == [0.0]
    assert rows.dropped == {}


@pytest.mark.parametrize("strike", [1e-3, 1.0, 1e4, 1e7])
def test_deep_in_and_out_of_the_money_underflow_to_nothing(strike):
    assert exposures(make_row(strike, left=timedelta(minutes=5), iv=0.1)).tolist() == [0.0]


def test_one_strike_on_four_venues_is_one_strike():
    rows = [make_row(venue=venue) for venue in ("deribit", "bybit", "okx", "binance")]

    summed = profile(rows)

    assert summed.strike.tolist() == [100.0]
    np.testing.assert_allclose(summed.call_gex, 4 * exposures(rows[0]))
    assert summed.call_oi.tolist() == [40.0]


def test_a_coin_weighs_the_same_whatever_contracts_a_venue_counts_in():
    hundred_of_a_hundredth, one_of_one = (
        make_row(venue="okx", oi=100 * 0.01),
        make_row(venue="deribit", oi=1 * 1.0),
    )

    okx, deribit = exposures(hundred_of_a_hundredth, one_of_one)

    assert okx == deribit


def test_every_expiry_is_priced_on_its_own_forward():
    near, far = timedelta(days=30), timedelta(days=300)
    rows = [make_row(left=near, forward=100.0), make_row(left=far, forward=106.0)]

    live = live_rows(make_chain(rows), 50.0, NOW)

    np.testing.assert_allclose(live.forward, [50.0, 53.0])


def test_a_forward_is_scaled_by_its_own_index():
    rows = [make_row(forward=101.0, index=99.0), make_row(venue="okx", forward=103.0, index=101.0)]

    live = live_rows(make_chain(rows), 100.0, NOW)

    np.testing.assert_allclose(live.forward, [101 / 99 * 100, 103 / 101 * 100])


def test_a_venue_without_forwards_takes_the_median_of_the_others():
    rows = [make_row(venue="binance", forward=NAN)]
    rows += [make_row(k, venue="deribit", forward=f) for k, f in ((90, 101), (95, 102), (99, 109))]

    live = live_rows(make_chain(rows), 100.0, NOW)

    assert live.forward[0] == pytest.approx(102)
    assert live.dropped == {}


def test_a_venue_without_forwards_takes_spot_where_no_other_lists_the_expiry():
    rows = [
        make_row(venue="binance", forward=NAN, left=timedelta(days=7)),
        make_row(venue="deribit", forward=105.0),
        make_row(venue="deribit", forward=105.0, left=timedelta(days=-1)),
    ]

    live = live_rows(make_chain(rows), 100.0, NOW)

    assert live.forward[0] == 100.0
    assert live.dropped["forward_missing"] == 1


def test_a_venue_that_quotes_other_forwards_takes_spot_where_one_is_missing():
    rows = [
        make_row(venue="deribit", forward=NAN),
        make_row(venue="deribit", forward=104.0, left=timedelta(days=60)),
        make_row(venue="okx", forward=103.0),
    ]

    live = live_rows(make_chain(rows), 100.0, NOW)

    assert live.forward[0] == 100.0


def test_a_strike_with_decimals_stays_exact():
    rows = [make_row(0.85), make_row(77.5, "put"), make_row(0.85, "put")]

    summed = profile(rows)

    assert summed.strike.tolist() == [0.85, 77.5]


def test_rows_that_the_adapter_could_not_read_are_among_the_counts():
    plain = make_chain([make_row()])
    chain = type(plain)(
        plain.underlying,
        plain.sources,
        **{name: getattr(plain, name) for name in ("venue", "expiry", "strike", "is_call")},
        **{name: getattr(plain, name) for name in ("oi", "iv", "forward", "index", "at")},
        unreadable={"name": 2},
    )

    assert live_rows(chain, 100.0, NOW).dropped == {"name": 2}


def test_a_year_has_365_days_of_calendar_seconds():
    row = make_row(iv=0.5, left=timedelta(days=365))

    rows = live_rows(make_chain([row]), 100.0, NOW)

    assert rows.v.tolist() == [0.5]


def exposures(*rows):
    return exposure(live_rows(make_chain(rows), 100.0, NOW))


def profile(rows):
    live = live_rows(make_chain(rows), 100.0, NOW)
    return strike_profile(live, exposure(live))


def assert_same_profile(one, other):
    np.testing.assert_array_equal(one.strike, other.strike)
    for name in ("call_gex", "put_gex", "call_oi", "put_oi"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12)
