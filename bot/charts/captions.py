"""What is written around every chart: title, flags, legend, the data's age and origin."""

from collections.abc import Mapping
from typing import Any

from bot.charts.canvas import (
    BOTTOM,
    EDGE,
    HEIGHT,
    LEFT,
    LINE,
    MARGIN,
    RIGHT,
    TOP,
    WIDTH,
    Sheet,
    fit,
    points,
    width_of,
    wrap,
)
from bot.charts.picture import Caption
from bot.core.text import ages_text, money_text

Legend = Mapping[str, tuple[int, Mapping[str, Any]]]  # by name: a mark's width, px, and look


def write_captions(sheet: Sheet, caption: Caption, title: str, legend: Legend) -> None:
    """Everything around the chart but its axes' names."""
    edge = _write_flags(sheet, caption)
    sheet.write(MARGIN, 1290, title, fit(title, edge - MARGIN, 46, "bold"), "bold")
    line = headline(caption)
    sheet.write(MARGIN, 1242, line, fit(line, EDGE - MARGIN, 31))
    _draw_legend(sheet, legend, 1197)
    _write_foot(sheet, caption)
    if caption.simulated:
        _write_across(sheet, "SIMULATED")


def headline(caption: Caption) -> str:
    """Regime and net GEX in a line."""
    if caption.net_gex is None:
        return "No gamma: no open interest with a usable IV"
    plus = "+" if caption.net_gex > 0 else ""
    net = f"net GEX {plus}{money_text(caption.net_gex)} per 1 % move"
    return f"{str(caption.regime).capitalize()} gamma, {net}"


def sources_line(caption: Caption) -> str:
    """How old the data of each venue is, and which were not heard."""
    heard = ages_text(caption.ages)
    missing = f"; without {', '.join(caption.left_out)}" if caption.left_out else ""
    return f"Data: {heard} old{missing}" if heard else f"No data{missing}"


def _write_flags(sheet: Sheet, caption: Caption) -> float:
    """What must not be overlooked, boxed at the upper right; returns where it begins, px."""
    edge: float = EDGE
    alarm = sheet.theme.alarm
    frame = {"edgecolor": alarm, "fill": False, "linewidth": points(3)}
    for word, is_up in {"SIMULATED": caption.simulated, "STALE": caption.stale}.items():
        if is_up:
            width = width_of(word, 28, "bold") + 28
            sheet.draw_box((edge - width, 1283), (width, 46), frame)
            sheet.write(edge - width + 14, 1296, word, 28, "bold", color=alarm)
            edge -= width + 16
    return edge


def _draw_legend(sheet: Sheet, legend: Legend, y: float) -> None:
    x: float = MARGIN
    for name, (width, look) in legend.items():
        sheet.draw_box((x, y - 3), (width, 22), {"linewidth": 0, **look})
        sheet.write(x + width + 10, y, name, color=sheet.theme.faint)
        x += width + 10 + width_of(name) + 28


def _write_across(sheet: Sheet, word: str) -> None:
    """A word over the whole chart that hides nothing of it."""
    middle: dict[str, Any] = {"ha": "center", "va": "center"}
    ink = sheet.theme.ink
    x, y = (LEFT + RIGHT) / 2 / WIDTH, (BOTTOM + TOP) / 2 / HEIGHT
    sheet.figure.text(x, y, word, size=points(126), alpha=0.09, color=ink, rotation=58, **middle)


def _write_foot(sheet: Sheet, caption: Caption) -> None:
    faint = sheet.theme.faint
    lines = wrap(sources_line(caption), EDGE - MARGIN)
    for place, line in enumerate(reversed(lines)):
        sheet.write(MARGIN, 60 + LINE * place, line, color=faint)
    sheet.write(MARGIN, 28, f"As of {caption.drawn_at:%d %b %Y %H:%M} UTC", color=faint)
    definition = f"gammabell, definition {caption.definition}"
    sheet.write(EDGE, 28, definition, color=faint, ha="right")
