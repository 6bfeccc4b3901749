"""Binance's public candles over the simulated market; USDT is taken for a dollar."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from bot.sim.coins import COINS
from bot.sim.market import Market

ROOT = "/api/v3/"
SYMBOLS = {f"{name}USDT": name for name in COINS}
INTERVALS = {"1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600}  # seconds
USUAL, MOST = 500, 1000  # candles

Params = Mapping[str, str]


def answer(market: Market, at: datetime, path: str, params: Params) -> tuple[int, object]:
    """HTTP status and body."""
    if path != f"{ROOT}klines":
        return 404, {"code": -1000, "msg": "Not found."}
    for name in ("symbol", "interval"):
        if not params.get(name):
            return _refusal(-1102, f"Mandatory parameter '{name}' was not sent.")
    if params["symbol"] not in SYMBOLS:
        return _refusal(-1121, "Invalid symbol.")
    if params["interval"] not in INTERVALS:
        return _refusal(-1120, "Invalid interval.")
    limit = params.get("limit", str(USUAL))
    if not limit.isdecimal() or int(limit) == 0:
        return _refusal(-1100, "Illegal characters found in parameter 'limit'.")
    coin, width = SYMBOLS[params["symbol"]], INTERVALS[params["interval"]]
    return 200, klines(market, coin, at, width, min(int(limit), MOST))


def klines(market: Market, coin: str, at: datetime, width: int, count: int) -> list[list[object]]:
    """Ascending, the last one open; prices and volumes are text."""
    newest = int(at.timestamp()) // width * width
    bars = market.candles(coin, at, newest + np.arange(1 - count, 1) * width, width)
    digits = COINS[coin].decimals
    columns = [bars.start, bars.open, bars.high, bars.low, bars.close, bars.volume]
    return [
        [
            start * 1000,
            *(f"{price:.{digits}f}" for price in prices),
            f"{volume:.3f}",
            (start + width) * 1000 - 1,
            f"{volume * prices[-1]:.2f}",
            round(volume * 100),  # trades
            f"{volume / 2:.4f}",  # bought by takers
            f"{volume * prices[-1] / 2:.2f}",
            "0",
        ]
        for start, *prices, volume in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _refusal(code: int, message: str) -> tuple[int, object]:
    return 400, {"code": code, "msg": message}
