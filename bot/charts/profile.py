"""The profile chart: a price ladder of exposure, with the levels named beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import IdentityTransform

from bot.charts import canvas
from bot.charts.canvas import (
    BLUE,
    FAINT,
    GREEN,
    GRID,
    GROUND,
    INK,
    ORANGE,
    PANEL,
    PINK,
    SMALL,
    YELLOW,
    points,
    write,
)
from bot.charts.labels import choose, spread
from bot.charts.picture import Kind, Level, ProfilePicture
from bot.core.text import age_text, money_text, price_text

LEFT, BOTTOM, RIGHT, TOP = 132, 226, 640, 1092  # px: the frame of the ladder
MARGIN = 30  # px: left of what is written
NAMES, EDGE = 696, 1052  # px: where the levels' names begin, where their prices end
LINE = 31  # px: height of a label

COLOURS: dict[Kind, str] = {
    "spot": INK,
    "hvl": GREEN,
    "call": BLUE,
    "put": ORANGE,
    "flip": PINK,
    "max_pain": YELLOW,
    "move": FAINT,
}
DASHES: dict[Kind, str] = {"flip": "-.", "max_pain": ":", "move": "--"}


@dataclass(frozen=True, slots=True)
class Tag:
    """A price and the levels that stand on it: one label, a line each."""

    price: float  # USD
    levels: tuple[Level, ...]

    @property
    def height(self) -> int:
        return LINE * len(self.levels)


def render_profile(picture: ProfilePicture) -> bytes:
    """The picture as PNG, 1080 x 1350 px; the same picture gives the same bytes."""
    with canvas.style():
        return canvas.png(draw_profile(picture))


def draw_profile(picture: ProfilePicture) -> Figure:
    """The sheet with everything on it; to be called within `canvas.style()`."""
    figure = canvas.new_figure()
    ladder = canvas.add_panel(figure, LEFT, BOTTOM, RIGHT, TOP)
    ladder.set_ylim(picture.window)
    over = ladder.twiny()
    over.spines[:].set_visible(False)
    _scale(ladder, over, picture)
    _draw_levels(ladder, picture)
    _draw_bars(ladder, picture)
    _draw_curve(over, picture)
    tags = find_tags(picture)
    shown = choose([tag.height for tag in tags], TOP - BOTTOM)
    _write_tags(figure, picture, sorted((tags[n] for n in shown), key=lambda tag: tag.price))
    _write_head(figure, picture)
    _write_foot(figure, picture, unnamed=len(tags) - len(shown))
    return figure


def find_tags(picture: ProfilePicture) -> list[Tag]:
    """Spot and the levels by price; those that matter most come first."""
    prices: dict[float, list[Level]] = {}
    for level in (Level("Spot", "spot", picture.spot), *picture.levels):
        prices.setdefault(level.price, []).append(level)
    return [Tag(price, tuple(levels)) for price, levels in prices.items()]


def aligned_limits(*series: Sequence[float]) -> list[tuple[float, float]]:
    """An axis for each series that holds it whole, with every zero at the same place."""
    sizes = [max((abs(value) for value in values), default=0.0) or 1.0 for values in series]
    shares = [value / size for values, size in zip(series, sizes, strict=True) for value in values]
    left, right = min([-0.1, *shares]) * 1.06, max([0.1, *shares]) * 1.06
    return [(left * size, right * size) for size in sizes]


def _scale(ladder: Axes, over: Axes, picture: ProfilePicture) -> None:
    """Prices upwards; exposure by strike along the bottom, the total along the top."""
    bars = picture.bars
    limits = aligned_limits((*bars.call_gex, *bars.put_gex), picture.curve_gex)
    shown = (bool(bars.strike), bool(picture.curve_gex))
    for axes, limit, has_data in zip((ladder, over), limits, shown, strict=True):
        axes.set_xlim(limit)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: money_tick(float(value))))
        axes.xaxis.set_visible(has_data)
    over.tick_params(colors=PINK, labelsize=points(SMALL), length=0, pad=points(8))
    ladder.yaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 5, 10]))
    ladder.yaxis.set_major_formatter(FuncFormatter(lambda value, _: price_tick(float(value))))
    ladder.grid(color=GRID, linewidth=points(1.2))
    ladder.axvline(0, color=FAINT, linewidth=points(1.6), zorder=1)


def money_tick(value: float) -> str:
    """An amount of an axis: -$20M."""
    text = money_text(value) if abs(value) >= 1_000 else f"{'-' * (value < 0)}${abs(value):g}"
    return text.replace(".0", "")


def price_tick(value: float) -> str:
    """A price of an axis: $78,000, $77.5."""
    return f"${value:,.6f}".rstrip("0").rstrip(".")


def _draw_levels(ladder: Axes, picture: ProfilePicture) -> None:
    for lower, upper in picture.zones:
        ladder.axhspan(lower, upper, color=PINK, alpha=0.16, linewidth=0, zorder=0.5)
    for level in picture.levels:
        ladder.axhline(
            level.price,
            color=COLOURS[level.kind],
            linestyle=DASHES.get(level.kind, "-"),
            linewidth=points(2),
            alpha=0.6,
            zorder=1.5,
        )
    ladder.axhline(picture.spot, color=INK, linewidth=points(3), zorder=5)


def _draw_bars(ladder: Axes, picture: ProfilePicture) -> None:
    bars = picture.bars
    if not bars.strike:
        return
    high = bars.thickness * 0.78
    ladder.barh(bars.strike, bars.call_gex, high, color=BLUE, linewidth=0, zorder=2)
    ladder.barh(
        bars.strike,
        bars.put_gex,
        high,
        facecolor=ORANGE,
        edgecolor=PANEL,
        hatch="////",
        linewidth=0,
        zorder=2,
    )
    net = np.add(bars.call_gex, bars.put_gex)
    strike = np.array(bars.strike)
    ladder.vlines(
        net,
        strike - high / 2,
        strike + high / 2,
        color=INK,
        linewidth=points(4),
        path_effects=[withStroke(linewidth=points(8), foreground=GROUND)],
        zorder=3,
    )


def _draw_curve(over: Axes, picture: ProfilePicture) -> None:
    over.plot(
        picture.curve_gex,
        picture.curve_spot,
        color=PINK,
        linewidth=points(4),
        path_effects=[withStroke(linewidth=points(8), foreground=GROUND)],
    )


def _write_tags(figure: Figure, picture: ProfilePicture, tags: Sequence[Tag]) -> None:
    """Name and price of each level, tied to its place on the ladder."""
    low, high = picture.window
    wanted = np.array([BOTTOM + (tag.price - low) / (high - low) * (TOP - BOTTOM) for tag in tags])
    centres = spread(wanted, np.array([tag.height for tag in tags]), BOTTOM, TOP)
    for tag, at, centre in zip(tags, wanted.tolist(), centres.tolist(), strict=True):
        colour = COLOURS[tag.levels[0].kind]
        arrow = "\u2191 " if at > TOP else "\u2193 " if at < BOTTOM else ""
        if not arrow:
            figure.add_artist(
                Line2D(
                    [RIGHT, RIGHT + 12, NAMES - 22, NAMES - 8],
                    [at, at, centre, centre],
                    color=colour,
                    linewidth=points(2),
                    transform=IdentityTransform(),
                )
            )
        top = centre + tag.height / 2
        for line, level in enumerate(tag.levels):
            y = top - LINE * line - 23
            write(figure, NAMES, y, arrow + level.name, color=COLOURS[level.kind])
        write(figure, EDGE, top - 23, price_text(tag.price), ha="right", color=colour)


def _write_head(figure: Figure, picture: ProfilePicture) -> None:
    write(figure, MARGIN, 1284, f"{picture.coin} gamma exposure", 48, weight="bold")
    write(figure, MARGIN, 1228, headline(picture), 31)
    write(figure, LEFT, 1140, "Total GEX were spot there, USD per 1 % move", color=PINK)
    write(figure, LEFT, 150, "GEX at the strike, USD per 1 % move", color=FAINT)


def headline(picture: ProfilePicture) -> str:
    """Regime and net GEX in a line."""
    if picture.net_gex is None:
        return "No gamma: no open interest with a usable IV"
    sign = "+" if picture.net_gex > 0 else ""
    return f"{str(picture.regime).capitalize()} gamma, net GEX {sign}{money_text(picture.net_gex)} per 1 % move"


def _write_foot(figure: Figure, picture: ProfilePicture, unnamed: int) -> None:
    heard = ", ".join(f"{venue} {age_text(age)}" for venue, age in picture.ages)
    write(figure, MARGIN, 70, f"Data: {heard} old", color=FAINT)
    write(figure, MARGIN, 34, f"{picture.drawn_at:%d %b %Y %H:%M} UTC", color=FAINT)
    write(figure, EDGE, 34, f"gammabell, definition {picture.definition}", color=FAINT, ha="right")
