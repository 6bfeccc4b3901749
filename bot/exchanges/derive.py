"""Derive: one request an expiry; strings for numbers, `_` for the decimal point of a strike."""

import asyncio
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from bot.core.chain import OptionChain, milliseconds
from bot.errors import SourceError
from bot.exchanges.rows import (
    Row,
    decode,
    decode_row,
    expiry_of_day,
    join_parts,
    num,
    positive,
    to_chain,
)
from bot.ports import Wire

PREFIX = "/v3"  # of every path on the network; recordings name paths without it
NAME = re.compile(r"([A-Z0-9]+)-(\d{4})(\d{2})(\d{2})-(\d+(?:_\d+)?)-([CP])")
PAGE_SIZE = 1_000
MOST_PAGES = 50  # of 1,000 options each: more is no coin's list
FAR_FUTURE = 4_102_444_800  # s since 1970, the year 2100: a later expiry is in another unit
AT_ONCE = 4  # connections that the venue allows an address


class Details(msgspec.Struct):
    """The option part of an instrument; `expiry` in seconds."""

    expiry: object = None


class Instrument(msgspec.Struct):
    """A listed option."""

    option_details: Details


class Page(msgspec.Struct):
    """How many pages the list has."""

    num_pages: int = 1


class Instruments(msgspec.Struct):
    """One page of the list of options."""

    instruments: list[msgspec.Raw]
    pagination: Page | None = None


class Failure(msgspec.Struct):
    """Why Derive refused."""

    code: int = 0
    message: str = "no message"


class InstrumentsAnswer(msgspec.Struct):
    """The answer to get_all_instruments."""

    result: Instruments | None = None
    error: Failure | None = None


class Pricing(msgspec.Struct):
    """The venue's marks: IV as a fraction, forward in USD."""

    i: object = None
    f: object = None


class Stats(msgspec.Struct):
    """The day's figures: open interest in coins."""

    oi: object = None


class Ticker(msgspec.Struct):
    """One option, untrusted: `num` reads its numbers."""

    t: object = None
    option_pricing: Pricing | None = None
    index: object = msgspec.field(name="I", default=None)
    stats: Stats | None = None


class Tickers(msgspec.Struct):
    """The options of one expiry by name."""

    tickers: dict[str, msgspec.Raw]


class TickersAnswer(msgspec.Struct):
    """The answer to get_tickers."""

    result: Tickers | None = None
    error: Failure | None = None


class Derive:
    """Derive's public JSON-RPC over HTTP."""

    name = "derive"

    def __init__(self, wire: Wire, now: Callable[[], datetime]) -> None:
        self._wire = wire
        self._now = now

    async def fetch_chain(self, underlying: str) -> OptionChain:
        """The coin's options of every expiry that is still ahead."""
        expiries = await self._fetch_expiries(underlying)
        slots = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(self._fetch(underlying, e, slots)) for e in expiries]
        except* SourceError as errors:
            raise errors.exceptions[0] from errors  # the first says enough
        return join_parts(underlying, self.name, [task.result() for task in asked])

    async def _fetch_expiries(self, underlying: str) -> list[datetime]:
        expiries: set[int] = set()
        page = pages = 1
        while page <= pages:
            body = await self._wire.ask(
                self.name,
                "POST",
                "/public/get_all_instruments",
                {
                    "instrument_type": "option",
                    "currency": underlying,
                    "expired": False,
                    "page": page,
                    "page_size": PAGE_SIZE,
                },
            )
            listed, pages = parse_instruments(body)
            if pages > MOST_PAGES:
                raise SourceError(self.name, f"a list of {pages} pages")
            expiries |= listed
            page += 1
        moments = (datetime.fromtimestamp(expiry, UTC) for expiry in sorted(expiries))
        return [moment for moment in moments if moment > self._now()]

    async def _fetch(
        self, underlying: str, expiry: datetime, slots: asyncio.Semaphore
    ) -> OptionChain:
        params = {
            "instrument_type": "option",
            "currency": underlying,
            "expiry_date": f"{expiry:%Y%m%d}",
        }
        async with slots:
            body = await self._wire.ask(self.name, "POST", "/public/get_tickers", params)
        return parse_chain(underlying, body, self._now())


def parse_instruments(body: bytes) -> tuple[set[int], int]:
    """The expiries listed, s since 1970, and how many pages there are. Raises SourceError."""
    answer = decode(Derive.name, body, InstrumentsAnswer)
    if answer.result is None:
        raise _refused(answer.error)
    pages = answer.result.pagination.num_pages if answer.result.pagination else 1
    listed = (decode_row(raw, Instrument) for raw in answer.result.instruments)
    expiries = (num(one.option_details.expiry) for one in listed if one)
    return {int(expiry) for expiry in expiries if 0 < expiry < FAR_FUTURE}, pages


def parse_chain(underlying: str, body: bytes, now: datetime) -> OptionChain:
    """The rows of one expiry. Raises SourceError."""
    answer = decode(Derive.name, body, TickersAnswer)
    if answer.result is None:
        raise _refused(answer.error)
    unreadable: Counter[str] = Counter()
    rows = list(_rows(underlying, answer.result.tickers, milliseconds(now), unreadable))
    return to_chain(underlying, Derive.name, rows, unreadable)


def _rows(
    underlying: str, tickers: dict[str, msgspec.Raw], now_ms: float, unreadable: Counter[str]
) -> Iterable[Row]:
    for text, raw in tickers.items():
        name, ticker = NAME.fullmatch(text), decode_row(raw, Ticker)
        row = _row(ticker, name, now_ms) if ticker and name and name[1] == underlying else None
        if row:
            yield row
        else:
            unreadable["row_unreadable"] += 1


def _row(ticker: Ticker, name: re.Match[str], now_ms: float) -> Row | None:
    expiry = expiry_of_day(int(name[2]), int(name[3]), int(name[4]))
    strike = positive(float(name[5].replace("_", ".")))
    if expiry is None or math.isnan(strike):
        return None
    pricing, stats, stamp = ticker.option_pricing, ticker.stats, num(ticker.t)
    return Row(
        expiry=expiry,
        strike=strike,
        is_call=name[6] == "C",
        oi=num(stats.oi) if stats else math.nan,
        iv=num(pricing.i) if pricing else math.nan,
        forward=positive(num(pricing.f)) if pricing else math.nan,
        index_price=positive(num(ticker.index)),
        at=int(stamp if 0 < stamp < now_ms else now_ms),
    )


def _refused(error: Failure | None) -> SourceError:
    why = f"{error.message} ({error.code})" if error else "no result"
    return SourceError(Derive.name, why)
