"""The sheet every chart is drawn on: size, colours, text by the pixel, PNG."""

from contextlib import AbstractContextManager
from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.transforms import IdentityTransform

WIDTH, HEIGHT = 1080, 1350  # px: what a phone shows at full width without cropping
DPI = 100
SMALL = 23  # px: much less cannot be read on a phone

GROUND = "#0f151d"
PANEL = "#151d28"
GRID = "#2a3646"
INK = "#e8eef4"
FAINT = "#a3b3c2"  # 8:1 on the ground
# Told apart in every form of colour blindness: Okabe and Ito's, lightened for a dark ground.
BLUE = "#5ab8ee"
ORANGE = "#eda31c"
GREEN = "#2fd3a5"
PINK = "#ee9fd0"
YELLOW = "#f4e66a"
RED = "#ff7a59"

# All that a matplotlibrc on this machine could change in the picture.
STYLE = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib
    "text.parse_math": False,  # two dollar signs are two amounts, not a formula
    "axes.unicode_minus": True,
    "hatch.linewidth": 1.6,
    "path.simplify": True,
}


def style() -> AbstractContextManager[None]:
    """Within it, drawings look the same on every machine."""
    return rc_context(STYLE)


def points(pixels: float) -> float:
    """The size in typographic points, which is what matplotlib wants."""
    return pixels * 72 / DPI


def new_figure() -> Figure:
    """An empty sheet with a canvas of its own; pyplot would keep every figure for ever."""
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=GROUND)
    FigureCanvasAgg(figure)
    return figure


def add_panel(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Axes with their frame at these pixels, counted from the sheet's lower left corner."""
    box = (left / WIDTH, bottom / HEIGHT, (right - left) / WIDTH, (top - bottom) / HEIGHT)
    axes = figure.add_axes(box, facecolor=PANEL)
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=FAINT, labelsize=points(SMALL), length=0, pad=points(10))
    axes.set_axisbelow(True)
    return axes


def write(figure: Figure, x: float, y: float, text: str, size: float = SMALL, **look: Any) -> Text:
    """Text with its base line at a pixel, left-aligned unless its look says otherwise."""
    look = {"color": INK, "va": "baseline", "transform": IdentityTransform(), **look}
    return figure.text(x, y, text, size=points(size), **look)


def width_of(text: str, size: float = SMALL, weight: str = "normal") -> float:
    """How wide the text will be, px."""
    font = FontProperties(size=points(size), weight=weight)
    renderer = FigureCanvasAgg(Figure(dpi=DPI)).get_renderer()
    return renderer.get_text_width_height_descent(text, font, ismath=False)[0]


def wrap(text: str, room: float, size: float = SMALL) -> list[str]:
    """The text in lines that are no wider than `room` px, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and width_of(longer, size) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def png(figure: Figure) -> bytes:
    """The sheet as a PNG that is the same for the same drawing."""
    file = BytesIO()
    FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})
    return file.getvalue()
