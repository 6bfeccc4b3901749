"""Bybit's public HTTP interface over the simulated market: nearly every value is text."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import repeat
from typing import NoReturn

import numpy as np

from bot.sim.calls import Params, Refused, Request, Row, chain_at, milliseconds
from bot.sim.coins import COINS
from bot.sim.columns import candle_rows, day_in_letters, fixed, names, plain, rows, sides, some
from bot.sim.families import larger, smaller, whole
from bot.sim.listing import SETTLEMENT, Kind
from bot.sim.market import LIFE, Chain, Market
from bot.sim.quotes import greeks, quotes
from bot.sim.wire import Answer

ROOTS = ("/v5/",)
PERPETUALS = {f"{name}USDT": name for name in COINS}
INTERVALS = {"1": 60, "3": 180, "5": 300, "15": 900, "30": 1800, "60": 3600}  # seconds
CANDLES, MOST_CANDLES = 200, 1000
INSTRUMENTS, MOST_INSTRUMENTS = 500, 1000
CURSOR = "offset%3D"  # sent as it stands, percent sign and all
DELIVERING = timedelta(hours=4)  # that expired options are still told of
TICK = 0.0005  # between the perpetual's quotes and its mark, as a fraction


def usdt(chain: Chain) -> Chain:
    """Every option is settled in USDT; quarterly ones leave a part to the older family."""
    shared = larger(chain).open_interest
    quarterly = chain.kind == Kind.QUARTERLY
    return replace(chain, open_interest=np.where(quarterly, shared, chain.open_interest))


def usdc(chain: Chain) -> Chain:
    """Of the running-out family only what was listed long ago."""
    return smaller(some(chain, chain.kind == Kind.QUARTERLY))


FAMILIES: dict[str, dict[str, Callable[[Chain], Chain]]] = {
    "BTC": {"USDT": usdt, "USDC": usdc},
    "ETH": {"USDT": usdt, "USDC": usdc},
    "SOL": {"USDT": whole},
}


class Call(Request):
    """A call of Bybit's; both kinds of mistake are error 10001."""

    def missing(self, name: str) -> Refused:
        return Refused(200, 10001, f"params error: {name} is required")

    def wrong(self, name: str, reason: str) -> Refused:
        return Refused(200, 10001, f"params error: {name} {reason}")


def answer(market: Market, at: datetime, method: str, path: str, params: Params) -> Answer:
    """HTTP 200 and an envelope for good news and bad."""
    call = CALLS.get(path, unknown) if method == "GET" else unknown
    try:
        result = call(Call(market, at, params))
    except Refused as refusal:
        return Answer(refusal.status, _envelope(at, refusal.code, refusal.message, {}))
    return Answer(200, _envelope(at, 0, "SUCCESS", result))


def _envelope(at: datetime, code: int, message: str, result: Row) -> Row:
    stamp = milliseconds(at)
    return {
        "retCode": code,
        "retMsg": message,
        "result": result,
        "retExtInfo": {},
        "time": stamp,
    }


def tickers(request: Call) -> Row:
    category = request.choice("category", ("option", "linear"))
    told = option_tickers(request) if category == "option" else perpetual_tickers(request)
    return {"category": category, "list": told}


def option_tickers(request: Call) -> list[Row]:
    """Both families in one list; a coin without options has an empty one."""
    symbol, day = request.text("symbol", ""), request.text("expDate", "")
    coin = symbol.partition("-")[0] or request.text("baseCoin")
    told = [row for settle, chain in _chains(request, coin) for row in _tickers(settle, chain)]
    if symbol:
        return [row for row in told if row["symbol"] == symbol]
    return [row for row in told if not day or str(row["symbol"]).split("-")[1] == day]


def _chains(request: Call, coin: str) -> Iterator[tuple[str, Chain]]:
    """What an option is settled in, and the options of that family."""
    for settle, family in FAMILIES.get(coin, {}).items():
        yield settle, family(request.chain(coin))
        yield settle, family(_delivering(request, coin))


def _delivering(request: Call, coin: str) -> Chain:
    """The options that expired within the last four hours, as they were a second before."""
    expired = datetime.combine(request.at.date(), SETTLEMENT)
    told = timedelta() <= request.at - expired < DELIVERING
    chain = chain_at(request.market, coin, expired - timedelta(seconds=1))
    return some(chain, (chain.expiry == expired.timestamp()) & told)


def _tickers(settle: str, chain: Chain) -> list[Row]:
    sensitivity, quote = greeks(chain, chain.forward), quotes(chain)
    nothing = repeat("0")  # is ever traded
    return rows(
        symbol=_symbols(settle, chain),
        bid1Price=fixed(quote.bid, 4),
        bid1Size=["1" if bid else "0" for bid in quote.bid.tolist()],
        bid1Iv=plain(quote.bid_iv),
        ask1Price=fixed(quote.ask, 4),
        ask1Size=["1" if ask else "0" for ask in quote.ask.tolist()],
        ask1Iv=plain(quote.ask_iv),
        lastPrice=nothing,
        highPrice24h=nothing,
        lowPrice24h=nothing,
        markPrice=fixed(chain.mark, 8),
        indexPrice=repeat(str(chain.index)),
        markIv=plain(chain.iv),
        underlyingPrice=plain(chain.forward),
        openInterest=plain(chain.open_interest),
        turnover24h=nothing,
        volume24h=nothing,
        totalVolume=nothing,
        totalTurnover=nothing,
        delta=fixed(sensitivity.delta, 8),
        gamma=fixed(sensitivity.gamma, 8),
        vega=fixed(sensitivity.vega, 8),
        theta=fixed(sensitivity.theta, 8),
        predictedDeliveryPrice=nothing,
        change24h=nothing,
    )


