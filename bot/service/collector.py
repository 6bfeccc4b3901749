"""One cycle of one symbol: hear the venues, compute, show."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from statistics import median

from bot.core.chain import OptionChain, only_venues
from bot.core.snapshot import Snapshot, Tick, choose_spot, compute_levels, snapshot_id
from bot.core.symbols import coin_of
from bot.errors import NothingHeard, SourceError
from bot.ports import CandleSource, SpotSource
from bot.service.candles import Candles
from bot.service.desk import Desk
from bot.service.sources import FIRST_PATIENCE, PATIENCE, Heard, Sources

logger = logging.getLogger(__name__)

CANDLES_SPAN = timedelta(hours=48)


class Collector:
    """Makes snapshots of what the venues say."""

    def __init__(
        self,
        sources: Sources,
        candles: Sequence[CandleSource],
        perpetuals: Sequence[SpotSource],
        now: Callable[[], datetime],
    ) -> None:
        self._sources = sources
        self._candles = Candles(candles)
        self._perpetuals = perpetuals
        self._now = now
        self._looked_at: set[str] = set()

    def recall(self, chain: OptionChain) -> None:
        """Take up a chain that an earlier run stored."""
        self._sources.recall(chain)

    async def collect(self, desk: Desk, position: str | None = None) -> bool:
        """Show a new snapshot at the desk, or let it age when nobody fresh was heard.

        Whether anything was stored.
        """
        try:
            snapshot, chain = await self.look(desk.symbol, lambda: desk.tick, desk.stale_after)
        except NothingHeard:
            return await desk.age(self._now(), position)
        if snapshot.stale:
            return await desk.age(self._now(), position)
        await desk.show(snapshot, chain, position)
        return True

    async def look(
        self,
        symbol: str,
        newest_tick: Callable[[], Tick | None],
        stale_after: timedelta,
        exchanges: Collection[str] | None = None,
    ) -> tuple[Snapshot, OptionChain]:
        """A snapshot and its chain, however old the venues' answers are. Raises NothingHeard.

        `exchanges` filters the rows; spot stays the symbol's.
        """
        coin = coin_of(symbol)
        patience = PATIENCE if symbol in self._looked_at else FIRST_PATIENCE
        self._looked_at.add(symbol)
        perps_price, candles, heard = await asyncio.gather(
            self._fetch_perpetual(coin, patience),
            self._candles.fetch(symbol, patience),
            self._sources.hear(coin, self._now, stale_after),
        )
        now = self._now()
        spot = choose_spot(newest_tick(), heard.chain, now)
        chain = heard.chain if exchanges is None else only_venues(heard.chain, exchanges)
        if spot is None or not len(chain):
            raise NothingHeard(f"{symbol}: {_why(heard, exchanges)}")
        snapshot = Snapshot(
            id=snapshot_id(symbol, now),
            symbol=symbol,
            at=now,
            spot=spot,
            perps_price=perps_price,
            levels=compute_levels(chain, spot, now),
            sources=chain.sources,
            left_out=heard.left_out,
            candles=tuple(one for one in candles if now - one.datetime < CANDLES_SPAN),
            stale=not heard.fresh,
        )
        return snapshot, chain

    async def _fetch_perpetual(self, coin: str, patience: float) -> float | None:
        """The median of the marks that come in time, USD."""
        tasks = [
            asyncio.create_task(self._ask_perpetual(source, coin)) for source in self._perpetuals
        ]
        if not tasks:
            return None
        try:
            done, _ = await asyncio.wait(tasks, timeout=patience)
        finally:
            for task in tasks:
                task.cancel()
        prices = [price for task in done if (price := task.result()) is not None]
        return median(prices) if prices else None

    async def _ask_perpetual(self, source: SpotSource, coin: str) -> float | None:
        try:
            return await source.fetch_perpetual(coin)
        except SourceError as error:
            logger.debug("no perpetual: %s", error)
            return None


def _why(heard: Heard, exchanges: Collection[str] | None) -> str:
    """Why there is nothing to compute from."""
    reasons = "; ".join(f"{venue}: {why}" for venue, why in heard.left_out.items())
    if len(heard.chain) and exchanges:
        return f"no row of {', '.join(exchanges)}"
    if len(heard.chain):
        return "no spot price, neither a tick nor an index"
    return reasons or "no venue lists it, or the recording holds no chain of it up to then"
