"""What the API serves of a recording: fixed to the digit, whoever computes it."""

import json
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.api.schema import envelope
from bot.core.crossings import Latches
from bot.ports import Record
from bot.recording.format import read_recording
from bot.store.migrate import open_store
from bot.tasks import look_recorded
from tests.api.serving import LATER, served
from tests.recording.days import START, write_day
from tests.shared import RECORDINGS, needs_shared

EVERYTHING = "include=candles,expected_move,max_pain,ranked,spot,zones"
GOLDEN = Path(__file__).with_name("golden")
CLOSE_ENOUGH = 1e-9  # of a number: processors differ in the last digits
BEFORE = START + timedelta(minutes=55)  # before an expiry, with a flip zone
AFTER = START + timedelta(minutes=90)  # after it, without an HVL
IN_BUNDLE = "include=max_pain,zones"
SECTIONS = "include=expected_move,max_pain,ranked,spot,zones"
REAL = [
    ("deribit-2026-01-22_24.jsonl.gz", "BTCUSDT", "deribit"),
    ("deribit-2026-04-23_24.jsonl.gz", "ETHUSDT", "deribit"),
    ("derive-hype-2026-08-22.jsonl.gz", "HYPEUSDT", "derive"),
]


@asynccontextmanager
async def recorded(path, symbol, at, folder):
    """An API over a database that holds the symbol's snapshot as of then."""
    snapshot, chain = await look_recorded(read_recording(path), symbol, at, None)
    store = await open_store(f"sqlite+aiosqlite:///{folder / 'store.db'}")
    try:
        await store.record(Record(symbol, at, Latches(), snapshot=snapshot, chain=chain))
        async with served(store, symbols=(symbol,), now=lambda: LATER) as client:
            yield client
    finally:
        await store.close()


def assert_alike(found, expected, where="data"):
    """The same keys in the same order, the same texts, and numbers that are as good as equal."""
    if isinstance(expected, dict):
        assert list(found) == list(expected), where
        for name, value in expected.items():
            assert_alike(found[name], value, f"{where}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for position, value in enumerate(expected):
            assert_alike(found[position], value, f"{where}[{position}]")
    elif isinstance(expected, float):
        assert isinstance(found, float), where
        assert found == pytest.approx(expected, rel=CLOSE_ENOUGH), where
    else:
        assert (type(found), found) == (type(expected), expected), where


@pytest.mark.parametrize(
    ("name", "at", "target"),
    [
        ("levels", BEFORE, f"/gex/levels?symbol=BTCUSDT&{SECTIONS}"),
        ("levels-after", AFTER, f"/gex/levels?symbol=BTCUSDT&{SECTIONS}"),
        ("bundle", BEFORE, f"/multi/gex/levels?symbols=BTCUSDT,ETHUSDT&{IN_BUNDLE}"),
        ("profile", BEFORE, "/gex/strike-profile?symbol=BTCUSDT&expiry=0dte"),
        ("max-pain", BEFORE, "/gex/max-pain?symbol=BTCUSDT"),
        ("expiries", BEFORE, "/expiries?symbol=BTCUSDT"),
        ("history", BEFORE, "/gex/stress-history?symbol=BTCUSDT"),
    ],
)
async def test_the_fixture_day_is_answered_as_ever(tmp_path, name, at, target):
    """A change that these numbers notice is a change of the contract or of the definition."""
    day = write_day(tmp_path / "day.jsonl.gz")
    expected = json.loads((GOLDEN / f"{name}.json").read_text())

    async with recorded(day, "BTCUSDT", at, tmp_path) as client:
        found = (await client.ask(target)).data

    assert_alike(found, expected)


@needs_shared
@pytest.mark.parametrize(("file", "symbol", "venue"), REAL)
async def test_a_real_recording_is_answered_as_the_terminal_prints_it(
    tmp_path, file, symbol, venue
):
    recording = read_recording(RECORDINGS / file)
    at = recording.ends - timedelta(hours=3)
    snapshot, _ = await look_recorded(recording, symbol, at, [venue])
    printed = json.loads(envelope(snapshot, LATER, "same", [venue]))

    async with recorded(RECORDINGS / file, symbol, at, tmp_path) as client:
        answer = await client.ask(
            f"/gex/levels?symbol={symbol}&exchanges={venue}&{EVERYTHING}",
            headers={"X-Request-ID": "same"},
        )

    assert answer.data == printed["data"]
    assert {name: answer.meta[name] for name in printed["meta"] if name != "extra"} == {
        name: value for name, value in printed["meta"].items() if name != "extra"
    }
