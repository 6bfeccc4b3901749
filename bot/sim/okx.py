"""OKX's public HTTP interface over the simulated market: every value is text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import NoReturn

import numpy as np

from bot.sim.calls import Params, Refused, Request, Row, milliseconds
from bot.sim.coins import COINS, Coin
from bot.sim.columns import candle_rows, day_in_digits, fixed, names, plain, rows, sides, some
from bot.sim.families import larger, smaller, whole
from bot.sim.market import LIFE, Chain, Market
from bot.sim.noise import Bools
from bot.sim.quotes import greeks, quotes
from bot.sim.wire import Answer

ROOTS = ("/api/v5/",)
SWAPS = {f"{name}-USDT-SWAP": name for name in COINS}
INDICES = {f"{name}-{quote}": name for name in COINS for quote in ("USD", "USDT")}
SWAP_SIZE = {"BTC": 0.01, "ETH": 0.1, "SOL": 1.0, "HYPE": 0.1}  # coins a contract
BARS = {"1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1H": 3600}  # seconds
CANDLES, MOST_CANDLES, MOST_INDEX_CANDLES = 100, 300, 100
FAR = 0.5  # in log-moneyness; rows further out that nobody holds have no fitted IV
TICK = 0.0005  # between the swap's quotes and its mark, as a fraction

Line = list[str]


@dataclass(frozen=True)
class Family:
    """Options of one coin that share a settlement."""

    coin: Coin
    name: str  # that instruments begin with
    multiplier: str  # coins a contract, ctVal being 1
    settle: str
    share: Callable[[Chain], Chain]

    @property
    def underlying(self) -> str:
        return f"{self.coin.name}-USD"


FAMILIES = {
    family.name: family
    for family in (
        Family(COINS["BTC"], "BTC-USD", "0.01", "BTC", larger),
        Family(COINS["BTC"], "BTC-USD_UM", "0.01", "USD", smaller),
        Family(COINS["ETH"], "ETH-USD", "0.1", "ETH", larger),
        Family(COINS["ETH"], "ETH-USD_UM", "0.01", "USD", smaller),
        Family(COINS["SOL"], "SOL-USD_UM", "0.1", "USD", whole),
    )
}


class Call(Request):
    """A call of OKX's."""

    def missing(self, name: str) -> Refused:
        return Refused(200, 50015, f"Parameter {name} is required")

    def wrong(self, name: str, reason: str) -> Refused:
        return Refused(200, 51000, f"Parameter {name} error: {reason}")

    def instrument(self, listed: Mapping[str, str]) -> str:
        """The coin of the instrument asked for."""
        name = self.text("instId")
        if name not in listed:
            raise Refused(200, 51001, "Instrument ID does not exist")
        return listed[name]

    def family(self) -> Family:
        self.choice("instType", ("OPTION",), default="OPTION")
        return FAMILIES[self.choice("instFamily", FAMILIES)]


def answer(market: Market, at: datetime, method: str, path: str, params: Params) -> Answer:
    """HTTP 200 and an envelope for good news and bad."""
    call = CALLS.get(path, unknown) if method == "GET" else unknown
    try:
        data = call(Call(market, at, params))
    except Refused as refusal:
        body = {"code": str(refusal.code), "msg": refusal.message, "data": []}
        return Answer(refusal.status, body)
    return Answer(200, {"code": "0", "msg": "", "data": data})


def tick_bands(request: Call) -> list[Row]:
    """Every family of options there is."""
    request.choice("instType", ("OPTION",))
    band = {"minPx": "0", "maxPx": "", "tickSz": "0.0001"}
    return [{"instType": "OPTION", "instFamily": family, "tickBand": [band]} for family in FAMILIES]


def instruments(request: Call) -> list[Row]:
    request.choice("instType", ("OPTION",))
    family = request.family()
    chain = request.chain(family.coin.name)
    return rows(
        instType=repeat("OPTION"),
        instId=_names(family, chain),
        instFamily=repeat(family.name),
        uly=repeat(family.underlying),
        stk=plain(chain.strike),
        optType=sides(chain, "C", "P"),
        expTime=plain(chain.expiry * 1000),
        listTime=plain((chain.expiry - LIFE[chain.kind]) * 1000),
        ctVal=repeat("1"),
        ctMult=repeat(family.multiplier),
        ctValCcy=repeat(family.coin.name),
        settleCcy=repeat(family.settle),
        state=repeat("live"),
        ctType=repeat(""),
        lotSz=repeat("1"),
        tickSz=repeat("0.0001"),
    )


def open_interest(request: Call) -> list[Row]:
    """In contracts, coins and USD."""
    request.choice("instType", ("OPTION",))
    family = request.family()
    chain = family.share(request.chain(family.coin.name))
    return rows(
        instId=_names(family, chain),
        instType=repeat("OPTION"),
        oi=fixed(chain.open_interest / float(family.multiplier), 0),
        oiCcy=plain(chain.open_interest),
        oiUsd=fixed(chain.open_interest * chain.index, 2),
        ts=repeat(str(milliseconds(chain.at))),
    )


def summaries(request: Call) -> list[Row]:
    """IVs and greeks of a family, of some rows none."""
    family, day = request.family(), request.text("expTime", "")
    chain = family.share(request.chain(family.coin.name))
    told = _summaries(family, some(chain, _fitted(chain)))
    return [row for row in told if not day or str(row["instId"]).split("-")[2] == day]


