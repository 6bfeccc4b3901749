"""Deribit's public HTTP interface over the simulated market."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import NoReturn
from zlib import crc32

import numpy as np

from bot.sim.calls import Params, Refused, Request, Row, milliseconds
from bot.sim.coins import COINS, Coin
from bot.sim.columns import day_in_letters, days, names, rows, sides
from bot.sim.families import larger, smaller, whole
from bot.sim.listing import Kind, Listing, listing, live_expiries
from bot.sim.market import Chain, Market
from bot.sim.noise import Bools, Floats
from bot.sim.wire import Answer

ROOT = "/api/v2/"
ROOTS = (ROOT,)
CURRENCIES = ("BTC", "ETH", "USDC", "USDT", "EURR")  # the last two have no rows
KINDS = ("option", "future", "spot", "future_combo", "option_combo", "combo", "any")
MINUTES = ("1", "3", "5", "10", "15", "30", "60")
BUSY = 250  # microseconds from question to answer
MOST_BARS = 5000
CHEAP = 0.005  # coins; cheaper options are quoted in finer ticks
NEVER = 32_503_708_800_000  # ms, in the year 3000: a perpetual's expiry
PERPETUAL_INTEREST = 1_000_000_000.0  # USD


@dataclass(frozen=True)
class Book:
    """How Deribit trades one coin: priced in the coin itself (inverse) or in USDC (linear)."""

    coin: Coin
    currency: str  # that rows are asked for by and priced in
    prefix: str  # of instrument names
    index: str
    contract_size: float
    family: Callable[[Chain], Chain] = whole

    @property
    def inverse(self) -> bool:
        return self.currency == self.coin.name

    @property
    def perpetual(self) -> str:
        return f"{self.prefix}-PERPETUAL"


BOOKS = (
    Book(COINS["BTC"], "BTC", "BTC", "btc_usd", 1.0, larger),
    Book(COINS["ETH"], "ETH", "ETH", "eth_usd", 1.0, larger),
    Book(COINS["BTC"], "USDC", "BTC_USDC", "btc_usdc", 0.01, smaller),
    Book(COINS["ETH"], "USDC", "ETH_USDC", "eth_usdc", 0.1, smaller),
    Book(COINS["SOL"], "USDC", "SOL_USDC", "sol_usdc", 10.0),
    Book(COINS["HYPE"], "USDC", "HYPE_USDC", "hype_usdc", 10.0),
)


class Call(Request):
    """A call of a Deribit method."""

    def missing(self, name: str) -> Refused:
        return self.wrong(name, "is required")

    def wrong(self, name: str, reason: str) -> Refused:
        return Refused(400, -32602, "Invalid params", reason=reason, param=name)


def answer(market: Market, at: datetime, method: str, path: str, params: Params) -> Answer:
    """A JSON-RPC body, to GET alone."""
    asked = round(at.timestamp() * 1e6)
    stamps = {"usIn": asked, "usOut": asked + BUSY, "usDiff": BUSY, "testnet": False}
    call = METHODS.get(path.removeprefix(ROOT), unknown) if method == "GET" else unknown
    try:
        result = call(Call(market, at, params))
    except Refused as refusal:
        return Answer(refusal.status, {"jsonrpc": "2.0", "error": _error(refusal), **stamps})
    return Answer(200, {"jsonrpc": "2.0", "result": result, **stamps})


def _error(refusal: Refused) -> Row:
    data = {"data": refusal.data} if refusal.data else {}
    return {"message": refusal.message, **data, "code": refusal.code}


def book_summaries(request: Call) -> list[Row]:
    """Every option of a currency, shuffled: Deribit promises no order."""
    books = _books(request.choice("currency", CURRENCIES))
    if request.choice("kind", KINDS, default="any") not in ("option", "any"):
        return []
    told = {name: row for book in books for name, row in _summaries(request, book)}
    return [told[name] for name in sorted(told, key=lambda name: crc32(name.encode()))]


def _summaries(request: Call, book: Book) -> Iterable[tuple[str, Row]]:
    chain = book.family(request.chain(book.coin.name))
    named = _names(book, chain)
    price = chain.mark / chain.forward if book.inverse else chain.mark  # (n,)
    bid, ask = _quotes(price, _ticks(book, price))
    has_bid = bid > 0
    has_ask = np.array([crc32(name.encode()) % 128 != 0 for name in named])  # a few have none
    told = rows(
        instrument_name=named,
        base_currency=repeat(book.coin.name),
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
        creation_timestamp=repeat(milliseconds(chain.at)),
    )
    return zip(named, told, strict=True)


def _ticks(book: Book, price: Floats) -> Floats:
    return np.where(price < CHEAP, 0.0001, 0.0005) if book.inverse else np.full(len(price), 0.01)


def _quotes(price: Floats, tick: Floats) -> tuple[Floats, Floats]:
    """Bid and ask two percent and a tick away from the mark; no bid is zero or less."""
    bid = np.floor(0.98 * price / tick - 0.5) * tick
    ask = np.ceil(1.02 * price / tick + 0.5) * tick
    return np.round(bid, 4), np.round(ask, 4)


def instruments(request: Call) -> list[Row]:
    """The options and perpetuals that are listed."""
    books = _books(request.choice("currency", (*CURRENCIES, "any")))
    kind = request.choice("kind", KINDS, default="any")
    if request.choice("expired", ("true", "false"), default="false") == "true":
        return []
    options = [row for book in books for row in _options(request, book)]
    perpetuals = [_perpetual(book) for book in books]
    return options * (kind in ("option", "any")) + perpetuals * (kind in ("future", "any"))


def _options(request: Call, book: Book) -> list[Row]:
    options = listing(book.coin, request.at)
    told = rows(
        instrument_name=_names(book, options),
        kind=repeat("option"),
        option_type=sides(options, "call", "put"),
        strike=options.strike.tolist(),
        expiration_timestamp=(options.expiry * 1000).tolist(),
        tick_size=repeat(0.0001 if book.inverse else 0.01),
        min_trade_amount=repeat(book.coin.lot),
    )
    return [row | _terms(book) for row in told]


def _perpetual(book: Book) -> Row:
    own: Row = {
        "instrument_name": book.perpetual,
        "kind": "future",
        "expiration_timestamp": NEVER,
        "settlement_period": "perpetual",
    }
    return own | _terms(book)


def _terms(book: Book) -> Row:
    """What the instruments of a book have in common."""
    return {
        "base_currency": book.coin.name,
        "counter_currency": "USD" if book.inverse else "USDC",
        "quote_currency": book.currency,
        "settlement_currency": book.currency,
        "price_index": book.index,
        "instrument_type": "reversed" if book.inverse else "linear",
        "contract_size": book.contract_size,
        "is_active": True,
        "state": "open",
    }


def expirations(request: Call) -> Row:
    """Ascending days by currency and kind; for any currency by kind alone."""
    currency = request.choice("currency", (*CURRENCIES, "any"))
    kind = request.choice("kind", KINDS)
    coins = [book.coin for book in _books(currency)]
    expiries = {expiry for coin in coins for expiry in live_expiries(coin, request.at)}
    listed = [day_in_letters(expiry) for expiry in sorted(expiries)]
    told = listed if kind in ("option", "any") else []
    return {kind: told} if currency == "any" else {currency.lower(): {kind: told}}


def index_price(request: Call) -> Row:
    coins = {book.index: book.coin for book in BOOKS}
    spot = request.spot(coins[request.choice("index_name", coins)].name)
    return {"index_price": spot, "estimated_delivery_price": spot}


def ticker(request: Call) -> Row:
    """Of a perpetual; no other tickers are simulated."""
    book = _book_of_perpetual(request)
    spot = request.spot(book.coin.name)
    mark = request.perpetual(book.coin.name)
    return {
        "instrument_name": book.perpetual,
        "state": "open",
        "timestamp": request.milliseconds,
        "index_price": spot,
        "estimated_delivery_price": spot,
        "mark_price": mark,
        "last_price": mark,
        "best_bid_price": mark,
        "best_ask_price": mark,
        "open_interest": PERPETUAL_INTEREST / (1 if book.inverse else spot),
        "current_funding": 0.0,
        "funding_8h": 0.0,
    }


def chart_data(request: Call) -> Row:
    """Candles as columns, ascending, the open one included; of too many the newest."""
    book = _book_of_perpetual(request)
    width = 60 * int(request.choice("resolution", MINUTES))
    last = request.number("end_timestamp") // 1000
    first = request.number("start_timestamp") // 1000 // width * width
    bars = request.candles(book.coin.name, width, (first, last), MOST_BARS)
    return {
        "status": "ok" if len(bars.start) else "no_data",
        "ticks": (bars.start * 1000).tolist(),
        "open": bars.open.tolist(),
        "high": bars.high.tolist(),
        "low": bars.low.tolist(),
        "close": bars.close.tolist(),
        "volume": bars.volume.tolist(),
        "cost": np.round(bars.volume * bars.close, 2).tolist(),
    }


def server_time(request: Call) -> int:
    return request.milliseconds


def status(_: Call) -> Row:
    return {"locked": "false", "locked_indices": []}


def unknown(_: Call) -> NoReturn:
    raise Refused(404, -32601, "Method not found")


METHODS: dict[str, Callable[[Call], object]] = {
    "public/get_book_summary_by_currency": book_summaries,
    "public/get_instruments": instruments,
    "public/get_expirations": expirations,
    "public/get_index_price": index_price,
    "public/ticker": ticker,
    "public/get_tradingview_chart_data": chart_data,
    "public/get_time": server_time,
    "public/status": status,
}


def _books(currency: str) -> list[Book]:
    return [book for book in BOOKS if currency in (book.currency, "any")]


def _book_of_perpetual(request: Call) -> Book:
    name = request.text("instrument_name")
    for book in BOOKS:
        if book.perpetual == name:
            return book
    raise Refused(400, 13020, "not_found")


def _names(book: Book, options: Listing) -> list[str]:
    """Such as BTC-4SEP26-60000-C and HYPE_USDC-4SEP26-77d5-P."""
    return names(options, book.prefix, day_in_letters, point="d")


def _underlyings(book: Book, options: Listing) -> list[str]:
    """The future that sets a row's forward; dailies and linear books have none listed."""
    return [
        f"{'' if book.inverse and kind > Kind.DAILY else 'SYN.'}{book.prefix}-{day}"
        for day, kind in zip(days(options, day_in_letters), options.kind.tolist(), strict=True)
    ]


def _where(there: Bools, values: Floats) -> list[float | None]:
    return [value if one else None for one, value in zip(there, values.tolist(), strict=True)]
