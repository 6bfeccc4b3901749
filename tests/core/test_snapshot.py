from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.chain import merge, only_venues
from bot.core.levels import LevelSet, OdteSet
from bot.core.snapshot import (
    Snapshot,
    Tick,
    choose_spot,
    compute_levels,
    recompute,
    regime,
    regime_at,
    snapshot_id,
)
from tests.core.chains import NAN, NOW, change, make_chain, make_row
from tests.oracle import clean

DAY = timedelta(days=1)
BOOK = [make_row(90, "put"), make_row(110, "call")]


# All levels of a chain


def test_a_chain_that_is_all_dead_has_no_level():
    rows = [make_row(left=timedelta(0)), make_row(90, "put", left=-DAY)]

    assert_empty(levels(rows))
    assert levels(rows).dropped == {"expired": 2}


def test_a_chain_without_rows_has_no_level():
    assert_empty(levels([]))


def test_a_chain_without_open_interest_has_only_an_expected_move():
    computed = levels([change(row, oi=oi) for row in BOOK for oi in (0.0, NAN)])

    assert computed.expected_move is not None
    assert computed.all_expiry == LevelSet()
    assert computed.ranked == ()
    assert computed.max_pain is None
    assert computed.net_gex is None
    assert computed.regime is None


@pytest.mark.parametrize("iv", [NAN, 0.0, 55.0])
def test_a_chain_without_iv_has_only_max_pain(iv):
    computed = levels([change(row, iv=iv) for row in BOOK])

    assert computed.max_pain is not None
    assert computed.expected_move is None
    assert computed.all_expiry == LevelSet()
    assert computed.gamma_flip_zones == ()
    assert computed.net_gex is None
    assert computed.regime is None
    assert computed.dropped == {"iv_unusable": 2}


def test_one_call_has_a_resistance_and_nothing_on_the_other_side():
    computed = levels([make_row(110, left=DAY)])

    assert computed.all_expiry == LevelSet(call_resistance=110)
    assert computed.odte == OdteSet(call_resistance=110)
    assert computed.max_pain.strike == 110
    assert computed.gamma_flip_zones == ()
    assert computed.regime == "positive"


def test_only_puts_are_a_negative_regime():
    computed = levels([make_row(90, "put"), make_row(110, "put")])

    assert computed.all_expiry == LevelSet(put_support=90)
    assert computed.net_gex < 0
    assert computed.regime == "negative"


def test_the_day_holds_what_expires_within_24_hours():
    rows = [
        make_row(102, left=DAY),
        make_row(104, left=DAY + timedelta(milliseconds=1), oi=1_000),
        make_row(101, left=timedelta(minutes=5), oi=0.1),
    ]

    computed = levels(rows)

    assert computed.odte.call_resistance == 102
    assert [one.strike for one in computed.ranked_odte] == [102, 101]
    assert computed.all_expiry.call_resistance == 104


def test_a_day_without_expiry_is_empty():
    computed = levels(BOOK)

    assert computed.odte == OdteSet()
    assert computed.ranked_odte == ()


def test_the_net_gex_is_the_sum_of_the_formula_at_spot():
    computed = levels(BOOK, spot=97.0)

    options = clean(BOOK, 97.0, NOW)
    assert computed.net_gex == pytest.approx(sum(option.gex for option in options), rel=1e-12)


def test_a_strike_on_four_venues_is_one_level():
    venues = ("deribit", "bybit", "okx", "binance")
    rows = [make_row(110, venue=venue) for venue in venues] + [make_row(120, oi=39)]

    computed = levels(rows, spot=110.0)

    assert computed.all_expiry.call_resistance == 110
    assert computed.ranked[0].call_oi == 40


def test_forwards_six_percent_apart_do_not_mix():
    near, far = make_row(100, left=30 * DAY), make_row(100, left=300 * DAY, forward=106.0)

    both, one, other = (levels(rows).net_gex for rows in ([near, far], [near], [far]))

    assert both == pytest.approx(one + other)
    assert other != pytest.approx(levels([change(far, forward=100.0)]).net_gex, rel=1e-3)


