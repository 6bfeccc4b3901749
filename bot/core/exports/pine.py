"""An indicator in Pine v6 that draws the levels on a chart of TradingView.

The levels are those of one moment: every line and box begins there and depends on no bar, so
nothing repaints, and the past before it shows no level that nobody knew. What does not exist is
`na`: a line of the script for every level of the API, whatever the market.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from bot.core.chain import milliseconds
from bot.core.clocks import date_text
from bot.core.events import ODTE_LEVELS, LevelKey, level_price
from bot.core.exports.export import Export, number_text, one_line
from bot.core.snapshot import Snapshot
from bot.core.symbols import coin_of
from bot.core.text import label


@dataclass(frozen=True, slots=True)
class Group:
    """What is shown or hidden, and coloured, as one."""

    word: str  # of the script's names
    title: str  # in the indicator's settings
    colour: str
    shown: bool = True


HVL = Group("hvl", "HVL", "color.orange")
CALLS = Group("calls", "Call walls", "color.green")
PUTS = Group("puts", "Put walls", "color.red")
FLIPS = Group("flips", "Flip zones", "color.purple")
PAIN = Group("pain", "Max pain", "color.blue")
MOVE = Group("move", "Expected move of a day", "color.gray")
RANKED = Group("ranked", "Strongest strikes, GEX 1 to 10", "color.teal", shown=False)
GROUPS = (HVL, CALLS, PUTS, FLIPS, PAIN, MOVE, RANKED)

LEVELS = {
    "hvl": HVL,
    "call_resistance": CALLS,
    "call_wall_2": CALLS,
    "call_wall_3": CALLS,
    "put_support": PUTS,
    "put_wall_2": PUTS,
    "put_wall_3": PUTS,
}

Edges = tuple[float | None, float | None]  # USD, lower and upper
NOWHERE: Edges = (None, None)
LIMITS = "max_lines_count = 500, max_labels_count = 500, max_boxes_count = 500"

SETTINGS = """\
bool odte_on = input.bool(true, "Levels of the next 24 hours (0DTE)")
int old_hours = input.int(24, "Warn when older than so many hours", minval = 1)
"""

# Both branches of an `if` must return the same type, here none: the line comes first.
FUNCTIONS = """\
var array<float> prices = array.new<float>()
var array<label> tags = array.new<label>()

level(bool shown, string name, float price, color tint) =>
    if shown and not na(price)
        int same = array.indexof(prices, price)
        if same >= 0
            label tag = array.get(tags, same)
            label.set_text(tag, label.get_text(tag) + ", " + name)
        else
            line.new(COMPUTED_AT, price, COMPUTED_AT + DAY, price, xloc = xloc.bar_time, \
extend = extend.right, color = tint)
            label tag = label.new(COMPUTED_AT, price, name, xloc = xloc.bar_time, color = tint, \
style = label.style_label_left, textcolor = color.white, size = size.small)
            array.push(prices, price)
            array.push(tags, tag)

band(bool shown, string name, float lower, float upper, color tint, string extent) =>
    if shown and not na(lower) and not na(upper)
        box.new(COMPUTED_AT, upper, COMPUTED_AT + DAY, lower, xloc = xloc.bar_time, \
extend = extent, border_color = color.new(tint, 60), bgcolor = color.new(tint, 85), \
text = name, text_size = size.small, text_color = tint, text_halign = text.align_right, \
text_valign = text.align_top)
"""

# On the newest bar; a bar that is not closed yet takes back what was drawn, and its memory.
ONCE = """\
var bool is_drawn = false
if barstate.islast and not is_drawn
    is_drawn := true
"""

# A futures contract such as CME's has a root and often no base currency.
STAMP = """\
if barstate.islast and array.size(tags) > 0
    for i = 0 to array.size(tags) - 1
        label.set_x(array.get(tags, i), math.max(time, COMPUTED_AT))

