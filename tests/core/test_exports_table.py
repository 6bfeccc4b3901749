import csv
from dataclasses import replace
from io import StringIO

from hypothesis import given

from bot.core.events import levels_of
from bot.core.exports.table import COLUMNS, csv_text
from tests.core.exporting import SNAPSHOT, export_of, exports


def read(text):
    """The rows as the csv module reads them, strictly."""
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def prices(rows):
    return {(row["scope"], row["level"]): float(row["price"]) for row in rows}


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
    }
    assert len({tuple(row.values())[4:] for row in rows}) == 1


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
    known = {key.name: price for key, price in levels_of(export.snapshot).items() if key.zone < 0}

    rows = read(csv_text(export))
    found = prices(rows)

    assert len(found) == len(rows)
    assert {name for _, name in found} >= set(known)
    for name in ("hvl", "call_resistance", "put_support"):
        assert found.get(("all_expiry", name)) == getattr(levels.all_expiry, name)
        assert found.get(("odte", name)) == getattr(levels.odte, name)
    assert [found["all_expiry", f"gex_{n}"] for n in range(1, len(levels.ranked) + 1)] == [
        one.strike for one in levels.ranked
    ]
    assert all(float(row["distance_pct"]) == (float(row["price"]) / spot - 1) * 100 for row in rows)
