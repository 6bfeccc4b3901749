import asyncio
import gzip
import json
import math
import resource
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.snapshot import Tick
from bot.errors import BotError, NotListed, SourceError, UsageError
from bot.exchanges.derive import Derive
from bot.recording.format import TOGETHER, parse_line, read_recording
from bot.recording.recorder import Recorder, RecordingWire
from bot.recording.replay import ReplayWire, VirtualClock, moments_of
from tests.exchanges.wires import FakeWire, as_body, derive_body, derive_listing, derive_ticker
from tests.recording.days import BOOK, START, book, chain_rows

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
BTC, ETH = "BTCUSDT", "ETHUSDT"
BTC_BOOK = {"currency": "BTC", "kind": "option"}
KLINES = "/api/v3/klines"
LISTING = "/public/get_all_instruments"


class Clock:
    """A clock that is put where the test wants it."""

    def __init__(self, at=START):
        self.at = at

    def now(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "day.jsonl.gz"


@pytest.fixture
def part(path):
    return path.with_name("day.jsonl.gz.part")


@pytest.fixture
def recorder(path, clock):
    return Recorder(path, "by hand", [BTC, ETH], ["deribit", "derive"], clock.now)


def tick(spot, after=0.0, symbol=BTC):
    return Tick(symbol, START + after * SECOND, spot, "deribit index")


def answer(recorder, body, venue="deribit", path=BOOK, params=BTC_BOOK, method="GET"):
    recorder.answer(venue, method, path, params, body)


def lines_of(path):
    """Every line as text, the header first."""
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def spots_of(path):
    lines = [json.loads(line) for line in lines_of(path)[1:]]
    return [(line["at"], line["symbol"], line["spot"]) for line in lines if "spot" in line]


def bodies_of(path):
    lines = [json.loads(line) for line in lines_of(path)[1:]]
    return [line["body"] for line in lines if "body" in line]


# the format


def test_a_recording_is_written_to_the_letter_of_the_format(recorder, path, clock):
    with recorder:
        clock.at = START + 0.5 * SECOND
        recorder.tick(tick(80_000.5, 0.25))
        answer(recorder, b'{"result": [1.50]}')
        clock.at = START + 90 * SECOND
        params = {"page": 1, "expired": False}
        answer(recorder, b'{"id":7}', "derive", LISTING, params, "POST")

    header, *lines = lines_of(path)
    assert header.rstrip() == (
        '{"recording":1,"title":"by hand","symbols":["BTCUSDT"],"venues":["deribit","derive"],'
        '"from":"2026-03-02T07:00:01Z","to":"2026-03-02T07:01:30Z","sources":[]}'
    )
    deribit = f'"method":"GET","path":"{BOOK}","params":{{"currency":"BTC","kind":"option"}}'
    derive = f'"method":"POST","path":"{LISTING}","params":{{"page":1,"expired":false}}'
    at, later = "2026-03-02T07:00:01Z", "2026-03-02T07:01:30Z"
    assert lines == [
        f'{{"at":"{at}","symbol":"BTCUSDT","spot":80000.5,"source":"deribit index"}}',
        f'{{"at":"{at}","venue":"deribit",{deribit},"status":200,"body":{{"result": [1.50]}}}}',
        f'{{"at":"{later}","venue":"derive",{derive},"status":200,"body":{{"id":7}}}}',
    ]


def test_within_a_second_come_spot_then_candles_then_lists_then_chains(recorder, path):
    with recorder:
        answer(recorder, b"1")
        answer(recorder, b"2", "derive", LISTING)
        answer(recorder, b"3", "binance", KLINES)
        answer(recorder, b"4")
        recorder.tick(tick(5.0))

    assert bodies_of(path) == [3, 2, 1, 4]
    assert "spot" in lines_of(path)[1]


def test_of_the_ticks_of_a_second_the_newest_of_each_symbol_is_recorded(recorder, path):
    with recorder:
        recorder.tick(tick(1.0, 0.1))
        recorder.tick(tick(3.0, 0.9))
        recorder.tick(tick(2.0, 0.5))
        recorder.tick(tick(9.0, 0.2, ETH))
        recorder.tick(tick(4.0, 1.1))

    first, second = "2026-03-02T07:00:01Z", "2026-03-02T07:00:02Z"
    assert spots_of(path) == [(first, BTC, 3.0), (first, ETH, 9.0), (second, BTC, 4.0)]


def test_what_comes_late_is_stamped_with_the_first_second_that_is_not_written(
    recorder, path, clock
):
    with recorder:
        recorder.tick(tick(1.0, 5))
        clock.at = START + 5.5 * SECOND
        recorder.flush()
        recorder.tick(tick(2.0, 3))
        clock.at = START + 4 * SECOND  # the system's clock was put back
        answer(recorder, b"[]")

    assert spots_of(path) == [("2026-03-02T07:00:05Z", BTC, 1.0), ("2026-03-02T07:00:06Z", BTC, 2)]
    assert len(read_recording(path).answers) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>blocked</html>",
        b'{"cut',
        b'1,"more":2',
        b'"\xff"',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"error":{"code":10028,"message":"too_many_requests"},"usIn":1}',
        b'{"retCode":10006,"retMsg":"Too many visits!","result":{}}',
        b'{"code":"50011","msg":"Too Many Requests","data":[]}',
        b'{"code":-1121,"msg":"Invalid symbol."}',
    ],
)
def test_an_answer_that_is_none_is_left_out(recorder, path, body):
    with recorder:
        answer(recorder, body)
        answer(recorder, b"[]")

    assert bodies_of(path) == [[]]


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","result":[]}',
        b'{"retCode":0,"retMsg":"OK","result":{"list":[]}}',
        b'{"code":"0","msg":"","data":[]}',
        b'[{"code":"7"}]',
    ],
)
def test_a_good_answer_of_every_venue_is_recorded_byte_by_byte(recorder, path, body):
    with recorder:
        answer(recorder, body)

    assert [one.body for one in read_recording(path).answers] == [body]


