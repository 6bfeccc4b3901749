"""The sheet every chart is drawn on: size, text by the pixel, PNG."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from matplotlib.transforms import IdentityTransform

from bot.charts.theme import Theme

# Pixels, counted from the sheet's lower left corner.
WIDTH, HEIGHT = 1080, 1350  # what a phone shows at full width without cropping
LEFT, BOTTOM, RIGHT, TOP = 132, 206, 630, 1104  # the frame of the chart
MARGIN, EDGE = 28, 1052  # where writing begins and ends
SMALL = 23  # a text's size; much less cannot be read on a phone
LINE = 31  # from one line of small text to the next
DPI = 100

STYLE = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib
    "text.parse_math": False,  # two dollar signs are two amounts, not a formula
    "hatch.linewidth": 1.6,
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet in the colours of its theme."""

    figure: Figure
    theme: Theme

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float = SMALL,
        weight: str = "normal",
        **look: str,
    ) -> None:
        """Text with its base line at a pixel, left-aligned unless its look says otherwise."""
        every: dict[str, Any] = {"color": self.theme.ink, "weight": weight, **look}
        place = IdentityTransform()
        self.figure.text(x, y, text, size=points(size), transform=place, **every)

    def draw_box(
        self, corner: tuple[float, float], size: tuple[float, float], look: Mapping[str, Any]
    ) -> None:
        """A rectangle, px."""
        self.figure.add_artist(Rectangle(corner, *size, transform=IdentityTransform(), **look))

    def add_panel(self) -> Axes:
        """The axes within the frame."""
        corner, size = (LEFT / WIDTH, BOTTOM / HEIGHT), (RIGHT - LEFT, TOP - BOTTOM)
        place = (*corner, size[0] / WIDTH, size[1] / HEIGHT)
        axes = self.figure.add_axes(place, facecolor=self.theme.panel)
        clear_frame(axes, self.theme.faint)
        axes.grid(color=self.theme.grid, linewidth=points(1.2))
        axes.set_axisbelow(True)
        return axes

    def png(self) -> bytes:
        """The sheet as a PNG that is the same for the same drawing."""
        file = BytesIO()
        self.figure.savefig(file, format="png", metadata={"Software": None})
        return file.getvalue()


def style() -> AbstractContextManager[None]:
    """Within it drawings look the same, whatever a matplotlibrc of this machine says."""
    return matplotlib.style.context(["default", STYLE])


def new_sheet(theme: Theme) -> Sheet:
    """An empty sheet with a canvas of its own; pyplot would keep every figure for ever."""
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=theme.ground)
    FigureCanvasAgg(figure)
    return Sheet(figure, theme)


def clear_frame(axes: Axes, colour: str) -> None:
    """No frame and no tick marks, only the numbers."""
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=colour, labelsize=points(SMALL), length=0, pad=points(10))


def points(pixels: float) -> float:
    """The size in typographic points, which is what matplotlib wants."""
    return pixels * 72 / DPI


def width_of(text: str, size: float = SMALL, weight: str = "normal") -> float:
    """How wide the text will be, px."""
    font = FontProperties(size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def fit(text: str, room: float, size: float = SMALL, weight: str = "normal") -> float:
    """The size at which the text is no wider than `room` px: the given one where that will do."""
    return size * min(1.0, room / max(width_of(text, size, weight), 1.0))


def wrap(text: str, room: float) -> list[str]:
    """Small text in lines that are no wider than `room` px, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and width_of(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
