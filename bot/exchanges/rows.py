"""What every venue's parser needs: tolerant numbers, stamps and prices, rows to columns."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

import msgspec
import numpy as np

from bot.core.chain import (
    Floats,
    Ints,
    OptionChain,
    Source,
    from_milliseconds,
    merge,
    milliseconds,
)
from bot.core.snapshot import HIGHEST_PRICE, Candle, Tick
from bot.core.symbols import symbol_of
from bot.core.words import MONTHS
from bot.errors import NotListed, SourceError
from bot.exchanges.parts import ALWAYS, Parts

MONTH_NUMBERS = {name: number for number, name in enumerate(MONTHS, 1)}
EXPIRY_HOUR = 8  # UTC, on every venue
HOURLY = timedelta(hours=1)  # what is listed is asked for: it has megabytes
SOON = timedelta(minutes=1)  # and so often while it fails, or is behind: new options come at 08:00
A_DAY = timedelta(days=1)  # for so long it serves: what a listed option is does not change
DAY_MS = 86_400_000
NAMES_KEPT = 16_384  # the same names come with every answer; all venues list some 8,000
CANDLE_FIELDS = 6
CANDLES_SPAN = timedelta(hours=48)
FAR_FUTURE_MS = 4_102_444_800_000  # since 1970, the year 2100: a later stamp is no time
NULL = msgspec.Raw(b"null")
# A lone surrogate in a text is what UnicodeError is for.
UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)

Answer = TypeVar("Answer")
Column = Sequence[float] | Floats | Ints  # (n,)


class Contract(NamedTuple):
    """What the name of an option says."""

    coin: str
    expiry: int  # ms since 1970, UTC
    strike: float  # USD
    is_call: bool


class Asked(NamedTuple):
    """A call that was begun, and when."""

    at: datetime
    call: asyncio.Task[None]


class Listings(Generic[Answer]):
    """What a venue lists, by a key and by name: its chains are better for it and do without.

    It is asked for once an hour and serves for a day. A chain waits for the first answer alone:
    what comes later serves the next chain, so that a slow list makes none older. A replay waits
    for each, to find it as of its time; it takes no time there.
    """

    def __init__(self, parts: Parts, now: Callable[[], datetime], keep: timedelta) -> None:
        self._parts = parts
        self._now = now
        self._live = bool(keep)
        self._asked: dict[Hashable, Asked] = {}
        self._known: dict[Hashable, Mapping[str, Answer]] = {}

    async def get(
        self, key: Hashable, fetch: Callable[[], Awaitable[Mapping[str, Answer]]]
    ) -> Mapping[str, Answer]:
        """What is listed, by name; nothing where that cannot be had."""
        if self._is_due(key):
            call = asyncio.create_task(self._renew(key, fetch))
            self._asked[key] = Asked(self._now(), call)
        call = self._asked[key].call
        if call.done() or not self._live or key not in self._known:  # done: a bug comes to light
            await asyncio.shield(call)
        return self._known[key]

    def _is_due(self, key: Hashable) -> bool:
        """Whether to see if an hour has passed, or the list can be had again."""
        asked = self._asked.get(key)
        return asked is None or not self._live or not ALWAYS <= self._now() - asked.at < SOON

    async def _renew(
        self, key: Hashable, fetch: Callable[[], Awaitable[Mapping[str, Answer]]]
    ) -> None:
        try:
            self._known[key] = (await self._parts.get(key, fetch, HOURLY, A_DAY)).value
        except SourceError:
            self._known[key] = {}


class Columns(NamedTuple):
    """A venue's options in our units, as long as each other; NaN means "not given"."""

    expiry: Column  # ms since 1970, UTC
    strike: Column  # USD
    is_call: Sequence[bool]
    oi: Column  # coins
    iv: Column  # a year, fraction
    forward: Column  # USD
    index_price: Column  # USD
    at: Column  # ms since 1970, UTC


def decode(venue: str, body: bytes | msgspec.Raw, answer: type[Answer]) -> Answer:
    """The body as the venue's wire type. Raises SourceError: cut off, another shape, no JSON."""
    try:
        return msgspec.json.decode(body, type=answer)
    except UNREADABLE as error:
        raise SourceError(venue, f"unreadable answer: {error}") from error


