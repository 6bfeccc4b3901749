"""The price chart: two days of candles, the levels across them, the expected move ahead."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from bot.charts.canvas import (
    BOTTOM,
    LEFT,
    MARGIN,
    RIGHT,
    TOP,
    Sheet,
    new_sheet,
    points,
    style,
    width_of,
)
from bot.charts.captions import Legend, write_captions
from bot.charts.ladders import DASHES, SHADE, draw_levels, name_levels, scale_prices
from bot.charts.picture import SPAN, Ladder, PricePicture
from bot.core.chain import Floats
from bot.core.levels import ExpectedMove
from bot.core.snapshot import Candle

CANDLE = timedelta(minutes=30)
AHEAD = timedelta(hours=10)  # of the expected day: room to see its bands
TICKS = timedelta(hours=12)
HOUR = timedelta(hours=1)
WICK = 1.8  # px
BODY = 0.8 * (RIGHT - LEFT) * (CANDLE / (SPAN + AHEAD))  # px: nearly a candle's time
THINNEST = 0.0025  # of the window: a candle that opened where it closed
NEAR, FAR = 0.24, 0.12  # shades of one and of two standard deviations
FEW = 48  # half of what there should be


def render_price(picture: PricePicture) -> bytes:
    """The picture as PNG, 1080 x 1350 px; the same picture gives the same bytes."""
    with style():
        return draw_price(picture).png()


def draw_price(picture: PricePicture) -> Sheet:
    """The sheet with everything on it; to be called within `canvas.style()`."""
    sheet = new_sheet(picture.theme)
    axes = sheet.add_panel()
    _scale(axes, picture)
    _draw_levels(sheet, axes, picture.ladder)
    _draw_move(sheet, axes, picture.move)
    _draw_candles(sheet, axes, picture)
    name_levels(sheet, picture.ladder)
    title = f"{picture.caption.coin} price and levels"
    write_captions(sheet, picture.caption, title, legend(picture))
    _write_axes(sheet, picture)
    return sheet


def legend(picture: PricePicture) -> Legend:
    """The marks of what is to be seen: brightness, form and place tell as much as colour."""
    theme, (low, high) = picture.theme, picture.ladder.window
    marks: dict[str, tuple[int, dict[str, Any]]] = {}
    if picture.candles:
        marks["rose"] = 14, {"facecolor": theme.rising}
        marks["fell"] = 14, {"facecolor": theme.falling}
    if picture.move:
        marks["expected in a day: 1 sd"] = 30, {"facecolor": theme.faint, "alpha": NEAR + FAR}
        marks["2 sd"] = 30, {"facecolor": theme.faint, "alpha": FAR}
    if any(lower < high and upper > low for lower, upper in picture.ladder.zones):
        marks["flip zone"] = 30, {"facecolor": theme.flip, "alpha": 2 * SHADE}
    return marks


def candles_title(candles: Sequence[Candle]) -> str:
    """What a candle is, and whether there are enough of them."""
    if not candles:
        return "No candles: no venue gave any"
    if len(candles) < FEW:
        return f"30-minute candles, only {len(candles)} of the last {SPAN // CANDLE} are known"
    return "30-minute candles, last 48 hours"


def time_ticks(at: datetime) -> list[datetime]:
    """The half days UTC within what is shown."""
    first = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - SPAN
    halves = [first + TICKS * number for number in range((SPAN + AHEAD) // TICKS + 3)]
    return [half for half in halves if at - SPAN <= half <= at + AHEAD]


def time_tick(time: datetime) -> str:
    """A time on the axis: the date at midnight, else the hour."""
    return f"{time:%d %b}" if time.hour == 0 else f"{time:%H:%M}"


def hours(times: Sequence[datetime], at: datetime) -> Floats:
    """Where the times are on the axis: hours after `at`, (n,)."""
    return np.array([(time - at) / HOUR for time in times], np.float64)


def _scale(axes: Axes, picture: PricePicture) -> None:
    axes.set_xlim(-SPAN / HOUR, AHEAD / HOUR)
    ticks = time_ticks(picture.at)
    axes.set_xticks(hours(ticks, picture.at).tolist(), list(map(time_tick, ticks)))
    scale_prices(axes, picture.ladder.window)


def _draw_levels(sheet: Sheet, axes: Axes, ladder: Ladder) -> None:
    """Across the whole chart, but the expected move, which says nothing of the past."""
    levels = tuple(level for level in ladder.levels if level.kind != "move")
    draw_levels(sheet, axes, replace(ladder, levels=levels))
    spot, ink, ends = ladder.spot, sheet.theme.ink, (0, AHEAD / HOUR)
    axes.axhline(spot, color=ink, linewidth=points(1.2), alpha=0.7, zorder=1.6)
    axes.hlines(spot, *ends, color=ink, linewidth=points(3), zorder=1.7)


def _draw_move(sheet: Sheet, axes: Axes, move: ExpectedMove | None) -> None:
    """From now on: the bands lie over each other, so that the inner one is stronger."""
    faint, ends = sheet.theme.faint, (0, AHEAD / HOUR)
    axes.axvline(0, color=faint, linewidth=points(1.6), zorder=1)
    if move is None:
        return
    near, far = (move.lower_1sd, move.upper_1sd), (move.lower_2sd, move.upper_2sd)
    for (lower, upper), shade in ((far, FAR), (near, NEAR)):
        axes.fill_between(ends, lower, upper, color=faint, alpha=shade, linewidth=0, zorder=0.6)
    axes.hlines(near, *ends, color=faint, linewidth=points(2), linestyle=DASHES["move"])


def _draw_candles(sheet: Sheet, axes: Axes, picture: PricePicture) -> None:
    """A thin line from low to high, a thick one from open to close."""
    low, high = picture.ladder.window
    least = THINNEST * (high - low) / 2
    rose = [candle for candle in picture.candles if candle.close >= candle.open]
    fell = [candle for candle in picture.candles if candle.close < candle.open]
    for these, colour in ((rose, sheet.theme.rising), (fell, sheet.theme.falling)):
        middle = hours([candle.datetime + CANDLE / 2 for candle in these], picture.at)
        bottom = [min(candle.open, candle.close) - least for candle in these]
        top = [max(candle.open, candle.close) + least for candle in these]
        lows, highs = [candle.low for candle in these], [candle.high for candle in these]
        axes.vlines(middle, lows, highs, colour, linewidth=points(WICK), zorder=2)
        axes.vlines(middle, bottom, top, colour, linewidth=points(BODY), zorder=2)


def _write_axes(sheet: Sheet, picture: PricePicture) -> None:
    """What each axis measures."""
    faint, title = sheet.theme.faint, candles_title(picture.candles)
    sheet.write(MARGIN, 133, "Price", color=faint)
    sheet.write(LEFT, 133, "Time, UTC", color=faint)
    sheet.write(LEFT, 1149, title, color=faint if len(picture.candles) >= FEW else sheet.theme.ink)
    if not picture.candles:
        _write_across(sheet, "No candles")


def _write_across(sheet: Sheet, word: str) -> None:
    """A word in the middle of the chart; lines pass behind it."""
    width = width_of(word, 34) + 40
    x, y = (LEFT + RIGHT) / 2, (BOTTOM + TOP) / 2
    sheet.draw_box((x - width / 2, y - 17), (width, 56), {"color": sheet.theme.panel})
    sheet.write(x, y, word, 34, ha="center")
