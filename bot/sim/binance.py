"""Binance's public HTTP interface over the simulated market; USDT is taken for a dollar.

Options (eapi), perpetual futures (fapi) and spot candles (api). HYPE is nowhere listed.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import repeat
from typing import NoReturn

import numpy as np

from bot.sim.calls import Params, Refused, Request, Row, milliseconds
from bot.sim.coins import COINS
from bot.sim.columns import (
    candle_rows,
    day_in_digits,
    fixed,
    names,
    of_expiry,
    plain,
    rows,
    sides,
)
from bot.sim.listing import Kind, kind_of, live_expiries
from bot.sim.market import Chain, Market
from bot.sim.quotes import greeks, quotes
from bot.sim.wire import Answer

ROOTS = ("/eapi/", "/fapi/", "/api/v3/")
UNITS = {"BTC": 1, "ETH": 1, "SOL": 10}  # coins a contract of options
SYMBOLS = {f"{name}USDT": name for name in UNITS}
INTERVALS = {"1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600}  # seconds
USUAL, MOST_SPOT, MOST_FUTURES = 500, 1000, 1500  # candles
STOCK = "TSLA"  # options on it are listed among the coins'
STOCK_STRIKE, STOCK_PRICE = "400", "21.5"  # USD
NO_QUOTE = -1.0
WRONG = {"symbol": (-1121, "Invalid symbol."), "interval": (-1120, "Invalid interval.")}


class Call(Request):
    """A call of Binance's."""

    def missing(self, name: str) -> Refused:
        return Refused(400, -1102, f"Mandatory parameter '{name}' was not sent.")

    def wrong(self, name: str, reason: str) -> Refused:  # noqa: ARG002  its reasons are fixed
        illegal = (-1100, f"Illegal characters found in parameter '{name}'.")
        return Refused(400, *WRONG.get(name, illegal))

    def coin(self, name: str = "symbol") -> str:
        """Of the pair asked for."""
        pair = self.text(name)
        if pair not in SYMBOLS:
            raise self.wrong("symbol", "")
        return SYMBOLS[pair]


def answer(market: Market, at: datetime, method: str, path: str, params: Params) -> Answer:
    """What was asked for without an envelope, or a code and its message."""
    call = CALLS.get(path, unknown) if method == "GET" else unknown
    try:
        return Answer(200, call(Call(market, at, params)))
    except Refused as refusal:
        return Answer(refusal.status, {"code": refusal.code, "msg": refusal.message})


def exchange_info(request: Call) -> Row:
    """What options are listed; one of them on a stock."""
    options = [row for name in UNITS for row in _options(request.chain(name))]
    return {
        "timezone": "UTC",
        "serverTime": request.milliseconds,
        "optionContracts": [_contract(name) for name in (*UNITS, STOCK)],
        "optionAssets": [{"name": "USDT"}],
        "optionSymbols": [*options, _stock_option(request)],
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": 2400,
            }
        ],
    }


def _contract(name: str) -> Row:
    return {
        "baseAsset": name,
        "quoteAsset": "USDT",
        "underlying": f"{name}USDT",
        "settleAsset": "USDT",
    }


def _options(chain: Chain) -> list[Row]:
    name = chain.coin.name
    return rows(
        symbol=_symbols(chain),
        side=sides(chain, "CALL", "PUT"),
        strikePrice=plain(chain.strike),
        expiryDate=(chain.expiry * 1000).tolist(),
        underlying=repeat(f"{name}USDT"),
        quoteAsset=repeat("USDT"),
        unit=repeat(UNITS[name]),
        status=repeat("TRADING"),
        contractType=repeat("CRYPTO_OPTIONS"),
        underlyingType=repeat("CRYPTO"),
    )


def _stock_option(request: Call) -> Row:
    return {
        "symbol": _stock_symbol(request),
        "side": "CALL",
        "strikePrice": STOCK_STRIKE,
        "expiryDate": milliseconds(_friday(request)),
        "underlying": f"{STOCK}USDT",
        "quoteAsset": "USDT",
        "unit": 1,
        "status": "TRADING",
        "contractType": "TRADFI_OPTIONS",
        "underlyingType": "TRADFI",
    }


def _stock_symbol(request: Call) -> str:
    return f"{STOCK}-{day_in_digits(_friday(request))}-{STOCK_STRIKE}-C"


def _friday(request: Call) -> datetime:
    """The first weekly expiry ahead."""
    expiries = live_expiries(COINS["BTC"], request.at)
    return next(expiry for expiry in expiries if kind_of(expiry) > Kind.DAILY)


def marks(request: Call) -> list[Row]:
    """Every coin's in one list; nothing says of when they are."""
    told = [row for name in UNITS for row in _marks(request.chain(name))]
    told.append(_stock_mark(request))
    symbol = request.text("symbol", "")
    found = [row for row in told if symbol in ("", row["symbol"])]
    if not found:
        raise request.wrong("symbol", "is unknown")
    return found