def decode_row(raw: bytes | str | msgspec.Raw, row: type[Answer]) -> Answer | None:
    """One message or row; None where it has another shape."""
    try:
        return msgspec.json.decode(raw, type=row)
    except UNREADABLE:
        return None


def decode_rows(venue: str, rows: msgspec.Raw, row: type[Answer]) -> Sequence[Answer | None]:
    """The rows of a list, None in the place of each of another shape. Raises SourceError.

    Numbers may come as text; what is none is NaN and costs its row no more than that. All rows
    at once are read twice as fast as one by one, and almost always they are all well.
    """
    try:
        return msgspec.json.decode(rows, type=list[row], strict=False)  # type: ignore[valid-type]
    except UNREADABLE:
        return [_read_row(raw, row) for raw in decode(venue, rows, list[msgspec.Raw])]


def decode_named(venue: str, rows: msgspec.Raw, row: type[Answer]) -> Mapping[str, Answer | None]:
    """The same of the rows in an object, by name."""
    try:
        return msgspec.json.decode(rows, type=dict[str, row], strict=False)  # type: ignore[valid-type]
    except UNREADABLE:
        by_name = decode(venue, rows, dict[str, msgspec.Raw])
        return {name: _read_row(raw, row) for name, raw in by_name.items()}


def _read_row(raw: msgspec.Raw, row: type[Answer]) -> Answer | None:
    try:
        return msgspec.json.decode(raw, type=row, strict=False)
    except UNREADABLE:
        return _read_odd(raw, row)


def _read_odd(raw: msgspec.Raw, row: type[Answer]) -> Answer | None:
    """The row with `num` of what msgspec, which is stricter, takes for no number."""
    try:
        return msgspec.convert(_mend(raw, row), row)
    except UNREADABLE:
        return None


def _mend(raw: msgspec.Raw, kind: type) -> object:
    """The JSON value with a number wherever that type wants one; null fields are left out."""
    if kind is float:
        return num(msgspec.json.decode(raw))
    if not isinstance(kind, msgspec.StructMeta):
        return msgspec.json.decode(raw)
    given, kinds = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]), _kinds(kind)
    told = {name: part for name, part in given.items() if name in kinds and part != NULL}
    return {name: _mend(part, kinds[name]) for name, part in told.items()}


@cache
def _kinds(row: type[msgspec.Struct]) -> Mapping[str, type]:
    """The types of a row's fields, by their names on the wire."""
    return {field.encode_name: field.type for field in msgspec.structs.fields(row)}


def num(value: object) -> float:
    """The number in a JSON value, NaN where there is none: venues send 1.5, "1.5", "" and null."""
    if type(value) is float:  # most are, where a venue sends numbers
        return value
    if isinstance(value, str):
        if "_" in value:  # Python reads "77_5" as 775
            return math.nan
    elif isinstance(value, bool) or not isinstance(value, int):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


@lru_cache(maxsize=1_024)  # a chain has hundreds of rows and a dozen expiries
def expiry_of_day(year: int, month: int, day: int) -> int | None:
    """08:00 UTC of that day, ms since 1970; None where the calendar has no such day."""
    try:
        return int(milliseconds(datetime(year, month, day, EXPIRY_HOUR, tzinfo=UTC)))
    except ValueError:
        return None


def told_expiry(told: float, named: int) -> int:
    """The expiry of an option by its metadata, ms since 1970; by its name where that is junk.

    A time that is not near the day in the name is in another unit, or none.
    """
    return int(told) if abs(told - named) < DAY_MS else named


def told_strike(told: float, named: float) -> float:
    """The strike of an option by its metadata, USD; by its name where that can be none."""
    strike = positive(told)
    return named if math.isnan(strike) else strike


def positive(value: float) -> float:
    """A price, or NaN where it cannot be one."""
    return value if 0 < value < HIGHEST_PRICE else math.nan


def prices(values: Column) -> Floats:
    """(n,) USD: the prices among the values, NaN for what cannot be one."""
    given = np.array(values, np.float64)
    return np.where((given > 0) & (given < HIGHEST_PRICE), given, np.nan)


