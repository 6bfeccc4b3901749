"""OKX: two lists a family, joined on open interest; IV a fraction, a forward an option."""

import asyncio
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Literal, NamedTuple, TypeVar

import msgspec
import numpy as np

from bot.core.chain import Ints, OptionChain, from_milliseconds, milliseconds
from bot.core.snapshot import Candle, Tick
from bot.core.symbols import coin_of
from bot.errors import NotListed, SourceError
from bot.exchanges.feed import NOTHING, Pushed
from bot.exchanges.parts import Parts
from bot.exchanges.rows import (
    A_DAY,
    HOURLY,
    NAMES_KEPT,
    Columns,
    Listings,
    decode,
    decode_row,
    decode_rows,
    expiry_of_day,
    gather_parts,
    join_parts,
    positive,
    stamps,
    to_candles,
    to_chain,
    to_price,
    to_tick,
    told_expiry,
    told_strike,
)
from bot.exchanges.terms import Limit, Terms
from bot.ports import Wire

NAME = re.compile(r"([A-Z]+-USD(?:_UM)?)-(\d{2})(\d{2})(\d{2})-(\d+(?:\.\d+)?)-([CP])")
SETTLEMENTS = ("USD", "USD_UM")  # inverse and linear: families with open interest of their own
FINE, TOO_MANY = "0", "50011"
UNKNOWN = ("51000", "51001")  # family, instrument
PUBLIC, MARKET = "/api/v5/public", "/api/v5/market"
TICK_BANDS, INSTRUMENTS = f"{PUBLIC}/instrument-tick-bands", f"{PUBLIC}/instruments"
SUMMARY, INTEREST = f"{PUBLIC}/opt-summary", f"{PUBLIC}/open-interest"
INDEX, MARK, CANDLES = f"{MARKET}/index-tickers", f"{PUBLIC}/mark-price", f"{MARKET}/candles"

# ts, open, high, low, close, volume in contracts, in coins, in USDT, confirm
Kline = tuple[object, object, object, object, object, object, object, object, object]
Line = TypeVar("Line")


class Answer(msgspec.Struct):
    """The envelope of every answer."""

    code: object = None
    msg: object = None
    data: msgspec.Raw = msgspec.Raw(b"[]")


class Band(msgspec.Struct, rename="camel"):
    """The tick sizes of a family that is listed."""

    inst_family: str


class Instrument(msgspec.Struct, rename="camel"):
    """A listed option."""

    inst_id: str
    stk: float = math.nan
    exp_time: float = math.nan
    ct_val: float = math.nan
    ct_mult: float = math.nan


class SummaryLine(msgspec.Struct, rename="camel", gc=False):
    """What the venue's model says of an option."""

    inst_id: str
    mark_vol: float = math.nan
    fwd_px: float = math.nan
    ts: float = math.nan


UNMARKED = SummaryLine("")


class InterestLine(msgspec.Struct, rename="camel", gc=False):
    """The open interest of an option."""

    inst_id: str
    oi: float = math.nan  # contracts
    oi_ccy: float = math.nan  # coins
    ts: float = math.nan


class IndexLine(msgspec.Struct, rename="camel"):
    """The index price of a pair such as BTC-USDT."""

    inst_id: str
    idx_px: object = None
    ts: object = None


class MarkLine(msgspec.Struct, rename="camel"):
    """The mark price of a perpetual."""

    inst_id: str
    mark_px: object = None


class Topic(msgspec.Struct):
    """What a pushed message is about."""

    channel: Literal["index-tickers"]


class Push(msgspec.Struct):
    """A message of the stream that has prices."""

    arg: Topic
    data: list[IndexLine]


class Option(NamedTuple):
    """What its name says of an option, or its metadata."""

    family: str
    expiry: int  # ms since 1970, UTC
    strike: float  # USD
    is_call: bool
    size: float  # coins a contract, NaN where only the name is known


class Marks(NamedTuple):
    """What the venue's model says of a family's options, by name; never empty."""

    lines: Mapping[str, SummaryLine]
    at: Mapping[str, int]  # ms since 1970, UTC


