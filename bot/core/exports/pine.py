"""An indicator in Pine v6 that draws the levels on a chart of TradingView.

The levels are those of one moment: every line and box begins there and depends on no bar, so
nothing repaints, and the past before it shows no level that nobody knew.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC

from bot.core.chain import milliseconds
from bot.core.clocks import date_text
from bot.core.events import levels_of
from bot.core.exports.export import Export, number_text, one_line
from bot.core.snapshot import Snapshot
from bot.core.symbols import coin_of
from bot.core.text import label

COLOURS = {
    "hvl": "color.orange",
    "call_resistance": "color.green",
    "call_wall_2": "color.green",
    "call_wall_3": "color.green",
    "put_support": "color.red",
    "put_wall_2": "color.red",
    "put_wall_3": "color.red",
    "flip": "color.purple",
    "max_pain": "color.blue",
}
ZONE, MOVE = "color.purple", "color.gray"
LIMITS = "max_lines_count = 500, max_labels_count = 500, max_boxes_count = 500"

FUNCTIONS = """\
level(string name, float price, color tint) =>
    var line mark = na
    var label tag = na
    if barstate.islast
        line.delete(mark)
        label.delete(tag)
        mark := line.new(COMPUTED_AT, price, COMPUTED_AT + DAY, price, xloc = xloc.bar_time, \
extend = extend.right, color = tint)
        tag := label.new(math.max(time, COMPUTED_AT), price, name, xloc = xloc.bar_time, \
color = tint, style = label.style_label_left, textcolor = color.white, size = size.small)

band(string name, float lower, float upper, color tint, string extent) =>
    var box area = na
    if barstate.islast
        box.delete(area)
        area := box.new(COMPUTED_AT, upper, COMPUTED_AT + DAY, lower, xloc = xloc.bar_time, \
extend = extent, border_color = color.new(tint, 60), bgcolor = color.new(tint, 85), \
text = name, text_size = size.small, text_color = tint, text_halign = text.align_right, \
text_valign = text.align_top)
"""

STAMP = """\
var table stamp = table.new(position.top_right, 1, 1)
if barstate.islast
    string age = str.tostring(math.floor((timenow - COMPUTED_AT) / HOUR)) + " h old"
    table.cell(stamp, 0, 0, STAMP + ", " + age, text_color = color.gray, text_size = size.small)
"""


def pine_script(export: Export) -> str:
    """The script: levels as labelled lines, flip zones and the expected move as boxes."""
    snapshot = export.snapshot
    title = f"{coin_of(snapshot.symbol)} gamma levels"
    computed = date_text(snapshot.at, UTC)
    sections = (
        ["//@version=6", f"// {one_line(title)} by gammabell", *(f"// {x}" for x in export.stamp)],
        [f"indicator({quoted(export.marked(title))}, overlay = true, {LIMITS})"],
        [
            f"int COMPUTED_AT = {milliseconds(snapshot.at):.0f}  // {computed}",
            "int HOUR = 3600000",
            "int DAY = 24 * HOUR",
            f"string STAMP = {quoted(export.marked(f'{title} computed at {computed}'))}",
        ],
        FUNCTIONS.splitlines(),
        [*_bands(snapshot), *_lines(snapshot)],
        STAMP.splitlines(),
    )
    return "\n".join("\n".join([*section, ""]) for section in sections if section)


def quoted(text: str) -> str:
    """The text as a Pine string, in one line."""
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _lines(snapshot: Snapshot) -> Iterator[str]:
    """A line each price, the highest first; levels that stand on one price share its label."""
    names: dict[float, list[str]] = defaultdict(list)
    colours: dict[float, str] = {}
    for key, price in levels_of(snapshot).items():
        if key.name in COLOURS:
            names[price].append(label(key))
            colours.setdefault(price, COLOURS[key.name])
    for price in sorted(names, reverse=True):
        text = quoted(", ".join(names[price]))
        yield f"level({text}, {number_text(price)}, {colours[price]})"


def _bands(snapshot: Snapshot) -> Iterator[str]:
    """The expected move ends with its day, a flip zone stays; the wider band lies below."""
    move = snapshot.levels.expected_move
    if move:
        yield _band("1D move (2 sd)", move.lower_2sd, move.upper_2sd, MOVE, "extend.none")
        yield _band("1D move (1 sd)", move.lower_1sd, move.upper_1sd, MOVE, "extend.none")
    for zone in snapshot.levels.gamma_flip_zones:
        yield _band("Flip zone", zone.lower, zone.upper, ZONE, "extend.right")


def _band(name: str, lower: float, upper: float, colour: str, extent: str) -> str:
    prices = f"{number_text(lower)}, {number_text(upper)}"
    return f"band({quoted(name)}, {prices}, {colour}, {extent})"
