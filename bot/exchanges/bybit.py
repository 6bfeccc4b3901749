"""Bybit: a coin's whole chain in one answer; strings for numbers, IV as a fraction, OI in coins."""

import asyncio
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

import msgspec
import numpy as np

from bot.core.chain import OptionChain, from_milliseconds, milliseconds
from bot.core.snapshot import Candle, Tick
from bot.core.symbols import symbol_of
from bot.errors import SourceError
from bot.exchanges.feed import NOTHING, Pushed
from bot.exchanges.parts import Parts
from bot.exchanges.rows import (
    MONTH_NUMBERS,
    NAMES_KEPT,
    Columns,
    Contract,
    Listings,
    decode,
    decode_row,
    decode_rows,
    expiry_of_day,
    join_parts,
    num,
    past,
    positive,
    to_candles,
    to_chain,
    to_price,
    to_tick,
    told_expiry,
)
from bot.exchanges.terms import Limit, Terms
from bot.ports import Wire

NAME = re.compile(r"([A-Z]+)-(\d{1,2})([A-Z]{3})(\d{2})-(\d+(?:\.\d+)?)-([CP])(?:-(?:USDT|USDC))?")
AnyRow = TypeVar("AnyRow")
INSTRUMENTS = "instruments-info"
PAGE_SIZE = 1_000
MOST_PAGES = 20  # of 1,000 options each: no coin has as many, and names serve for the rest
TOO_MANY_VISITS = re.compile(rb'"retCode"\s*:\s*10006\b')

TERMS = Terms(
    limits=(Limit(600, 5.0),),
    is_too_many=lambda body: TOO_MANY_VISITS.search(body) is not None,
)


class OptionTicker(msgspec.Struct, rename="camel", gc=False):
    """One row of the chain."""

    symbol: str
    open_interest: float = math.nan
    mark_iv: float = math.nan
    underlying_price: float = math.nan  # the forward of the row's expiry
    index_price: float = math.nan


class Instrument(msgspec.Struct, rename="camel", gc=False):
    """A listed option."""

    symbol: str
    delivery_time: float = math.nan  # ms since 1970


class LinearTicker(msgspec.Struct, rename="camel"):
    """The prices around a perpetual."""

    symbol: str
    mark_price: object = None
    index_price: object = None


class Listing(msgspec.Struct):
    """What an answer is about."""

    rows: msgspec.Raw = msgspec.field(name="list", default=msgspec.Raw())
    cursor: object = msgspec.field(name="nextPageCursor", default=None)  # of lists in pages


class Answer(msgspec.Struct, rename="camel"):
    """The envelope of every answer; a refusal's result is empty."""

    ret_code: int
    ret_msg: str = "no message"
    result: Listing | None = None
    time: object = None


class Changes(msgspec.Struct, rename="camel"):
    """A ticker, or what has changed of it."""

    index_price: object = msgspec.UNSET


class Push(msgspec.Struct):
    """A message of the stream."""

    topic: str
    type: Literal["snapshot", "delta"]
    data: Changes
    ts: object = None


class Page(NamedTuple):
    """A part of the list of options."""

    listed: Mapping[str, Contract]  # by name
    cursor: str  # of the next page, "" on the last


class Bybit:
    """Bybit's public v5 API."""

    name = "bybit"

    def __init__(self, wire: Wire, now: Callable[[], datetime], keep: timedelta) -> None:
        self._wire = wire
        self._now = now
        self._parts = Parts(self.name, now, keep)
        self._listings = Listings[Contract](self._parts, now, keep)

    async def fetch_chain(self, underlying: str) -> OptionChain:
        """The coin's options, of both settlement coins."""
        part = await self._parts.get(underlying, lambda: self._chain(underlying))
        return part.value

    async def _chain(self, underlying: str) -> OptionChain:
        body, listed = await asyncio.gather(
            self._ask("tickers", category="option", baseCoin=underlying),
            self._listings.get((INSTRUMENTS, underlying), lambda: self._fetch_listing(underlying)),
        )
        chain = parse_chain(underlying, body, self._now(), listed)
        return join_parts(underlying, self.name, [chain])

    async def _fetch_listing(self, underlying: str) -> Mapping[str, Contract]:
        """The coin's listed options by name, page after page. Raises SourceError, also for none."""
        wanted = {"category": "option", "baseCoin": underlying, "limit": f"{PAGE_SIZE}"}
        listed: dict[str, Contract] = {}
        for _ in range(MOST_PAGES):
            page = parse_listing(await self._ask(INSTRUMENTS, **wanted))
            listed |= page.listed
            if not page.cursor:
                break
            wanted["cursor"] = page.cursor
        if not listed:
            raise SourceError(self.name, f"no {underlying} option is listed")
        return listed

    async def fetch_spot(self, underlying: str) -> Tick:
        """The index price, as of the venue's stamp."""
        return parse_spot(underlying, await self._linear(underlying), self._now())

    async def fetch_perpetual(self, underlying: str) -> float:
        """The perpetual's mark price, USD."""
        return parse_perpetual(underlying, await self._linear(underlying))

    async def fetch_candles(self, symbol: str) -> Sequence[Candle]:
        """The perpetual's 30-minute candles that opened within the last 48 hours, ascending."""
        body = await self._ask(
            "kline", category="linear", symbol=symbol, interval="30", limit="200"
        )
        return parse_candles(body, self._now())

    async def _linear(self, underlying: str) -> bytes:
        return await self._ask("tickers", category="linear", symbol=symbol_of(underlying))

    async def _ask(self, what: str, **params: str) -> bytes:
        return await self._wire.ask(self.name, "GET", f"/v5/market/{what}", params)


