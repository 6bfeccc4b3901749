"""Deribit: whole books by currency; IV in percent, open interest in coins, a forward a row."""

import asyncio
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
import numpy as np

from bot.core.chain import OptionChain, milliseconds
from bot.core.snapshot import Candle, Tick
from bot.core.symbols import coin_of
from bot.errors import SourceError
from bot.exchanges.feed import NOTHING, Pushed
from bot.exchanges.parts import Parts
from bot.exchanges.rows import (
    CANDLES_SPAN,
    MONTH_NUMBERS,
    NAMES_KEPT,
    Columns,
    Contract,
    Listings,
    decode,
    decode_row,
    decode_rows,
    expiry_of_day,
    gather_parts,
    join_parts,
    num,
    past,
    positive,
    to_candles,
    to_chain,
    to_price,
    to_tick,
    told_expiry,
    told_strike,
)
from bot.exchanges.rpc import Refused, call, error_code, open_answer
from bot.exchanges.terms import Limit, Terms
from bot.ports import Wire

NAME = re.compile(r"([A-Z]+)(?:_(?:USDC|USDT))?-(\d{1,2})([A-Z]{3})(\d{2})-(\d+(?:d\d+)?)-([CP])")
INVERSE = ("BTC", "ETH")  # have a book of their own; their linear options are in the USDC book
LINEAR_BOOK = "USDC"
PERCENT = 100.0
MICROSECONDS = 1_000.0  # a millisecond
ROOT = "/api/v2/public"
INSTRUMENTS = "get_instruments"
TOO_MANY_REQUESTS = 10_028
HEARTBEAT_SECONDS = 30

TERMS = Terms(
    limits=(
        Limit(100, 5.0),  # 20 a second, and a burst of 100
        Limit(50, 50.0, f"{ROOT}/{INSTRUMENTS}"),  # 1 a second, and a burst of 50
    ),
    is_too_many=lambda body: error_code(body) == TOO_MANY_REQUESTS,
)


class Summary(msgspec.Struct, gc=False):
    """One row of a book."""

    instrument_name: str
    open_interest: float = math.nan
    mark_iv: float = math.nan
    underlying_price: float = math.nan
    estimated_delivery_price: float = math.nan
    creation_timestamp: float = math.nan


class Instrument(msgspec.Struct, gc=False):
    """A listed option."""

    instrument_name: str
    strike: float = math.nan
    expiration_timestamp: float = math.nan  # ms since 1970


class Prices(msgspec.Struct):
    """The result of get_index_price or of a perpetual's ticker."""

    index_price: object = None
    mark_price: object = None


class Chart(msgspec.Struct):
    """Candles in columns, ascending; `ticks` are their opening times in ms."""

    ticks: list[object] = []
    open: list[object] = []
    high: list[object] = []
    low: list[object] = []
    close: list[object] = []
    volume: list[object] = []  # coins, of inverse perpetuals too


class Quote(msgspec.Struct):
    """A pushed index price."""

    price: object = None
    timestamp: object = None


class Params(msgspec.Struct):
    """What a pushed message is about."""

    type: str = ""
    channel: str = ""
    data: Quote | None = None


class Push(msgspec.Struct):
    """A message of the stream; the answer to a call has no method."""

    method: str
    params: Params


@dataclass(frozen=True, slots=True)
class Book:
    """A currency's rows by coin. They become columns when asked for: some coins never are."""

    summaries: Mapping[str, Sequence[tuple[Contract, Summary]]]
    unreadable: int
    sent_ms: float  # since 1970: the stamp of rows without one
    now_ms: float

    def chain(self, underlying: str) -> OptionChain:
        """The coin's rows, and what was unreadable in the book, which names no coin.

        A coin without rows in a book that can be read of others is none of the book's.
        """
        rows = self.summaries.get(underlying, ())
        unreadable = self.unreadable if rows or not self.summaries else 0
        return to_chain(underlying, Deribit.name, self._columns(rows), unreadable)

    def _columns(self, rows: Sequence[tuple[Contract, Summary]]) -> Columns:
        at = np.array([summary.creation_timestamp for _, summary in rows])
        return Columns(
            expiry=[contract.expiry for contract, _ in rows],
            strike=[contract.strike for contract, _ in rows],
            is_call=[contract.is_call for contract, _ in rows],
            oi=[summary.open_interest for _, summary in rows],
            iv=np.array([summary.mark_iv for _, summary in rows]) / PERCENT,
            forward=[summary.underlying_price for _, summary in rows],
            index_price=[summary.estimated_delivery_price for _, summary in rows],
            at=np.where((at > 0) & (at <= self.now_ms), at, self.sent_ms),
        )


