"""Derive: one request an expiry; strings for numbers, `_` for the decimal point of a strike."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec
import numpy as np

from bot.core.chain import OptionChain, milliseconds
from bot.core.snapshot import Tick
from bot.errors import NotListed, SourceError
from bot.exchanges.feed import NOTHING, Pushed
from bot.exchanges.parts import Parts
from bot.exchanges.rows import (
    NAMES_KEPT,
    Columns,
    decode,
    decode_named,
    decode_row,
    decode_rows,
    gather_parts,
    join_parts,
    positive,
    stamps,
    to_chain,
    to_price,
    to_tick,
)
from bot.exchanges.rpc import Answer, Refused, call, error_code, open_answer
from bot.exchanges.terms import Limit, Terms
from bot.ports import Wire

PREFIX = "/v3"  # of every path on the network; recordings name paths without it
OPTION = re.compile(r"(\d+(?:_\d+)?)-([CP])")  # what follows coin and day in a name
PAGE_SIZE = 1_000
MOST_PAGES = 50  # of 1,000 options each: more is no coin's list
FAR_FUTURE = 4_102_444_800  # s since 1970, the year 2100: a later expiry is in another unit
LIST_KEEP = timedelta(days=1)
NOT_FOUND = (12_001, 12_002)  # the instrument, the currency
TOO_MANY_REQUESTS = -32_000

TERMS = Terms(
    limits=(Limit(25, 5.0),),
    is_too_many=lambda body: error_code(body) == TOO_MANY_REQUESTS,
    connections=2,  # of four; the stream is another one
)


class Details(msgspec.Struct):
    """The option part of an instrument."""

    expiry: float = math.nan  # s since 1970, UTC


class Instrument(msgspec.Struct):
    """A listed option."""

    option_details: Details


class Page(msgspec.Struct):
    """How many pages the list has."""

    num_pages: int = 1


class Instruments(msgspec.Struct):
    """One page of the list of options."""

    instruments: msgspec.Raw
    pagination: Page | None = None


class Pricing(msgspec.Struct, gc=False):
    """The venue's marks: IV as a fraction, forward in USD."""

    i: float = math.nan
    f: float = math.nan


class Stats(msgspec.Struct, gc=False):
    """The day's figures: open interest in coins."""

    oi: float = math.nan


class Ticker(msgspec.Struct, gc=False):
    """An option or a perpetual."""

    t: float = math.nan
    option_pricing: Pricing = msgspec.field(default_factory=Pricing)
    index: float = msgspec.field(name="I", default=math.nan)
    mark: float = msgspec.field(name="M", default=math.nan)
    stats: Stats = msgspec.field(default_factory=Stats)


class Tickers(msgspec.Struct):
    """Options or perpetuals by name."""

    tickers: msgspec.Raw


class Quote(msgspec.Struct):
    """A pushed index price."""

    price: object = None


NO_QUOTE = Quote()


class Quotes(msgspec.Struct):
    """Pushed index prices by coin."""

    timestamp: object = None
    feeds: dict[str, Quote] = {}


class Params(msgspec.Struct):
    """What a pushed message is about."""

    channel: str
    data: Quotes


class Push(msgspec.Struct):
    """A message of the stream; the answer to a call has no method."""

    method: str
    params: Params


class Option(NamedTuple):
    """An option of one coin and expiry."""

    strike: float  # USD
    is_call: bool


class Derive:
    """Derive's public JSON-RPC over HTTP."""

    name = "derive"

    def __init__(self, wire: Wire, now: Callable[[], datetime], keep: timedelta) -> None:
        self._wire = wire
        self._now = now
        self._parts = Parts(self.name, now, keep)

    async def fetch_chain(self, underlying: str) -> OptionChain:
        """The coin's options of every expiry that is still ahead."""
        expiries = await self._expiries(underlying)
        parts = await gather_parts(
            self._expiry(underlying, day, expiry)
            for day, expiry in expiries.items()
            if expiry > self._now()
        )
        return join_parts(underlying, self.name, parts)

    async def _expiries(self, underlying: str) -> Mapping[str, datetime]:
        """The expiries by day; asked anew every full hour, which is when options expire."""
        part = await self._parts.get(
            f"{underlying} list",
            lambda: self._fetch_expiries(underlying),
            renew=since_the_hour(self._now()),
            keep=LIST_KEEP,
        )
        return part.value

    async def _expiry(self, underlying: str, day: str, expiry: datetime) -> OptionChain:
        part = await self._parts.get(
            f"{underlying} {day}", lambda: self._fetch_expiry(underlying, day, expiry)
        )
        return part.value

    async def _fetch_expiries(self, underlying: str) -> Mapping[str, datetime]:
        expiries: set[int] = set()
        page = pages = 1
        while page <= pages:
            body = await self._ask(
                "get_all_instruments",
                instrument_type="option",
                currency=underlying,
                expired=False,
                page=page,
                page_size=PAGE_SIZE,
            )
            listed, pages = parse_instruments(body)
            if pages > MOST_PAGES:
                raise SourceError(self.name, f"a list of {pages} pages")
            expiries |= listed
            page += 1
        if not expiries:
            raise NotListed(self.name, f"no {underlying} options")
        moments = (datetime.fromtimestamp(expiry, UTC) for expiry in sorted(expiries))
        return {f"{moment:%Y%m%d}": moment for moment in moments}

    async def _fetch_expiry(self, underlying: str, day: str, expiry: datetime) -> OptionChain:
        body = await self._ask(
            "get_tickers", instrument_type="option", currency=underlying, expiry_date=day
        )
        return parse_chain(underlying, expiry, body, self._now())

    async def fetch_spot(self, underlying: str) -> Tick:
        """The index price that the perpetual's ticker tells."""
        ticker = await self._perpetual(underlying)
        return to_tick(self.name, underlying, ticker.index, ticker.t, self._now())

    async def fetch_perpetual(self, underlying: str) -> float:
        """The perpetual's mark price, USD."""
        ticker = await self._perpetual(underlying)
        return to_price(self.name, ticker.mark)

    async def _perpetual(self, underlying: str) -> Ticker:
        body = await self._ask("get_tickers", instrument_type="perp", currency=underlying)
        return parse_perpetual(underlying, body)

    async def _ask(self, method: str, **params: object) -> bytes:
        return await self._wire.ask(self.name, "POST", f"/public/{method}", params)


