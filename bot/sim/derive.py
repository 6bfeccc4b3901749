"""Derive's public JSON-RPC over HTTP POST, over the simulated market; numbers are text."""

import math
from collections.abc import Callable, Collection
from datetime import datetime
from itertools import repeat
from typing import NoReturn

from bot.sim.calls import Params, Refused, Request, Row, milliseconds
from bot.sim.coins import COINS, Coin
from bot.sim.columns import fixed, names, of_expiry, plain, rows, sides
from bot.sim.listing import Listing, listing, live_expiries
from bot.sim.market import Chain, Market
from bot.sim.quotes import Greeks, Quotes, greeks, quotes
from bot.sim.wire import Answer

ROOTS = ("/v3/public/",)
TYPES = ("option", "perp")
PAGE, LARGEST_PAGE = 100, 1000  # instruments
UNTRADED = {"c": "0", "v": "0", "pr": "0", "n": 0, "h": "0", "l": "0", "p": "0"}


class Call(Request):
    """A call of Derive's."""

    def missing(self, name: str) -> Refused:
        return self.wrong(name, "is required")

    def wrong(self, name: str, reason: str) -> Refused:
        return Refused(200, -32602, "Invalid params", data=f"{name} {reason}")

    def coins(self) -> Collection[Coin]:
        """Those of the currency asked for: none of an unlisted one."""
        name = self.text("currency")
        return [COINS[name]] if name in COINS else []


def answer(market: Market, at: datetime, method: str, path: str, params: Params) -> Answer:
    """A result or an error with the id of the answer, to POST alone."""
    call = METHODS.get(path, unknown) if method == "POST" else unknown
    envelope: Row = {"id": str(milliseconds(at))}
    try:
        return Answer(200, envelope | {"result": call(Call(market, at, params))})
    except Refused as refusal:
        error = {"code": refusal.code, "message": refusal.message, **refusal.data}
        return Answer(refusal.status, envelope | {"error": error})


def instruments(request: Call) -> Row:
    """A page of what is listed, counted from 1."""
    of_type = _options if request.choice("instrument_type", TYPES) == "option" else _perpetual
    expired = request.params.get("expired") is True
    listed = [row for coin in request.coins() for row in of_type(request, coin) if not expired]
    page, size = request.number("page", 1), request.count("page_size", PAGE, LARGEST_PAGE)
    if page < 1:
        raise request.wrong("page", "must be positive")
    pages = math.ceil(len(listed) / size)
    return {
        "instruments": listed[(page - 1) * size : page * size],
        "pagination": {"num_pages": pages, "count": len(listed)},
    }


def _options(request: Call, coin: Coin) -> list[Row]:
    options = listing(coin, request.at)
    details = rows(
        index=repeat(f"{coin.name}-USD"),
        expiry=options.expiry.tolist(),  # in seconds
        strike=plain(options.strike),
        option_type=sides(options, "C", "P"),
        settlement_price=repeat(None),
    )
    return [
        _instrument(coin, "option", name) | {"option_details": detail}
        for name, detail in zip(_names(coin, options), details, strict=True)
    ]


def _perpetual(_: Call, coin: Coin) -> list[Row]:
    details = {"index": f"{coin.name}-USD", "funding_rate": "0.0001"}
    return [_instrument(coin, "perp", f"{coin.name}-PERP") | {"perp_details": details}]


def _instrument(coin: Coin, kind: str, name: str) -> Row:
    return {
        "instrument_type": kind,
        "instrument_name": name,
        "is_active": True,
        "base_currency": coin.name,
        "quote_currency": "USDC",
        "tick_size": "0.01",
        "minimum_amount": str(coin.lot),
        "amount_step": str(coin.lot),
        "option_details": None,
        "perp_details": None,
    }


def tickers(request: Call) -> Row:
    """By name: the options of one expiry, or the perpetual."""
    of_type = _option if request.choice("instrument_type", TYPES) == "option" else _perpetual_ticker
    return {
        "tickers": {
            name: row for coin in request.coins() for name, row in of_type(request, coin).items()
        }
    }


def _option(request: Call, coin: Coin) -> Row:
    day = request.text("expiry_date")
    for expiry in live_expiries(coin, request.at):
        if _day(expiry) == day:
            chain = of_expiry(request.chain(coin.name), expiry)
            return dict(zip(_names(coin, chain), _tickers(chain), strict=True))
    return {}


def _tickers(chain: Chain) -> list[Row]:
    quote, marks = quotes(chain), fixed(chain.mark, 6)
    traded = ["1" if bid else "0" for bid in quote.bid.tolist()]
    return rows(
        t=repeat(milliseconds(chain.at)),
        A=traded,
        a=fixed(quote.ask, 4),
        B=traded,
        b=fixed(quote.bid, 4),
        f=repeat(None),
        option_pricing=_pricing(chain, greeks(chain, chain.forward), quote, marks),
        I=repeat(str(chain.index)),
        M=marks,
        stats=[UNTRADED | {"oi": interest} for interest in plain(chain.open_interest)],
        minp=fixed(0.8 * chain.mark, 4),
        maxp=fixed(1.2 * chain.mark, 4),
    )


def _pricing(chain: Chain, sensitivity: Greeks, quote: Quotes, marks: list[str]) -> list[Row]:
    """Interest is zero: nothing is discounted and rho is nothing."""
    return rows(
        d=fixed(sensitivity.delta, 5),
        t=fixed(sensitivity.theta, 5),
        g=fixed(sensitivity.gamma, 8),
        v=fixed(sensitivity.vega, 5),
        i=plain(chain.iv),
        r=repeat("0"),
        f=plain(chain.forward),
        m=marks,
        df=repeat("1"),
        bi=plain(quote.bid_iv),
        ai=plain(quote.ask_iv),
    )


def _perpetual_ticker(request: Call, coin: Coin) -> Row:
    mark = str(request.perpetual(coin.name))
    row = {
        "t": request.milliseconds,
        "A": "1",
        "a": mark,
        "B": "1",
        "b": mark,
        "f": "0.0001",
        "option_pricing": None,
        "I": str(request.spot(coin.name)),
        "M": mark,
        "stats": UNTRADED | {"oi": "0"},
        "minp": mark,
        "maxp": mark,
    }
    return {f"{coin.name}-PERP": row}


def server_time(request: Call) -> int:
    return request.milliseconds


def unknown(_: Call) -> NoReturn:
    raise Refused(404, -32601, "Method not found")


def _names(coin: Coin, options: Listing) -> list[str]:
    return names(options, coin.name, _day, point="_")


def _day(expiry: datetime) -> str:
    """Such as 20260904."""
    return f"{expiry:%Y%m%d}"


METHODS: dict[str, Callable[[Call], object]] = {
    "/v3/public/get_all_instruments": instruments,
    "/v3/public/get_tickers": tickers,
    "/v3/public/get_time": server_time,
}
