"""The price axis of every chart: its numbers, the levels across it, their names beside it."""

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.charts.canvas import EDGE, LEFT, Sheet, fit, points, width_of
from bot.charts.levels import Kind, Level
from bot.charts.picture import Ladder
from bot.charts.tags import write_tags

DASHES: dict[Kind, str] = {"flip": "-.", "max_pain": ":", "move": "--"}
SHADE = 0.18  # of a flip zone
CORNER = 0.015  # of the window: half a number's height, where the other axis has its numbers


def scale_prices(axes: Axes, window: tuple[float, float]) -> None:
    """Prices upwards, in round numbers that keep clear of the corners."""
    axes.set_ylim(window)
    clear = (window[1] - window[0]) * CORNER
    ticks = MaxNLocator(10, steps=[1, 2, 5, 10]).tick_values(*window)
    kept = [float(tick) for tick in ticks if window[0] + clear <= tick <= window[1] - clear]
    axes.set_yticks(kept)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: price_tick(float(value))))
    widest = max(map(price_tick, kept), key=width_of)
    axes.tick_params(axis="y", labelsize=points(fit(widest, LEFT - 16)))


def draw_levels(sheet: Sheet, axes: Axes, ladder: Ladder) -> None:
    """Levels as lines across, flip zones shaded."""
    for lower, upper in ladder.zones:
        axes.axhspan(lower, upper, color=sheet.theme.flip, alpha=SHADE, linewidth=0, zorder=0.5)
    for level in ladder.levels:
        axes.axhline(
            level.price,
            color=sheet.theme.level(level.kind),
            linestyle=DASHES.get(level.kind, "-"),
            linewidth=points(2),
            alpha=0.6,
            zorder=1.5,
        )


def name_levels(sheet: Sheet, ladder: Ladder) -> None:
    """Spot and the levels by name beside the axis; those without room are counted."""
    spot = Level("Spot", "spot", ladder.spot)
    unnamed = write_tags(sheet, (spot, *ladder.levels), ladder.window)
    if unnamed:
        faint = sheet.theme.faint
        sheet.write(EDGE, 170, f"{unnamed} levels more", color=faint, ha="right")


def price_tick(value: float) -> str:
    """A price on an axis: $78,000, $77.5."""
    return f"${value:,.9f}".rstrip("0").rstrip(".")
