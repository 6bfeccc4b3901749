"""Snapshots as the API asks for them: the newest, or of some venues alone, and the chain behind."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.api.codes import NOT_FOUND, Refused
from bot.api.kept import Kept
from bot.core.chain import OptionChain
from bot.core.snapshot import Snapshot, recompute

CHAINS_KEPT = 8  # of megabytes each
SNAPSHOTS_KEPT = 128  # of some venues alone

Newest = Callable[[str], Awaitable[Snapshot | None]]
FetchChain = Callable[[Snapshot], Awaitable[OptionChain | None]]


class Views:
    """Computes off the event loop, once for each snapshot and set of venues."""

    def __init__(self, newest: Newest, fetch_chain: FetchChain) -> None:
        self.newest = newest  # the symbol's newest snapshot; raises StoreError
        self._fetch_chain = fetch_chain
        self._chains: Kept[OptionChain] = Kept(CHAINS_KEPT)
        self._alone: Kept[Snapshot] = Kept(SNAPSHOTS_KEPT)

    async def snapshot(self, symbol: str, venues: Sequence[str] = ()) -> Snapshot:
        """The newest snapshot, from these venues alone when they are named.

        Raises Refused where there is nothing, StoreError.
        """
        whole = await self.newest(symbol)
        if whole is None:
            raise Refused(NOT_FOUND, f"no data for {symbol} yet; ask again in half a minute")
        if not venues:
            return whole
        heard = {source.venue for source in whole.sources}
        if heard <= set(venues):
            return whole
        wanted = tuple(sorted(heard.intersection(venues)))
        if not wanted:
            raise Refused(NOT_FOUND, f"no data of {', '.join(venues)} for {symbol} now")
        return await self._alone.of((whole.id, wanted), lambda: self._recompute(whole, wanted))

    async def chain(self, snapshot: Snapshot) -> OptionChain:
        """What the snapshot was computed from. Raises Refused when it is gone, StoreError."""
        return await self._chains.of(snapshot.id, lambda: self._read(snapshot))

    async def _read(self, snapshot: Snapshot) -> OptionChain:
        chain = await self._fetch_chain(snapshot)
        if chain is None:
            raise Refused(NOT_FOUND, f"the option chain of {snapshot.symbol} is not stored now")
        return chain

    async def _recompute(self, whole: Snapshot, venues: Sequence[str]) -> Snapshot:
        chain = await self.chain(whole)
        alone = await asyncio.to_thread(recompute, whole, chain, whole.at, venues)
        return replace(alone, left_out={})