class Deribit:
    """Deribit's public JSON-RPC over HTTP."""

    name = "deribit"

    def __init__(self, wire: Wire, now: Callable[[], datetime], keep: timedelta) -> None:
        self._wire = wire
        self._now = now
        self._parts = Parts(self.name, now, keep)
        self._listings = Listings[Contract](self._parts, now, keep)

    async def fetch_chain(self, underlying: str) -> OptionChain:
        """The coin's inverse and USDC-linear options."""
        currencies = [underlying, LINEAR_BOOK] if underlying in INVERSE else [LINEAR_BOOK]
        books = await gather_parts(self._book(currency) for currency in currencies)
        return join_parts(underlying, self.name, [book.chain(underlying) for book in books])

    async def _book(self, currency: str) -> Book:
        """The book of a currency: one USDC book serves seven coins."""
        part = await self._parts.get(currency, lambda: self._fetch_book(currency))
        return part.value

    async def _fetch_book(self, currency: str) -> Book:
        body, listed = await asyncio.gather(
            self._ask("get_book_summary_by_currency", currency=currency, kind="option"),
            self._listings.get((INSTRUMENTS, currency), lambda: self._fetch_listing(currency)),
        )
        return parse_book(body, self._now(), listed)

    async def _fetch_listing(self, currency: str) -> Mapping[str, Contract]:
        body = await self._ask(INSTRUMENTS, currency=currency, kind="option", expired="false")
        return parse_listing(body)

    async def fetch_spot(self, underlying: str) -> Tick:
        """The index price; that of the perpetual's ticker where Deribit refuses the index.

        HYPE's is not in the published list of indexes.
        """
        try:
            body = await self._ask("get_index_price", index_name=index_of(underlying))
            return parse_spot(underlying, body, self._now())
        except Refused:
            return parse_spot(underlying, await self._ticker(underlying), self._now())

    async def fetch_perpetual(self, underlying: str) -> float:
        """The perpetual's mark price, USD."""
        return parse_perpetual(await self._ticker(underlying))

    async def fetch_candles(self, symbol: str) -> Sequence[Candle]:
        """The perpetual's 30-minute candles that opened within the last 48 hours, ascending."""
        minute = self._now().replace(second=0, microsecond=0)
        body = await self._ask(
            "get_tradingview_chart_data",
            instrument_name=perpetual_of(coin_of(symbol)),
            start_timestamp=f"{milliseconds(minute - CANDLES_SPAN):.0f}",
            end_timestamp=f"{milliseconds(minute):.0f}",
            resolution="30",
        )
        return parse_candles(body, self._now())

    async def _ticker(self, underlying: str) -> bytes:
        return await self._ask("ticker", instrument_name=perpetual_of(underlying))

    async def _ask(self, method: str, **params: str) -> bytes:
        return await self._wire.ask(self.name, "GET", f"{ROOT}/{method}", params)


def parse_listing(body: bytes) -> Mapping[str, Contract]:
    """The listed options of a currency by name. Raises SourceError, also for none."""
    rows = decode_rows(Deribit.name, open_answer(Deribit.name, body).result, Instrument)
    named = ((row, read_name(row.instrument_name)) for row in rows if row)
    listed = {row.instrument_name: _listed(row, contract) for row, contract in named if contract}
    if not listed:
        raise SourceError(Deribit.name, "no option is listed")
    return listed