def since_the_hour(now: datetime) -> timedelta:
    """The time since the last full hour."""
    return now - now.replace(minute=0, second=0, microsecond=0)


def parse_instruments(body: bytes) -> tuple[set[int], int]:
    """The expiries listed, s since 1970, and how many pages there are. Raises SourceError."""
    page = decode(Derive.name, _open(body).result, Instruments)
    listed = decode_rows(Derive.name, page.instruments, Instrument)
    seconds = (one.option_details.expiry for one in listed if one)
    expiries = {int(expiry) for expiry in seconds if 0 < expiry < FAR_FUTURE}
    if listed and not expiries:
        raise SourceError(Derive.name, "a list without a readable expiry")
    return expiries, page.pagination.num_pages if page.pagination else 1


def parse_chain(underlying: str, expiry: datetime, body: bytes, now: datetime) -> OptionChain:
    """The rows of that expiry; those of another day are unreadable. Raises SourceError."""
    tickers = decode(Derive.name, _open(body).result, Tickers).tickers
    prefix, given = f"{underlying}-{expiry:%Y%m%d}-", decode_named(Derive.name, tickers, Ticker)
    own = {name.removeprefix(prefix): row for name, row in given.items() if name.startswith(prefix)}
    rows = [(option, row) for name, row in own.items() if row and (option := read_option(name))]
    columns = _columns(rows, milliseconds(expiry), milliseconds(now))
    return to_chain(underlying, Derive.name, columns, len(given) - len(rows))


def parse_perpetual(underlying: str, body: bytes) -> Ticker:
    """The ticker of the coin's perpetual. Raises SourceError."""
    tickers = decode(Derive.name, _open(body).result, Tickers).tickers
    ticker = decode_named(Derive.name, tickers, Ticker).get(f"{underlying}-PERP")
    if ticker is None:
        raise SourceError(Derive.name, f"no {underlying} perpetual")
    return ticker


@lru_cache(NAMES_KEPT)
def read_option(text: str) -> Option | None:
    """The option that the end of a name tells of; None where it tells of none."""
    match = OPTION.fullmatch(text)
    if match is None:
        return None
    strike = positive(float(match[1].replace("_", ".")))
    return None if math.isnan(strike) else Option(strike, match[2] == "C")


class DeriveFeed:
    """The index prices of Derive's stream."""

    path = f"{PREFIX}/ws"
    ping_every = 30.0

    def __init__(self, coins: Sequence[str], now: Callable[[], datetime]) -> None:
        self._now = now
        self._coins = coins

    def greeting(self) -> Sequence[str]:
        """A subscription for each coin."""
        return [
            call(number, "subscribe", channels=[f"spot_feed.{coin}"])
            for number, coin in enumerate(self._coins, 1)
        ]

    def ping(self) -> str | None:
        """Nothing: the pings of the WebSocket itself are enough."""
        return None

    def read(self, text: str) -> Pushed:
        """The prices of subscribed coins in a push."""
        push = decode_row(text, Push)
        if push is None or push.method != "subscription":
            return NOTHING
        ticks, told, now = [], push.params.data, self._now()
        for coin in self._coins:
            quote = told.feeds.get(coin, NO_QUOTE)
            with suppress(SourceError):
                ticks.append(to_tick(Derive.name, coin, quote.price, told.timestamp, now))
        return Pushed(tuple(ticks))


def _columns(rows: Sequence[tuple[Option, Ticker]], expiry_ms: float, now_ms: float) -> Columns:
    return Columns(
        expiry=np.full(len(rows), expiry_ms),
        strike=[option.strike for option, _ in rows],
        is_call=[option.is_call for option, _ in rows],
        oi=[ticker.stats.oi for _, ticker in rows],
        iv=[ticker.option_pricing.i for _, ticker in rows],
        forward=[ticker.option_pricing.f for _, ticker in rows],
        index_price=[ticker.index for _, ticker in rows],
        at=stamps([ticker.t for _, ticker in rows], now_ms),
    )


def _open(body: bytes) -> Answer:
    """The answer. Raises SourceError; NotListed where the venue knows no such thing."""
    try:
        return open_answer(Derive.name, body)
    except Refused as error:
        if error.code in NOT_FOUND:
            raise NotListed(Derive.name, error.reason) from error
        raise
