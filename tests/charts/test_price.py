from datetime import timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection

from bot.charts import canvas
from bot.charts.levels import Level
from bot.charts.price import AHEAD, HOUR, draw_price, hours, render_price, time_ticks
from bot.charts.theme import DARK, LIGHT
from tests.charts.pictures import (
    a_market,
    a_price,
    candles,
    check_readable,
    no_gamma,
    size_of,
    with_levels,
    words_of,
)
from tests.core.chains import NOW, make_chain

FLIPS = tuple(Level("Flip", "flip", 80 + place * 1.25) for place in range(40))

PICTURES = {
    "plain": a_price(),
    "light": a_price(theme=LIGHT, simulated=True),
    "everything": a_price(
        symbol="FARTCOINUSDT",
        stale=True,
        simulated=True,
        later=timedelta(hours=30),
        left_out=dict.fromkeys(["bybit", "okx", "binance", "derive"], "HTTP 502 Bad Gateway"),
    ),
    "cents": a_price(a_market(0.85, 0.025, iv=0.9), 0.85),
    "tens": a_price(a_market(38.4, 1.0, iv=0.9), 38.4),
    "six digits": a_price(a_market(112_345.6, 2_500), 112_345.6),
    "millions": a_price(a_market(2_345_678.9, 50_000), 2_345_678.9),
    "no candles": a_price(candles=()),
    "few candles": a_price(candles=candles(count=5)),
    "one candle": a_price(candles=candles(count=1)),
    "nothing moved": a_price(candles=candles(swing=0.0)),
    "a crash": a_price(candles=candles(swing=0.4)),
    "no gamma": a_price(no_gamma()),
    "no rows": a_price(make_chain([]), candles=()),
    "forty flips": with_levels(a_price(), *FLIPS),
}


def said(picture):
    return [word for word, _ in words_of(draw_price, picture)]


def drawn(picture):
    """The price axes as drawn."""
    with canvas.style():
        return draw_price(picture).figure.axes[0]


def upright(axes):
    """The ends of all upright lines, (n, 2, 2), by their make."""
    return [
        np.array(one.get_segments()).reshape(-1, 2, 2)
        for one in axes.collections
        if type(one) is LineCollection
    ][-4:]


@pytest.mark.parametrize("name", PICTURES)
def test_no_text_is_clipped_and_none_covers_another(name):
    check_readable(words_of(draw_price, PICTURES[name]))


@example(prices=[], spot=99.6640625)  # a time at the left end, a price at the bottom
@settings(max_examples=10, deadline=None)  # each draws a whole chart
@given(prices=st.lists(st.floats(60, 160), max_size=30), spot=st.floats(95, 105))
def test_levels_wherever_they_stand_are_named_side_by_side(prices, spot):
    levels = (Level("Call Resistance 0DTE", "call", price) for price in prices)

    check_readable(words_of(draw_price, with_levels(a_price(spot=spot), *levels)))


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_the_same_picture_gives_the_same_png_of_1080_by_1350(theme):
    first = render_price(a_price(theme=theme))

    assert render_price(a_price(theme=theme)) == first
    assert size_of(first) == (1080, 1350)


def test_the_themes_are_two_pictures():
    assert render_price(a_price(theme=DARK)) != render_price(a_price(theme=LIGHT))


def test_each_candle_stands_at_its_half_hour_from_open_to_close():
    past = candles(count=90)
    rose = [candle for candle in past if candle.close >= candle.open]
    fell = [candle for candle in past if candle.close < candle.open]

    rose_wicks, rose_bodies, fell_wicks, fell_bodies = upright(drawn(a_price(candles=past)))

    for these, wicks, bodies in ((rose, rose_wicks, rose_bodies), (fell, fell_wicks, fell_bodies)):
        middle = [(candle.datetime - NOW) / HOUR + 0.25 for candle in these]
        open_close = [sorted((candle.open, candle.close)) for candle in these]
        np.testing.assert_allclose(bodies[:, 0, 0], middle)
        np.testing.assert_allclose(bodies[:, :, 1], open_close, rtol=1e-3)
        np.testing.assert_allclose(wicks[:, 0, 0], middle)
        np.testing.assert_allclose(wicks[:, :, 1], [(candle.low, candle.high) for candle in these])


def test_the_expected_move_is_shaded_from_now_on():
    picture = a_price()
    (far, near) = [
        one.get_paths()[0].get_extents()
        for one in drawn(picture).collections
        if type(one).__name__ == "FillBetweenPolyCollection"
    ]

    move = picture.move
    np.testing.assert_allclose(near.extents, (0, move.lower_1sd, 10, move.upper_1sd))
    np.testing.assert_allclose(far.extents, (0, move.lower_2sd, 10, move.upper_2sd))


def test_levels_cross_the_chart_and_flip_zones_are_shaded():
    picture = a_price()
    axes = drawn(picture)

    lines = {float(line.get_ydata()[0]) for line in axes.lines}
    ((lower, upper),) = picture.ladder.zones

    assert {level.price for level in picture.ladder.levels if level.kind != "move"} < lines
    assert [(box.get_y(), box.get_y() + box.get_height()) for box in axes.patches] == [
        (lower, pytest.approx(upper))
    ]


def test_time_is_marked_at_noon_and_midnight_utc():
    ticks = time_ticks(NOW + timedelta(hours=1, minutes=20))

    assert [tick.hour for tick in ticks] == [0, 12, 0, 12]
    assert {"02 Mar", "12:00", "Time, UTC"} < {*said(a_price())}
    places = hours(ticks, NOW)
    assert places[0] >= -48
    assert places[-1] <= AHEAD / HOUR + 2


def test_title_caption_and_levels_are_written():
    words = said(a_price(stale=True))

    assert {"BTC price and levels", "STALE", "30-minute candles, last 48 hours"} < {*words}
    assert {"Spot", "HVL", "Call Resistance", "1D Max (1 sd)", "$105.00"} <= {
        word.removeprefix("↑ ").removeprefix("↓ ") for word in words
    }
    assert "As of 02 Mar 2026 12:00 UTC" in words


def test_candles_that_are_missing_are_said_to_be():
    assert {"No candles", "No candles: no venue gave any"} < {*said(PICTURES["no candles"])}
    only = "30-minute candles, only 5 of the last 96 are known"
    assert only in said(PICTURES["few candles"])


def test_the_legend_names_what_is_to_be_seen():
    marks = {"rose", "fell", "expected in a day: 1 sd", "2 sd", "flip zone"}

    assert marks & {*said(a_price())} == marks - {"flip zone"}  # it is below all this
    assert marks & {*said(PICTURES["a crash"])} == marks
    assert marks & {*said(PICTURES["no rows"])} == set()


def test_levels_beyond_the_window_stand_at_its_ends_with_an_arrow():
    far = Level("Flip", "flip", 55.0), Level("Call Resistance 0DTE", "call", 148.0)

    words = said(with_levels(a_price(), *far))

    assert {"↓ Flip", "↑ Call Resistance 0DTE"} < {*words}
