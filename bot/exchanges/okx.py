"""OKX: two lists a family, joined on open interest; IV a fraction, a forward an option."""

import asyncio
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

import msgspec
import numpy as np

from bot.core.chain import OptionChain, from_milliseconds, milliseconds
from bot.core.snapshot import Candle, Tick
from bot.core.symbols import coin_of
from bot.errors import NotListed, SourceError
from bot.exchanges.feed import NOTHING, Pushed
from bot.exchanges.parts import Parts
from bot.exchanges.rows import (
    NAMES_KEPT,
    Row,
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
)
from bot.exchanges.terms import Limit, Terms
from bot.ports import Wire

NAME = re.compile(r"([A-Z]+-USD(?:_UM)?)-(\d{2})(\d{2})(\d{2})-(\d+(?:\.\d+)?)-([CP])")
SETTLEMENTS = ("USD", "USD_UM")  # inverse and linear: families with open interest of their own
RENEWED, KEPT = timedelta(hours=1), timedelta(days=1)  # what is listed
DAY_MS = 86_400_000
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
    """A listed option; `num` reads its numbers and those of the lines below."""

    inst_id: str
    stk: object = None
    exp_time: object = None
    ct_val: object = None
    ct_mult: object = None


class SummaryLine(msgspec.Struct, rename="camel"):
    """What the venue's model says of an option."""

    inst_id: str
    mark_vol: object = None
    fwd_px: object = None
    ts: object = None


class InterestLine(msgspec.Struct, rename="camel"):
    """The open interest of an option."""

    inst_id: str
    oi: object = None  # contracts
    oi_ccy: object = None  # coins
    ts: object = None


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


class Quote(NamedTuple):
    """An option's marks."""

    iv: float  # a year, fraction
    forward: float  # USD
    at: int  # ms since 1970, UTC


class Interest(NamedTuple):
    """An option's open interest; NaN coins where the venue gives contracts alone."""

    name: str
    option: Option
    coins: float
    contracts: float
    at: int  # ms since 1970, UTC


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
        self._parts = Parts(self.name, now, keep)

    async def fetch_chain(self, underlying: str) -> OptionChain:
        """The coin's inverse and linear options; their index is NaN while there is none."""
        listed = await self._parts.get(TICK_BANDS, self._fetch_families, RENEWED, KEPT)
        own = (f"{underlying}-{settlement}" for settlement in SETTLEMENTS)
        families = [family for family in own if family in listed.value]
        if not families:
            raise NotListed(self.name, f"no {underlying} options")
        index, chains = await asyncio.gather(
            self._index(underlying), gather_parts(map(self._family, families))
        )
        chain = join_parts(underlying, self.name, chains)
        return _with_index(chain, index) if index else chain

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
        quotes, interest = await asyncio.gather(self._quotes(family), self._interest(family))
        incomplete = any(one and math.isnan(one.coins) for one in interest)
        listed = await self._options(family) if incomplete else {}
        return join_lists(family, quotes, interest, listed)

    async def _quotes(self, family: str) -> Mapping[str, Quote]:
        async def fetch() -> Mapping[str, Quote]:
            return parse_summary(await self._ask(SUMMARY, instFamily=family), self._now())

        return (await self._parts.get((SUMMARY, family), fetch)).value

    async def _interest(self, family: str) -> Sequence[Interest | None]:
        async def fetch() -> Sequence[Interest | None]:
            body = await self._ask(INTEREST, instType="OPTION", instFamily=family)
            return parse_interest(family, body, self._now())

        return (await self._parts.get((INTEREST, family), fetch)).value

    async def _options(self, family: str) -> Mapping[str, Option]:
        async def fetch() -> Mapping[str, Option]:
            params = {"instType": "OPTION", "instFamily": family}
            return parse_instruments(await self._ask(INSTRUMENTS, **params))

        return (await self._parts.get((INSTRUMENTS, family), fetch, RENEWED, KEPT)).value

    async def _index(self, underlying: str) -> Tick | None:
        """None where there is none: the options' IV and open interest are worth having without."""
        try:
            key = (INDEX, underlying)
            return (await self._parts.get(key, lambda: self.fetch_spot(underlying))).value
        except SourceError:
            return None

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


def parse_summary(body: bytes, now: datetime) -> Mapping[str, Quote]:
    """The marks of a family's options by name. Raises SourceError, also for none; NotListed."""
    now_ms = milliseconds(now)
    lines = decode_rows(Okx.name, _data(body), SummaryLine)
    quotes = {line.inst_id: _quote(line, now_ms) for line in lines if line}
    if not quotes:
        raise SourceError(Okx.name, "no summary")
    return quotes


def parse_interest(family: str, body: bytes, now: datetime) -> Sequence[Interest | None]:
    """The family's open interest, None for each unreadable row; other families are passed over.

    Raises SourceError, also where there is none: a family that is listed has options. Raises
    NotListed where it is unknown.
    """
    now_ms = milliseconds(now)
    rows = [_interest(line, now_ms) for line in decode_rows(Okx.name, _data(body), InterestLine)]
    own = [row for row in rows if row is None or row.option.family == family]
    if not own:
        raise SourceError(Okx.name, f"no open interest of {family}")
    return own


def join_lists(
    family: str,
    quotes: Mapping[str, Quote],
    interest: Sequence[Interest | None],
    listed: Mapping[str, Option],
) -> OptionChain:
    """Every option that has an open interest, as old as the older list; without quote NaN."""
    known = [one for one in interest if one]
    rows = [_row(one, listed.get(one.name, one.option), quotes.get(one.name)) for one in known]
    unreadable = +Counter(row_unreadable=len(interest) - len(known))
    chain = to_chain(family.partition("-")[0], Okx.name, rows, unreadable)
    return _as_old_as(chain, from_milliseconds(max(quote.at for quote in quotes.values())))


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
    strike, expiry = positive(num(line.stk)), num(line.exp_time)
    return named._replace(
        # A time that is not near the day in the name is in another unit, or none.
        expiry=int(expiry) if abs(expiry - named.expiry) < DAY_MS else named.expiry,
        strike=named.strike if math.isnan(strike) else strike,
        size=positive(num(line.ct_val) * num(line.ct_mult)),
    )


def _quote(line: SummaryLine, now_ms: float) -> Quote:
    at = int(past(num(line.ts), now_ms))
    return Quote(num(line.mark_vol), positive(num(line.fwd_px)), at)


def _interest(line: InterestLine | None, now_ms: float) -> Interest | None:
    option = read_name(line.inst_id) if line else None
    if line is None or option is None:
        return None
    coins, at = num(line.oi_ccy), int(past(num(line.ts), now_ms))
    contracts = num(line.oi) if math.isnan(coins) else math.nan
    return Interest(line.inst_id, option, coins, contracts, at)


def _row(interest: Interest, option: Option, quote: Quote | None) -> Row:
    coins = interest.coins
    return Row(
        expiry=option.expiry,
        strike=option.strike,
        is_call=option.is_call,
        oi=interest.contracts * option.size if math.isnan(coins) else coins,
        iv=quote.iv if quote else math.nan,
        forward=quote.forward if quote else math.nan,
        index_price=math.nan,
        at=min(interest.at, quote.at) if quote else interest.at,
    )


def _as_old_as(chain: OptionChain, part: datetime) -> OptionChain:
    """The chain, made no later than a part of it."""
    sources = tuple(replace(source, at=min(source.at, part)) for source in chain.sources)
    return replace(chain, sources=sources)


def _with_index(chain: OptionChain, index: Tick) -> OptionChain:
    return _as_old_as(replace(chain, index=np.full(len(chain), index.spot)), index.at)
