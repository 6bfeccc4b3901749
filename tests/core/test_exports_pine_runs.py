"""The indicator, run by PineTS, a runtime for Pine that we did not write.

Skipped without it: `make web` brings it where npm is.
"""

import json
import shutil
import subprocess
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.chain import milliseconds
from bot.core.events import levels_of
from bot.core.exports.pine import LEVELS, pine_script
from bot.core.text import label
from tests.core.exporting import SNAPSHOT, export_of

HERE = Path(__file__).parent
PINETS = HERE.parents[1] / "web" / "node_modules" / "pinets" / "dist" / "pinets.min.es.js"
NODE = shutil.which("node")
DRAWN = {*LEVELS, "flip", "max_pain"}
COMPUTED_AT = milliseconds(SNAPSHOT.at)
HOUR_MS = 3_600_000

pytestmark = pytest.mark.skipif(not (NODE and PINETS.exists()), reason="no PineTS in web/")


def run(script, base="BTC", quote="USDT", bar_minutes=60, bars=48):
    """What the script draws on a chart that ends a day after the levels were computed."""
    first = COMPUTED_AT + 24 * HOUR_MS - bars * bar_minutes * 60_000
    words = [str(PINETS), base, quote, str(bar_minutes), f"{first:.0f}", str(bars)]
    done = subprocess.run(
        [NODE, HERE / "run_pine.mjs", *words],
        input=script,
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=30,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("bar_minutes", [15, 60, 1_440])
def test_every_level_is_a_line_with_its_names_on_any_timeframe(bar_minutes):
    names = defaultdict(set)
    for key, price in levels_of(SNAPSHOT).items():
        if key.name in DRAWN:
            names[price].add(label(key))

    drawn = run(pine_script(export_of()), bar_minutes=bar_minutes)

    assert {price: set(text.split(", ")) for _, price, text in drawn["labels"]} == names
    assert sorted(drawn["lines"]) == sorted([COMPUTED_AT, price, price] for price in names)


def test_the_expected_move_and_the_flip_zones_are_boxes():
    move, (zone,) = SNAPSHOT.levels.expected_move, SNAPSHOT.levels.gamma_flip_zones

    drawn = run(pine_script(export_of()))

    assert drawn["boxes"] == [
        [move.lower_2sd, move.upper_2sd, "1D move (2 sd)"],
        [move.lower_1sd, move.upper_1sd, "1D move (1 sd)"],
        [zone.lower, zone.upper, "Flip zone"],
    ]


def test_what_does_not_exist_is_not_drawn():
    levels = replace(SNAPSHOT.levels, expected_move=None, max_pain=None, gamma_flip_zones=())

    drawn = run(pine_script(export_of(replace(SNAPSHOT, levels=levels))))

    assert drawn["boxes"] == []
    assert not any("Max Pain" in text or "Flip" in text for *_, text in drawn["labels"])


@pytest.mark.parametrize(
    ("base", "quote", "is_right"),
    [("BTC", "USDT", True), ("BTC", "USD", True), ("ETH", "USDT", False), ("BTC", "EUR", False)],
)
def test_another_coin_s_chart_is_warned_of(base, quote, is_right):
    stamp = run(pine_script(export_of(simulated=True)), base, quote)["stamp"]

    assert stamp.startswith("SIMULATED · BTC gamma levels computed at 2026-03-02 12:00:00 UTC, ")
    assert "OLD: export the levels again" in stamp
    assert ("WRONG CHART" not in stamp) == is_right
