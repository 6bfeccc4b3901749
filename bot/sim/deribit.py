"""Deribit's public HTTP interface over the simulated market."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from typing import Any
from zlib import crc32

import numpy as np

from bot.sim.coins import COINS
from bot.sim.listing import Kind, Listing, listing, live_expiries
from bot.sim.market import Market
from bot.sim.noise import Bools, Floats

ROOT = "/api/v2/"
CURRENCIES = ("BTC", "ETH", "USDC", "USDT", "EURR")  # the last two have no options
KINDS = ("option", "future", "spot", "future_combo", "option_combo", "combo", "any")
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
MINUTES = ("1", "3", "5", "10", "15", "30", "60", "120", "180", "360", "720")
MOST_BARS = 5000
PERPETUAL_INTEREST = 1_000_000_000.0  # USD
BUSY = 250  # microseconds between question and answer
NEVER = 32_503_708_800_000  # ms, the year 3000: a perpetual's expiry

Params = Mapping[str, str]
Row = dict[str, Any]


@dataclass(frozen=True)
class Book:
    """How Deribit trades one coin: in the coin itself (inverse) or in USDC (linear)."""

    coin: str
    currency: str  # what its rows are asked for by, and what prices are in
    prefix: str  # of its instruments' names
    index: str
    contract_size: float

    @property
    def inverse(self) -> bool:
        return self.currency == self.coin

    @property
    def perpetual(self) -> str:
        return f"{self.prefix}-PERPETUAL"


BOOKS = (
    Book("BTC", "BTC", "BTC", "btc_usd", 1.0),
    Book("ETH", "ETH", "ETH", "eth_usd", 1.0),
    Book("SOL", "USDC", "SOL_USDC", "sol_usdc", 10.0),
    Book("HYPE", "USDC", "HYPE_USDC", "hype_usdc", 10.0),
)


class Refused(Exception):
    """The request is wrong; the caller is told so in Deribit's words."""

    def __init__(self, status: int, code: int, message: str, **data: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, **({"data": data} if data else {}), "code": code}


def answer(market: Market, at: datetime, path: str, params: Params) -> tuple[int, object]:
    """HTTP status and JSON-RPC body."""
    asked = round(at.timestamp() * 1e6)
    stamps = {"usIn": asked, "usOut": asked + BUSY, "usDiff": BUSY, "testnet": False}
    try:
        method = METHODS.get(path.removeprefix(ROOT))
        if method is None:
            raise Refused(404, -32601, "Method not found")
        return 200, {"jsonrpc": "2.0", "result": method(market, at, params), **stamps}
    except Refused as refusal:
        return refusal.status, {"jsonrpc": "2.0", "error": refusal.body, **stamps}


def book_summaries(market: Market, at: datetime, params: Params) -> list[Row]:
    currency = _choice(params, "currency", CURRENCIES)
    if _choice(params, "kind", KINDS, "any") not in ("option", "any"):
        return []
    rows = [row for book in _books(currency) for row in _summaries(market, book, at)]
    # Deribit promises no order, so a reader must not rely on one.
    return sorted(rows, key=lambda row: crc32(row["instrument_name"].encode()))


def _summaries(market: Market, book: Book, at: datetime) -> Iterable[Row]:
    chain = market.chain(book.coin, at)
    names = _names(book, chain)
    price = chain.mark / chain.forward if book.inverse else chain.mark  # (n,)
    tick = np.where(price < 0.005, 0.0001, 0.0005) if book.inverse else np.full(len(names), 0.01)
    bid = np.round(np.floor(0.98 * price / tick - 0.5) * tick, 4)
    ask = np.round(np.ceil(1.02 * price / tick + 0.5) * tick, 4)
    has_bid = bid > 0
    has_ask = np.array([crc32(name.encode()) % 128 != 0 for name in names])
    return _rows(
        instrument_name=names,
        base_currency=repeat(book.coin),
        quote_currency=repeat(book.currency),
        underlying_index=_underlyings(book, chain),
        underlying_price=chain.forward.tolist(),
        estimated_delivery_price=repeat(chain.index),
        interest_rate=repeat(0.0),
        open_interest=chain.open_interest.tolist(),
        mark_iv=np.round(100 * chain.iv, 2).tolist(),
        mark_price=np.round(price, 8 if book.inverse else 4).tolist(),
        bid_price=_where(has_bid, bid),
        ask_price=_where(has_ask, ask),
        mid_price=_where(has_bid & has_ask, np.round((bid + ask) / 2, 5)),
        last=repeat(None),  # nothing is ever traded
        high=repeat(None),
        low=repeat(None),
        price_change=repeat(None),
        volume=repeat(0.0),
        volume_usd=repeat(0.0),
        creation_timestamp=repeat(_milliseconds(at)),
    )


