"""What each path answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from bot.api import answers
from bot.api.body import Body
from bot.api.calls import Answer, Asked
from bot.api.codes import CODES, NOT_FOUND, Refused
from bot.api.kept import Kept
from bot.api.schema import INCLUDES, VERSION, RateLimit, sections
from bot.api.status import status_of
from bot.api.views import Views
from bot.core.breakdown import ALL, by_expiry, by_strike, pains
from bot.core.chain import OptionChain, only_venues
from bot.core.history import Past, step_of
from bot.core.snapshot import DEFINITION, Snapshot
from bot.core.symbols import coin_of
from bot.core.venues import VENUES

BODIES_KEPT = 512  # of some ten kilobytes each
MOST_SYMBOLS = 8
MOST_DAYS = 30
DAYS = 7  # where nobody says how many
MOST_QUERY_BYTES = 4_096


class FetchHistory(Protocol):
    """Where the past comes from."""

    def __call__(
        self, symbol: str, since: datetime, until: datetime, step: timedelta
    ) -> Awaitable[Sequence[Past]]:
        """The newest snapshot of each step. Raises StoreError."""
        ...


class Endpoints:
    """Every path's answer; the data part is made once for each snapshot and query."""

    def __init__(
        self,
        views: Views,
        fetch_history: FetchHistory,
        symbols: Sequence[str],
        venues: Sequence[str],
        now: Callable[[], datetime],
        stale_after: timedelta,
    ) -> None:
        self._views = views
        self._fetch_history = fetch_history
        self._symbols = symbols
        self._venues = venues
        self._now = now
        self._stale_after = stale_after
        self._bodies: Kept[Body] = Kept(BODIES_KEPT)

    async def levels(self, asked: Asked, _: RateLimit) -> Answer:
        """/gex/levels."""
        snapshot = await self._views.snapshot(asked["symbol"], asked["exchanges"])
        key = (snapshot.id, asked.identity)
        body = self._bodies.get(key)
        if body is None:
            body = self._bodies.put(key, Body(key, sections(snapshot, asked["include"])))
        return Answer(body, snapshot, asked["exchanges"] or None)

    async def bundle(self, asked: Asked, _: RateLimit) -> Answer:
        """/multi/gex/levels."""
        requested, venues = asked["symbols"], asked["exchanges"]
        known = [symbol for symbol in requested if symbol in self._symbols]
        found = await (self._alone(known, venues) if venues else self._newest(known))
        key = (tuple(one and one.id for one in found.values()), asked.identity)
        body = self._bodies.get(key)
        if body is None:
            body = self._bodies.put(key, Body(key, _bundle(requested, found, asked["include"])))
        return Answer(body, venues=venues or None)

    async def profile(self, asked: Asked, _: RateLimit) -> Answer:
        """/gex/strike-profile."""
        venues, expiry = asked["exchanges"], asked["expiry"]

        def make(chain: OptionChain, of: Snapshot) -> answers.Profile | None:
            rows = only_venues(chain, venues) if venues else chain
            strikes = by_strike(rows, of.spot, of.at, expiry)
            return answers.Profile(expiry, strikes) if strikes or expiry == ALL else None

        snapshot = await self._views.snapshot(asked["symbol"], venues)
        body = await self._of_chain(asked, snapshot, make)
        return Answer(body, snapshot, venues or None)

    async def pains(self, asked: Asked, _: RateLimit) -> Answer:
        """/gex/max-pain."""
        expiry = asked["expiry"]

        def make(chain: OptionChain, of: Snapshot) -> answers.Pains | None:
            found = pains(chain, of.spot, of.at, expiry)
            return answers.pains(expiry, found, of.at) if found or expiry == ALL else None

        snapshot = await self._views.snapshot(asked["symbol"])
        return Answer(await self._of_chain(asked, snapshot, make), snapshot)

    async def expiries(self, asked: Asked, _: RateLimit) -> Answer:
        """/expiries."""

        def make(chain: OptionChain, of: Snapshot) -> answers.Expiries:
            return answers.Expiries(by_expiry(chain, of.spot, of.at))

        snapshot = await self._views.snapshot(asked["symbol"])
        return Answer(await self._of_chain(asked, snapshot, make), snapshot)

    async def history(self, asked: Asked, _: RateLimit) -> Answer:
        """/gex/stress-history."""
        snapshot = await self._views.snapshot(asked["symbol"])
        span = timedelta(days=asked["days"])
        key = (snapshot.id, asked.identity)

        async def make() -> Body:
            past = await self._fetch_history(
                snapshot.symbol, snapshot.at - span, snapshot.at, step_of(span)
            )
            points = list(map(answers.point, past))
            return Body(key, answers.History(asked["days"], points))

        return Answer(await self._bodies.of(key, make), snapshot)

    async def symbols(self, asked: Asked, _: RateLimit) -> Answer:
        """/symbols."""
        newest = await self._newest(self._symbols)
        rows = [
            answers.SymbolRow(
                symbol, coin_of(symbol), one.at if one else None, one.spot if one else None
            )
            for symbol, one in newest.items()
        ]
        return Answer(Body(asked.identity, answers.Symbols(rows)))

    async def status(self, asked: Asked, _: RateLimit) -> Answer:
        """/status."""
        newest = await self._newest(self._symbols)
        found = status_of(newest, self._venues, self._now(), self._stale_after)
        return Answer(Body(asked.identity, found))

    async def about(self, asked: Asked, limit: RateLimit) -> Answer:
        """/meta."""
        bounds = answers.Bounds(MOST_SYMBOLS, MOST_DAYS, MOST_QUERY_BYTES, limit.limit)
        codes = [answers.CodeRow(code.name, code.status, code.when) for code in CODES]
        about = answers.About(VERSION, DEFINITION, self._symbols, VENUES, INCLUDES, codes, bounds)
        return Answer(Body(asked.identity, about))

    async def health(self, asked: Asked, _: RateLimit) -> Answer:
        """/health: it does not look at the database, which a restart would not bring back."""
        return Answer(Body(asked.identity, answers.Alive("ok")))

    async def _newest(self, symbols: Sequence[str]) -> Mapping[str, Snapshot | None]:
        return {symbol: await self._views.newest(symbol) for symbol in symbols}

    async def _alone(
        self, symbols: Sequence[str], venues: Sequence[str]
    ) -> Mapping[str, Snapshot | None]:
        found: dict[str, Snapshot | None] = dict.fromkeys(symbols)
        for symbol in symbols:
            with suppress(Refused):
                found[symbol] = await self._views.snapshot(symbol, venues)
        return found

    async def _of_chain(
        self, asked: Asked, snapshot: Snapshot, make: Callable[[OptionChain, Snapshot], object]
    ) -> Body:
        """What `make` says of the snapshot's chain, off the event loop.

        Raises Refused where that is None: the chain does not have the expiry.
        """
        key = (snapshot.id, asked.identity)

        async def made() -> Body:
            chain = await self._views.chain(snapshot)
            data = await asyncio.to_thread(make, chain, snapshot)
            if data is None:
                raise Refused(NOT_FOUND, f"no expiry {asked['expiry']} of {snapshot.symbol} now")
            return Body(key, data)

        return await self._bodies.of(key, made)


def _bundle(
    requested: Sequence[str], found: Mapping[str, Snapshot | None], included: Sequence[str]
) -> answers.Bundle:
    return answers.Bundle(
        results={
            symbol: answers.result(one, included) if one else None for symbol, one in found.items()
        },
        requested=requested,
        served=[symbol for symbol, one in found.items() if one],
        missing=[symbol for symbol, one in found.items() if not one],
        invalid=[symbol for symbol in requested if symbol not in found],
    )
