"""A symbol's candles: from the first venue that has them, the last ones while none answers."""

import asyncio
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
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def fetch(self, symbol: str, patience: float) -> Sequence[Candle]:
        """The symbol's 30-minute candles, ascending; empty where no venue ever had any.

        What takes longer than `patience` seconds serves the next time.
        """
        task = self._asking.get(symbol)
        if task is None:
            task = self._asking[symbol] = asyncio.create_task(self._ask(symbol))
            task.add_done_callback(lambda _: self._asking.pop(symbol))
        await asyncio.wait({task}, timeout=patience)
        if task.done():
            task.result()
        return self._last.get(symbol, ())

    async def _ask(self, symbol: str) -> None:
        order = self._order.setdefault(symbol, deque(self._sources))
        for source in tuple(order):
            try:
                candles = await source.fetch_candles(symbol)
            except SourceError as error:
                logger.debug("no candles: %s", error)
                candles = ()
            if candles:
                self._last[symbol] = candles
                return
            order.rotate(-1)
