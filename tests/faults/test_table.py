from tests.faults.cases import LISTED, MATRIX, ROWS
from tests.faults.table import page, table
from tests.faults.verdict import Outcome

OUTCOMES = {case: Outcome(f"as {case.venue} does", 0, 1, ()) for case in MATRIX}


def test_a_table_has_a_line_a_fault_and_a_column_a_venue():
    lines = table("HYPEUSDT", "ws", OUTCOMES).splitlines()

    assert lines[0] == "| fault | deribit | derive |"
    assert "| drop | as deribit does | as derive does |" in lines
    assert len(lines) == 2 + sum(row.channel == "ws" for row in ROWS)


def test_the_page_has_every_cell_of_the_matrix():
    cells = page(OUTCOMES).count("| as ")

    assert cells == len(MATRIX) == len(OUTCOMES)


def test_the_page_has_a_table_for_each_symbol_and_channel():
    headings = [line for line in page(OUTCOMES).splitlines() if line.startswith("## ")]

    assert [line.split(",")[0] for line in headings] == [
        f"## {one}" for one in LISTED for _ in "ab"
    ]
