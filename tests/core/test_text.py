from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import (
    OTHER_LEVELS,
    SET_LEVELS,
    Crossing,
    Freshness,
    LevelKey,
    Moved,
    RegimeChange,
)
from bot.core.text import (
    age_text,
    cause_text,
    event_text,
    label,
    level_text,
    money_text,
    percent_text,
    price_text,
    snapshot_line,
    sources_text,
)
from tests.service.builders import BTC, NOON, after, make_snapshot

HVL = LevelKey("all_expiry", "hvl")
CALL = LevelKey("all_expiry", "call_resistance")
CROSSING = Crossing(NOON, BTC, HVL, 80_000.0, "up", 80_100.0, 79_900.0, "id", 0.0005)
MOVED = Moved(NOON, BTC, CALL, 80_000.0, 82_000.0, 0.01, {"reformed": False, "spot": 2_000.0})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (123_456.7, "$123,457"),
        (78_304.6, "$78,304.6"),
        (78_000.0, "$78,000"),
        (1_000.04, "$1,000"),
        (999.99, "$999.99"),
        (77.5, "$77.50"),
        (0.8512, "$0.8512"),
        (None, "none"),
    ],
)
def test_a_price_has_the_digits_that_matter_at_its_size(value, text):
    assert price_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-12.34e6, "-$12.3M"), (2.5e9, "$2.5B"), (1_500, "$1.5K"), (0.0, "$0.0"), (None, "none")],
)
def test_a_large_amount_is_short(value, text):
    assert money_text(value) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0042, "+0.42%"),
        (-0.0042, "-0.42%"),
        (0.0, "+0.00%"),
        (-0.9999, "-99.99%"),
        (0.99996, "+100%"),
        (12.3456, "+1235%"),
    ],
)
def test_a_distance_carries_its_sign_and_unit(fraction, text):
    assert percent_text(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (42.9, "42 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (12_000, "3 h 20 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_an_age_is_told_in_its_two_largest_units(seconds, text):
    assert age_text(timedelta(seconds=seconds)) == text


@given(st.floats(0.0001, 1e7))
def test_a_price_is_never_off_by_more_than_a_thousandth(value):
    said = float(price_text(value).strip("$").replace(",", ""))

    assert said == pytest.approx(value, rel=1e-3, abs=5e-5)


@pytest.mark.parametrize("name", [*SET_LEVELS, *OTHER_LEVELS, "flip"])
def test_every_level_has_a_label_of_its_own(name):
    labels = {label(LevelKey("all_expiry", one)) for one in (*SET_LEVELS, *OTHER_LEVELS, "flip")}

    assert label(LevelKey("all_expiry", name)) in labels
    assert len(labels) == len(SET_LEVELS) + len(OTHER_LEVELS) + 1


def test_a_level_of_the_day_says_so():
    assert label(LevelKey("odte", "hvl")) == "HVL 0DTE"


def test_a_crossing_is_told_with_direction_distance_regime_and_age():
    snapshot = make_snapshot(80_000.0, regime="positive", heard={"deribit": -4, "derive": -90})

    text = event_text(CROSSING, snapshot, NOON)

    assert text == (
        "BTC crossed HVL $80,000 going up: spot $80,100 (+0.12%); regime positive. "
        "Data: deribit 4 s, derive 1 min old."
    )


def test_a_crossing_of_a_flip_tells_the_regime_before_and_after():
    snapshot = make_snapshot(79_900.0, regime="negative", net_gex=-1e6, flips=(80_000.0,))
    crossing = replace(CROSSING, key=LevelKey("all_expiry", "flip", 0))

    assert "regime negative -> positive." in event_text(crossing, snapshot, NOON)


def test_a_crossing_without_gamma_says_that_the_regime_is_not_known():
    snapshot = make_snapshot(regime=None, net_gex=None)

    assert "regime not known." in event_text(CROSSING, snapshot, NOON)


def test_a_late_crossing_says_so_with_its_time():
    text = event_text(replace(CROSSING, late=True), make_snapshot(), after(30))

    assert "LATE: seen at 12:00 UTC" in text


def test_the_time_of_a_late_crossing_is_told_on_the_readers_clock():
    late = replace(CROSSING, late=True)

    text = event_text(late, make_snapshot(), after(30), ZoneInfo("Europe/Berlin"))

    assert "LATE: seen at 13:00 CET" in text


def test_the_crossing_of_ones_own_price_is_told_as_such():
    crossing = replace(CROSSING, key=LevelKey("price", "80000"))

    assert "crossed your price $80,000 going up" in event_text(crossing, make_snapshot(), NOON)


def test_a_move_is_told_with_both_ends_its_size_and_its_causes():
    cause = {"reformed": False, "earlier": 0.0, "open_interest": -500.0, "spot": 2_500.0}

    text = event_text(replace(MOVED, cause=cause), make_snapshot(), NOON)

    assert text == (
        "BTC Call Resistance moved $80,000 -> $82,000 (+2.50%); spot $80,000; "
        "why: +2,500 USD from spot's move, -500 USD from open interest. Data: deribit 0 s old."
    )


def test_a_wall_that_re_formed_is_told_as_such():
    moved = replace(MOVED, cause={"reformed": True, "spot": 2_000.0})

    assert cause_text(moved) == (
        "re-formed beyond the spot that crossed it; +2,000 USD from spot's move"
    )


def test_a_move_without_a_known_cause_admits_it():
    assert cause_text(replace(MOVED, cause={"reformed": False})) == "not known"


def test_the_causes_of_a_small_coins_move_are_told_in_its_own_size():
    moved = replace(MOVED, symbol="HYPEUSDT", was=40.0, to=40.5, cause={"spot": 0.5})

    assert cause_text(moved) == "+0.50 USD from spot's move"


def test_a_part_that_is_only_rounding_is_no_cause():
    moved = replace(MOVED, cause={"iv": 1.5e-11, "spot": 2_000.0})

    assert cause_text(moved) == "+2,000 USD from spot's move"


def test_a_change_of_regime_is_told_with_both_ends():
    change = RegimeChange(NOON, BTC, "negative", "neutral", 80_000.0)

    assert event_text(change, make_snapshot(), NOON) == (
        "BTC regime negative -> neutral; spot $80,000. Data: deribit 0 s old."
    )


@pytest.mark.parametrize(("stale", "words"), [(True, "STALE"), (False, "fresh again")])
def test_stale_data_and_its_all_clear_are_told(stale, words):
    assert words in event_text(Freshness(NOON, BTC, stale, NOON), make_snapshot(), NOON)


def test_who_was_not_heard_is_named_with_the_reason():
    snapshot = make_snapshot(heard={"deribit": -4}, left_out={"okx": "HTTP 503"})

    assert sources_text(snapshot, NOON) == "data: deribit 4 s old; without okx (HTTP 503)"


def test_venues_of_one_age_share_it():
    heard = {"binance": -4, "bybit": -4.2, "deribit": -70, "okx": -4}

    assert sources_text(make_snapshot(heard=heard), NOON) == (
        "data: binance, bybit, okx 4 s, deribit 1 min old"
    )


def test_a_rules_word_for_a_level_has_its_label():
    assert [level_text(one) for one in ("hvl", "odte.put_support")] == ["HVL", "Put Support 0DTE"]


def test_a_reason_keeps_its_capitals_at_the_end_of_an_alert():
    snapshot = make_snapshot(left_out={"okx": "HTTP 503"})

    assert "without okx (HTTP 503)" in event_text(CROSSING, snapshot, NOON)


def test_a_snapshot_is_told_in_one_line_what_does_not_exist_included():
    line = snapshot_line(make_snapshot(hvl=79_000.0, call_resistance=85_000.0, net_gex=-2.5e6))

    assert line == (
        "BTC $80,000, regime positive, HVL $79,000, call resistance $85,000, "
        "put support none, net GEX -$2.5M per 1%"
    )


def test_a_distance_that_rounds_to_nothing_is_not_below():
    assert percent_text(-0.00001) == percent_text(0.0) == "+0.00%"
