import re
from dataclasses import replace

from hypothesis import given

from bot.core.exports.tradingview import level_string
from bot.core.levels import ExpectedMove, LevelSet, OdteSet, RankedStrike
from tests.core.exporting import SNAPSHOT, exports


def read(text):
    """What a reader of level strings makes of one: the symbol, and label -> number."""
    whole = re.fullmatch(r"\$([A-Z]{1,6}):((?: [^,:\n]+, \d+(?:\.\d+)?(?:,(?! *$)|$))*)", text)
    assert whole, text
    words = [word.strip() for word in whole[2].split(",") if word]
    labels = words[::2]
    assert len(set(labels)) == len(labels)
    return whole[1], dict(zip(labels, map(float, words[1::2]), strict=True))


def strike(price):
    return RankedStrike(price, *[1.0] * 6)


def test_the_string_has_every_label_in_its_order():
    levels = replace(
        SNAPSHOT.levels,
        all_expiry=LevelSet(hvl=90_000.0, call_resistance=95_000.0, put_support=85_000.0),
        odte=OdteSet(hvl=89_500.0, call_resistance=91_000.0, put_support=88_000.0),
        expected_move=ExpectedMove(92_100.25, 87_900.5, 94_300.0, 85_800.0),
        ranked=tuple(strike(95_000.0 - 500 * rank) for rank in range(10)),
    )

    assert level_string(replace(SNAPSHOT, levels=levels)) == (
        "$BTCUSD: Call Resistance, 95000, Put Support, 85000, HVL, 90000, "
        "1D Min, 87900.5, 1D Max, 92100.25, "
        "Call Resistance 0DTE, 91000, Put Support 0DTE, 88000, HVL 0DTE, 89500, "
        "GEX 1, 95000, GEX 2, 94500, GEX 3, 94000, GEX 4, 93500, GEX 5, 93000, "
        "GEX 6, 92500, GEX 7, 92000, GEX 8, 91500, GEX 9, 91000, GEX 10, 90500"
    )


def test_what_does_not_exist_is_left_out_with_its_label():
    levels = replace(
        SNAPSHOT.levels,
        all_expiry=LevelSet(hvl=0.85),
        odte=OdteSet(),
        expected_move=None,
        ranked=(),
    )

    assert level_string(replace(SNAPSHOT, levels=levels)) == "$BTCUSD: HVL, 0.85"


@given(export=exports())
def test_any_levels_make_a_string_that_reads_back_to_the_digit(export):
    levels, move = export.snapshot.levels, export.snapshot.levels.expected_move
    wanted = {
        "Call Resistance": levels.all_expiry.call_resistance,
        "Put Support": levels.all_expiry.put_support,
        "HVL": levels.all_expiry.hvl,
        "1D Min": move and move.lower_1sd,
        "1D Max": move and move.upper_1sd,
        "Call Resistance 0DTE": levels.odte.call_resistance,
        "Put Support 0DTE": levels.odte.put_support,
        "HVL 0DTE": levels.odte.hvl,
        **{f"GEX {rank}": one.strike for rank, one in enumerate(levels.ranked, 1)},
    }

    symbol, read_back = read(level_string(export.snapshot))

    assert symbol == "BTCUSD"
    assert read_back == {name: price for name, price in wanted.items() if price is not None}