def test_an_answer_of_several_lines_takes_one(recorder, path):
    with recorder:
        answer(recorder, b'\r\n{"a":\r\n  "b\\nc"\n}\n')

    assert len(lines_of(path)) == 2
    assert bodies_of(path) == [{"a": "b\nc"}]


@pytest.mark.parametrize("spot", [math.nan, math.inf, 0.0, -1.0, 1e15])
def test_a_price_that_is_none_is_left_out(recorder, path, spot):
    with recorder:
        recorder.tick(tick(spot))
        recorder.tick(tick(2.0, symbol=ETH))

    assert [line[1:] for line in spots_of(path)] == [(ETH, 2.0)]


TICKS = st.tuples(st.just("tick"), st.floats(-5, 60), st.sampled_from([BTC, ETH]))
ANSWERS = st.tuples(st.just("answer"), st.just(0.0), st.sampled_from([BOOK, KLINES, LISTING]))
FLUSHES = st.tuples(st.just("flush"), st.just(0.0), st.just(""))


@given(steps=st.lists(st.tuples(st.floats(-2, 9), TICKS | ANSWERS | FLUSHES), min_size=1))
def test_whatever_comes_in_whatever_order_is_a_sorted_recording(tmp_path_factory, steps):
    clock, path = Clock(), tmp_path_factory.mktemp("any") / "any.gz"
    recorder = Recorder(path, "any", [BTC, ETH], ["deribit"], clock.now)
    answers = 0

    with recorder:
        recorder.tick(tick(1.0))
        for pause, (kind, after, name) in steps:
            clock.at += pause * SECOND
            if kind == "flush":
                recorder.flush()
            elif kind == "tick":
                recorder.tick(tick(2.0, after, name))
            else:
                answers += 1
                answer(recorder, b"[]", path=name)

    lines = [parse_line(line.encode()) for line in lines_of(path)[1:]]
    spots = [(line.at, line.symbol) for line in lines if line.symbol]
    stamps = [line.at for line in lines]
    header = json.loads(lines_of(path)[0])
    assert stamps == sorted(stamps)
    assert len(spots) == len(set(spots))
    assert len(read_recording(path).answers) == answers
    assert header["venues"] == (["deribit"] if answers else [])
    assert [header["from"], header["to"]] == [f"{at:%FT%TZ}" for at in (stamps[0], stamps[-1])]


# the file


def test_the_file_has_its_name_only_when_it_is_whole(recorder, path, part):
    with recorder:
        recorder.tick(tick(1.0))
        assert not path.exists()
        assert part.exists()

    assert path.exists()
    assert not part.exists()


@pytest.mark.parametrize("name", ["day.jsonl.gz", "day.jsonl.gz.part"])
def test_a_file_that_is_there_is_refused_with_advice_and_left_alone(recorder, tmp_path, name):
    (tmp_path / name).write_bytes(b"precious")

    with pytest.raises(UsageError, match=rf"{name}: .*move") as caught, recorder:
        pass

    assert "\n" not in str(caught.value)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [(name, b"precious")]


def test_a_folder_that_is_not_there_is_refused(tmp_path, clock):
    recorder = Recorder(tmp_path / "no" / "day.gz", "t", [BTC], [], clock.now)

    with pytest.raises(UsageError, match=r"day\.gz\.part: cannot be made: No such file"), recorder:
        pass


def test_a_recording_of_nothing_is_an_error_and_no_file(recorder, tmp_path):
    with pytest.raises(BotError, match="nothing came"), recorder:
        answer(recorder, b"<html>")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyboardInterrupt])