def parse_listing(body: bytes) -> Page:
    """The options of a page of the list, of which the last may have none. Raises SourceError."""
    answer = decode(Bybit.name, body, Answer)
    named = ((row, read_name(row.symbol)) for row in _rows(answer, Instrument) if row)
    listed = {row.symbol: _listed(row, contract) for row, contract in named if contract}
    cursor = answer.result.cursor if answer.result else None
    return Page(listed, cursor if isinstance(cursor, str) else "")


def parse_chain(
    underlying: str, body: bytes, now: datetime, listed: Mapping[str, Contract] = {}
) -> OptionChain:
    """The coin's rows, all as of the answer's own time; other coins are passed over.

    The name tells of an option that is not listed. The same option settled in USDT and in USDC is
    two rows. Raises SourceError.
    """
    answer = decode(Bybit.name, body, Answer)
    tickers = _rows(answer, OptionTicker)
    named = [(listed.get(one.symbol) or read_name(one.symbol), one) for one in tickers if one]
    options = [(contract, ticker) for contract, ticker in named if contract]
    own = [row for row in options if row[0].coin == underlying]
    columns = _columns(own, past(num(answer.time), milliseconds(now)))
    return to_chain(underlying, Bybit.name, columns, len(tickers) - len(options))


def parse_spot(underlying: str, body: bytes, now: datetime) -> Tick:
    """The coin's index price. Raises SourceError."""
    answer = decode(Bybit.name, body, Answer)
    price = _linear_ticker(symbol_of(underlying), answer).index_price
    return to_tick(Bybit.name, underlying, price, answer.time, now)


def parse_perpetual(underlying: str, body: bytes) -> float:
    """The mark price, USD. Raises SourceError."""
    answer = decode(Bybit.name, body, Answer)
    return to_price(Bybit.name, _linear_ticker(symbol_of(underlying), answer).mark_price)


def parse_candles(body: bytes, now: datetime) -> list[Candle]:
    """The candles of the 48 hours before `now`, ascending; Bybit's are not. Raises SourceError."""
    lines = _rows(decode(Bybit.name, body, Answer), list[object])
    return to_candles(Bybit.name, ((line or [])[:6] for line in lines), now)


@lru_cache(NAMES_KEPT)
def read_name(name: str) -> Contract | None:
    """The contract of that name; None where it names no option. Expiry is at 08:00 UTC."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    coin, day, month, year, digits, side = match.groups()
    expiry = expiry_of_day(2000 + int(year), MONTH_NUMBERS.get(month, 0), int(day))
    strike = positive(float(digits))
    if expiry is None or math.isnan(strike):
        return None
    return Contract(coin, expiry, strike, side == "C")


class BybitFeed:
    """The index prices among the tickers of the USDT perpetuals."""

    path = "/v5/public/linear"
    ping_every = 20.0

    def __init__(self, coins: Sequence[str], now: Callable[[], datetime]) -> None:
        self._now = now
        self._symbols = {f"tickers.{symbol_of(coin)}": symbol_of(coin) for coin in coins}
        self._prices: dict[str, float] = {}  # by topic: the index as of the last push, or NaN

    def greeting(self) -> Sequence[str]:
        """A subscription for each coin: Bybit refuses a message whole for one bad topic."""
        return [_text({"op": "subscribe", "args": [topic]}) for topic in self._symbols]

    def ping(self) -> str | None:
        """The heartbeat; its answer tells no price."""
        return _text({"op": "ping"})

    def read(self, text: str) -> Pushed:
        """The index price in a push; one that leaves it out says that it has not changed."""
        # A lone surrogate has no UTF-8; replaced, the message is unreadable or still what it was.
        push = decode_row(msgspec.Raw(text.encode(errors="replace")), Push)
        symbol = self._symbols.get(push.topic) if push else None
        if push is None or symbol is None:
            return NOTHING
        price = self._prices[push.topic] = self._index(push)
        if math.isnan(price):
            return NOTHING
        at = past(num(push.ts), milliseconds(self._now()))
        return Pushed((Tick(symbol, from_milliseconds(at), price, Bybit.name),))

    def _index(self, push: Push) -> float:
        """The index as of the push, USD; NaN until one is told."""
        if push.type == "delta" and push.data.index_price is msgspec.UNSET:
            return self._prices.get(push.topic, math.nan)
        return positive(num(push.data.index_price))


def _rows(answer: Answer, row: type[AnyRow]) -> Sequence[AnyRow | None]:
    if answer.ret_code != 0:
        raise SourceError(Bybit.name, f"{answer.ret_msg} ({answer.ret_code})")
    if answer.result is None or not answer.result.rows:
        raise SourceError(Bybit.name, "an answer without a list")
    return decode_rows(Bybit.name, answer.result.rows, row)


def _listed(row: Instrument, named: Contract) -> Contract:
    return named._replace(expiry=told_expiry(row.delivery_time, named.expiry))


def _columns(rows: Sequence[tuple[Contract, OptionTicker]], at: float) -> Columns:
    return Columns(
        expiry=[contract.expiry for contract, _ in rows],
        strike=[contract.strike for contract, _ in rows],
        is_call=[contract.is_call for contract, _ in rows],
        oi=[ticker.open_interest for _, ticker in rows],
        iv=[ticker.mark_iv for _, ticker in rows],
        forward=[ticker.underlying_price for _, ticker in rows],
        index_price=[ticker.index_price for _, ticker in rows],
        at=np.full(len(rows), at),
    )


def _linear_ticker(symbol: str, answer: Answer) -> LinearTicker:
    for ticker in _rows(answer, LinearTicker):
        if ticker and ticker.symbol == symbol:
            return ticker
    raise SourceError(Bybit.name, f"no {symbol}")


def _text(message: object) -> str:
    return msgspec.json.encode(message).decode()