class Interest(NamedTuple):
    """The open interest of a family's options."""

    rows: Sequence[tuple[Option, InterestLine]]  # (n,)
    at: Ints  # (n,) ms since 1970, UTC
    unreadable: int


def is_too_many(body: bytes) -> bool:
    """Whether the answer says that there were too many requests."""
    answer = decode_row(body, Answer)
    return answer is not None and answer.code == TOO_MANY


TERMS = Terms(
    limits=(
        Limit(20, 2, PUBLIC, each_path=True),
        Limit(5, 2, TICK_BANDS),
        Limit(20, 2, INDEX),
        Limit(40, 2, CANDLES),
    ),
    is_too_many=is_too_many,
)


class Okx:
    """OKX's public v5 API."""

    name = "okx"

    def __init__(self, wire: Wire, now: Callable[[], datetime], keep: timedelta) -> None:
        self._wire = wire
        self._now = now
        self._keep = keep
        self._parts = Parts(self.name, now, keep)
        self._listings = Listings[Option](self._parts, now, keep)

    async def fetch_chain(self, underlying: str) -> OptionChain:
        """The coin's inverse and linear options; their index is NaN while there is none."""
        listed = await self._parts.get(TICK_BANDS, self._fetch_families, HOURLY, A_DAY)
        own = (f"{underlying}-{settlement}" for settlement in SETTLEMENTS)
        families = [family for family in own if family in listed.value]
        if not families:
            raise NotListed(self.name, f"no {underlying} options")
        index, chains = await asyncio.gather(
            self._index(underlying), gather_parts(map(self._family, families))
        )
        chain = join_parts(underlying, self.name, chains)
        return replace(chain, index=np.full(len(chain), index))

    async def fetch_spot(self, underlying: str) -> Tick:
        """The index price, as of the venue's stamp."""
        body = await self._ask(INDEX, instId=_pair(underlying))
        return parse_index(underlying, body, self._now())

    async def fetch_perpetual(self, underlying: str) -> float:
        """The perpetual's mark price, USD."""
        body = await self._ask(MARK, instType="SWAP", instId=_perpetual(underlying))
        return parse_mark(underlying, body)

    async def fetch_candles(self, symbol: str) -> Sequence[Candle]:
        """The perpetual's 30-minute candles that opened within the last 48 hours, ascending."""
        perpetual = _perpetual(coin_of(symbol))
        body = await self._ask(CANDLES, instId=perpetual, bar="30m", limit="300")
        return parse_candles(body, self._now())

    async def _family(self, family: str) -> OptionChain:
        key, fetch = (INSTRUMENTS, family), partial(self._fetch_options, family)
        marks, interest, listed = await asyncio.gather(
            self._marks(family), self._interest(family), self._listings.get(key, fetch)
        )
        if not listed and any(math.isnan(line.oi_ccy) for _, line in interest.rows):
            # Coins cannot be told without the sizes of contracts.
            listed = (await self._parts.get(key, fetch, HOURLY, A_DAY)).value
        return join_lists(family, marks, interest, listed)

    async def _marks(self, family: str) -> Marks:
        async def fetch() -> Marks:
            return parse_summary(await self._ask(SUMMARY, instFamily=family), self._now())

        return (await self._parts.get((SUMMARY, family), fetch)).value

    async def _interest(self, family: str) -> Interest:
        async def fetch() -> Interest:
            body = await self._ask(INTEREST, instType="OPTION", instFamily=family)
            return parse_interest(family, body, self._now())

        return (await self._parts.get((INTEREST, family), fetch)).value

    async def _index(self, underlying: str) -> float:
        """USD; NaN where there is none: the options' IV and open interest are worth having without.

        Rows are as old as their IV and open interest: levels need the index for forwards alone.
        """
        try:
            key = (INDEX, underlying)
            index = (await self._parts.get(key, lambda: self.fetch_spot(underlying))).value
        except SourceError:
            return math.nan
        # An old index shifts every forward by what the market has moved since. That is some 0.1 %
        # within `keep`, less than the basis that goes with the forwards where there is no index;
        # in an hour it would be more, and without an index the other venues' forwards serve.
        is_old = self._keep and self._now() - index.at > self._keep
        return math.nan if is_old else index.spot

    async def _fetch_options(self, family: str) -> Mapping[str, Option]:
        return parse_instruments(await self._ask(INSTRUMENTS, instType="OPTION", instFamily=family))

    async def _fetch_families(self) -> frozenset[str]:
        return parse_families(await self._ask(TICK_BANDS, instType="OPTION"))

    async def _ask(self, path: str, **params: str) -> bytes:
        return await self._wire.ask(self.name, "GET", path, params)


