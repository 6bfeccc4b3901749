"""Binance: marks of all coins at once, open interest in contracts an expiry; no forward at all."""

import asyncio
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np

from bot.core.chain import OptionChain, from_milliseconds, milliseconds
from bot.core.snapshot import Candle, Tick
from bot.core.symbols import symbol_of
from bot.errors import NotListed, SourceError
from bot.exchanges.feed import NOTHING, Pushed
from bot.exchanges.parts import Part, Parts
from bot.exchanges.rows import (
    A_DAY,
    FAR_FUTURE_MS,
    HOURLY,
    SOON,
    Columns,
    decode,
    decode_row,
    decode_rows,
    expiry_of_day,
    join_parts,
    num,
    positive,
    prices,
    stamps,
    to_candles,
    to_chain,
    to_price,
    to_tick,
)
from bot.exchanges.terms import Limit, Terms
from bot.ports import Wire

NAME = re.compile(r"[A-Z0-9]+-(\d\d)(\d\d)(\d\d)-(\d+(?:\.\d+)?)-([CP])")
OPTION_API = "/eapi/v1/"
FUTURES_API = "/fapi/v1/"
SPOT_API = "/api/v3/"
CRYPTO = (None, "CRYPTO")  # underlying types; the others are shares, metals and the like
YOUNG = 0.9  # of `keep`: the chain is judged once every venue was heard, some seconds later

TOO_MANY_REQUESTS = -1003
INVALID_SYMBOL = -1121
NO_FIGURE = -6010  # undocumented; reported for open interest

WEIGHTS = {
    f"{OPTION_API}mark": 5.0,
    f"{OPTION_API}openInterest": 0.2,  # 0 by the documents; what costs nothing would have no bound
    f"{FUTURES_API}klines": 2.0,  # of at most 499 candles
    f"{SPOT_API}klines": 2.0,
}

Answer = TypeVar("Answer")
Kline = tuple[int, str, str, str, str, str, int, str, int, str, str, str]


class Refusal(msgspec.Struct):
    """Why Binance refused; without a code it did not."""

    code: int = 0
    msg: str = "no message"


class ExchangeInfo(Refusal, rename="camel"):
    """The list of options."""

    option_symbols: list[msgspec.Raw] = []


class Prices(Refusal, rename="camel"):
    """The prices of a coin, untrusted."""

    index_price: object = None
    mark_price: object = None
    time: object = None


class ListedOption(msgspec.Struct, rename="camel"):
    """One option of the list, untrusted."""

    symbol: str
    side: object = None
    strike_price: object = None
    expiry_date: object = None
    unit: object = None
    underlying_type: object = None


class Mark(msgspec.Struct, gc=False):
    """The IV of one option; -1 is none."""

    symbol: str
    iv: float = msgspec.field(name="markIV", default=math.nan)


class OpenInterest(msgspec.Struct, gc=False):
    """The open contracts of one option."""

    symbol: str
    contracts: float = msgspec.field(name="sumOpenInterest", default=math.nan)
    timestamp: float = math.nan  # ms since 1970


class PriceUpdate(msgspec.Struct):
    """The prices of a perpetual in a push, untrusted."""

    event: str = msgspec.field(name="e")
    symbol: str = msgspec.field(name="s")
    index: object = msgspec.field(name="i", default=None)
    at: object = msgspec.field(name="E", default=None)


class Push(msgspec.Struct):
    """A message of a combined stream."""

    data: PriceUpdate


class Option(NamedTuple):
    """What an option is."""

    expiry: int  # ms since 1970, UTC
    strike: float  # USD
    is_call: bool
    unit: float  # coins per contract


Options = dict[str, Option]  # by symbol


class Marks(NamedTuple):
    """The marks of all coins."""

    ivs: Mapping[str, Mapping[str, float]]  # by coin and symbol: a year, fraction
    unreadable: int


class Counts(NamedTuple):
    """The open interest of an expiry."""

    contracts: Mapping[str, float]  # by symbol, never empty
    at: int  # ms since 1970, UTC
    unreadable: int


class Unreported(SourceError):
    """Binance says that it has no such figure, though it lists the coin."""