def instruments(market: Market, at: datetime, params: Params) -> list[Row]:
    """Options and perpetuals that are listed."""
    currency = _choice(params, "currency", (*CURRENCIES, "any"))
    kind = _choice(params, "kind", KINDS, "any")
    if _choice(params, "expired", ("true", "false"), "false") == "true":
        return []
    books = _books(currency)
    options = [row for book in books for row in _options(book, at)]
    perpetuals = [_perpetual(book) for book in books]
    return options * (kind in ("option", "any")) + perpetuals * (kind in ("future", "any"))


def _options(book: Book, at: datetime) -> Iterable[Row]:
    rows = listing(COINS[book.coin], at)
    return _rows(
        instrument_name=_names(book, rows),
        kind=repeat("option"),
        option_type=["call" if call else "put" for call in rows.is_call.tolist()],
        strike=rows.strike.tolist(),
        expiration_timestamp=(rows.expiry * 1000).tolist(),
        tick_size=repeat(0.0001 if book.inverse else 0.01),
        min_trade_amount=repeat(COINS[book.coin].lot),
        **{name: repeat(value) for name, value in _terms(book).items()},
    )


def _perpetual(book: Book) -> Row:
    return {
        "instrument_name": book.perpetual,
        "kind": "future",
        "expiration_timestamp": NEVER,
        **_terms(book),
    }


def _terms(book: Book) -> Row:
    """What all instruments of a book have in common."""
    return {
        "base_currency": book.coin,
        "counter_currency": "USD" if book.inverse else "USDC",
        "quote_currency": book.currency,
        "settlement_currency": book.currency,
        "price_index": book.index,
        "instrument_type": "reversed" if book.inverse else "linear",
        "contract_size": book.contract_size,
        "is_active": True,
        "state": "open",
    }


def expirations(market: Market, at: datetime, params: Params) -> object:
    currency = _choice(params, "currency", (*CURRENCIES, "any"))
    kind = _choice(params, "kind", KINDS)
    listed = {expiry for book in _books(currency) for expiry in live_expiries(COINS[book.coin], at)}
    days = [_day(expiry) for expiry in sorted(listed)]
    by_kind = {kind: days if kind in ("option", "any") else []}
    return by_kind if currency == "any" else {currency.lower(): by_kind}


def index_price(market: Market, at: datetime, params: Params) -> Row:
    name = _choice(params, "index_name", [book.index for book in BOOKS])
    spot = market.spot(next(book.coin for book in BOOKS if book.index == name), at)
    return {"index_price": spot, "estimated_delivery_price": spot}


def ticker(market: Market, at: datetime, params: Params) -> Row:
    """Of a perpetual; the options' tickers are not simulated."""
    book = _perpetuals_book(params)
    spot, mark = market.spot(book.coin, at), market.perpetual(book.coin, at)
    tick = 10.0 ** -COINS[book.coin].decimals
    return {
        "instrument_name": book.perpetual,
        "state": "open",
        "timestamp": _milliseconds(at),
        "index_price": spot,
        "estimated_delivery_price": spot,
        "mark_price": mark,
        "last_price": mark,
        "best_bid_price": round(mark - tick, 4),
        "best_ask_price": round(mark + tick, 4),
        "open_interest": PERPETUAL_INTEREST if book.inverse else PERPETUAL_INTEREST / spot,
        "current_funding": 0.0,
        "funding_8h": 0.0,
    }