def to_price(venue: str, value: object) -> float:
    """The price in a JSON value, USD. Raises SourceError where it can be none."""
    price = positive(num(value))
    if math.isnan(price):
        raise SourceError(venue, f"{value!r} is no price")
    return price


def past(stamp: float, now_ms: float) -> float:
    """A venue's stamp, ms since 1970; now where there is none, or one to come."""
    return stamp if 0 < stamp < now_ms else now_ms


def stamps(values: Column, now_ms: float) -> Ints:
    """(n,) ms since 1970: the venue's stamps, now for each that is none, or one to come."""
    given = np.array(values, np.float64)
    return np.where((given > 0) & (given < now_ms), given, now_ms).astype(np.int64)


def to_tick(venue: str, coin: str, price: object, stamp: object, now: datetime) -> Tick:
    """An index price as of the venue's stamp in ms. Raises SourceError where it is no price."""
    at = from_milliseconds(past(num(stamp), milliseconds(now)))
    return Tick(symbol_of(coin), at, to_price(venue, price), venue)


def to_candles(venue: str, lines: Iterable[Sequence[object]], now: datetime) -> list[Candle]:
    """The candles that opened in the 48 hours before `now`, ascending.

    A line is the opening time in ms, open, high, low, close in USD and the volume in coins.
    Raises SourceError when one of these 48 hours is unreadable, or the time of any.
    """
    since, until = milliseconds(now - CANDLES_SPAN), milliseconds(now)
    opened = sorted(((_opened(venue, line), line) for line in lines), key=itemgetter(0))
    return [_candle(venue, at, line) for at, line in opened if since < at <= until]


def _opened(venue: str, line: Sequence[object]) -> float:
    """When the candle opened, ms since 1970."""
    at = num(line[0]) if line else math.nan
    if not 0 < at < FAR_FUTURE_MS:
        raise SourceError(venue, f"unreadable candle: {line}")
    return at


def _candle(venue: str, at: float, line: Sequence[object]) -> Candle:
    numbers = list(map(num, line))
    if len(numbers) != CANDLE_FIELDS or not all(map(math.isfinite, numbers)):
        raise SourceError(venue, f"unreadable candle: {line}")
    return Candle(from_milliseconds(at), *numbers[1:])


def to_chain(underlying: str, venue: str, columns: Columns, unreadable: int) -> OptionChain:
    """The options of one venue, as old as its newest row; a price that cannot be one is NaN."""
    at = np.array(columns.at, np.int64)
    heard = (Source(venue, from_milliseconds(at.max()), len(at)),) if len(at) else ()
    return OptionChain(
        underlying,
        heard,
        venue=np.zeros(len(at), np.int64),
        expiry=np.array(columns.expiry, np.int64),
        strike=np.array(columns.strike, np.float64),
        is_call=np.array(columns.is_call, np.bool_),
        oi=np.array(columns.oi, np.float64),
        iv=np.array(columns.iv, np.float64),
        forward=prices(columns.forward),
        index=prices(columns.index_price),
        at=at,
        unreadable={"row_unreadable": unreadable} if unreadable else {},
    )


async def gather_parts(calls: Iterable[Awaitable[Answer]]) -> list[Answer]:
    """What the calls gave once all have ended; what is not listed is left out.

    Raises the SourceError of the first that failed.
    """
    parts = []
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(answer, NotListed):
            continue
        if isinstance(answer, BaseException):
            raise answer
        parts.append(answer)
    return parts


def join_parts(underlying: str, venue: str, parts: Sequence[OptionChain]) -> OptionChain:
    """The parts of one venue's chain as one source, as old as its oldest part.

    Raises NotListed when there are no rows at all, SourceError when none is readable.
    """
    chain = merge(underlying, parts)
    if not len(chain) and chain.unreadable:
        raise SourceError(venue, f"no readable {underlying} row")
    if not len(chain):
        raise NotListed(venue, f"no {underlying} options")
    oldest = min(source.at for source in chain.sources)
    source = Source(venue, oldest, len(chain))
    return replace(chain, sources=(source,), venue=np.zeros(len(chain), np.int64))