class Binance:
    """Binance's public options, futures and spot APIs."""

    name = "binance"

    def __init__(self, wire: Wire, now: Callable[[], datetime], keep: timedelta) -> None:
        self._wire = wire
        self._now = now
        self._young = YOUNG * keep
        self._parts = Parts(self.name, now, keep)
        self._reported: dict[str, Mapping[str, Counts]] = {}  # by coin and day, the last figures

    async def fetch_chain(self, underlying: str) -> OptionChain:
        """The coin's options, without forwards; as old as the oldest part."""
        listed = await self._listed(underlying, HOURLY)
        marks = await self._figures("mark", parse_marks)
        ivs = _of_coin(marks.value, underlying)
        if live_days(unlisted(ivs, listed), self._now()):
            listed = await self._listed(underlying, SOON)
        options = listed | unlisted(ivs, listed)
        index, counts = await asyncio.gather(
            self._index(underlying),
            self._open_interest(underlying, live_days(options, self._now())),
        )
        return join(underlying, options, marks, index, counts)

    async def fetch_spot(self, underlying: str) -> Tick:
        """The index price, as of the venue's stamp."""
        return parse_spot(underlying, await self._premium(underlying), self._now())

    async def fetch_perpetual(self, underlying: str) -> float:
        """The perpetual's mark price, USD."""
        return parse_perpetual(await self._premium(underlying))

    async def fetch_candles(self, symbol: str) -> Sequence[Candle]:
        """The 30-minute candles that opened within the last 48 hours, ascending.

        Of the perpetual where there is no spot market.
        """
        params = {"symbol": symbol, "interval": "30m", "limit": "499"}
        try:
            return parse_candles(await self._ask(f"{SPOT_API}klines", params), self._now())
        except NotListed:
            return parse_candles(await self._ask(f"{FUTURES_API}klines", params), self._now())

    async def _listed(self, underlying: str, renew: timedelta) -> Options:
        """The coin's options. Raises NotListed."""

        async def fetch() -> dict[str, Options]:
            return parse_listing(await self._ask(f"{OPTION_API}exchangeInfo", {}))

        listing = await self._parts.get("exchangeInfo", fetch, renew=renew, keep=A_DAY)
        options = listing.value.get(underlying)
        if options is None:
            raise NotListed(self.name, f"no {underlying} options")
        if not options:
            raise SourceError(self.name, f"no readable {underlying} option is listed")
        return options

    async def _index(self, underlying: str) -> Tick:
        part = await self._figures(
            "index",
            lambda body: parse_spot(underlying, body, self._now()),
            underlying=symbol_of(underlying),
        )
        return part.value

    async def _open_interest(self, underlying: str, days: Sequence[str]) -> Sequence[Counts]:
        """What the expiries have. Raises SourceError when none has any.

        An empty list or -6010 is no outage: the last figures stand in while they are young. One
        expiry that has none counts as nothing open, and must not cost the others.
        """
        answers = await asyncio.gather(*(self._counts(underlying, day) for day in days))
        told = dict(zip(days, answers, strict=True))
        since = milliseconds(self._now() - self._young)
        counts = newest(told, self._reported.get(underlying, {}), since)
        if not counts:
            raise SourceError(self.name, f"no open interest of {underlying}")
        self._reported[underlying] = counts
        return list(counts.values())

    async def _counts(self, underlying: str, day: str) -> Counts | None:
        """The open interest of the expiry on that day; None where the venue has no figure."""

        async def fetch() -> Counts | None:
            params = {"underlyingAsset": underlying, "expiration": day}
            try:
                body = await self._ask(f"{OPTION_API}openInterest", params)
                return parse_counts(underlying, body, self._now())
            except (NotListed, Unreported):
                return None

        return (await self._parts.get(("openInterest", underlying, day), fetch)).value

    async def _figures(
        self, what: str, parse: Callable[[bytes], Answer], **params: str
    ) -> Part[Answer]:
        """Figures of a listed coin: that there are none is no answer, so the last one serves."""

        async def fetch() -> Answer:
            try:
                return parse(await self._ask(f"{OPTION_API}{what}", params))
            except NotListed as error:
                raise Unreported(self.name, error.reason) from error

        return await self._parts.get((what, *params.values()), fetch)

    async def _premium(self, underlying: str) -> bytes:
        return await self._ask(f"{FUTURES_API}premiumIndex", {"symbol": symbol_of(underlying)})

    async def _ask(self, path: str, params: Mapping[str, str]) -> bytes:
        return await self._wire.ask(self.name, "GET", path, params)


def parse_listing(body: bytes) -> dict[str, Options]:
    """The listed options of each coin. Raises SourceError, also when no coin is listed.

    An option whose strike, expiry, side or unit cannot be read is left out: its name serves.
    """
    listing: dict[str, Options] = {}
    for raw in _read(body, ExchangeInfo).option_symbols:
        row = decode_row(raw, ListedOption)
        if row is None or row.underlying_type not in CRYPTO:
            continue
        options = listing.setdefault(_coin_in(row.symbol), {})
        option = _option(row)
        if option:
            options[row.symbol] = option
    if not listing:
        raise SourceError(Binance.name, "a list of no options")
    return listing


