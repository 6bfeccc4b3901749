"""The format: gzip JSON Lines, a header, then spot ticks and venues' answers sorted by time."""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bot.core.snapshot import HIGHEST_PRICE, Tick
from bot.core.symbols import coin_of
from bot.errors import RecordingError, UsageError

VERSION = 1
PART = ".part"  # the end of the name of a recording that is being written, or was when killed
TOGETHER = timedelta(seconds=5)  # between two answers of one chain at most

# The calls that chains are made of, and the parameter that names the coin.
ALL_COINS = ""
CHAIN_CALLS: Mapping[str, str | None] = {
    "/api/v2/public/get_book_summary_by_currency": "currency",
    "/v5/market/tickers": "baseCoin",
    "/api/v5/public/opt-summary": "instFamily",
    "/api/v5/public/open-interest": "instFamily",
    "/eapi/v1/mark": None,
    "/eapi/v1/openInterest": "underlyingAsset",
    "/public/get_tickers": "currency",
}
KIND_NAMES = ("kind", "category", "instType", "instrument_type")  # the venues' words for "kind"


class Header(msgspec.Struct):
    """The first line."""

    recording: int
    symbols: list[str]
    venues: list[str]
    title: str = ""


class Line(msgspec.Struct):
    """Any later line: a tick has `symbol` and `spot`, an answer has `venue` and `body`."""

    at: datetime
    symbol: str = ""
    spot: float = 0.0
    source: str = ""
    venue: str = ""
    method: str = ""
    path: str = ""
    params: dict[str, object] = {}
    status: int = 200
    body: msgspec.Raw = msgspec.Raw()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a venue said to one request."""

    at: datetime
    venue: str
    request: str  # method, path and parameters in one form
    coin: str | None  # whose chain it is a part of, as the venue names it; None: of no chain
    body: bytes

    @property
    def is_chain(self) -> bool:
        """Whether it is a chain or a part of one."""
        return self.coin is not None


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording read whole and found sound, its lines in the order of time."""

    name: str  # of its beginning: a recording that has grown since keeps it
    symbols: Sequence[str]
    venues: Sequence[str]
    ticks: Sequence[Tick]
    answers: Sequence[Answer] = field(repr=False)

    @property
    def starts(self) -> datetime:
        """The time of its first line."""
        return min(line[0].at for line in (self.ticks, self.answers) if line)

    @property
    def ends(self) -> datetime:
        """The time of its last line."""
        return max(line[-1].at for line in (self.ticks, self.answers) if line)

    def coins(self, symbol: str) -> tuple[str, ...]:
        """The coins of calls that can hold the symbol's options."""
        return (coin_of(symbol), "USDC", ALL_COINS)

    def chain_times(self, symbol: str, venue: str | None = None) -> list[datetime]:
        """When a chain that concerns the symbol was there, from that venue or any, ascending.

        Several answers make up one chain; it is there when the last of them is.
        """
        wanted = self.coins(symbol)
        return list(
            _complete(
                answer
                for answer in self.answers
                if answer.coin in wanted and venue in (None, answer.venue)
            )
        )


def request_key(venue: str, method: str, path: str, params: Mapping[str, object]) -> str:
    """One text for one request, whatever the order of its parameters."""
    sent = msgspec.json.encode(sent_params(method, params), order="sorted")
    return f"{venue} {method} {path} {sent.decode()}"


def sent_params(method: str, params: Mapping[str, object]) -> Mapping[str, object]:
    """The parameters as they go over the wire: texts in a query, JSON in a body."""
    return {name: str(value) for name, value in params.items()} if method == "GET" else params


def read_recording(path: Path) -> Recording:
    """The recording in the file. Raises RecordingError, which names the line; UsageError."""
    lines = _lines(path)
    number, text = next(lines, (1, b""))
    header, name = _header(path, text), zlib.crc32(text)
    ticks: list[Tick] = []
    answers: list[Answer] = []
    newest = datetime.min.replace(tzinfo=UTC)
    for number, text in lines:
        name = zlib.crc32(text, name) if number == 2 else name
        line = _line(path, number, text)
        if line.at < newest:
            raise RecordingError(f"{path}: line {number}: {line.at} is before the line above it")
        newest = line.at
        if line.symbol:
            ticks.append(Tick(line.symbol, line.at, line.spot, line.source))
        else:
            answers.append(_answer(line, bytes(line.body)))
    if not ticks and not answers:
        raise RecordingError(f"{path}: nothing after the header (line {number})")
    return Recording(f"recording {name:08x}", header.symbols, header.venues, ticks, answers)


def parse_line(text: bytes) -> Line:
    """A line after the header. Raises RecordingError, which says what is wrong with it."""
    try:
        line = msgspec.json.decode(text, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(str(error)) from error
    if line.at.tzinfo is None:
        raise RecordingError("`at` has no time zone")
    if bool(line.symbol) == bool(line.venue):
        raise RecordingError("neither a spot tick nor an answer")
    if line.symbol and not 0 < line.spot < HIGHEST_PRICE:
        raise RecordingError(f"spot {line.spot} is no price")
    if line.venue and not line.body:
        raise RecordingError("an answer without a body")
    return line


def _complete(answers: Iterable[Answer]) -> Iterator[datetime]:
    """When each group of answers was complete: they are close in time, and none is asked anew."""
    newest: datetime | None = None
    first: dict[str, datetime] = {}  # by request, when the group had it first
    for answer in answers:
        had = first.setdefault(answer.request, answer.at)
        if newest is not None and answer.at - min(newest, had) > TOGETHER:
            yield newest
            first = {answer.request: answer.at}
        newest = answer.at
    if newest is not None:
        yield newest


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and text of each line."""
    number = 0
    try:
        with gzip.open(path) as file:
            for number, text in enumerate(file, 1):
                yield number, text
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        if number and path.suffix == PART:
            return  # whoever wrote it was killed at this point
        is_gzip = not isinstance(error, gzip.BadGzipFile)
        fault = "cut off or damaged" if is_gzip else "not gzip"
        raise RecordingError(f"{path}: {fault} after line {number}: {error}") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error


def _header(path: Path, text: bytes) -> Header:
    try:
        header = msgspec.json.decode(text, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{path}: line 1 is no recording's header: {error}") from error
    if header.recording != VERSION:
        raise RecordingError(
            f"{path}: line 1: version {header.recording}; this program reads version {VERSION}"
        )
    return header


def _line(path: Path, number: int, text: bytes) -> Line:
    try:
        return parse_line(text)
    except RecordingError as error:
        raise RecordingError(f"{path}: line {number}: {error}") from error


def _answer(line: Line, body: bytes) -> Answer:
    return Answer(
        at=line.at,
        venue=line.venue,
        request=request_key(line.venue, line.method, line.path, line.params),
        coin=_chain_coin(line),
        body=body,
    )


def _chain_coin(line: Line) -> str | None:
    """The coin whose chain this is a part of; None when it is no part of a chain."""
    kinds = {str(line.params[name]).lower() for name in KIND_NAMES if name in line.params}
    if line.path not in CHAIN_CALLS or not kinds <= {"option"}:
        return None
    parameter = CHAIN_CALLS[line.path]
    if parameter is None:
        return ALL_COINS
    named = line.params.get(parameter)
    return str(named).partition("-")[0] if named else None  # BTC of BTC-USD_UM
