"""Binance: so far its spot candles alone."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from bot.core.chain import from_milliseconds
from bot.core.snapshot import Candle
from bot.errors import SourceError
from bot.exchanges.rows import decode, num
from bot.ports import Wire

SPAN = timedelta(hours=48)
FAR_FUTURE_MS = 4_102_444_800_000  # since 1970, the year 2100: a later stamp is no time
Kline = tuple[int, str, str, str, str, str, int, str, int, str, str, str]


class Refusal(msgspec.Struct):
    """Why Binance refused."""

    code: int
    msg: str


class Binance:
    """Binance's public spot API."""

    name = "binance"

    def __init__(self, wire: Wire, now: Callable[[], datetime]) -> None:
        self._wire = wire
        self._now = now

    async def fetch_candles(self, symbol: str) -> Sequence[Candle]:
        """The 30-minute candles that opened within the last 48 hours, ascending."""
        params = {"symbol": symbol, "interval": "30m", "limit": "499"}
        body = await self._wire.ask(self.name, "GET", "/api/v3/klines", params)
        return parse_candles(body, self._now())


def parse_candles(body: bytes, now: datetime) -> list[Candle]:
    """The candles of the 48 hours before `now`, ascending. Raises SourceError."""
    # No type stands for "the type of a union" in Python's annotations yet.
    answer = decode(Binance.name, body, list[Kline] | Refusal)  # type: ignore[arg-type]
    if isinstance(answer, Refusal):
        raise SourceError(Binance.name, f"{answer.msg} ({answer.code})")
    candles = map(_candle, answer)
    return [candle for candle in candles if now - SPAN < candle.datetime <= now]


def _candle(line: Kline) -> Candle:
    numbers = [num(text) for text in line[1:6]]
    if not 0 < line[0] < FAR_FUTURE_MS or not all(map(math.isfinite, numbers)):
        raise SourceError(Binance.name, f"unreadable candle: {line[:6]}")
    return Candle(from_milliseconds(line[0]), *numbers)