def parse_families(body: bytes) -> frozenset[str]:
    """The families that are listed, such as BTC-USD_UM. Raises SourceError, also for none."""
    bands = decode_rows(Okx.name, _data(body, unknown=SourceError), Band)
    families = frozenset(band.inst_family for band in bands if band and band.inst_family)
    if not families:
        raise SourceError(Okx.name, "no option family is listed")
    return families


def parse_instruments(body: bytes) -> Mapping[str, Option]:
    """The listed options of a family by name. Raises SourceError, also for none; NotListed."""
    lines = decode_rows(Okx.name, _data(body), Instrument)
    named = ((line, read_name(line.inst_id)) for line in lines if line)
    options = {line.inst_id: _listed(line, option) for line, option in named if option}
    if not options:
        raise SourceError(Okx.name, "no option is listed")
    return options


def parse_summary(body: bytes, now: datetime) -> Marks:
    """The marks of a family's options. Raises SourceError, also for none; NotListed."""
    rows = decode_rows(Okx.name, _data(body), SummaryLine)
    lines = {line.inst_id: line for line in rows if line}
    if not lines:
        raise SourceError(Okx.name, "no summary")
    at = stamps([line.ts for line in lines.values()], milliseconds(now))
    return Marks(lines, dict(zip(lines, at.tolist(), strict=True)))


def parse_interest(family: str, body: bytes, now: datetime) -> Interest:
    """The family's open interest; other families are passed over.

    Raises SourceError, also where there is none: a family that is listed has options. Raises
    NotListed where it is unknown.
    """
    rows = decode_rows(Okx.name, _data(body), InterestLine)
    named = [(read_name(line.inst_id), line) for line in rows if line]
    options = [(option, line) for option, line in named if option]
    own = [row for row in options if row[0].family == family]
    unreadable = len(rows) - len(options)
    if not own and not unreadable:
        raise SourceError(Okx.name, f"no open interest of {family}")
    return Interest(own, stamps([line.ts for _, line in own], milliseconds(now)), unreadable)


def join_lists(
    family: str, marks: Marks, interest: Interest, listed: Mapping[str, Option]
) -> OptionChain:
    """Every option that has an open interest, as old as the older list; without marks NaN."""
    rows = [(listed.get(line.inst_id, option), line) for option, line in interest.rows]
    marked = [marks.lines.get(line.inst_id, UNMARKED) for _, line in rows]
    marked_at = [marks.at.get(line.inst_id, math.inf) for _, line in rows]
    columns = Columns(
        expiry=[option.expiry for option, _ in rows],
        strike=[option.strike for option, _ in rows],
        is_call=[option.is_call for option, _ in rows],
        oi=[_coins(line, option) for option, line in rows],
        iv=[line.mark_vol for line in marked],
        forward=[line.fwd_px for line in marked],
        index_price=np.full(len(rows), math.nan),
        at=np.minimum(interest.at, marked_at),
    )
    chain = to_chain(family.partition("-")[0], Okx.name, columns, interest.unreadable)
    return _as_old_as(chain, from_milliseconds(max(marks.at.values())))


