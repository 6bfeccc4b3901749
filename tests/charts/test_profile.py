from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.charts import canvas
from bot.charts.ladders import price_tick
from bot.charts.levels import Level
from bot.charts.profile import aligned_limits, draw_profile, money_tick, render_profile
from bot.charts.theme import LIGHT
from tests.charts.pictures import (
    a_market,
    a_picture,
    check_readable,
    no_gamma,
    size_of,
    with_levels,
    words_of,
)
from tests.core.chains import make_chain, make_row

FLIPS = tuple(Level("Flip", "flip", 80 + place * 1.25) for place in range(40))
NEAR = tuple(Level(f"Call Wall {place}", "call", 100 + place / 9) for place in range(9))

PICTURES = {
    "plain": a_picture(),
    "light": a_picture(theme=LIGHT, simulated=True),
    "everything": a_picture(
        symbol="FARTCOINUSDT",
        stale=True,
        simulated=True,
        later=timedelta(hours=30),
        left_out=dict.fromkeys(["bybit", "okx", "binance", "derive"], "HTTP 502 Bad Gateway"),
    ),
    "cents": a_picture(a_market(0.85, 0.025, iv=0.9), 0.85),
    "halves": a_picture(a_market(77.5, 2.5), 77.5),
    "six digits": a_picture(a_market(112_345.6, 2_500), 112_345.6),
    "millions": a_picture(a_market(2_345_678.9, 50_000), 2_345_678.9),
    "a thousand strikes": a_picture(a_market(step=0.05, count=1_001)),
    "today only": a_picture(a_market(step=0.5, left=timedelta(minutes=20))),
    "one row": a_picture(make_chain([make_row(103.0)])),
    "only puts": a_picture(make_chain(make_row(strike, "put") for strike in (85.0, 95.0, 100.0))),
    "far from all strikes": a_picture(make_chain([make_row(250.0, iv=2.0)])),
    "no gamma": a_picture(no_gamma()),
    "no rows": a_picture(make_chain([])),
    "forty flips": with_levels(a_picture(), *FLIPS),
    "close together": with_levels(a_picture(), *NEAR),
    "long names and prices": with_levels(
        a_picture(a_market(2_345_678.9, 50_000), 2_345_678.9),
        Level("Call Resistance 0DTE", "call", 2_395_678.9),
    ),
    "out of sight": with_levels(
        a_picture(), Level("Flip", "flip", 55.0), Level("Call Resistance 0DTE", "call", 148.0)
    ),
}


def said(picture):
    return [word for word, _ in words_of(draw_profile, picture)]


@pytest.mark.parametrize("name", PICTURES)
def test_no_text_is_clipped_and_none_covers_another(name):
    check_readable(words_of(draw_profile, PICTURES[name]))


def test_the_same_picture_gives_the_same_png_of_1080_by_1350():
    first = render_profile(a_picture())

    assert render_profile(a_picture()) == first
    assert size_of(first) == (1080, 1350)


def test_a_matplotlibrc_of_the_machine_changes_nothing():
    plain = render_profile(a_picture())

    with canvas.matplotlib.rc_context({"font.size": 40, "savefig.bbox": "tight", "grid.alpha": 0}):
        assert render_profile(a_picture()) == plain


def test_title_and_footer_say_regime_net_exposure_age_and_definition():
    picture = a_picture(later=timedelta(minutes=3), left_out={"okx": "HTTP 502"})
    caption = replace(picture.caption, net_gex=12.34e6, regime="positive")

    words = said(replace(picture, caption=caption))

    assert "BTC gamma exposure" in words
    assert "Positive gamma, net GEX +$12.3M per 1 % move" in words
    assert "Data: deribit 3 min old; without okx" in words
    assert "As of 02 Mar 2026 12:03 UTC" in words
    assert "gammabell, definition 1" in words


def test_every_level_is_named_with_its_price():
    words = said(a_picture())

    assert {"Spot", "HVL", "Call Resistance", "Put Support", "Max Pain", "1D Max (1 sd)"} < {*words}
    assert {"$105.00", "$95.00"} < {*words}


def test_levels_on_one_strike_share_its_price():
    levels = (Level("Call Resistance", "call", 105.0), Level("Call Resistance 0DTE", "call", 105.0))

    words = said(with_levels(a_picture(), *levels))

    assert {"Call Resistance", "Call Resistance 0DTE"} < {*words}
    assert words.count("$105.00") == 1


def test_stale_and_simulated_are_marked_only_when_they_are():
    assert {"STALE", "SIMULATED"} & {*said(a_picture())} == set()
    assert {"STALE", "SIMULATED"} < {*said(a_picture(stale=True, simulated=True))}


def test_levels_beyond_the_window_stand_at_its_ends_with_an_arrow():
    words = said(PICTURES["out of sight"])

    assert "↓ Flip" in words
    assert "↑ Call Resistance 0DTE" in words


def test_levels_without_room_are_counted():
    words = said(PICTURES["forty flips"])

    assert words.count("Flip") + 13 == len(FLIPS)
    assert "13 levels more" in words


def test_shared_bars_say_how_many_strikes_they_span():
    assert "GEX per $0.5 of strikes, USD per 1 % move" in said(PICTURES["a thousand strikes"])
    assert "GEX at each strike, USD per 1 % move" in said(PICTURES["plain"])


def test_a_chain_without_gamma_says_so():
    assert "No gamma: no open interest with a usable IV" in said(PICTURES["no gamma"])
    assert "No strike with gamma in this range" in said(PICTURES["far from all strikes"])


def amounts(most):
    """USD, to the cent: what is smaller by hundreds of digits is no amount."""
    return st.lists(st.floats(-most, most).map(lambda value: round(value, 2)), max_size=9)


@given(first=amounts(1e9), second=amounts(1e3))
def test_both_scales_hold_their_values_and_have_zero_at_one_place(first, second):
    limits = aligned_limits(first, second)

    for values, (low, high) in zip((first, second), limits, strict=True):
        assert all(low <= value <= high for value in values)
    zeros = [-low / (high - low) for low, high in limits]
    assert zeros[0] == pytest.approx(zeros[1])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "$0"), (-20e6, "-$20M"), (1.5e9, "$1.5B"), (500_000, "$500K"), (-0.5, "-$0.5")],
)
def test_amounts_on_an_axis_are_short(value, text):
    assert money_tick(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(78_000, "$78,000"), (77.5, "$77.5"), (0.85, "$0.85"), (0.1 + 0.2, "$0.3")]
)
def test_prices_on_an_axis_have_no_needless_digits(value, text):
    assert price_tick(value) == text