string base = syminfo.basecurrency == "" ? syminfo.root : syminfo.basecurrency
bool is_elsewhere = base != COIN or not str.contains(syminfo.currency, "USD")
var table stamp = table.new(position.top_right, 1, 1)
if barstate.islast
    int hours = math.floor((timenow - COMPUTED_AT) / HOUR)
    bool is_old = hours >= old_hours
    string age = STAMP + ", " + str.tostring(hours) + " h old"
    string old = is_old ? "\\nOLD: export the levels again" : ""
    string wrong = is_elsewhere ? "\\nWRONG CHART: these are levels of " + COIN + " in USD" : ""
    color tint = is_old or is_elsewhere ? color.red : color.gray
    table.cell(stamp, 0, 0, age + old + wrong, text_color = tint, text_size = size.small)
"""


def pine_script(export: Export) -> str:
    """The script: levels as labelled lines, flip zones and the expected move as boxes."""
    snapshot = export.snapshot
    title = f"{coin_of(snapshot.symbol)} gamma levels"
    computed = date_text(snapshot.at, UTC)
    drawn = [*_bands(snapshot), *_lines(snapshot)]
    sections = (
        ["//@version=6", f"// {one_line(title)} by gammabell", *(f"// {x}" for x in export.stamp)],
        [f"indicator({quoted(export.marked(title))}, overlay = true, {LIMITS})"],
        [
            f"int COMPUTED_AT = {milliseconds(snapshot.at):.0f}  // {computed}",
            "int HOUR = 3600000",
            "int DAY = 24 * HOUR",
            f"string COIN = {quoted(coin_of(snapshot.symbol))}",
            f"string STAMP = {quoted(export.marked(f'{title} computed at {computed}'))}",
        ],
        [*(line for group in GROUPS for line in _inputs(group)), *SETTINGS.splitlines()],
        FUNCTIONS.splitlines(),
        [*ONCE.splitlines(), *(f"    {line}" for line in drawn)],
        STAMP.splitlines(),
    )
    return "\n".join("\n".join([*section, ""]) for section in sections)


def quoted(text: str) -> str:
    """The text as a Pine string, in one line."""
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _inputs(group: Group) -> Iterator[str]:
    word, title = group.word, quoted(group.title)
    shown = str(group.shown).lower()
    yield f"bool {word}_on = input.bool({shown}, {title}, inline = {quoted(word)})"
    yield f'color {word}_tint = input.color({group.colour}, "", inline = {quoted(word)})'


def _lines(snapshot: Snapshot) -> Iterator[str]:
    """A line for every level there can be; those on one price share its label as they come."""
    levels = snapshot.levels
    for name in LEVELS:
        yield _level(LevelKey("all_expiry", name), snapshot)
    for name in ODTE_LEVELS:
        yield _level(LevelKey("odte", name), snapshot, " and odte_on")
    for zone in levels.gamma_flip_zones:
        yield _line(FLIPS, "Flip", zone.flip)
    yield _level(LevelKey("all_expiry", "max_pain"), snapshot)
    for rank, one in enumerate(levels.ranked, 1):
        yield _line(RANKED, f"GEX {rank}", one.strike)


def _level(key: LevelKey, snapshot: Snapshot, also: str = "") -> str:
    group = LEVELS.get(key.name, PAIN)
    return _line(group, label(key), level_price(key, snapshot.levels), also)


def _line(group: Group, name: str, price: float | None, also: str = "") -> str:
    word = group.word
    return f"level({word}_on{also}, {quoted(name)}, {_number(price)}, {word}_tint)"


def _bands(snapshot: Snapshot) -> Iterator[str]:
    """The expected move ends with its day, a flip zone stays; the wider band lies below."""
    move = snapshot.levels.expected_move
    wide = (move.lower_2sd, move.upper_2sd) if move else NOWHERE
    narrow = (move.lower_1sd, move.upper_1sd) if move else NOWHERE
    yield _band(MOVE, "1D move (2 sd)", wide, "extend.none")
    yield _band(MOVE, "1D move (1 sd)", narrow, "extend.none")
    for zone in snapshot.levels.gamma_flip_zones:
        yield _band(FLIPS, "Flip zone", (zone.lower, zone.upper), "extend.right")


def _band(group: Group, name: str, edges: Edges, extent: str) -> str:
    word, prices = group.word, ", ".join(map(_number, edges))
    return f"band({word}_on, {quoted(name)}, {prices}, {word}_tint, {extent})"


def _number(value: float | None) -> str:
    return "na" if value is None else number_text(value)
