import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.snapshot import Tick
from bot.errors import BotError, RecordingError, UsageError
from bot.recording.format import read_recording, request_key
from tests.recording.days import (
    BOOK,
    HEADER,
    START,
    answer,
    book,
    chain_rows,
    day_header,
    day_lines,
    stamp,
    tick,
    write_day,
    write_recording,
)
from tests.shared import RECORDINGS, needs_shared

GOOD = tick(START, 80_000.5)
BROKEN = [
    b"garbage",
    b"",
    b"{",
    b"[]",
    b"null",
    b"7",
    b"\xff\xfe",
    b"{}",
    {"at": stamp(START)},
    {"at": stamp(START), "symbol": "BTCUSDT"},
    tick(START, None),
    tick(START, 0),
    tick(START, -1.5),
    tick(START, "80000"),
    tick(START, 1, symbol=""),
    {**tick(START, 1.5), "at": None},
    {**tick(START, 1.5), "at": "yesterday"},
    {**tick(START, 1.5), "at": "2026-03-02T07:00:00"},
    {**tick(START, 1.5), "at": 1_772_434_800},
    {**tick(START, 1.5), "venue": "deribit"},
    answer(START, {}, venue=""),
    answer(START, {}, venue=7),
    answer(START, {}, params=[]),
    {key: value for key, value in answer(START, {}).items() if key != "body"},
    {key: value for key, value in answer(START, {}).items() if key != "at"},
]
IDS = [line.decode("latin-1") if isinstance(line, bytes) else json.dumps(line) for line in BROKEN]


def refusal(path):
    """The one line that the file is refused with."""
    with pytest.raises(BotError) as caught:
        read_recording(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return caught.value, text


def test_a_recording_is_read_as_it_was_written(tmp_path):
    rows = book(chain_rows("BTC", START, 80_000.0))
    later = START + timedelta(minutes=5)
    lines = [GOOD, answer(START, rows), tick(later, 80_100, "ETHUSDT")]

    recording = read_recording(write_recording(tmp_path / "r.jsonl.gz", lines))

    assert recording.symbols == ["BTCUSDT"]
    assert recording.venues == ["deribit"]
    assert (recording.starts, recording.ends) == (START, later)
    assert list(recording.ticks) == [
        Tick("BTCUSDT", START, 80_000.5, "by hand"),
        Tick("ETHUSDT", later, 80_100.0, "by hand"),
    ]
    (chain,) = recording.answers
    assert (chain.at, chain.venue, chain.coin, chain.is_chain) == (START, "deribit", "BTC", True)
    assert json.loads(chain.body) == rows
    asked = {"kind": "option", "currency": "BTC"}
    assert chain.request == request_key("deribit", "GET", BOOK, asked)


def test_unknown_keys_are_passed_over(tmp_path):
    header = {**HEADER, "from": stamp(START), "sources": [{"repo": "x"}]}
    path = write_recording(tmp_path / "r.gz", [{**GOOD, "note": "later versions may"}], header)

    assert len(read_recording(path).ticks) == 1


def test_candles_and_lists_are_no_chains(tmp_path):
    recording = read_recording(write_day(tmp_path / "day.gz", hours=1))

    kinds = {(line.request.split()[2], line.is_chain) for line in recording.answers}
    assert kinds == {(BOOK, True), ("/api/v3/klines", False)}


def test_a_usdc_book_is_a_chain_of_every_symbol(tmp_path):
    usdc = answer(START, book([]), params={"currency": "USDC", "kind": "option"})

    recording = read_recording(write_recording(tmp_path / "r.gz", [usdc]))

    assert recording.chain_times("SOLUSDT") == [START]


def test_a_coin_has_the_times_of_its_own_chains(tmp_path):
    hour = timedelta(hours=1)
    ether = {"currency": "ETH", "kind": "option"}
    times = [START, START + hour, START + hour, START + 3 * hour]
    lines = [answer(at, book([])) for at in times]
    lines.insert(1, answer(START + hour, book([]), params=ether))

    recording = read_recording(write_recording(tmp_path / "r.gz", lines))

    assert recording.chain_times("BTCUSDT") == [START, START + hour, START + 3 * hour]
    assert recording.chain_times("ETHUSDT") == [START + hour]
    assert recording.chain_times("SOLUSDT") == []


def test_the_same_contents_have_the_same_name(tmp_path):
    one = read_recording(write_day(tmp_path / "one.gz", hours=1))
    two = read_recording(write_day(tmp_path / "two.gz", hours=1))
    other = read_recording(write_day(tmp_path / "other.gz", ["ETH"], hours=1))

    assert one.name == two.name
    assert one.name != other.name


def test_other_contents_under_the_same_header_have_another_name(tmp_path):
    one = read_recording(write_recording(tmp_path / "one.gz", [tick(START, 80_000)]))
    two = read_recording(write_recording(tmp_path / "two.gz", [tick(START, 81_000)]))

    assert one.name != two.name


@pytest.mark.parametrize("broken", BROKEN, ids=IDS)
def test_a_line_that_is_none_is_named(tmp_path, broken):
    path = write_recording(tmp_path / "r.jsonl.gz", [GOOD, broken, GOOD])

    error, text = refusal(path)

    assert "line 3" in text
    assert isinstance(error, RecordingError)


def test_a_line_nested_without_end_is_named(tmp_path):
    line = b'{"at":"2026-03-02T07:00:00Z","venue":"deribit","body":' + b"[" * 100_000
    path = write_recording(tmp_path / "r.jsonl.gz", [GOOD, line])

    _, text = refusal(path)

    assert "line 3" in text


def test_a_line_before_the_one_above_it_is_named(tmp_path):
    earlier = tick(START - timedelta(seconds=1), 80_000)

    _, text = refusal(write_recording(tmp_path / "r.gz", [GOOD, GOOD, earlier]))

    assert "line 4" in text


def test_another_zone_is_compared_as_the_time_it_is(tmp_path):
    same = {**GOOD, "at": "2026-03-02T09:00:00+02:00"}

    recording = read_recording(write_recording(tmp_path / "r.gz", [GOOD, same]))

    assert [line.at for line in recording.ticks] == [START, START]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"garbage",
        b"[]",
        b"{}",
        b"\xff",
        {**HEADER, "recording": "one"},
        {**HEADER, "symbols": "BTCUSDT"},
        {**HEADER, "venues": None},
        GOOD,
        {**HEADER, "recording": 2},
        {**HEADER, "recording": 0},
    ],
)
def test_a_header_that_is_none_is_named(tmp_path, header):
    _, text = refusal(write_recording(tmp_path / "r.gz", [GOOD], header))

    assert "line 1" in text


