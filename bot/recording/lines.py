"""The lines of a recording as they are written: what is recorded, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from bot.core.snapshot import Tick
from bot.errors import RecordingError
from bot.recording.format import parse_line

# Words of paths: in one second candles come first, then lists of instruments, then the rest.
CANDLES = ("kline", "candles", "chart")
LISTS = ("instrument", "exchangeInfo")


class FullHeader(msgspec.Struct):
    """The first line."""

    recording: int
    title: str
    symbols: Sequence[str]  # those with ticks, as soon as that is known
    venues: Sequence[str]  # those with answers, likewise
    begin: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    sources: Sequence[Mapping[str, str]] = ()  # of what others have recorded


class SpotLine(msgspec.Struct):
    """A tick."""

    at: datetime
    symbol: str
    spot: float  # USD
    source: str


class AnswerLine(msgspec.Struct):
    """A venue's answer."""

    at: datetime
    venue: str
    method: str
    path: str
    params: Mapping[str, object]
    status: int
    body: msgspec.Raw


class Refusal(msgspec.Struct):
    """How each venue says in JSON that an answer is none."""

    error: object = None  # Deribit, Derive
    ret_code: object = msgspec.field(name="retCode", default=0)  # Bybit
    code: object = "0"  # OKX; Binance has it in refusals alone


@dataclass(slots=True)
class Second:
    """What came within one second."""

    ticks: dict[str, Tick] = field(default_factory=dict)  # by symbol, the newest
    answers: list[AnswerLine] = field(default_factory=list)

    def lines(self, at: datetime) -> list[SpotLine | AnswerLine]:
        """All of it in the order of the format."""
        spots = [SpotLine(at, one.symbol, one.spot, one.source) for one in self.ticks.values()]
        return [*spots, *sorted(self.answers, key=_rank)]


def _rank(line: AnswerLine) -> int:
    """Where the answer comes among those of its second."""
    for rank, words in enumerate((CANDLES, LISTS)):
        if any(word in line.path for word in words):
            return rank
    return 2


def good_body(body: bytes) -> msgspec.Raw | None:
    """The answer as it is, on one line; None when it is no JSON, or the venue's refusal."""
    try:
        raw = msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    # A line of the body ends between the parts of JSON, never within its texts.
    one_line = bytes(raw).replace(b"\r", b" ").replace(b"\n", b" ")
    return None if _is_refusal(one_line) else msgspec.Raw(one_line)


def _is_refusal(body: bytes) -> bool:
    try:
        said = msgspec.json.decode(body, type=Refusal)
    except msgspec.ValidationError:
        return False  # a list
    return said.error is not None or said.ret_code != 0 or said.code != "0"


def is_readable(text: bytes) -> bool:
    """Whether a reader takes the line: one that it refuses would cost the whole recording."""
    try:
        parse_line(text)
        text.decode()
    except (RecordingError, UnicodeDecodeError):
        return False
    return True
