"""A diagonal of the matrix that `make faults` plays whole: each row at one venue."""

from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context

import pytest

from bot.sim.faults import FAULTS
from bot.sim.refusals import VENUES
from tests.faults.cases import DIAGONAL, LISTED, MATRIX, ROWS
from tests.faults.table import DOCUMENT
from tests.faults.verdict import outcome_of

PATIENCE = timedelta(minutes=5)  # a blocked country takes half an hour: `make faults` has it


@pytest.fixture(scope="module")
def outcomes():
    """Every cell's, by case; they are played at once, on every core."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield {case: pool.submit(outcome_of, case, PATIENCE) for case in DIAGONAL}


@pytest.mark.parametrize("case", DIAGONAL, ids=str)
def test_the_program_goes_on_while_a_venue_fails(outcomes, case):
    assert outcomes[case].result().broken == ()


def test_every_fault_that_the_simulator_knows_has_a_row_on_each_of_its_channels():
    known = {(kind, channel) for kind, one in FAULTS.items() for channel in one.channels}

    assert {(row.kind, row.channel) for row in ROWS} == known


def test_the_matrix_has_each_row_at_each_venue_that_lists_the_symbol():
    cells = {(str(case.row), case.row.channel, case.venue, case.symbol) for case in MATRIX}

    assert len(cells) == len(MATRIX) == len(ROWS) * sum(map(len, LISTED.values()))


def test_the_diagonal_has_every_row_and_every_venue_on_both_channels():
    played = {(case.venue, case.row.channel) for case in DIAGONAL}

    assert [case.row for case in DIAGONAL] == list(ROWS)
    assert played == {(venue, channel) for venue in VENUES for channel in ("http", "ws")}


def test_the_printed_matrix_has_every_row_and_no_broken_promise():
    page = DOCUMENT.read_text(encoding="utf-8")
    lines = [line.split(" | ")[0].removeprefix("| ") for line in page.splitlines()]

    assert all(lines.count(str(row)) >= len(LISTED) for row in ROWS)
    assert "| BROKEN" not in page
