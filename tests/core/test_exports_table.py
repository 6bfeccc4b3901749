import csv
from dataclasses import replace
from io import StringIO

import pandas as pd
from hypothesis import assume, given
from pandas.api.types import is_numeric_dtype

from bot.core.events import level_price
from bot.core.exports.table import COLUMNS, KEYS, csv_text
from tests.core.exporting import SNAPSHOT, export_of, exports


def read(text):
    """The rows as the csv module reads them, strictly."""
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def prices(rows):
    return {(row["scope"], row["level"]): number(row["price"]) for row in rows}


def number(cell):
    return float(cell) if cell else None


def test_every_row_says_when_it_was_computed_and_from_whom():
    rows = read(csv_text(export_of(stale=True)))

    assert rows[0] == {
        "level": "hvl",
        "price": "90000",
        "distance_pct": "12.5",
        "scope": "all_expiry",
        "symbol": "BTCUSDT",
        "spot": "80000",
        "computed_at": "2026-03-02T12:00:00Z",
        "exported_at": "2026-03-02T12:01:10Z",
        "venues": "deribit derive",
        "stale": "true",
        "simulated": "false",
        "expiry": "",
    }
    assert len({tuple(row.values())[4:-1] for row in rows}) == 1


def test_max_pain_says_which_expiry_it_is_of_and_nothing_else_does():
    rows = read(csv_text(export_of()))

    found = {row["level"]: row["expiry"] for row in rows if row["expiry"]}
    assert found == {"max_pain": _iso(SNAPSHOT.levels.max_pain.expiry)}


def _iso(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def test_lines_end_as_the_format_wants_them():
    text = csv_text(export_of())

    assert text.startswith(",".join(COLUMNS) + "\r\n")
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == text.count("\r")


def test_a_flip_zone_has_its_edges_and_a_wall_its_rank():
    (zone,) = SNAPSHOT.levels.gamma_flip_zones

    found = prices(read(csv_text(export_of())))

    assert found["all_expiry", "flip_1"] == zone.flip
    assert found["all_expiry", "flip_1_lower"] == zone.lower
    assert found["all_expiry", "flip_1_upper"] == zone.upper
    assert found["odte", "gex_1"] == SNAPSHOT.levels.ranked_odte[0].strike


def test_a_name_with_quotes_and_commas_stays_one_cell():
    (row, *_) = read(csv_text(export_of(replace(SNAPSHOT, symbol='A"B,\nC'))))

    assert row["symbol"] == 'A"B, C'


@given(export=exports())
def test_any_levels_make_a_table_that_reads_back_to_the_digit(export):
    levels, spot = export.snapshot.levels, export.snapshot.spot

    rows = read(csv_text(export))
    found = prices(rows)

    assert len(found) == len(rows)
    for key in KEYS:
        assert found[key.scope, key.name] == level_price(key, levels)
    assert [found["all_expiry", f"gex_{n}"] for n in range(1, len(levels.ranked) + 1)] == [
        one.strike for one in levels.ranked
    ]
    assert {name for _, name in found if name.startswith("flip")} == {
        f"flip_{n}{edge}"
        for n in range(1, len(levels.gamma_flip_zones) + 1)
        for edge in ("", "_lower", "_upper")
    }
    for row in rows:
        price = number(row["price"])
        assert number(row["distance_pct"]) == (price and (price / spot - 1) * 100)


@given(export=exports())
def test_a_foreign_reader_finds_numbers_nulls_flags_and_times(export):
    assume(export.snapshot.spot >= 1)  # a distance of 10^26 % is a text to pandas

    table = pd.read_csv(
        StringIO(csv_text(export)), parse_dates=["computed_at", "exported_at"]
    ).set_index(["scope", "level"])

    for column in ("price", "distance_pct", "spot"):
        assert is_numeric_dtype(table[column])
    assert table["stale"].dtype == table["simulated"].dtype == bool
    assert set(table["computed_at"]) == {export.snapshot.at}
    assert set(table["exported_at"]) == {export.now}
    hvl = export.snapshot.levels.all_expiry.hvl
    assert pd.isna(table["price"]["all_expiry", "hvl"]) == (hvl is None)
    assert table["price"].notna().sum() == table["distance_pct"].notna().sum()