def chart_data(market: Market, at: datetime, params: Params) -> Row:
    """Candles as columns, ascending, the open one included; Deribit's word for none is no_data."""
    book = _perpetuals_book(params)
    resolution = _choice(params, "resolution", (*MINUTES, "1D"))
    width = 86_400 if resolution == "1D" else 60 * int(resolution)
    first, last = (_number(params, name) // 1000 for name in ("start_timestamp", "end_timestamp"))
    last = min(last, int(at.timestamp()))
    start = np.arange(first // width * width, last + 1, width)[-MOST_BARS:]
    bars = market.candles(book.coin, at, start, width)
    return {
        "status": "ok" if len(start) else "no_data",
        "ticks": (bars.start * 1000).tolist(),
        "open": bars.open.tolist(),
        "high": bars.high.tolist(),
        "low": bars.low.tolist(),
        "close": bars.close.tolist(),
        "volume": bars.volume.tolist(),
        "cost": np.round(bars.volume * bars.close, 2).tolist(),
    }


def server_time(market: Market, at: datetime, params: Params) -> int:
    return _milliseconds(at)


def status(market: Market, at: datetime, params: Params) -> Row:
    return {"locked": "false", "locked_indices": []}


def _names(book: Book, rows: Listing) -> list[str]:
    """BTC-4SEP26-60000-C; the decimal point of a strike is a d."""
    days = _days(rows)
    return [
        f"{book.prefix}-{day}-{str(strike).removesuffix('.0').replace('.', 'd')}-{'PC'[call]}"
        for day, strike, call in zip(days, rows.strike.tolist(), rows.is_call.tolist(), strict=True)
    ]


def _underlyings(book: Book, rows: Listing) -> list[str]:
    """The future that an option is priced on: there is none for dailies and linear books."""
    return [
        f"{book.prefix}-{day}" if book.inverse and kind > Kind.DAILY else f"SYN.{book.prefix}-{day}"
        for day, kind in zip(_days(rows), rows.kind.tolist(), strict=True)
    ]


def _days(rows: Listing) -> list[str]:
    days = {
        second: _day(datetime.fromtimestamp(second, UTC)) for second in set(rows.expiry.tolist())
    }
    return [days[second] for second in rows.expiry.tolist()]


def _day(expiry: datetime) -> str:
    # Not strftime: its month follows the locale, and its day is padded.
    return f"{expiry.day}{MONTHS[expiry.month - 1]}{expiry:%y}"


def _books(currency: str) -> list[Book]:
    return [book for book in BOOKS if currency in (book.currency, "any")]


def _perpetuals_book(params: Params) -> Book:
    name = _text(params, "instrument_name")
    for book in BOOKS:
        if book.perpetual == name:
            return book
    raise Refused(400, 13020, "not_found")


def _choice(params: Params, name: str, allowed: Sequence[str], default: str | None = None) -> str:
    value = default if default is not None and name not in params else _text(params, name)
    if value not in allowed:
        raise _invalid(name, f"must be one of: {', '.join(allowed)}")
    return value


def _number(params: Params, name: str) -> int:
    try:
        return int(_text(params, name))
    except ValueError:
        raise _invalid(name, "must be an integer") from None


def _text(params: Params, name: str) -> str:
    if not params.get(name):
        raise _invalid(name, "is required")
    return params[name]


def _invalid(name: str, reason: str) -> Refused:
    return Refused(400, -32602, "Invalid params", reason=reason, param=name)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _rows(**columns: Iterable[object]) -> list[Row]:
    """Columns of equal length, or repeated for ever, as one object a row."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=False)]


def _where(there: Bools, values: Floats) -> list[float | None]:
    return [value if one else None for one, value in zip(there, values.tolist(), strict=True)]


METHODS: dict[str, Callable[[Market, datetime, Params], object]] = {
    "public/get_book_summary_by_currency": book_summaries,
    "public/get_instruments": instruments,
    "public/get_expirations": expirations,
    "public/get_index_price": index_price,
    "public/ticker": ticker,
    "public/get_tradingview_chart_data": chart_data,
    "public/get_time": server_time,
    "public/status": status,
}
