"""Hearing the venues: every chain that can be had, and who was left out and why."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.chain import OptionChain, merge, only_venues
from bot.errors import NotListed, SourceError
from bot.ports import ChainSource

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """The chains of one cycle merged; `left_out` says why a venue is not among its sources."""

    chain: OptionChain
    left_out: Mapping[str, str]
    fresh: bool


class Sources:
    """Asks every venue at once and remembers each one's last good chain."""

    def __init__(self, venues: Sequence[ChainSource]) -> None:
        self._venues = venues
        self._last: dict[tuple[str, str], OptionChain] = {}

    async def hear(
        self, underlying: str, clock: Callable[[], datetime], stale_after: timedelta
    ) -> Heard:
        """What the venues say now; a failed one's last chain serves until it is stale.

        When nobody is fresh the stale chains are given: their age shows that they are.
        """
        asked = await asyncio.gather(*(self._ask(venue, underlying) for venue in self._venues))
        now = clock()  # a venue may have taken its time to fail
        reasons = {name: why for name, why in asked if why}
        known = [chain for (_, coin), chain in sorted(self._last.items()) if coin == underlying]
        fresh = [chain for chain in known if now - chain.sources[0].at <= stale_after]
        heard = fresh or known
        used = {chain.sources[0].venue for chain in heard}
        stale = {c.sources[0].venue: "stale" for c in known if c.sources[0].venue not in used}
        left_out = {name: why for name, why in (stale | reasons).items() if name not in used}
        return Heard(merge(underlying, heard), left_out, bool(fresh))

    def recall(self, chain: OptionChain) -> None:
        """Take up each venue's part of a chain that an earlier run stored."""
        asked = {venue.name for venue in self._venues}
        for source in (source for source in chain.sources if source.venue in asked):
            part = only_venues(chain, [source.venue])
            self._last[source.venue, chain.underlying] = part

    async def _ask(self, venue: ChainSource, underlying: str) -> tuple[str, str | None]:
        """The venue's name, and why it was not heard; None when it was or lists no such coin."""
        try:
            chain = await venue.fetch_chain(underlying)
            if not len(chain):
                return venue.name, "no rows"
            self._last[venue.name, underlying] = chain
        except NotListed:
            self._last.pop((venue.name, underlying), None)
        except SourceError as error:
            logger.warning("not heard: %s", error)
            return venue.name, error.reason
        return venue.name, None
