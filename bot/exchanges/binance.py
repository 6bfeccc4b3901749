"""Binance: so far its spot candles alone."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.core.chain import from_milliseconds
from bot.core.snapshot import Candle
from bot.errors import SourceError
from bot.exchanges.rows import decode
from bot.ports import Wire

SPAN = timedelta(hours=48)
Kline = tuple[int, str, str, str, str, str, int, str, int, str, str, str]


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
    try:
        candles = [
            Candle(from_milliseconds(start), *map(float, prices))
            for start, *prices in (line[:6] for line in decode(Binance.name, body, list[Kline]))
        ]
    except ValueError as error:
        raise SourceError(Binance.name, f"unreadable candle: {error}") from error
    return [candle for candle in candles if now - SPAN < candle.datetime <= now]