def test_whoever_stops_the_program_ends_the_recording_well(recorder, path, clock, error):
    with pytest.raises(error):
        tick_and_leave(recorder, error, clock)

    assert len(read_recording(path).ticks) == 1


def test_an_error_leaves_the_part_that_was_written(recorder, path, part, clock):
    with pytest.raises(ZeroDivisionError):
        tick_and_leave(recorder, ZeroDivisionError, clock)

    assert not path.exists()
    assert len(read_recording(part).ticks) == 1


def tick_and_leave(recorder, error, clock):
    with recorder:
        recorder.tick(tick(1.0))
        clock.at += 9 * SECOND
        recorder.flush()
        raise error


def test_a_part_that_was_cut_off_anywhere_is_read_up_to_there(recorder, path, part, clock):
    sizes = []
    with recorder:
        for number in range(4):
            recorder.tick(tick(1.0 + number, number))
            clock.at = START + number * SECOND + SECOND / 2
            recorder.flush()
            sizes.append(part.stat().st_size)
        killed = part.read_bytes()

    counts = []
    for size in range(sizes[0], len(killed) + 1):
        part.write_bytes(killed[:size])
        recording = read_recording(part)
        assert (recording.symbols, recording.starts) == ([BTC, ETH], START)
        counts.append(len(recording.ticks))
    assert counts == sorted(counts)
    assert [counts[size - sizes[0]] for size in sizes] == [1, 2, 3, 4]


def test_a_part_says_what_it_was_to_hold_from_its_beginning_on(recorder, part, clock):
    clock.at = START + SECOND / 2
    with recorder:
        header = json.loads(lines_of(part)[0])
        recorder.tick(tick(1.0))

    assert (header["symbols"], header["venues"]) == ([BTC, ETH], ["deribit", "derive"])
    assert header["from"] == header["to"] == "2026-03-02T07:00:01Z"


