"""The format: gzip JSON Lines, a header, then spot ticks and venues' answers sorted by time."""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bot.core.snapshot import HIGHEST_PRICE, Tick
from bot.errors import RecordingError, UsageError

VERSION = 1
CHAIN_PATHS = ("/api/v2/public/get_book_summary_by_currency", "/public/get_tickers")


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
    coin: str  # the `currency` asked for, "" when the request names none
    is_chain: bool
    body: bytes


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
        """The currencies whose books can hold the symbol's options."""
        return (symbol.removesuffix("USDT"), "USDC")

    def chain_times(self, symbol: str, venue: str | None = None) -> list[datetime]:
        """When a chain that concerns the symbol came in, from that venue or any, ascending."""
        wanted = self.coins(symbol)
        return sorted(
            {
                answer.at
                for answer in self.answers
                if answer.is_chain and answer.coin in wanted and venue in (None, answer.venue)
            }
        )


def request_key(venue: str, method: str, path: str, params: Mapping[str, object]) -> str:
    """One text for one request, whatever the order of its parameters."""
    return f"{venue} {method} {path} {msgspec.json.encode(params, order='sorted').decode()}"


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


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and text of each line."""
    number = 0
    try:
        with gzip.open(path) as file:
            for number, text in enumerate(file, 1):
                yield number, text
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file") from error
    except gzip.BadGzipFile as error:
        raise RecordingError(f"{path}: after line {number}: not gzip: {error}") from error
    except (EOFError, zlib.error) as error:
        raise RecordingError(f"{path}: cut off or damaged after line {number}: {error}") from error
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
        line = msgspec.json.decode(text, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{path}: line {number}: {error}") from error
    if line.at.tzinfo is None:
        raise RecordingError(f"{path}: line {number}: `at` has no time zone")
    if bool(line.symbol) == bool(line.venue):
        raise RecordingError(f"{path}: line {number}: neither a spot tick nor an answer")
    if line.symbol and not 0 < line.spot < HIGHEST_PRICE:
        raise RecordingError(f"{path}: line {number}: spot {line.spot} is no price")
    if line.venue and not line.body:
        raise RecordingError(f"{path}: line {number}: an answer without a body")
    return line


def _answer(line: Line, body: bytes) -> Answer:
    return Answer(
        at=line.at,
        venue=line.venue,
        request=request_key(line.venue, line.method, line.path, line.params),
        coin=str(line.params.get("currency", "")),
        is_chain=line.path in CHAIN_PATHS,
        body=body,
    )
