from datetime import timedelta

import pytest

from bot.errors import NotListed
from bot.exchanges.deribit import Deribit
from bot.recording.format import read_recording
from bot.recording.replay import (
    ReplayWire,
    VirtualClock,
    moments_of,
    newest_tick,
    stale_after,
)
from tests.recording.days import (
    BOOK,
    HEADER,
    START,
    answer,
    book,
    chain_rows,
    tick,
    write_recording,
)
from tests.shared import RECORDINGS, needs_shared

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BTC = {"currency": "BTC", "kind": "option"}


@pytest.fixture
def read(tmp_path):
    """Reads the lines as a recording."""

    def read_lines(*lines, **header):
        return read_recording(write_recording(tmp_path / "r.gz", lines, {**HEADER, **header}))

    return read_lines


def test_time_never_runs_backwards():
    clock = VirtualClock(START)

    clock.advance(START + HOUR)
    clock.advance(START)

    assert clock.now() == START + HOUR


async def test_a_request_has_the_newest_answer_not_after_the_clock(read):
    recording = read(*(answer(START + hour * HOUR, {"hour": hour}) for hour in range(3)))
    clock = VirtualClock(START)
    wire = ReplayWire(recording, clock)
    given = []

    for after in (0 * HOUR, HOUR - MINUTE, HOUR, 9 * HOUR):
        clock.advance(START + after)
        given.append(await wire.ask("deribit", "GET", BOOK, BTC))

    assert given == [b'{"hour": 0}', b'{"hour": 0}', b'{"hour": 1}', b'{"hour": 2}']


async def test_of_two_answers_of_one_time_the_later_line_counts(read):
    wire = ReplayWire(read(answer(START, 1), answer(START, 2)), VirtualClock(START))

    assert await wire.ask("deribit", "GET", BOOK, BTC) == b"2"


async def test_the_order_of_parameters_does_not_matter(read):
    params = {"page": 1, "expired": False, "currency": "HYPE"}
    recording = read(answer(START, 1, method="POST", params=params))
    wire = ReplayWire(recording, VirtualClock(START))

    assert await wire.ask("deribit", "POST", BOOK, dict(reversed(params.items()))) == b"1"


@pytest.mark.parametrize(
    ("venue", "method", "path", "params"),
    [
        ("derive", "GET", BOOK, BTC),
        ("deribit", "POST", BOOK, BTC),
        ("deribit", "GET", "/api/v2/public/ticker", BTC),
        ("deribit", "GET", BOOK, {**BTC, "currency": "USDC"}),
        ("deribit", "GET", BOOK, {}),
        ("deribit", "GET", BOOK, {**BTC, "more": "x"}),
    ],
)
async def test_what_was_never_captured_is_not_listed(read, venue, method, path, params):
    wire = ReplayWire(read(answer(START, 1)), VirtualClock(START + HOUR))

    with pytest.raises(NotListed, match=f"^{venue}: .*recording"):
        await wire.ask(venue, method, path, params)


async def test_what_comes_later_is_not_listed_yet(read):
    wire = ReplayWire(read(answer(START + HOUR, 1)), VirtualClock(START))

    with pytest.raises(NotListed):
        await wire.ask("deribit", "GET", BOOK, BTC)


async def test_the_real_adapter_reads_a_recorded_chain(read):
    recording = read(answer(START, book(chain_rows("BTC", START, 80_000.0))))
    clock = VirtualClock(START + HOUR)

    chain = await Deribit(ReplayWire(recording, clock), clock.now, HOUR).fetch_chain("BTC")

    assert len(chain) == 66
    assert [(source.venue, source.at) for source in chain.sources] == [("deribit", START)]


def test_the_newest_tick_is_the_symbols_own_and_not_to_come(read):
    recording = read(tick(START, 1), tick(START, 2), tick(START, 9, "ETHUSDT"), tick(START, 3))

    assert newest_tick(recording, "BTCUSDT", START).spot == 3
    assert newest_tick(recording, "BTCUSDT", START - MINUTE) is None
    assert newest_tick(recording, "SOLUSDT", START) is None


def test_data_is_stale_after_twice_the_longest_gap_between_two_chains(read):
    hours = (0, 2, 5, 6)
    recording = read(*(answer(START + hour * HOUR, book([])) for hour in hours))

    assert stale_after(recording, "BTCUSDT") == 6 * HOUR


def test_a_lone_chain_is_stale_after_a_day(read):
    assert stale_after(read(answer(START, book([]))), "BTCUSDT") == timedelta(days=1)


def test_moments_are_the_ticks_and_the_symbols_with_a_new_chain_in_order_of_time(read):
    recording = read(
        tick(START, 1),
        tick(START, 2, "ETHUSDT"),
        tick(START, 3, "SOLUSDT"),
        answer(START, book([])),
        tick(START + MINUTE, 4),
        answer(START + HOUR, book([]), params={"currency": "ETH", "kind": "option"}),
        answer(START + 2 * HOUR, [], venue="binance", path="/api/v3/klines"),
        symbols=["BTCUSDT", "ETHUSDT"],
    )

    moments = moments_of(recording)

    assert list(moments) == [START, START + MINUTE, START + HOUR]
    assert [one.spot for one in moments[START].ticks] == [1, 2]
    assert moments[START].renewed == {"BTCUSDT"}
    assert moments[START + HOUR].renewed == {"ETHUSDT"}
    assert not moments[START + HOUR].ticks


def test_a_usdc_book_renews_every_symbol(read):
    usdc = answer(START, book([]), params={"currency": "USDC", "kind": "option"})

    moments = moments_of(read(usdc, symbols=["BTCUSDT", "SOLUSDT"]))

    assert moments[START].renewed == {"BTCUSDT", "SOLUSDT"}


@needs_shared
def test_an_expiry_of_derive_is_part_of_one_chain():
    recording = read_recording(RECORDINGS / "derive-hype-2026-08-22.jsonl.gz")

    renewals = [one for one in moments_of(recording).values() if one.renewed]

    assert len(renewals) == 54
    assert stale_after(recording, "HYPEUSDT") > timedelta(minutes=2 * 87)
