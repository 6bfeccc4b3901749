"""The profile chart: a price ladder of exposure, with the levels named beside it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.charts import canvas
from bot.charts.canvas import (
    BLUE,
    BOTTOM,
    EDGE,
    FAINT,
    GROUND,
    INK,
    LEFT,
    LINE,
    MARGIN,
    ORANGE,
    PANEL,
    PINK,
    RED,
    RIGHT,
    TOP,
    draw_box,
    fit,
    points,
    width_of,
    write,
)
from bot.charts.picture import Kind, Level, ProfilePicture
from bot.charts.tags import COLOURS, write_tags
from bot.core.text import age_text, money_text

DASHES: dict[Kind, str] = {"flip": "-.", "max_pain": ":", "move": "--"}
SHADE = 0.18  # of a flip zone
TOO_SHORT = 0.02  # of the longest bar: no mark for its net
HALO = withStroke(linewidth=points(9), foreground=GROUND)  # parts a line from bars beneath
CALLS: dict[str, Any] = {"facecolor": BLUE, "linewidth": 0}
PUTS: dict[str, Any] = {"facecolor": ORANGE, "edgecolor": PANEL, "hatch": "////", "linewidth": 0}

# The marks of the picture with their widths, px: place, hatch and form tell as much as colour.
LEGEND: dict[str, tuple[int, dict[str, Any]]] = {
    "calls": (30, CALLS),
    "puts": (30, PUTS),
    "net": (6, {"color": INK}),
    "total if spot moves": (30, {"color": PINK}),
    "flip zone": (30, {"color": PINK, "alpha": 2 * SHADE}),
}


def render_profile(picture: ProfilePicture) -> bytes:
    """The picture as PNG, 1080 x 1350 px; the same picture gives the same bytes."""
    with canvas.style():
        return canvas.png(draw_profile(picture))


def draw_profile(picture: ProfilePicture) -> Figure:
    """The sheet with everything on it; to be called within `canvas.style()`."""
    figure = canvas.new_figure()
    ladder = canvas.add_panel(figure)
    over = ladder.twiny()
    canvas.clear_frame(over, PINK)
    _scale(ladder, over, picture)
    _draw_levels(ladder, picture)
    _draw_bars(ladder, picture)
    _draw_curve(over, picture)
    spot = Level("Spot", "spot", picture.spot)
    unnamed = write_tags(figure, (spot, *picture.levels), picture.window)
    _write_head(figure, picture)
    _write_foot(figure, picture, unnamed)
    if picture.simulated:
        _write_across(figure, "SIMULATED")
    return figure


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


def price_tick(value: float) -> str:
    """A price on an axis: $78,000, $77.5."""
    return f"${value:,.9f}".rstrip("0").rstrip(".")


def headline(picture: ProfilePicture) -> str:
    """Regime and net GEX in a line."""
    if picture.net_gex is None:
        return "No gamma: no open interest with a usable IV"
    plus = "+" if picture.net_gex > 0 else ""
    net = f"net GEX {plus}{money_text(picture.net_gex)} per 1 % move"
    return f"{str(picture.regime).capitalize()} gamma, {net}"


def bars_title(picture: ProfilePicture) -> str:
    """What a bar is."""
    if not picture.bars.strike:
        return "" if picture.net_gex is None else "No strike with gamma in this range"
    step = picture.bars.step
    strikes = f"per {price_tick(step)} of strikes" if step else "at each strike"
    return f"GEX {strikes}, USD per 1 % move"


def sources_line(picture: ProfilePicture) -> str:
    """How old the data of each venue is, and which were not heard."""
    heard = ", ".join(f"{venue} {age_text(age)}" for venue, age in picture.ages)
    missing = f"; without {', '.join(picture.left_out)}" if picture.left_out else ""
    return f"Data: {heard} old{missing}" if heard else f"No data{missing}"


def _scale(ladder: Axes, over: Axes, picture: ProfilePicture) -> None:
    """Prices upwards; exposure by strike along the bottom, the total along the top."""
    bars = picture.bars
    by_strike, total = (*bars.call_gex, *bars.put_gex), picture.curve_gex
    limits = aligned_limits(by_strike, total)
    for axes, values, limit in zip((ladder, over), (by_strike, total), limits, strict=True):
        axes.set_xlim(limit)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: money_tick(float(value))))
        axes.xaxis.set_visible(bool(values))
    ladder.set_ylim(picture.window)
    ladder.yaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 5, 10]))
    ladder.yaxis.set_major_formatter(FuncFormatter(lambda value, _: price_tick(float(value))))
    widest = max(map(price_tick, ladder.get_yticks().tolist()), key=width_of)
    ladder.tick_params(axis="y", labelsize=points(fit(widest, LEFT - 16)))
    if by_strike or total:
        ladder.axvline(0, color=FAINT, linewidth=points(1.6), zorder=1)


def _draw_levels(ladder: Axes, picture: ProfilePicture) -> None:
    for lower, upper in picture.zones:
        ladder.axhspan(lower, upper, color=PINK, alpha=SHADE, linewidth=0, zorder=0.5)
    for level in picture.levels:
        ladder.axhline(
            level.price,
            color=COLOURS[level.kind],
            linestyle=DASHES.get(level.kind, "-"),
            linewidth=points(2),
            alpha=0.6,
            zorder=1.5,
        )
    ladder.axhline(picture.spot, color=INK, linewidth=points(3), zorder=4)


def _draw_bars(ladder: Axes, picture: ProfilePicture) -> None:
    bars = picture.bars
    strike, call, put = map(np.array, (bars.strike, bars.call_gex, bars.put_gex))  # (k,)
    low, high = strike - bars.thickness * 0.43, strike + bars.thickness * 0.43
    nothing = np.zeros_like(strike)
    for gex, look in ((call, CALLS), (put, PUTS)):
        corners = ((nothing, low), (gex, low), (gex, high), (nothing, high))
        boxes = np.array(corners).transpose(2, 0, 1)  # (k, corner, x and y)
        ladder.add_collection(PolyCollection(list(boxes), zorder=2, **look), autolim=False)
    # A mark on a bar that is hardly longer than the mark says nothing.
    long = call - put > TOO_SHORT * max(call.max(initial=0), -put.min(initial=0))
    ladder.vlines(
        (call + put)[long],
        low[long],
        high[long],
        color=INK,
        linewidth=points(4),
        path_effects=[HALO],
        zorder=3,
    )


def _draw_curve(over: Axes, picture: ProfilePicture) -> None:
    if picture.curve_gex:
        gex, spot = picture.curve_gex, picture.curve_spot
        over.plot(gex, spot, color=PINK, linewidth=points(4), path_effects=[HALO])


def _write_head(figure: Figure, picture: ProfilePicture) -> None:
    edge = _write_flags(figure, picture)
    title = f"{picture.coin} gamma exposure"
    write(figure, MARGIN, 1290, title, fit(title, edge - MARGIN, 46, "bold"), "bold")
    line = headline(picture)
    write(figure, MARGIN, 1242, line, fit(line, EDGE - MARGIN, 31))
    _draw_legend(figure, 1197)
    if picture.curve_gex:
        text = "Total GEX if spot moved to that price, USD per 1 % move"
        write(figure, LEFT, 1149, text, color=PINK)


def _write_flags(figure: Figure, picture: ProfilePicture) -> float:
    """What must not be overlooked, boxed at the upper right; returns where it begins, px."""
    edge: float = EDGE
    frame = {"edgecolor": RED, "fill": False, "linewidth": points(3)}
    for word, is_up in {"SIMULATED": picture.simulated, "STALE": picture.stale}.items():
        if is_up:
            width = width_of(word, 28, "bold") + 28
            draw_box(figure, (edge - width, 1283), (width, 46), frame)
            write(figure, edge - width + 14, 1296, word, 28, "bold", color=RED)
            edge -= width + 16
    return edge


def _draw_legend(figure: Figure, y: float) -> None:
    x: float = MARGIN
    for name, (width, look) in LEGEND.items():
        draw_box(figure, (x, y - 3), (width, 22), {"linewidth": 0, **look})
        write(figure, x + width + 10, y, name, color=FAINT)
        x += width + 10 + width_of(name) + 28


def _write_across(figure: Figure, word: str) -> None:
    """A word over the whole chart that hides nothing of it."""
    x, y = (LEFT + RIGHT) / 2 / canvas.WIDTH, (BOTTOM + TOP) / 2 / canvas.HEIGHT
    size = points(126)
    figure.text(x, y, word, size=size, alpha=0.09, color=INK, rotation=58, ha="center", va="center")


def _write_foot(figure: Figure, picture: ProfilePicture, unnamed: int) -> None:
    write(figure, MARGIN, 133, "Strike", color=FAINT)
    write(figure, LEFT, 133, bars_title(picture), color=FAINT)
    lines = canvas.wrap(sources_line(picture), EDGE - MARGIN)
    for place, line in enumerate(reversed(lines)):
        write(figure, MARGIN, 60 + LINE * place, line, color=FAINT)
    write(figure, MARGIN, 28, f"{picture.drawn_at:%d %b %Y %H:%M} UTC", color=FAINT)
    write(figure, EDGE, 28, f"gammabell, definition {picture.definition}", color=FAINT, ha="right")
    if unnamed:
        write(figure, EDGE, 170, f"{unnamed} levels more", color=FAINT, ha="right")