def parse_marks(body: bytes) -> Marks:
    """The IV of every option of every coin. Raises SourceError."""
    rows = _read_rows(body, Mark)
    ivs: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for mark in filter(None, rows):
        ivs[_coin_in(mark.symbol)][mark.symbol] = mark.iv
    if not ivs:
        raise SourceError(Binance.name, "no marks")
    return Marks(dict(ivs), rows.count(None))


def parse_counts(underlying: str, body: bytes, now: datetime) -> Counts:
    """The open interest of an expiry of the coin. Raises SourceError; Unreported when empty."""
    rows = _read_rows(body, OpenInterest)
    if not rows:
        raise Unreported(Binance.name, "no open interest")
    own = [row for row in rows if row and row.symbol.startswith(f"{underlying}-")]
    if not own:
        raise SourceError(Binance.name, f"no readable open interest of {underlying}")
    # All is counted at once. Whether an idle option's own stamp moves on is not documented; were
    # it older, the option would be taken for stale.
    newest = stamps([row.timestamp for row in own], milliseconds(now)).max()
    return Counts({row.symbol: row.contracts for row in own}, int(newest), rows.count(None))


def parse_spot(underlying: str, body: bytes, now: datetime) -> Tick:
    """The coin's index price. Raises SourceError; NotListed for a coin that is unknown."""
    prices = _read(body, Prices)
    return to_tick(Binance.name, underlying, prices.index_price, prices.time, now)


def parse_perpetual(body: bytes) -> float:
    """The mark price, USD. Raises SourceError; NotListed for a coin that is unknown."""
    return to_price(Binance.name, _read(body, Prices).mark_price)


def parse_candles(body: bytes, now: datetime) -> list[Candle]:
    """The candles of the 48 hours before `now`, ascending.

    Raises SourceError; NotListed for a symbol that is unknown.
    """
    _check(body)
    klines = decode(Binance.name, body, list[Kline])
    return to_candles(Binance.name, (line[:6] for line in klines), now)


def unlisted(symbols: Iterable[str], listed: Options) -> Options:
    """What the names say of the symbols that are not listed; they count in the others' unit."""
    unit = next(iter(listed.values())).unit
    named = ((symbol, _read_name(symbol, unit)) for symbol in symbols if symbol not in listed)
    return {symbol: option for symbol, option in named if option}


def live_days(options: Options, now: datetime) -> list[str]:
    """The expiries still ahead, ascending, as the venue writes them: YYMMDD."""
    expiries = {option.expiry for option in options.values()}
    live = sorted(expiry for expiry in expiries if expiry > milliseconds(now))
    return list(dict.fromkeys(f"{from_milliseconds(expiry):%y%m%d}" for expiry in live))


def newest(
    told: Mapping[str, Counts | None], before: Mapping[str, Counts], since: float
) -> dict[str, Counts]:
    """What was told of each expiry; of one that nothing was, what was before, if made since then.

    Both are by day, and so is the result; `since` is in ms since 1970.
    """
    young = {day: counts for day, counts in before.items() if counts.at > since}
    latest = {day: counts or young.get(day) for day, counts in told.items()}
    return {day: counts for day, counts in latest.items() if counts}


def join(
    underlying: str,
    options: Options,
    marks: Part[Marks],
    index: Tick,
    counts: Sequence[Counts],
) -> OptionChain:
    """The coin's options that have a mark or open interest, as old as the oldest part.

    Marks have no stamp: they are as old as their arrival. Raises SourceError when no row is
    readable.
    """
    at = int(milliseconds(min(marks.at, index.at)))
    ivs = _of_coin(marks.value, underlying)
    open_ = {symbol: count for one in counts for symbol, count in one.contracts.items()}
    counted_at = {symbol: one.at for one in counts for symbol in one.contracts}
    known = {name: one for name, one in options.items() if name in ivs or name in open_}
    columns = Columns(
        expiry=[option.expiry for option in known.values()],
        strike=[option.strike for option in known.values()],
        is_call=[option.is_call for option in known.values()],
        oi=[open_.get(symbol, math.nan) * option.unit for symbol, option in known.items()],
        iv=prices([ivs.get(symbol, math.nan) for symbol in known]),
        forward=np.full(len(known), math.nan),
        index_price=np.full(len(known), index.spot),
        at=[min(at, counted_at.get(symbol, at)) for symbol in known],
    )
    nameless = len((ivs.keys() | open_.keys()) - options.keys())
    unreadable = nameless + marks.value.unreadable + sum(one.unreadable for one in counts)
    chain = to_chain(underlying, Binance.name, columns, unreadable)
    joined = join_parts(underlying, Binance.name, [chain])
    oldest = from_milliseconds(min(at, *(one.at for one in counts)))
    return replace(joined, sources=tuple(replace(one, at=oldest) for one in joined.sources))


