"""Recordings made by hand: invented numbers in the venues' shapes."""

import gzip
import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.exchanges.wires import deribit_row, kline

BOOK = "/api/v2/public/get_book_summary_by_currency"
START = datetime(2026, 3, 2, 7, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
HEADER = {"recording": 1, "title": "made by hand", "symbols": ["BTCUSDT"], "venues": ["deribit"]}

# Strikes in steps around 100, with the coins held as calls and as puts there.
STRIKES = {
    80: (5, 400),
    90: (10, 900),
    94: (40, 1_500),
    96: (90, 700),
    98: (200, 500),
    100: (400, 380),
    102: (700, 160),
    104: (1_600, 60),
    106: (800, 30),
    110: (1_000, 10),
    120: (600, 0),
}
IVS = {day: 44.0 + day / 10 for day in range(1, 100)}  # percent, by days to expiry
SCALES = {"BTC": 800.0, "ETH": 30.0}  # USD a step of STRIKES


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def tick(at: datetime, spot: object, symbol: str = "BTCUSDT") -> dict:
    return {"at": stamp(at), "symbol": symbol, "spot": spot, "source": "by hand"}


def answer(
    at: datetime,
    body: object,
    *,
    path: str = BOOK,
    params: Mapping[str, object] | None = None,
    **fields: object,
) -> dict:
    asked = {"currency": "BTC", "kind": "option"} if params is None else params
    line = {"at": stamp(at), "venue": "deribit", "method": "GET", "path": path, "params": asked}
    return {**line, "status": 200, "body": body, **fields}


def book(rows: Iterable[object]) -> dict:
    return {"jsonrpc": "2.0", "result": list(rows), "usIn": 1, "usOut": 1, "testnet": False}


def chain_rows(coin: str, at: datetime, spot: float, days: Iterable[int] = (0, 1, 25)) -> list:
    """Every strike of expiries that many days away, as Deribit writes it."""
    rows = []
    for day in days:
        expiry = at.replace(hour=8) + timedelta(days=day)
        if expiry <= at:
            continue
        left = max((expiry - at) / timedelta(days=1), 1)
        for step, held in STRIKES.items():
            for side, coins in zip("CP", held, strict=True):
                name = f"{coin}-{expiry.day}{expiry:%b%y}-{step * SCALES[coin]:g}-{side}".upper()
                rows.append(
                    deribit_row(
                        name,
                        open_interest=coins / (day + 1),
                        mark_iv=IVS[int(left)] + abs(step - 100) / 4,
                        underlying_price=spot * (1 + left / 4_000),
                        estimated_delivery_price=spot,
                        creation_timestamp=int(at.timestamp() * 1_000),
                    )
                )
    return rows


def spot_at(coin: str, at: datetime) -> float:
    """A path that swings 5 % to either side every two hours, with ripples within."""
    hours = (at - START) / timedelta(hours=1)
    swing = 5 * math.sin(math.pi * hours) + 0.6 * math.sin(17 * hours)
    return round(SCALES[coin] * (100 + swing), 2)


def candle_line(at: datetime, symbol: str) -> dict:
    opened = at.replace(minute=0, second=0)
    times = (int((opened - step * HALF_HOUR).timestamp() * 1_000) for step in range(120, -1, -1))
    params = {"symbol": symbol, "interval": "30m", "limit": "499"}
    body = [kline(time) for time in times]
    return answer(at, body, venue="binance", path="/api/v3/klines", params=params)


def day_lines(
    coins: Iterable[str] = ("BTC", "ETH"), hours: int = 2, every: timedelta = timedelta(minutes=5)
) -> list[dict]:
    """Hours from 07:00: chains each 45 minutes, an expiry at 08:00, spots in between."""
    coins = list(coins)
    lines = []
    for number in range(int(timedelta(hours=hours) / every) + 1):
        at = START + number * every
        lines += [tick(at, spot_at(coin, at), f"{coin}USDT") for coin in coins]
        if (at - START) % timedelta(minutes=45) == timedelta(0):
            lines += [candle_line(at, f"{coin}USDT") for coin in coins]
            for coin in coins:
                body = book([*chain_rows(coin, at, spot_at(coin, at)), None])
                lines.append(answer(at, body, params={"currency": coin, "kind": "option"}))
    return lines


def day_header(coins: Iterable[str] = ("BTC", "ETH")) -> dict:
    symbols = [f"{coin}USDT" for coin in coins]
    return {**HEADER, "symbols": symbols, "venues": ["binance", "deribit"]}


def write_recording(
    path: Path, lines: Iterable[object], header: Mapping[str, object] = HEADER
) -> Path:
    """The file; a line given as bytes is written as it is."""
    with gzip.open(path, "wb") as file:
        for line in (header, *lines):
            file.write(line if isinstance(line, bytes) else json.dumps(line).encode())
            file.write(b"\n")
    return path


def write_day(path: Path, coins: Iterable[str] = ("BTC", "ETH"), hours: int = 2) -> Path:
    coins = list(coins)
    return write_recording(path, day_lines(coins, hours), day_header(coins))
