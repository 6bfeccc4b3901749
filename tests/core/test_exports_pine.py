import re
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import ODTE_LEVELS, SET_LEVELS, LevelKey, level_price
from bot.core.exports.export import one_line
from bot.core.exports.pine import GROUPS, pine_script, quoted
from bot.core.levels import LevelSet, OdteSet
from bot.core.text import label
from tests.core.exporting import SNAPSHOT, export_of, exports

STRING = r'"((?:[^"\\]|\\["\\n])*)"'
NUMBER = r"(\d+(?:\.\d+)?|na)"
LEVEL = re.compile(rf"    level\((\w+)_on( and odte_on)?, {STRING}, {NUMBER}, \1_tint\)")
BAND = re.compile(
    rf"    band\((\w+)_on, {STRING}, {NUMBER}, {NUMBER}, \1_tint, extend\.(none|right)\)"
)
COMPUTED = re.compile(r"int COMPUTED_AT = (\d+)  // (.*)")
DECLARED = re.compile(
    r"(?:int|float|bool|string|color|label|table|array<\w+>|for) (\w+)(?= =|,|\))"
    r"|(\w+)\((?=.*=>)"
)
NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.\w+)*")
WORDS = {"if", "else", "for", "to", "and", "or", "not", "var", "true", "false", "na"}
TYPES = {"int", "float", "bool", "string", "color", "label", "table", "array"}
BUILT_IN = {  # what the script uses of Pine v6, each as its reference spells it
    "indicator", "max_lines_count", "max_labels_count", "max_boxes_count", "overlay",
    "input.bool", "input.color", "input.int", "inline", "minval",
    "array.new", "array.get", "array.indexof", "array.push", "array.size",
    "line.new", "label.new", "label.get_text", "label.set_text", "label.set_x", "box.new",
    "xloc", "xloc.bar_time", "extend", "extend.none", "extend.right", "style",
    "label.style_label_left", "textcolor", "size", "size.small", "border_color", "bgcolor",
    "text", "text_size", "text_color", "text_halign", "text_valign", "text.align_right",
    "text.align_top", "table.new", "table.cell", "position.top_right",
    "color.new", "color.orange", "color.green", "color.red", "color.purple", "color.blue",
    "color.gray", "color.teal", "color.white",
    "barstate.islast", "math.max", "math.floor", "str.tostring", "str.contains",
    "syminfo.basecurrency", "syminfo.root", "syminfo.currency", "time", "timenow",
}  # fmt: skip


def calls(script, pattern):
    return [found.groups() for line in script.splitlines() if (found := pattern.fullmatch(line))]


def unquoted(literal):
    """What Pine makes of the literal."""
    (inner,) = re.fullmatch(STRING, literal).groups()
    return re.sub(r"\\(.)", r"\1", inner)


def test_the_script_is_an_indicator_of_version_6_with_its_time_and_marks():
    script = pine_script(export_of(stale=True, simulated=True))

    assert script.splitlines()[:7] == [
        "//@version=6",
        "// BTC gamma levels by gammabell",
        "// SIMULATED",
        "// STALE",
        "// computed at 2026-03-02 12:00:00 UTC",
        "// exported at 2026-03-02 12:01:10 UTC",
        "// data: deribit, derive 1 min old",
    ]
    assert 'indicator("SIMULATED · STALE · BTC gamma levels", overlay = true, ' in script
    assert (
        'string STAMP = "SIMULATED · STALE · BTC gamma levels computed at 2026-03-02 12:00:00 UTC"'
        in script
    )
    [(since, text)] = calls(script, COMPUTED)
    assert datetime.fromtimestamp(int(since) / 1_000, UTC) == SNAPSHOT.at
    assert text == "2026-03-02 12:00:00 UTC"