def _fitted(chain: Chain) -> Bools:
    far = np.abs(np.log(chain.strike / chain.forward)) > FAR
    fitted: Bools = ~far | (chain.open_interest > 0)
    return fitted


def _summaries(family: Family, chain: Chain) -> list[Row]:
    """Greeks by spot (BS), and price-adjusted ones of the price in coin."""
    quote, spot = quotes(chain), greeks(chain, chain.forward)
    in_coin = chain.mark / chain.forward  # (n,)
    by_spot = spot.gamma * chain.forward / chain.index
    adjusted = spot.gamma * chain.forward - 2 * spot.delta + 2 * in_coin
    return rows(
        instType=repeat("OPTION"),
        instId=_names(family, chain),
        uly=repeat(family.underlying),
        delta=fixed(spot.delta - in_coin, 10),
        gamma=fixed(adjusted, 10),
        vega=fixed(spot.vega / chain.forward, 10),
        theta=fixed(spot.theta / chain.forward, 10),
        deltaBS=fixed(spot.delta, 10),
        gammaBS=fixed(by_spot, 12),
        vegaBS=fixed(spot.vega, 8),
        thetaBS=fixed(spot.theta, 8),
        lever=fixed(1 / np.maximum(in_coin, 1e-6), 8),
        markVol=plain(chain.iv),
        bidVol=plain(quote.bid_iv),
        askVol=plain(quote.ask_iv),
        realVol=repeat("0"),
        volLv=repeat(""),
        fwdPx=plain(chain.forward),
        ts=repeat(str(milliseconds(chain.at))),
    )


def _names(family: Family, chain: Chain) -> Line:
    return names(chain, family.name, day_in_digits)


def index_tickers(request: Call) -> list[Row]:
    price = request.spot(request.instrument(INDICES))
    return [{"instId": request.text("instId"), "idxPx": str(price), "ts": _now(request)}]


def mark_price(request: Call) -> list[Row]:
    """Of a perpetual swap; options' marks are not simulated."""
    request.choice("instType", ("SWAP",))
    mark = request.perpetual(request.instrument(SWAPS))
    return [_swap(request) | {"markPx": str(mark)}]


def ticker(request: Call) -> list[Row]:
    """Of a perpetual swap."""
    mark = request.perpetual(request.instrument(SWAPS))
    prices = {
        "last": str(mark),
        "bidPx": f"{mark * (1 - TICK):.4f}",
        "askPx": f"{mark * (1 + TICK):.4f}",
    }
    return [_swap(request) | prices]


def _swap(request: Call) -> Row:
    return {"instType": "SWAP", "instId": request.text("instId"), "ts": _now(request)}


def candles(request: Call) -> list[Line]:
    """Of a swap, newest first, the open one (confirm 0) included."""
    coin = request.instrument(SWAPS)
    return [
        [start, *prices, *_volumes(coin, volume, float(prices[-1])), confirm]
        for start, prices, volume, confirm in _bars(request, coin, MOST_CANDLES)
    ]


def index_candles(request: Call) -> list[Line]:
    """Likewise of an index, without volumes."""
    coin = request.instrument(INDICES)
    bars = _bars(request, coin, MOST_INDEX_CANDLES)
    return [[start, *prices, confirm] for start, prices, _, confirm in bars]


def _bars(request: Call, coin: str, most: int) -> list[tuple[str, Line, float, str]]:
    width = BARS[request.choice("bar", BARS, default="1m")]
    first = request.number("before", -1) // 1000 + 1
    last = (request.number("after", request.milliseconds + 1) - 1) // 1000
    limit = request.count("limit", CANDLES, most)
    bars = request.candles(coin, width, (first, last), limit)
    closed = request.at.timestamp() - width
    return [
        (str(start), prices, volume, "1" if start <= closed * 1000 else "0")
        for start, prices, volume in reversed(candle_rows(bars, COINS[coin].decimals))
    ]


def _volumes(coin: str, volume: float, price: float) -> Line:
    """In contracts, coins and USDT."""
    return [f"{volume / SWAP_SIZE[coin]:.1f}", f"{volume:.3f}", f"{volume * price:.2f}"]


def server_time(request: Call) -> list[Row]:
    return [{"ts": _now(request)}]


def status(_: Call) -> list[Row]:
    """No maintenance is announced."""
    return []


def unknown(_: Call) -> NoReturn:
    raise Refused(404, 404, "Not Found")


def _now(request: Call) -> str:
    return str(request.milliseconds)


CALLS: dict[str, Callable[[Call], list[Row] | list[Line]]] = {
    "/api/v5/public/instrument-tick-bands": tick_bands,
    "/api/v5/public/instruments": instruments,
    "/api/v5/public/open-interest": open_interest,
    "/api/v5/public/opt-summary": summaries,
    "/api/v5/public/mark-price": mark_price,
    "/api/v5/public/time": server_time,
    "/api/v5/market/index-tickers": index_tickers,
    "/api/v5/market/ticker": ticker,
    "/api/v5/market/candles": candles,
    "/api/v5/market/history-candles": candles,
    "/api/v5/market/index-candles": index_candles,
    "/api/v5/system/status": status,
}
