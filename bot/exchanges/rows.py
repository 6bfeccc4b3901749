"""What every venue's parser needs: tolerant numbers, expiry days, rows to columns."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np

from bot.core.chain import OptionChain, Source, from_milliseconds, merge, milliseconds
from bot.core.snapshot import HIGHEST_PRICE
from bot.core.words import MONTHS
from bot.errors import NotListed, SourceError

MONTH_NUMBERS = {name: number for number, name in enumerate(MONTHS, 1)}
EXPIRY_HOUR = 8  # UTC, on every venue


Answer = TypeVar("Answer")


class Row(NamedTuple):
    """One option as a venue gave it, in our units; NaN means "not given"."""

    expiry: int  # ms since 1970, UTC
    strike: float  # USD
    is_call: bool
    oi: float  # coins
    iv: float  # a year, fraction
    forward: float  # USD
    index_price: float  # USD
    at: int  # ms since 1970, UTC


def decode(venue: str, body: bytes, answer: type[Answer]) -> Answer:
    """The body as the venue's wire type. Raises SourceError: cut off, another shape, no JSON."""
    try:
        return msgspec.json.decode(body, type=answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(venue, f"unreadable answer: {error}") from error


def decode_row(raw: msgspec.Raw, row: type[Answer]) -> Answer | None:
    """One row of an answer; None where it has another shape, which costs that row alone."""
    try:
        return msgspec.json.decode(raw, type=row)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def num(value: object) -> float:
    """The number in a JSON value, NaN where there is none: venues send 1.5, "1.5", "" and null."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    if isinstance(value, str) and "_" in value:  # Python reads "77_5" as 775
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


def positive(value: float) -> float:
    """A price, or NaN where it cannot be one."""
    return value if 0 < value < HIGHEST_PRICE else math.nan


def to_chain(
    underlying: str, venue: str, rows: Iterable[Row], unreadable: Counter[str]
) -> OptionChain:
    """The rows as columns, from one venue, as old as its newest row."""
    columns = list(zip(*rows, strict=True)) or [()] * len(Row._fields)
    expiry, strike, is_call, oi, iv, forward, index, at = columns
    heard = (Source(venue, from_milliseconds(max(at)), len(at)),) if at else ()
    return OptionChain(
        underlying,
        heard,
        venue=np.zeros(len(at), np.int64),
        expiry=np.array(expiry, np.int64),
        strike=np.array(strike, np.float64),
        is_call=np.array(is_call, np.bool_),
        oi=np.array(oi, np.float64),
        iv=np.array(iv, np.float64),
        forward=np.array(forward, np.float64),
        index=np.array(index, np.float64),
        at=np.array(at, np.int64),
        unreadable=dict(unreadable),
    )


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
