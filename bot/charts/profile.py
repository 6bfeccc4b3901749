"""The profile chart: a price ladder of exposure, with the levels named beside it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.charts.bars import Bars
from bot.charts.canvas import LEFT, MARGIN, Sheet, clear_frame, new_sheet, points, style
from bot.charts.captions import Legend, write_captions
from bot.charts.ladders import SHADE, draw_levels, name_levels, price_tick, scale_prices
from bot.charts.picture import ProfilePicture
from bot.charts.theme import Theme
from bot.core.text import money_text

TOO_SHORT = 0.02  # of the longest bar: no mark for its net
HATCH = "////"


def render_profile(picture: ProfilePicture) -> bytes:
    """The picture as PNG, 1080 x 1350 px; the same picture gives the same bytes."""
    with style():
        return draw_profile(picture).png()


def draw_profile(picture: ProfilePicture) -> Sheet:
    """The sheet with everything on it; to be called within `canvas.style()`."""
    sheet = new_sheet(picture.theme)
    axes = sheet.add_panel()
    over = axes.twiny()
    clear_frame(over, picture.theme.flip)
    _scale(sheet, axes, over, picture)
    draw_levels(sheet, axes, picture.ladder)
    axes.axhline(picture.ladder.spot, color=picture.theme.ink, linewidth=points(3), zorder=4)
    _draw_bars(sheet, axes, picture.bars)
    _draw_curve(sheet, over, picture)
    name_levels(sheet, picture.ladder)
    title = f"{picture.caption.coin} gamma exposure"
    write_captions(sheet, picture.caption, title, legend(picture.theme))
    _write_axes(sheet, picture)
    return sheet


def legend(theme: Theme) -> Legend:
    """The marks of the picture: place, hatch and form tell as much as colour."""
    return {
        "calls": (30, calls(theme)),
        "puts": (30, puts(theme)),
        "net": (6, {"color": theme.ink}),
        "total if spot moves": (30, {"color": theme.flip}),
        "flip zone": (30, {"color": theme.flip, "alpha": 2 * SHADE}),
    }


def calls(theme: Theme) -> dict[str, Any]:
    """How the bars of calls look."""
    return {"facecolor": theme.call, "linewidth": 0}


def puts(theme: Theme) -> dict[str, Any]:
    """How the bars of puts look."""
    return {"facecolor": theme.put, "edgecolor": theme.panel, "hatch": HATCH, "linewidth": 0}


def aligned_limits(*series: Sequence[float]) -> list[tuple[float, float]]:
    """An axis for each series that holds it whole, every zero at the same place."""
    sizes = [max(map(abs, values), default=0.0) or 1.0 for values in series]
    shares = [value / size for values, size in zip(series, sizes, strict=True) for value in values]
    left, right = min([-0.1, *shares]) * 1.06, max([0.1, *shares]) * 1.06
    return [(left * size, right * size) for size in sizes]


def money_tick(value: float) -> str:
    """An amount on an axis: -$20M."""
    if abs(value) >= 1_000:
        return money_text(value).replace(".0", "")
    return f"{'-' if value < 0 else ''}${abs(value):g}"


def bars_title(picture: ProfilePicture) -> str:
    """What a bar is."""
    if not picture.bars.strike:
        return "" if picture.caption.net_gex is None else "No strike with gamma in this range"
    step = picture.bars.step
    strikes = f"per {price_tick(step)} of strikes" if step else "at each strike"
    return f"GEX {strikes}, USD per 1 % move"


def halo(theme: Theme) -> list[withStroke]:
    """What parts a line from the bars beneath."""
    return [withStroke(linewidth=points(9), foreground=theme.ground)]


def _scale(sheet: Sheet, axes: Axes, over: Axes, picture: ProfilePicture) -> None:
    """Prices upwards; exposure by strike along the bottom, the total along the top."""
    bars = picture.bars
    by_strike, total = (*bars.call_gex, *bars.put_gex), picture.curve_gex
    limits = aligned_limits(by_strike, total)
    for one, values, limit in zip((axes, over), (by_strike, total), limits, strict=True):
        one.set_xlim(limit)
        one.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        one.xaxis.set_major_formatter(FuncFormatter(lambda value, _: money_tick(float(value))))
        one.xaxis.set_visible(bool(values))
    scale_prices(axes, picture.ladder.window)
    if by_strike or total:
        axes.axvline(0, color=sheet.theme.faint, linewidth=points(1.6), zorder=1)


def _draw_bars(sheet: Sheet, axes: Axes, bars: Bars) -> None:
    strike, call, put = map(np.array, (bars.strike, bars.call_gex, bars.put_gex))  # (k,)
    low, high = strike - bars.thickness * 0.43, strike + bars.thickness * 0.43
    nothing = np.zeros_like(strike)
    for gex, look in ((call, calls(sheet.theme)), (put, puts(sheet.theme))):
        corners = ((nothing, low), (gex, low), (gex, high), (nothing, high))
        boxes = np.array(corners).transpose(2, 0, 1)  # (k, corner, x and y)
        axes.add_collection(PolyCollection(list(boxes), zorder=2, **look), autolim=False)
    # A mark on a bar that is hardly longer than the mark says nothing.
    long = call - put > TOO_SHORT * max(call.max(initial=0), -put.min(initial=0))
    axes.vlines(
        (call + put)[long],
        low[long],
        high[long],
        color=sheet.theme.ink,
        linewidth=points(4),
        path_effects=halo(sheet.theme),
        zorder=3,
    )


def _draw_curve(sheet: Sheet, over: Axes, picture: ProfilePicture) -> None:
    if picture.curve_gex:
        over.plot(
            picture.curve_gex,
            picture.curve_spot,
            color=sheet.theme.flip,
            linewidth=points(4),
            path_effects=halo(sheet.theme),
        )


def _write_axes(sheet: Sheet, picture: ProfilePicture) -> None:
    """What each axis measures."""
    sheet.write(MARGIN, 133, "Strike", color=sheet.theme.faint)
    sheet.write(LEFT, 133, bars_title(picture), color=sheet.theme.faint)
    if picture.curve_gex:
        text = "Total GEX if spot moved to that price, USD per 1 % move"
        sheet.write(LEFT, 1149, text, color=sheet.theme.flip)
