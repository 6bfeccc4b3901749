"""Spot prices, live: the median of the venues' index prices, a tick a second and symbol."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from statistics import median

from bot.core.snapshot import Tick
from bot.core.symbols import coin_of
from bot.errors import SourceError, StoreError
from bot.ports import SpotSource
from bot.service.desk import Desk

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 2.0  # with one venue: the others' prices do not wait longer


class Ticker:
    """Polls the venues and has every tick judged."""

    def __init__(
        self, sources: Sequence[SpotSource], now: Callable[[], datetime], every_seconds: float = 1.0
    ) -> None:
        self._sources = sources
        self._now = now
        self._every_seconds = every_seconds

    async def run(self, desk: Desk, stored: Callable[[], None]) -> None:
        """Tick until cancelled; `stored` is told of every tick that changed something."""
        while True:
            tick = await self.fetch(desk.symbol)
            try:
                if tick and await desk.judge(tick):
                    stored()
            except StoreError as error:
                logger.error(
                    "tick not stored, the next one is judged from the same state: %s", error
                )
            await asyncio.sleep(self._every_seconds)

    async def fetch(self, symbol: str) -> Tick | None:
        """The symbol's price now; None when no venue says one."""
        coin = coin_of(symbol)
        asked = await asyncio.gather(*(self._ask(source, coin) for source in self._sources))
        ticks = [tick for tick in asked if tick]
        if not ticks:
            return None
        names = "+".join(tick.source for tick in ticks)
        return Tick(symbol, self._now(), median(tick.spot for tick in ticks), f"{names} index")

    async def _ask(self, source: SpotSource, coin: str) -> Tick | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await source.fetch_spot(coin)
        except (SourceError, TimeoutError) as error:
            logger.debug("no spot: %s", error)
            return None
