"""Hearing the venues: every chain that can be had, and who was left out and why."""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from bot.core.chain import OptionChain, merge, missing, only_venues, without_old_rows
from bot.core.frozen import Stillness, median_index, observe
from bot.errors import NotListed, SourceError
from bot.ports import ChainSource

logger = logging.getLogger(__name__)

PATIENCE = 0.8  # seconds; a venue that was heard a moment ago is not waited for longer
FIRST_PATIENCE = 6.0  # seconds, for a venue that has nothing to stand in for its answer
RECENT = timedelta(minutes=1)
FIRST_SEARCH = timedelta(minutes=1)  # until a coin that a venue did not list is asked for again
LAST_SEARCH = timedelta(hours=1)  # each time twice as long, up to this

Key = tuple[str, str]  # venue, underlying


@dataclass(frozen=True, slots=True)
class Heard:
    """The chains of one cycle merged; `left_out` says why a venue is not among its sources."""

    chain: OptionChain
    left_out: Mapping[str, str]
    fresh: bool


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A coin that a venue does not list, and when to look again."""

    until: datetime
    after: timedelta


class Sources:
    """Asks every venue at once and remembers each one's last good chain.

    A live venue makes mistakes: a coin that it does not list is looked for now and then, and a
    chain that lost a part of itself is not taken for whole, until the venue was left out for it.
    A recording is taken at its word.
    """

    def __init__(self, venues: Sequence[ChainSource], *, live: bool = False) -> None:
        self._venues = venues
        self._live = live
        self._last: dict[Key, OptionChain] = {}
        self._asking: dict[Key, asyncio.Task[None]] = {}
        self._listed: set[Key] = set()  # that were heard of once
        self._unlisted: dict[Key, Unlisted] = {}
        self._trouble: dict[Key, str] = {}
        self._still: dict[Key, Stillness] = {}
        self._out: set[Key] = set()  # whose last chain did not serve in the last cycle

    async def hear(
        self, underlying: str, clock: Callable[[], datetime], stale_after: timedelta
    ) -> Heard:
        """What the venues say now; the last chain of one that fails serves until it is stale.

        A slow venue's answer is not waited for while its last one can stand in: it goes on and
        serves the next cycle. When nobody is fresh the stale chains are given: their age shows
        that they are.
        """
        await self._ask_all(underlying, clock)
        now = clock()  # a venue may have taken its time to fail
        known = {venue: chain for (venue, coin), chain in self._last.items() if coin == underlying}
        unusable = self._frozen(underlying, known, now, stale_after) | {
            venue: "stale"
            for venue, chain in known.items()
            if now - chain.sources[0].at > stale_after
        }
        used = sorted(known.keys() - unusable.keys()) or sorted(known)
        fresh = any(venue not in unusable for venue in used)
        trouble = {venue: why for (venue, coin), why in self._trouble.items() if coin == underlying}
        left_out = {one: why for one, why in (unusable | trouble).items() if one not in used}
        self._out -= {(venue, underlying) for venue in known}
        self._out |= {(venue, underlying) for venue in unusable}
        chains = [known[venue] for venue in used]
        if fresh:
            chains = [without_old_rows(chain, now - stale_after) for chain in chains]
        return Heard(merge(underlying, chains), left_out, fresh)

    def recall(self, chain: OptionChain) -> None:
        """Take up each venue's part of a chain that an earlier run stored."""
        asked = {venue.name for venue in self._venues}
        for source in (source for source in chain.sources if source.venue in asked):
            key = source.venue, chain.underlying
            self._take(key, only_venues(chain, [source.venue]))
            self._out.add(key)  # how much a venue had then is no measure of what it has now

    def unlisted(self) -> Mapping[str, Sequence[str]]:
        """The coins that each venue does not list, as far as they were asked for."""
        coins: dict[str, list[str]] = {}
        for venue, underlying in sorted(self._unlisted):
            coins.setdefault(venue, []).append(underlying)
        return coins

    async def _ask_all(self, underlying: str, clock: Callable[[], datetime]) -> None:
        """Ask, and wait for as long as each venue deserves."""
        now = clock()
        tasks: dict[Key, asyncio.Task[None]] = {}
        for venue in self._venues:
            key = venue.name, underlying
            if key not in self._unlisted or now >= self._unlisted[key].until:
                tasks[key] = self._asking.get(key) or self._start(key, venue, clock)
        late = [task for key, task in tasks.items() if not self._is_recent(key, now)]
        if tasks:
            await asyncio.wait(tasks.values(), timeout=PATIENCE)
        if late:
            await asyncio.wait(late, timeout=FIRST_PATIENCE - PATIENCE)
        for key, task in tasks.items():
            if task.done():
                task.result()  # a bug in an adapter ends the program
            elif key not in self._last:
                self._trouble.setdefault(key, "no answer yet")

    def _start(
        self, key: Key, venue: ChainSource, clock: Callable[[], datetime]
    ) -> asyncio.Task[None]:
        task = self._asking[key] = asyncio.create_task(self._ask(key, venue, clock))
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: Key, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            del self._asking[key]  # a bug stays, for the next cycle to find

    def _is_recent(self, key: Key, now: datetime) -> bool:
        return key in self._last and now - self._last[key].sources[0].at < RECENT

    async def _ask(self, key: Key, venue: ChainSource, clock: Callable[[], datetime]) -> None:
        try:
            chain = await venue.fetch_chain(key[1])
        except NotListed as error:
            self._not_listed(key, error, clock())
        except SourceError as error:
            self._failed(key, error.reason)
        else:
            self._answered(key, chain, clock())

    def _answered(self, key: Key, chain: OptionChain, now: datetime) -> None:
        if not len(chain):
            self._failed(key, "no rows")
            return
        if self._live and key in self._last and key not in self._out:
            lost = missing(self._last[key], chain, now)
            if lost:  # it would pass for a move of the market
                self._failed(key, lost)
                return
        if self._trouble.pop(key, None):
            logger.info("%s: %s heard again", *key)
        self._unlisted.pop(key, None)
        self._take(key, chain)

    def _take(self, key: Key, chain: OptionChain) -> None:
        self._listed.add(key)
        self._last[key] = chain

    def _failed(self, key: Key, reason: str) -> None:
        if key not in self._trouble:
            logger.warning("%s: %s not heard: %s", *key, reason)
        self._trouble[key] = reason

    def _not_listed(self, key: Key, error: NotListed, now: datetime) -> None:
        """A coin that was listed is missed; one that never was is looked for now and then."""
        self._last.pop(key, None)
        if key in self._listed:
            self._failed(key, error.reason)
            return
        self._trouble.pop(key, None)
        if self._live:
            before = self._unlisted.get(key)
            after = min(2 * before.after, LAST_SEARCH) if before else FIRST_SEARCH
            self._unlisted[key] = Unlisted(now + after, after)

    def _frozen(
        self,
        underlying: str,
        known: Mapping[str, OptionChain],
        now: datetime,
        stale_after: timedelta,
    ) -> dict[str, str]:
        """The venues whose prices stand still while the others' move, each with its reason."""
        indexes = {venue: median_index(chain) for venue, chain in known.items()}
        frozen = {}
        for venue, chain in known.items():
            others = [one for name, one in indexes.items() if name != venue and one > 0]
            price = median(others) if others else math.nan
            before = self._still.get((venue, underlying))
            still = self._still[venue, underlying] = observe(before, chain, price, now)
            if still.is_frozen(price, now, stale_after):
                frozen[venue] = f"frozen since {still.since:%H:%M:%S} UTC"
        return frozen