def _symbols(settle: str, chain: Chain) -> list[str]:
    """USDC is the family that names do not mention."""
    suffix = "" if settle == "USDC" else f"-{settle}"
    return names(chain, chain.coin.name, day_in_letters, suffix=suffix)


def perpetual_tickers(request: Call) -> list[Row]:
    symbol = request.text("symbol", "")
    wanted = [request.choice("symbol", PERPETUALS)] if symbol else list(PERPETUALS)
    return [_perpetual(request, one) for one in wanted]


def _perpetual(request: Call, symbol: str) -> Row:
    mark = request.perpetual(PERPETUALS[symbol])
    return {
        "symbol": symbol,
        "lastPrice": str(mark),
        "indexPrice": str(request.spot(PERPETUALS[symbol])),
        "markPrice": str(mark),
        "fundingRate": "0.0001",
        "bid1Price": f"{mark * (1 - TICK):.4f}",
        "bid1Size": "1",
        "ask1Price": f"{mark * (1 + TICK):.4f}",
        "ask1Size": "1",
    }


def instruments(request: Call) -> Row:
    """A page of the options of a coin, and the cursor of the next one, empty on the last."""
    request.choice("category", ("option",))
    listed = [
        row
        for settle, chain in _chains(request, request.text("baseCoin", "BTC"))
        for row in _instruments(request, settle, chain)
    ]
    start, limit = _offset(request), request.count("limit", INSTRUMENTS, MOST_INSTRUMENTS)
    end = start + limit
    return {
        "category": "option",
        "nextPageCursor": f"{CURSOR}{end}" if end < len(listed) else "",
        "list": listed[start:end],
    }


def _offset(request: Call) -> int:
    cursor = request.text("cursor", f"{CURSOR}0")
    offset = cursor.removeprefix(CURSOR)
    if offset == cursor or not offset.isdecimal():
        raise request.wrong("cursor", "is invalid")
    return int(offset)


def _instruments(request: Call, settle: str, chain: Chain) -> list[Row]:
    coin, now = chain.coin, request.at.timestamp()
    told = rows(
        symbol=_symbols(settle, chain),
        status=["Trading" if end > now else "Delivering" for end in chain.expiry.tolist()],
        baseCoin=repeat(coin.name),
        quoteCoin=repeat(settle),
        settleCoin=repeat(settle),
        optionsType=sides(chain, "Call", "Put"),
        launchTime=plain((chain.expiry - LIFE[chain.kind]) * 1000),
        deliveryTime=plain(chain.expiry * 1000),
        displayName=names(chain, f"{coin.name}{settle}", day_in_letters),
    )
    return [row | _terms(coin.lot) for row in told]


def _terms(lot: float) -> Row:
    size = str(lot)
    return {
        "deliveryFeeRate": "0.00015",
        "priceFilter": {"minPrice": "0.01", "maxPrice": "1110000", "tickSize": "0.01"},
        "lotSizeFilter": {"maxOrderQty": "50000", "minOrderQty": size, "qtyStep": size},
    }


def klines(request: Call) -> Row:
    """Newest first, the open one included; text throughout."""
    coin = PERPETUALS[request.choice("symbol", PERPETUALS)]
    told = [
        [str(start), *prices, f"{volume:.3f}", f"{volume * float(prices[-1]):.4f}"]
        for start, prices, volume in _bars(request, coin)
    ]
    return _list(request, told)


def index_klines(request: Call) -> Row:
    """Likewise, without volume and turnover."""
    coin = PERPETUALS[request.choice("symbol", PERPETUALS)]
    return _list(request, [[str(start), *prices] for start, prices, _ in _bars(request, coin)])


def _bars(request: Call, coin: str) -> list[tuple[int, list[str], float]]:
    request.choice("category", ("linear",))
    width = INTERVALS[request.choice("interval", INTERVALS)]
    first, last = request.number("start", 0), request.number("end", request.milliseconds)
    limit = request.count("limit", CANDLES, MOST_CANDLES)
    bars = request.candles(coin, width, (-(-first // 1000), last // 1000), limit)
    return candle_rows(bars, COINS[coin].decimals)[::-1]


def _list(request: Call, told: list[list[str]]) -> Row:
    return {"symbol": request.text("symbol"), "category": "linear", "list": told}


def server_time(request: Call) -> Row:
    nanoseconds = request.milliseconds * 1_000_000
    return {"timeSecond": str(nanoseconds // 10**9), "timeNano": str(nanoseconds)}


def status(_: Call) -> Row:
    """No maintenance is announced."""
    return {"list": []}


def unknown(_: Call) -> NoReturn:
    raise Refused(404, 404, "Not Found")


CALLS: dict[str, Callable[[Call], Row]] = {
    "/v5/market/tickers": tickers,
    "/v5/market/instruments-info": instruments,
    "/v5/market/kline": klines,
    "/v5/market/index-price-kline": index_klines,
    "/v5/market/time": server_time,
    "/v5/system/status": status,
}