def test_strikes_with_decimals_are_levels_of_their_own():
    rows = [make_row(0.85, "put", forward=1.0, index=1.0), make_row(77.5, forward=1.0, index=1.0)]
    rows = [change(row, iv=4.0, expiry=NOW + 365 * DAY) for row in rows]

    computed = levels(rows, spot=1.0)

    assert computed.all_expiry.put_support == 0.85
    assert computed.all_expiry.call_resistance == 77.5


def test_equal_magnitudes_rank_by_distance_to_spot():
    near = make_row(110, forward=100.0)
    twin = make_row(220, oi=5, forward=200.0, left=30 * DAY)  # half the coins at twice the price

    computed = levels([twin, near])

    assert [one.strike for one in computed.ranked] == [110, 220]
    assert computed.ranked[0].net_gex == pytest.approx(computed.ranked[1].net_gex, rel=1e-12)


@given(st.floats(70, 140))
def test_spot_anywhere_gives_the_same_max_pain_expiry_and_sorted_zones(spot):
    computed = levels(BOOK, spot=spot)

    assert computed.max_pain.expiry == NOW + 30 * DAY
    lowers = [zone.lower for zone in computed.gamma_flip_zones]
    assert lowers == sorted(lowers)


# Regime


def test_inside_a_flip_zone_the_regime_is_neutral():
    [zone] = levels(BOOK).gamma_flip_zones

    assert levels(BOOK, spot=zone.flip * 1.001).regime == "neutral"


def test_outside_the_zones_the_regime_is_the_sign_of_the_total():
    below, above = levels(BOOK, spot=85.0), levels(BOOK, spot=115.0)

    assert (below.regime, above.regime) == ("negative", "positive")


@pytest.mark.parametrize(
    ("spot", "expected"),
    [(99.0, "positive"), (100.0, "neutral"), (101.0, "neutral"), (102.0, "neutral")],
)
def test_the_edges_of_a_zone_belong_to_it(spot, expected):
    [zone] = levels(BOOK).gamma_flip_zones
    zone = type(zone)(101.0, (101.0,), 100.0, 102.0, "negative_to_positive", 1.0)

    assert regime(5.0, spot, [zone]) == expected


def test_the_regime_at_another_spot_turns_at_every_flip_between():
    computed = levels(BOOK, spot=85.0)
    [zone] = computed.gamma_flip_zones

    assert regime_at(computed, 85.0, 84.0) == "negative"
    assert regime_at(computed, 85.0, zone.flip) == "neutral"
    assert regime_at(computed, 85.0, 115.0) == "positive"


def test_the_regime_at_another_spot_is_the_one_computed_there():
    rows = [
        make_row(strike, side, left=7 * DAY)
        for strike, side in ((70, "put"), (85, "call"), (100, "put"), (115, "call"), (130, "put"))
    ]
    computed = levels(rows)

    for spot in range(68, 135):
        assert regime_at(computed, 100.0, float(spot)) == sign_at(rows, computed, float(spot))


def test_without_gamma_there_is_no_regime_anywhere():
    assert regime_at(levels([]), 100.0, 90.0) is None


def sign_at(rows, computed, spot):
    if any(zone.lower <= spot <= zone.upper for zone in computed.gamma_flip_zones):
        return "neutral"
    total = sum(option.gex for option in clean(rows, spot, NOW))
    return "positive" if total > 0 else "negative"


# Spot


def test_a_fresh_tick_is_the_spot():
    chain = make_chain([make_row(index=90.0)])

    assert choose_spot(tick(timedelta(minutes=30)), chain, NOW) == 101.5


@pytest.mark.parametrize("age", [timedelta(minutes=30, seconds=1), None])
def test_without_a_fresh_tick_spot_is_the_median_of_the_venues_median_index(age):
    rows = [make_row(index=index) for index in (100.0, 102.0, 150.0)]
    rows += [make_row(venue="okx", index=104.0), make_row(venue="okx", index=NAN)]
    rows += [make_row(venue="bybit", index=90.0)] * 9

    assert choose_spot(age and tick(age), make_chain(rows), NOW) == 102.0


def test_of_two_venues_the_median_is_between_them():
    chain = make_chain([make_row(index=100.0), make_row(venue="okx", index=103.0)])

    assert choose_spot(None, chain, NOW) == 101.5