def parse_index(underlying: str, body: bytes, now: datetime) -> Tick:
    """The coin's index price. Raises SourceError; NotListed where it has none."""
    for line in decode_rows(Okx.name, _data(body), IndexLine):
        if line and line.inst_id == _pair(underlying):
            return to_tick(Okx.name, underlying, line.idx_px, line.ts, now)
    raise SourceError(Okx.name, f"no index price of {underlying}")


def parse_mark(underlying: str, body: bytes) -> float:
    """The perpetual's mark price, USD. Raises SourceError; NotListed where there is none."""
    for line in decode_rows(Okx.name, _data(body), MarkLine):
        if line and line.inst_id == _perpetual(underlying):
            return to_price(Okx.name, line.mark_px)
    raise SourceError(Okx.name, f"no mark price of {underlying}")


def parse_candles(body: bytes, now: datetime) -> list[Candle]:
    """The candles of the 48 hours before `now`, ascending. Raises SourceError, NotListed."""
    lines = decode(Okx.name, _data(body), list[Kline])
    return to_candles(Okx.name, [(*line[:5], line[6]) for line in lines], now)


@lru_cache(maxsize=NAMES_KEPT)
def read_name(name: str) -> Option | None:
    """The option of that name; None where it names none. Expiry is at 08:00 UTC."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    family, year, month, day, digits, side = match.groups()
    expiry, strike = expiry_of_day(2000 + int(year), int(month), int(day)), positive(float(digits))
    if expiry is None or math.isnan(strike):
        return None
    return Option(family, expiry, strike, side == "C", math.nan)


class OkxFeed:
    """The index prices of OKX's public stream."""

    path = "/ws/v5/public"
    ping_every = 20.0  # OKX cuts a connection that was silent for 30

    def __init__(self, coins: Sequence[str], now: Callable[[], datetime]) -> None:
        self._coins = {_pair(coin): coin for coin in coins}
        self._now = now

    def greeting(self) -> Sequence[str]:
        """A subscription for each coin."""
        topics = [{"channel": "index-tickers", "instId": pair} for pair in self._coins]
        messages = [{"op": "subscribe", "args": [topic]} for topic in topics]
        return [msgspec.json.encode(message).decode() for message in messages]

    def ping(self) -> str | None:
        """The heartbeat, which is no JSON; neither is its answer."""
        return "ping"

    def read(self, text: str) -> Pushed:
        """The index prices in a push."""
        push = decode_row(text, Push)
        if push is None:
            return NOTHING
        try:
            return Pushed(tuple(map(self._tick, push.data)))
        except SourceError:  # no price, or of nobody's coin
            return NOTHING

    def _tick(self, line: IndexLine) -> Tick:
        coin = self._coins.get(line.inst_id)
        if coin is None:
            raise SourceError(Okx.name, f"{line.inst_id} was not asked for")
        return to_tick(Okx.name, coin, line.idx_px, line.ts, self._now())


def _pair(coin: str) -> str:
    return f"{coin}-USDT"


def _perpetual(coin: str) -> str:
    return f"{coin}-USDT-SWAP"


def _data(body: bytes, unknown: type[SourceError] = NotListed) -> msgspec.Raw:
    """The lines of an answer, unread. Raises SourceError; `unknown` where it is about nothing."""
    answer = decode(Okx.name, body, Answer)
    if answer.code == FINE:
        return answer.data
    kind = unknown if answer.code in UNKNOWN else SourceError
    raise kind(Okx.name, f"{answer.msg} ({answer.code})")


def _listed(line: Instrument, named: Option) -> Option:
    """The option by its metadata, and by its name where that is unreadable."""
    return named._replace(
        expiry=told_expiry(line.exp_time, named.expiry),
        strike=told_strike(line.stk, named.strike),
        size=positive(line.ct_val * line.ct_mult),
    )


def _coins(line: InterestLine, option: Option) -> float:
    return line.oi * option.size if math.isnan(line.oi_ccy) else line.oi_ccy


def _as_old_as(chain: OptionChain, part: datetime) -> OptionChain:
    """The chain, made no later than a part of it."""
    sources = tuple(replace(source, at=min(source.at, part)) for source in chain.sources)
    return replace(chain, sources=sources)