def _marks(chain: Chain) -> list[Row]:
    """Greeks by the index; marks know nothing of forwards."""
    sensitivity = greeks(chain, np.full(len(chain.strike), chain.index))
    quote = quotes(chain)
    return rows(
        symbol=_symbols(chain),
        markPrice=fixed(chain.mark, 4),
        bidIV=[str(iv or NO_QUOTE) for iv in quote.bid_iv.tolist()],
        askIV=[str(iv or NO_QUOTE) for iv in quote.ask_iv.tolist()],
        markIV=plain(chain.iv),
        delta=fixed(sensitivity.delta, 8),
        theta=fixed(sensitivity.theta, 8),
        gamma=fixed(sensitivity.gamma, 8),
        vega=fixed(sensitivity.vega, 8),
        highPriceLimit=fixed(chain.mark + 0.1 * chain.index, 4),
        lowPriceLimit=fixed(np.maximum(chain.mark - 0.1 * chain.index, 0.01), 4),
        riskFreeInterest=repeat("0"),
    )


def _stock_mark(request: Call) -> Row:
    return {
        "symbol": _stock_symbol(request),
        "markPrice": STOCK_PRICE,
        "bidIV": str(NO_QUOTE),
        "askIV": str(NO_QUOTE),
        "markIV": "0.55",
        "delta": "0.5",
        "theta": "-0.3",
        "gamma": "0.005",
        "vega": "0.4",
        "highPriceLimit": "60",
        "lowPriceLimit": "0.01",
        "riskFreeInterest": "0",
    }


def open_interest(request: Call) -> list[Row]:
    """In contracts, of one coin and expiry; times are text here alone."""
    name, day = request.text("underlyingAsset"), request.text("expiration")
    if name not in UNITS:
        raise request.wrong("symbol", "is unknown")
    chain = of_expiry(request.chain(name), _expiry(request, name, day))
    return rows(
        symbol=_symbols(chain),
        sumOpenInterest=plain(chain.open_interest / UNITS[name]),
        sumOpenInterestUsd=fixed(chain.open_interest * chain.index, 8),
        timestamp=repeat(str(milliseconds(chain.at))),
    )


def _expiry(request: Call, name: str, day: str) -> datetime:
    for expiry in live_expiries(COINS[name], request.at):
        if day_in_digits(expiry) == day:
            return expiry
    raise Refused(400, -6010, "No data of this expiration.")


def index(request: Call) -> Row:
    price = request.spot(request.coin("underlying"))
    return {"time": request.milliseconds, "indexPrice": str(price)}


def server_time(request: Call) -> Row:
    return {"serverTime": request.milliseconds}


def premium_index(request: Call) -> Row | list[Row]:
    """Of one perpetual, or without a symbol of all."""
    if not request.text("symbol", ""):
        return [_premium(request, symbol) for symbol in SYMBOLS]
    request.coin()
    return _premium(request, request.text("symbol"))


def _premium(request: Call, symbol: str) -> Row:
    index_price = str(request.spot(SYMBOLS[symbol]))
    return {
        "symbol": symbol,
        "markPrice": str(request.perpetual(SYMBOLS[symbol])),
        "indexPrice": index_price,
        "estimatedSettlePrice": index_price,
        "lastFundingRate": "0.00010000",
        "interestRate": "0.00010000",
        "nextFundingTime": (request.milliseconds // 28_800_000 + 1) * 28_800_000,
        "time": request.milliseconds,
    }


def klines(request: Call, most: int) -> list[list[object]]:
    """Ascending, the last one open; prices and volumes are text."""
    coin, width = request.coin(), INTERVALS[request.choice("interval", INTERVALS)]
    limit = request.count("limit", USUAL, most)
    bars = request.candles(coin, width, (0, int(request.at.timestamp())), limit)
    return [
        [start, *prices, *_volumes(start, width, volume, float(prices[-1]))]
        for start, prices, volume in candle_rows(bars, COINS[coin].decimals)
    ]


def _volumes(start: int, width: int, volume: float, price: float) -> list[object]:
    """In coins, the closing time, in USDT, trades, and what takers bought."""
    return [
        f"{volume:.3f}",
        start + width * 1000 - 1,
        f"{volume * price:.2f}",
        round(volume * 100),
        f"{volume / 2:.4f}",
        f"{volume * price / 2:.2f}",
        "0",
    ]


def unknown(_: Call) -> NoReturn:
    raise Refused(404, -1000, "Not found.")


def _symbols(chain: Chain) -> list[str]:
    return names(chain, chain.coin.name, day_in_digits)


CALLS: dict[str, Callable[[Call], object]] = {
    "/eapi/v1/exchangeInfo": exchange_info,
    "/eapi/v1/mark": marks,
    "/eapi/v1/openInterest": open_interest,
    "/eapi/v1/index": index,
    "/eapi/v1/time": server_time,
    "/fapi/v1/premiumIndex": premium_index,
    "/fapi/v1/klines": partial(klines, most=MOST_FUTURES),
    "/api/v3/klines": partial(klines, most=MOST_SPOT),
}
