import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import levels_of
from bot.core.exports.export import one_line
from bot.core.exports.pine import COLOURS, pine_script, quoted
from bot.core.text import label
from tests.core.exporting import SNAPSHOT, export_of, exports

STRING = r'"((?:[^"\\]|\\["\\])*)"'
NUMBER = r"(\d+(?:\.\d+)?)"
LEVEL = re.compile(rf"level\({STRING}, {NUMBER}, (color\.[a-z]+)\)")
BAND = re.compile(rf"band\({STRING}, {NUMBER}, {NUMBER}, color\.[a-z]+, extend\.(none|right)\)")
COMPUTED = re.compile(r"int COMPUTED_AT = (\d+)  // (.*)")


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


def test_levels_on_one_price_share_a_line_and_the_highest_comes_first():
    lines = calls(pine_script(export_of()), LEVEL)

    assert lines[:3] == [
        ("HVL, Call Resistance", "90000", "color.orange"),
        ("Call Wall 2", "85000", "color.green"),
        ("Call Wall 3, HVL 0DTE, Call Resistance 0DTE, Max Pain", "80000", "color.green"),
    ]


def test_everything_is_drawn_from_the_time_it_was_computed_and_from_no_bar():
    script = pine_script(export_of())

    drawn = [line for line in script.splitlines() if re.search(r"(line|label|box)\.new\(", line)]

    assert len(drawn) == 3
    assert all("COMPUTED_AT" in line and "xloc = xloc.bar_time" in line for line in drawn)
    assert not re.search(r"\b(bar_index|close|open|high|low|request)\b", script)


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
    names = defaultdict(set)
    for key, price in levels_of(export.snapshot).items():
        if key.name in COLOURS:
            names[price].add(label(key))
    bands = [(zone.lower, zone.upper) for zone in levels.gamma_flip_zones]
    if move := levels.expected_move:
        bands = [(move.lower_2sd, move.upper_2sd), (move.lower_1sd, move.upper_1sd), *bands]

    script = pine_script(export)

    found = {float(price): set(text.split(", ")) for text, price, _ in calls(script, LEVEL)}
    assert found == names
    assert [(float(low), float(high)) for _, low, high, _ in calls(script, BAND)] == bands
    assert script.count("\nlevel(") == len(names) + 1  # and where it is made
    assert script.count("\nband(") == len(bands) + 1


@given(text=st.text(max_size=40) | st.text(st.sampled_from('"\\\n/ a'), max_size=20))
def test_no_name_ends_its_string_or_its_line(text):
    literal = quoted(text)

    assert len(literal.splitlines()) == 1
    assert unquoted(literal) == one_line(text)


def test_a_hostile_symbol_stays_within_strings_and_comments():
    script = pine_script(export_of(replace(SNAPSHOT, symbol='X"\nruntime.error("', id="x")))

    assert not re.search(r"^\s*runtime", script, re.MULTILINE)
    assert r'indicator("X\" runtime.error(\" gamma levels", ' in script