@contextmanager
def files_of_at_most(size):
    """The nearest to a full disk that an ordinary user can make."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_line_and_what_was_written_stays_readable(recorder, path, part, clock):
    def tick_until_refused():
        with recorder:
            recorder.tick(tick(1.0))
            clock.at += 9 * SECOND
            recorder.flush()
            with files_of_at_most(part.stat().st_size + 10):
                recorder.tick(tick(2.0, 9))
                clock.at += 9 * SECOND
                recorder.flush()

    with pytest.raises(BotError, match=r"day\.jsonl\.gz: not written: ") as caught:
        tick_until_refused()

    assert "\n" not in str(caught.value)
    assert not path.exists()
    assert [one.spot for one in read_recording(part).ticks] == [1.0]


# round trip


async def test_a_recorded_day_replays_the_bodies_that_the_wire_gave(recorder, path, clock):
    spots = iter([80_000.0, 81_000.0, 82_000.0])
    live = FakeWire(lambda *_: book(chain_rows("BTC", clock.at, next(spots))))
    given = []
    with recorder:
        wire = RecordingWire(live, recorder)
        for _ in range(3):
            given.append(await wire.ask("deribit", "GET", BOOK, BTC_BOOK))
            recorder.flush()
            clock.at += 30.25 * SECOND

    recording = read_recording(path)
    replayed = VirtualClock(START)
    wire, bodies = ReplayWire(recording, replayed), []
    for at in recording.chain_times(BTC):
        replayed.advance(at)
        bodies.append(await wire.ask("deribit", "GET", BOOK, BTC_BOOK))
    assert bodies == given


@pytest.mark.parametrize("error", [SourceError("deribit", "HTTP 503"), NotListed("deribit", "")])
async def test_an_ask_that_fails_is_not_recorded(recorder, path, error):
    wire = RecordingWire(FakeWire(lambda *_: error), recorder)
    with recorder:
        recorder.tick(tick(1.0))
        with pytest.raises(SourceError):
            await wire.ask("deribit", "GET", BOOK, BTC_BOOK)

    assert bodies_of(path) == []


async def test_numbers_in_a_query_are_texts_and_still_the_same_request(recorder, path):
    with recorder:
        answer(recorder, b"[7]", "binance", KLINES, {"limit": 499})

    recording = read_recording(path)
    wire = ReplayWire(recording, VirtualClock(recording.ends))
    assert '"params":{"limit":"499"}' in lines_of(path)[1]
    assert await wire.ask("binance", "GET", KLINES, {"limit": 499}) == b"[7]"
    assert await wire.ask("binance", "GET", KLINES, {"limit": "499"}) == b"[7]"


async def test_a_chain_of_many_calls_is_replayed_whole_when_its_last_was_answered(path, clock):
    expiries = [(START + days * DAY).replace(hour=8) for days in range(2, 6)]

    def say(asked_path, params):
        clock.at += 0.4 * SECOND
        if asked_path == LISTING:
            return derive_listing(*(int(expiry.timestamp()) for expiry in expiries))
        return derive_body({f"HYPE-{params['expiry_date']}-70-C": derive_ticker()})

    with Recorder(path, "hype", ["HYPEUSDT"], ["derive"], clock.now) as recorder:
        recorder.tick(tick(70.5, symbol="HYPEUSDT"))
        live = Derive(RecordingWire(FakeWire(say), recorder), clock.now, MINUTE)
        for _ in range(2):
            chain = await live.fetch_chain("HYPE")
            clock.at += 60 * SECOND

    recording = read_recording(path)
    times = recording.chain_times("HYPEUSDT")
    replayed = VirtualClock(times[0])
    again = await Derive(ReplayWire(recording, replayed), replayed.now, MINUTE).fetch_chain("HYPE")
    assert len(times) == 2
    assert [at for at, one in moments_of(recording).items() if one.renewed] == times
    assert len(again) == len(chain) == 4


# chains of every venue


def part_of(venue, path, **params):
    return venue, path, params


DERIBIT = part_of("deribit", BOOK, currency="BTC", kind="option")
BYBIT = part_of("bybit", "/v5/market/tickers", category="option", baseCoin="BTC")
OKX = [
    part_of("okx", f"/api/v5/public/{call}", instFamily=family)
    for call in ("opt-summary", "open-interest")
    for family in ("BTC-USD", "BTC-USD_UM")
]
MARK = part_of("binance", "/eapi/v1/mark")
INTEREST = part_of("binance", "/eapi/v1/openInterest", underlyingAsset="BTC", expiration="260327")


def record_parts(path, *parts):
    """A recording of calls, each so many seconds after the start."""
    clock = Clock()
    with Recorder(path, "parts", [BTC], ["any"], clock.now) as recorder:
        for after, (venue, asked, params) in parts:
            clock.at = START + after * SECOND
            answer(recorder, as_body([]), venue, asked, params)
    return read_recording(path)


def seconds_of(recording, symbol):
    return [(at - START) / SECOND for at in recording.chain_times(symbol)]


@pytest.mark.parametrize("call", [DERIBIT, BYBIT, *OKX, INTEREST], ids=lambda call: str(call[1:]))
def test_an_answer_about_a_coin_is_part_of_its_chain_alone(path, call):
    recording = record_parts(path, (0, call))

    assert seconds_of(recording, BTC) == [0]
    assert seconds_of(recording, ETH) == []


def test_marks_of_all_coins_are_part_of_every_chain(path):
    recording = record_parts(path, (0, MARK))

    assert seconds_of(recording, BTC) == seconds_of(recording, "SOLUSDT") == [0]


@pytest.mark.parametrize(
    "call",
    [
        part_of("bybit", "/v5/market/tickers", category="linear", symbol="BTCUSDT"),
        part_of("deribit", BOOK, currency="BTC", kind="future"),
        part_of("derive", "/public/get_tickers", instrument_type="perp", currency="BTC"),
        part_of("okx", "/api/v5/public/open-interest", instType="SWAP", instFamily="BTC-USD"),
        part_of("okx", "/api/v5/public/instruments", instFamily="BTC-USD", instType="OPTION"),
        part_of("binance", "/eapi/v1/exchangeInfo"),
        part_of("binance", "/eapi/v1/index", underlying="BTCUSDT"),
    ],
    ids=lambda call: " ".join(call[:2]),
)
def test_prices_and_lists_are_part_of_no_chain(path, call):
    recording = record_parts(path, (0, call))

    assert not recording.answers[0].is_chain
    assert seconds_of(recording, BTC) == []


def test_calls_close_in_time_are_one_chain_that_is_there_with_the_last(path):
    cycle = [DERIBIT, *OKX, MARK, INTEREST]
    recording = record_parts(
        path, *((start + n, call) for start in (0, 30) for n, call in enumerate(cycle))
    )

    assert seconds_of(recording, BTC) == [6, 36]
    assert recording.chain_times(BTC, "okx") == [START + n * SECOND for n in (4, 34)]


def test_calls_further_apart_are_chains_of_their_own(path):
    apart = TOGETHER / SECOND + 1
    recording = record_parts(path, (0, MARK), (apart, INTEREST))

    assert seconds_of(recording, BTC) == [0, apart]


def test_calls_that_never_pause_do_not_make_one_endless_chain(path):
    recording = record_parts(path, *((2 * n, call) for n in range(30) for call in (MARK, DERIBIT)))

    times = seconds_of(recording, BTC)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) <= 2 * TOGETHER / SECOND
    assert times[-1] == 58