def test_a_newer_version_is_named(tmp_path):
    _, text = refusal(write_recording(tmp_path / "r.gz", [GOOD], {**HEADER, "recording": 2}))

    assert "version 2" in text


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.gz"
    path.write_bytes(b"")

    error, _ = refusal(path)

    assert isinstance(error, RecordingError)


@pytest.mark.parametrize("lines", [0, 1])
def test_a_recording_of_a_header_or_less_is_refused(tmp_path, lines):
    path = tmp_path / "short.gz"
    path.write_bytes(gzip.compress(b"".join([json.dumps(HEADER).encode() + b"\n"] * lines)))

    error, _ = refusal(path)

    assert isinstance(error, RecordingError)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_says_after_which_line(tmp_path, share):
    whole = write_recording(tmp_path / "whole.gz", day_lines(hours=1), day_header()).read_bytes()
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[: int(len(whole) * share)])

    error, text = refusal(path)

    assert isinstance(error, RecordingError)
    assert "line" in text


def test_a_damaged_file_says_after_which_line(tmp_path):
    whole = bytearray(write_day(tmp_path / "whole.gz", hours=1).read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path = tmp_path / "damaged.gz"
    path.write_bytes(whole)

    error, text = refusal(path)

    assert isinstance(error, RecordingError)
    assert "line" in text


def test_a_file_that_is_not_gzip_is_refused(tmp_path):
    path = tmp_path / "plain.jsonl"
    path.write_text(json.dumps(HEADER) + "\n" + json.dumps(GOOD) + "\n")

    error, text = refusal(path)

    assert isinstance(error, RecordingError)
    assert "gzip" in text


def test_a_missing_file_and_a_folder_are_bad_usage(tmp_path):
    for path in (tmp_path / "absent.gz", tmp_path):
        error, _ = refusal(path)

        assert isinstance(error, UsageError)


@needs_shared
@pytest.mark.parametrize(
    ("name", "symbols", "chains", "ticks"),
    [
        ("deribit-2026-01-22_24.jsonl.gz", {"BTCUSDT": 12, "ETHUSDT": 12, "SOLUSDT": 0}, 24, 864),
        ("deribit-2026-04-23_24.jsonl.gz", {"BTCUSDT": 8, "ETHUSDT": 8, "SOLUSDT": 0}, 16, 3_264),
        ("derive-hype-2026-08-22.jsonl.gz", {"HYPEUSDT": 54}, None, 927),
    ],
)
def test_a_real_recording_is_read_whole(name, symbols, chains, ticks):
    recording = read_recording(RECORDINGS / name)

    assert {s: len(recording.chain_times(s)) for s in recording.symbols} == symbols
    assert len(recording.ticks) == ticks
    assert chains in (None, sum(line.is_chain for line in recording.answers))
    assert recording.starts < recording.ends < datetime(2027, 1, 1, tzinfo=UTC)