def test_the_index_of_a_dead_row_says_nothing_of_spot():
    chain = make_chain([make_row(left=-DAY, index=50.0), make_row(index=100.0)])

    assert choose_spot(None, chain, NOW) == 100.0


@pytest.mark.parametrize("rows", [[], [make_row(index=NAN)], [make_row(left=-DAY)]])
def test_without_tick_and_index_there_is_no_spot(rows):
    assert choose_spot(None, make_chain(rows), NOW) is None


# Venue filter, recomputing, ids


def test_a_venue_filter_computes_from_its_rows_alone_at_the_symbols_spot():
    okx = [change(row, venue="okx", oi=row.oi * 7) for row in BOOK]
    chain = merge("BTC", [make_chain(BOOK), make_chain(okx)])
    snapshot = make_snapshot(chain, spot=97.0)

    filtered = recompute(snapshot, chain, NOW, ["okx"])

    assert filtered.spot == 97.0
    assert filtered.levels == compute_levels(make_chain(okx), 97.0, NOW)
    assert filtered.levels == compute_levels(only_venues(chain, ["okx"]), 97.0, NOW)
    assert [source.venue for source in filtered.sources] == ["okx"]


def test_recomputing_later_lets_rows_expire():
    soon = make_row(120, left=timedelta(hours=2), oi=1_000)
    chain = make_chain([*BOOK, soon])
    snapshot = make_snapshot(chain, spot=119.0)

    later = recompute(snapshot, chain, soon.expiry)

    assert snapshot.levels.all_expiry.call_resistance == 120
    assert later.at == soon.expiry
    assert later.levels.all_expiry.call_resistance is None
    assert later.levels.dropped == {"expired": 1}


def test_a_snapshot_was_heard_when_its_newest_source_was():
    old = make_chain(BOOK, at=NOW - timedelta(minutes=5))
    new = make_chain([change(BOOK[0], venue="okx")], at=NOW - timedelta(minutes=1))

    assert make_snapshot(merge("BTC", [old, new])).heard_at == NOW - timedelta(minutes=1)
    assert make_snapshot(merge("BTC", [])).heard_at == NOW


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 3, 2, 12, tzinfo=UTC), "BTCUSDT-20260302T120000Z"),
        (datetime(2026, 3, 2, 12, 0, 0, 1500, tzinfo=UTC), "BTCUSDT-20260302T120000001500Z"),
    ],
)
def test_an_id_says_the_symbol_and_the_moment(at, expected):
    assert snapshot_id("BTCUSDT", at) == expected


@given(st.datetimes(), st.datetimes())
def test_different_moments_have_different_ids(one, other):
    same_id = snapshot_id("BTCUSDT", one) == snapshot_id("BTCUSDT", other)

    assert same_id == (one == other)


@given(
    st.timedeltas(timedelta(0), timedelta.max),
    st.timedeltas(-timedelta(days=99), timedelta(days=99)),
    st.booleans(),
)
def test_data_is_stale_once_it_is_older_than_the_limit_however_far_that_is(limit, age, begun):
    snapshot = replace(make_snapshot(make_chain([make_row(110)])), stale=begun)

    is_stale = snapshot.is_stale(snapshot.heard_at + age, limit)

    assert is_stale == (begun or age > limit)


def levels(rows, spot=100.0):
    return compute_levels(make_chain(rows), spot, NOW)


def tick(age):
    return Tick("BTCUSDT", NOW - age, 101.5, "deribit index")


def make_snapshot(chain, spot=100.0):
    return Snapshot(
        id=snapshot_id("BTCUSDT", NOW),
        symbol="BTCUSDT",
        at=NOW,
        spot=spot,
        perps_price=None,
        levels=compute_levels(chain, spot, NOW),
        sources=chain.sources,
        left_out={},
    )


def assert_empty(computed):
    assert computed.all_expiry == LevelSet()
    assert computed.odte == OdteSet()
    assert computed.ranked == computed.ranked_odte == computed.gamma_flip_zones == ()
    assert computed.max_pain is None
    assert computed.expected_move is None
    assert computed.net_gex is None
    assert computed.regime is None