def test_every_level_has_its_line_and_what_does_not_exist_is_na():
    levels = replace(
        SNAPSHOT.levels,
        all_expiry=LevelSet(hvl=90_000.0, call_resistance=95_000.0),
        odte=OdteSet(hvl=0.85),
        max_pain=None,
        expected_move=None,
        gamma_flip_zones=(),
        ranked=(),
    )

    script = pine_script(export_of(replace(SNAPSHOT, levels=levels)))

    assert [(group, name, price) for group, _, name, price in calls(script, LEVEL)] == [
        ("hvl", "HVL", "90000"),
        ("calls", "Call Resistance", "95000"),
        ("calls", "Call Wall 2", "na"),
        ("calls", "Call Wall 3", "na"),
        ("puts", "Put Support", "na"),
        ("puts", "Put Wall 2", "na"),
        ("puts", "Put Wall 3", "na"),
        ("hvl", "HVL 0DTE", "0.85"),
        ("calls", "Call Resistance 0DTE", "na"),
        ("puts", "Put Support 0DTE", "na"),
        ("pain", "Max Pain", "na"),
    ]
    assert [call[1:4] for call in calls(script, BAND)] == [
        ("1D move (2 sd)", "na", "na"),
        ("1D move (1 sd)", "na", "na"),
    ]


def test_everything_is_drawn_from_the_time_it_was_computed_and_from_no_bar():
    script = pine_script(export_of())

    drawn = [line for line in script.splitlines() if re.search(r"(line|label|box)\.new\(", line)]

    assert len(drawn) == 3
    assert all("COMPUTED_AT" in line and "xloc = xloc.bar_time" in line for line in drawn)
    assert not re.search(r"\b(bar_index|close|open|high|low|request)\b", script)


def test_each_group_can_be_hidden_and_coloured():
    script = pine_script(export_of())

    for group in GROUPS:
        shown = str(group.shown).lower()
        assert f'bool {group.word}_on = input.bool({shown}, "{group.title}", ' in script
        assert f"color {group.word}_tint = input.color({group.colour}, " in script


def test_age_and_another_coin_s_chart_are_warned_of():
    script = pine_script(export_of())

    assert 'string COIN = "BTC"' in script
    assert "bool is_old = hours >= old_hours" in script
    assert "bool is_elsewhere = base != COIN or " in script
    assert "color tint = is_old or is_elsewhere ? color.red : color.gray" in script


def test_every_name_is_declared_before_it_is_used_or_belongs_to_the_language():
    known = WORDS | TYPES | BUILT_IN

    for line in pine_script(export_of()).splitlines():
        code = re.sub(STRING, '""', line).partition("//")[0]
        known = known | {name for found in DECLARED.findall(code) for name in found}
        assert set(NAME.findall(code)) <= known, line


def test_brackets_close_and_blocks_are_indented_by_four():
    script = pine_script(export_of())

    for line in script.splitlines():
        code = re.sub(STRING, "", line.partition("//")[0])
        assert (len(line) - len(line.lstrip())) % 4 == 0
        assert code.count("(") == code.count(")")
        assert '"' not in code


@given(export=exports())
def test_every_level_and_band_is_in_the_script_to_the_digit(export):
    levels = export.snapshot.levels
    sets = [("all_expiry", name) for name in SET_LEVELS] + [("odte", name) for name in ODTE_LEVELS]
    keys = [LevelKey(*one) for one in sets]
    wanted = [
        *((label(key), level_price(key, levels)) for key in keys),
        *(("Flip", zone.flip) for zone in levels.gamma_flip_zones),
        ("Max Pain", levels.max_pain and levels.max_pain.strike),
        *((f"GEX {rank}", one.strike) for rank, one in enumerate(levels.ranked, 1)),
    ]
    move = levels.expected_move
    bands = [
        (move and move.lower_2sd, move and move.upper_2sd),
        (move and move.lower_1sd, move and move.upper_1sd),
        *((zone.lower, zone.upper) for zone in levels.gamma_flip_zones),
    ]

    script = pine_script(export)

    assert [(name, number(price)) for *_, name, price in calls(script, LEVEL)] == wanted
    assert [(number(low), number(high)) for _, _, low, high, _ in calls(script, BAND)] == bands
    assert script.count("    level(") == len(wanted)
    assert script.count("    band(") == len(bands)


def number(text):
    return None if text == "na" else float(text)


@given(text=st.text(max_size=40) | st.text(st.sampled_from('"\\\n/ a'), max_size=20))
def test_no_name_ends_its_string_or_its_line(text):
    literal = quoted(text)

    assert len(literal.splitlines()) == 1
    assert unquoted(literal) == one_line(text)


def test_a_hostile_symbol_stays_within_strings_and_comments():
    script = pine_script(export_of(replace(SNAPSHOT, symbol='X"\nruntime.error("', id="x")))

    assert not re.search(r"^\s*runtime", script, re.MULTILINE)
    assert r'indicator("X\" runtime.error(\" gamma levels", ' in script
