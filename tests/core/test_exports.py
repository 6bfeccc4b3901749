import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.exports.card import FORMATS
from bot.core.exports.export import number_text
from tests.core.exporting import SNAPSHOT, export_of


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_plain_and_reads_back_as_itself(value):
    text = number_text(value)

    assert re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert float(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(95_000.0, "95000"), (0.85, "0.85"), (1e16, "10000000000000000"), (1e-7, "0.0000001")],
)
def test_a_number_has_no_exponent_and_no_needless_digit(value, text):
    assert number_text(value) == text


def test_the_stamp_says_when_from_whom_and_what_is_wrong():
    snapshot = replace(SNAPSHOT, left_out={"okx": "HTTP\n503"})

    export = export_of(snapshot, stale=True, simulated=True)

    assert export.stamp == (
        "SIMULATED",
        "STALE",
        "computed at 2026-03-02 12:00:00 UTC",
        "exported at 2026-03-02 12:01:10 UTC",
        "data: deribit, derive 1 min old; without okx (HTTP 503)",
    )


def test_a_file_s_name_tells_its_time_and_its_marks():
    assert export_of().file_name("csv") == "gammabell-BTCUSDT-20260302T120000Z.csv"
    assert (
        export_of(stale=True, simulated=True).file_name("pine")
        == "gammabell-BTCUSDT-20260302T120000Z-SIMULATED-STALE.pine"
    )


def test_the_dashboard_offers_every_format():
    script = Path(__file__).parents[2] / "bot" / "web" / "takes.js"

    (offered,) = re.findall(r"^const FORMATS = {(.*)};$", script.read_text(), re.MULTILINE)

    assert re.findall(r"(\w+): ", offered) == list(FORMATS)
