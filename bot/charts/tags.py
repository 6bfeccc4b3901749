"""The levels' names and prices in a column beside a price axis."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.transforms import IdentityTransform

from bot.charts.canvas import BOTTOM, EDGE, LINE, RIGHT, TOP, Sheet, fit, points, width_of
from bot.charts.labels import choose, spread
from bot.charts.levels import Level
from bot.core.text import price_text

NAMES = 684  # px: where names begin; prices end at the edge
BASE = 23  # px: from the top of a line to its base line
PAD = 8  # px: from a leader, or the box around spot, to the text
GAP = 14  # px: least distance between a name and its price
UP, DOWN = "\u2191 ", "\u2193 "  # the level is beyond this end of the axis


@dataclass(frozen=True, slots=True)
class Tag:
    """A price and the levels that stand on it: one label, a line each."""

    price: float  # USD
    levels: tuple[Level, ...]

    @property
    def height(self) -> int:
        return LINE * len(self.levels)  # px


def find_tags(levels: Iterable[Level]) -> list[Tag]:
    """The levels by price, in the order in which the prices come first."""
    prices: dict[float, list[Level]] = {}
    for level in levels:
        prices.setdefault(level.price, []).append(level)
    return [Tag(price, tuple(names)) for price, names in prices.items()]


def write_tags(sheet: Sheet, levels: Sequence[Level], window: tuple[float, float]) -> int:
    """Name the levels, the first ones first, and return how many had no room."""
    all_tags = find_tags(levels)
    kept = choose([tag.height for tag in all_tags], TOP - BOTTOM)
    tags = sorted((all_tags[position] for position in kept), key=lambda tag: tag.price)
    prices = np.array([tag.price for tag in tags])
    places = BOTTOM + (prices - window[0]) / (window[1] - window[0]) * (TOP - BOTTOM)
    centres = spread(places, np.array([tag.height for tag in tags]), BOTTOM, TOP)
    for tag, place, centre in zip(tags, places.tolist(), centres.tolist(), strict=True):
        if BOTTOM <= place <= TOP:
            _draw_leader(sheet, place, centre, sheet.theme.level(tag.levels[0].kind))
        arrow = UP if place > TOP else DOWN if place < BOTTOM else ""
        _write_tag(sheet, tag, centre + tag.height / 2, arrow)
    return len(levels) - sum(len(tag.levels) for tag in tags)


def _draw_leader(sheet: Sheet, place: float, centre: float, colour: str) -> None:
    leader = Line2D(
        [RIGHT, RIGHT + 12, NAMES - PAD - 14, NAMES - PAD],
        [place, place, centre, centre],
        color=colour,
        linewidth=points(2),
        transform=IdentityTransform(),
    )
    sheet.figure.add_artist(leader)


def _write_tag(sheet: Sheet, tag: Tag, top: float, arrow: str) -> None:
    price = price_text(tag.price)
    room = EDGE - NAMES - width_of(price) - GAP
    for line, level in enumerate(tag.levels):
        name, foot = arrow + level.name, top - LINE * (line + 1)
        colour, base = sheet.theme.level(level.kind), foot + LINE - BASE
        if level.kind == "spot":
            size = (EDGE - NAMES + 2 * PAD, LINE)
            sheet.draw_box((NAMES - PAD, foot), size, {"color": sheet.theme.ink, "linewidth": 0})
            colour = sheet.theme.ground
        sheet.write(NAMES, base, name, fit(name, room), color=colour)
        if line == 0:
            sheet.write(EDGE, base, price, ha="right", color=colour)