def parse_book(body: bytes, now: datetime, listed: Mapping[str, Contract] = {}) -> Book:
    """The rows of one currency, of all its coins; the name tells of what is not listed.

    Raises SourceError.
    """
    answer = open_answer(Deribit.name, body)
    rows = decode_rows(Deribit.name, answer.result, Summary)
    summaries: defaultdict[str, list[tuple[Contract, Summary]]] = defaultdict(list)
    for summary in filter(None, rows):
        name = summary.instrument_name
        contract = listed.get(name) or read_name(name)
        if contract:
            summaries[contract.coin].append((contract, summary))
    unreadable = len(rows) - sum(map(len, summaries.values()))
    now_ms = milliseconds(now)
    return Book(summaries, unreadable, past(num(answer.sent) / MICROSECONDS, now_ms), now_ms)


def parse_spot(underlying: str, body: bytes, now: datetime) -> Tick:
    """The index price as of when it was sent. Raises SourceError."""
    answer = open_answer(Deribit.name, body)
    price = decode(Deribit.name, answer.result, Prices).index_price
    return to_tick(Deribit.name, underlying, price, num(answer.sent) / MICROSECONDS, now)


def parse_perpetual(body: bytes) -> float:
    """The mark price, USD. Raises SourceError."""
    prices = decode(Deribit.name, open_answer(Deribit.name, body).result, Prices)
    return to_price(Deribit.name, prices.mark_price)


def parse_candles(body: bytes, now: datetime) -> list[Candle]:
    """The candles of the 48 hours before `now`, ascending. Raises SourceError."""
    chart = decode(Deribit.name, open_answer(Deribit.name, body).result, Chart)
    columns = (chart.ticks, chart.open, chart.high, chart.low, chart.close, chart.volume)
    if len(set(map(len, columns))) > 1:
        raise SourceError(Deribit.name, "candles in columns of different lengths")
    return to_candles(Deribit.name, zip(*columns, strict=True), now)


@lru_cache(NAMES_KEPT)
def read_name(name: str) -> Contract | None:
    """What the name of an option says, its expiry at 08:00 UTC; None where it names none."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    coin, day, month, year, digits, side = match.groups()
    expiry = expiry_of_day(2000 + int(year), MONTH_NUMBERS.get(month, 0), int(day))
    strike = positive(float(digits.replace("d", ".")))
    if expiry is None or math.isnan(strike):
        return None
    return Contract(coin, expiry, strike, side == "C")


def index_of(coin: str) -> str:
    """The name of the coin's price index."""
    return f"{coin.lower()}_{'usd' if coin in INVERSE else 'usdc'}"


def perpetual_of(coin: str) -> str:
    """The name of the coin's perpetual."""
    return f"{coin}-PERPETUAL" if coin in INVERSE else f"{coin}_USDC-PERPETUAL"


class DeribitFeed:
    """The index prices of Deribit's stream."""

    path = "/ws/api/v2"
    ping_every = 30.0

    def __init__(self, coins: Sequence[str], now: Callable[[], datetime]) -> None:
        self._now = now
        self._coins = {f"deribit_price_index.{index_of(coin)}": coin for coin in coins}

    def greeting(self) -> Sequence[str]:
        """The wish for heartbeats, and a subscription for each coin."""
        wish = call(1, "public/set_heartbeat", interval=HEARTBEAT_SECONDS)
        subscriptions = [
            call(number, "public/subscribe", channels=[channel])
            for number, channel in enumerate(self._coins, 2)
        ]
        return [wish, *subscriptions]

    def ping(self) -> str | None:
        """Nothing: Deribit asks, and wants an answer."""
        return None

    def read(self, text: str) -> Pushed:
        """The price of a subscribed index, or the answer that a heartbeat asks for."""
        push = decode_row(text, Push)
        if push is None:
            return NOTHING
        if push.method == "heartbeat" and push.params.type == "test_request":
            return Pushed(replies=(call(0, "public/test"),))
        coin, quote = self._coins.get(push.params.channel), push.params.data
        if push.method != "subscription" or coin is None or quote is None:
            return NOTHING
        try:
            tick = to_tick(Deribit.name, coin, quote.price, quote.timestamp, self._now())
        except SourceError:
            return NOTHING
        return Pushed((tick,))


def _listed(row: Instrument, named: Contract) -> Contract:
    return named._replace(
        expiry=told_expiry(row.expiration_timestamp, named.expiry),
        strike=told_strike(row.strike, named.strike),
    )