def cost(path: str, params: Mapping[str, object]) -> float:  # noqa: ARG001  the same for all
    """The documented weight of a request."""
    return WEIGHTS.get(path, 1.0)


def is_too_many(body: bytes) -> bool:
    """Whether it is the refusal of a request too many."""
    refusal = decode_row(body, Refusal)
    return refusal is not None and refusal.code == TOO_MANY_REQUESTS


TERMS = Terms(
    limits=(
        Limit(2_400, 60.0, "/eapi/"),
        Limit(2_400, 60.0, "/fapi/"),
        Limit(6_000, 60.0, "/api/"),
    ),
    cost=cost,
    is_too_many=is_too_many,
)


class BinanceFeed:
    """The index prices beside the marks of the USDT perpetuals, each second."""

    ping_every = 300.0  # the venue's own pings come as often, and nobody else's are wanted

    def __init__(self, coins: Sequence[str], now: Callable[[], datetime]) -> None:
        self._now = now
        self._coins = {symbol_of(coin): coin for coin in coins}
        streams = "/".join(f"{symbol.lower()}@markPrice@1s" for symbol in self._coins)
        self.path = f"/market/stream?streams={streams}"

    def greeting(self) -> Sequence[str]:
        """Nothing: the path names the streams."""
        return ()

    def ping(self) -> str | None:
        """Nothing."""
        return None

    def read(self, text: str) -> Pushed:
        """The index price in a push."""
        push = decode_row(text, Push)
        if push is None or push.data.event != "markPriceUpdate":
            return NOTHING
        update, coin = push.data, self._coins.get(push.data.symbol)
        if coin is None:
            return NOTHING
        try:
            tick = to_tick(Binance.name, coin, update.index, update.at, self._now())
        except SourceError:
            return NOTHING
        return Pushed((tick,))


Object = TypeVar("Object", bound=Refusal)


def _read(body: bytes, answer: type[Object]) -> Object:
    """The answer, when it is no refusal. Raises SourceError."""
    value = decode(Binance.name, body, answer)
    if value.code:
        raise _refused(value)
    return value


def _read_rows(body: bytes, row: type[Answer]) -> Sequence[Answer | None]:
    """The rows of a list, None for one of another shape. Raises SourceError."""
    _check(body)
    return decode_rows(Binance.name, msgspec.Raw(body), row)


def _check(body: bytes) -> None:
    """Raise the refusal that came instead of a list."""
    refusal = decode_row(body, Refusal)
    if refusal:
        raise _refused(refusal)


def _refused(refusal: Refusal) -> SourceError:
    kinds = {INVALID_SYMBOL: NotListed, NO_FIGURE: Unreported}
    kind = kinds.get(refusal.code, SourceError)
    return kind(Binance.name, f"{refusal.msg} ({refusal.code})")


def _coin_in(symbol: str) -> str:
    return symbol.partition("-")[0]


def _of_coin(marks: Marks, underlying: str) -> Mapping[str, float]:
    """The coin's IVs by symbol. Raises SourceError without any."""
    if underlying not in marks.ivs:
        raise SourceError(Binance.name, f"no {underlying} marks")
    return marks.ivs[underlying]


def _option(row: ListedOption) -> Option | None:
    """The option in a row of the list; None where anything of it cannot be read."""
    expiry, strike = num(row.expiry_date), positive(num(row.strike_price))
    unit = positive(num(row.unit))
    readable = 0 < expiry < FAR_FUTURE_MS and row.side in ("CALL", "PUT")
    if not readable or math.isnan(strike) or math.isnan(unit):
        return None
    return Option(int(expiry), strike, row.side == "CALL", unit)


def _read_name(symbol: str, unit: float) -> Option | None:
    """The option of that name, at 08:00 UTC; None where it names none."""
    name = NAME.fullmatch(symbol)
    if name is None:
        return None
    year, month, day, digits, side = name.groups()
    expiry = expiry_of_day(2000 + int(year), int(month), int(day))
    strike = positive(float(digits))
    if expiry is None or math.isnan(strike):
        return None
    return Option(expiry, strike, side == "C", unit)
