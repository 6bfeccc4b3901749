"""A symbol's candles: from the first venue that has them, the last ones while none answers."""

import logging
from collections import deque
from collections.abc import Sequence

from bot.core.snapshot import Candle
from bot.errors import SourceError
from bot.ports import CandleSource

logger = logging.getLogger(__name__)


class Candles:
    """Asks one venue after the other; one that failed is asked last from then on."""

    def __init__(self, sources: Sequence[CandleSource]) -> None:
        self._sources = sources
        self._order: dict[str, deque[CandleSource]] = {}
        self._last: dict[str, Sequence[Candle]] = {}

    async def fetch(self, symbol: str) -> Sequence[Candle]:
        """The symbol's 30-minute candles, ascending; empty where no venue ever had any."""
        order = self._order.setdefault(symbol, deque(self._sources))
        for source in tuple(order):
            order.rotate(-1)  # at once: whoever loses patience with it cancels this very call
            try:
                candles = await source.fetch_candles(symbol)
            except SourceError as error:
                logger.debug("no candles: %s", error)
                continue
            if candles:
                order.rotate(1)
                self._last[symbol] = candles
                return candles
        return self.last(symbol)

    def last(self, symbol: str) -> Sequence[Candle]:
        """What was fetched last."""
        return self._last.get(symbol, ())
