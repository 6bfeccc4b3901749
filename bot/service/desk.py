"""One symbol's desk: the levels last shown, the latches, and every judgement of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.attribution import Causes, State
from bot.core.chain import OptionChain
from bot.core.crossings import (
    BUFFER,
    MOVE,
    Latches,
    judge_freshness,
    judge_snapshot,
    judge_tick,
    take_sides,
)
from bot.core.events import Crossing, Event, Freshness, Moved, RegimeChange, levels_of
from bot.core.routing import route
from bot.core.snapshot import Snapshot, Tick
from bot.ports import Record, Store
from bot.service.rulebook import Rulebook


class Desk:
    """Judges ticks and snapshots of one symbol, one at a time, and stores what follows.

    Memory changes only after the store has taken the change, so that a refused write is
    judged again and nothing rings that was not written.
    """

    def __init__(
        self,
        symbol: str,
        store: Store,
        rulebook: Rulebook,
        stale_after: timedelta,
        late_after: timedelta | None = None,
    ) -> None:
        self.symbol = symbol
        self.tick: Tick | None = None
        self.snapshot: Snapshot | None = None
        self._store = store
        self._rulebook = rulebook
        self.stale_after = stale_after
        self._late_after = late_after  # None: a pause between ticks is part of a recording
        self.chain: OptionChain | None = None
        self._latches = Latches()
        self._turn = asyncio.Lock()
        self._restarted = False  # until something was judged after a restart
        self._late = False  # until something was judged after a long pause
        self._seen_at: datetime | None = None

    async def open(self) -> None:
        """Take up where the store says the last run ended."""
        self._latches = await self._store.latches(self.symbol)
        self.snapshot = await self._store.snapshot(self.symbol)
        if self._late_after is None:  # live, an earlier run's price would pass for one of now
            self.tick = self._latches.tick
        self.chain = await self._store.chain(self.snapshot) if self.snapshot else None
        if self._late_after:
            seen = [known.at for known in (self.tick, self.snapshot) if known]
            self._seen_at = max(seen, default=None)
            self._restarted = self._seen_at is not None

    def recall(self, tick: Tick) -> None:
        """Take note of a tick that an earlier run judged already."""
        self.tick = tick
        self._latches = replace(self._latches, tick=tick)

    async def judge(self, tick: Tick, position: str | None = None) -> bool:
        """Judge one tick against the levels last shown; whether anything was stored."""
        async with self._turn:
            self.tick = tick
            return await self._judge(tick, position)

    async def show(
        self, snapshot: Snapshot, chain: OptionChain, position: str | None = None
    ) -> None:
        """Make the snapshot the one that is shown, and judge what it changed."""
        async with self._turn:
            if self._restarted:  # what spot did in the pause is judged by the levels of before it
                await self._judge(Tick(self.symbol, snapshot.at, snapshot.spot, "index"), None)
            old = self.snapshot
            after = State(chain, snapshot.spot, snapshot.at, snapshot.levels)
            before = None
            if old and self.chain:
                before = State(self.chain, old.spot, old.at, old.levels)
            events, latches = judge_snapshot(
                self._latches,
                levels_of(old) if old else {},
                old.id if old else "",
                levels_of(snapshot),
                self._rulebook.watches(self.symbol),
                snapshot,
                Causes(before, after).explain,
            )
            aged, latches = self._judge_age(latches, snapshot, snapshot.at)
            await self._store_events(
                [*aged, *events], latches, snapshot, snapshot.at, chain, position
            )

    async def take_sides(self, now: datetime) -> None:
        """Store on which side spot is of what rules ask for since just now.

        So that no crash and no slow tick loses what spot does next. Raises StoreError.
        """
        async with self._turn:
            tick = self._latches.tick
            if self._restarted or not (self.snapshot and tick) or now - tick.at > self.stale_after:
                return  # where spot is now, nobody knows: the next tick tells
            watches = self._rulebook.watches(self.symbol)
            latches = take_sides(self._latches, levels_of(self.snapshot), watches)
            if latches != self._latches:
                await self._store_events([], latches, self.snapshot, now)

    async def age(self, now: datetime, position: str | None = None) -> bool:
        """Notice when the data became too old to ring on; whether anything was stored."""
        async with self._turn:
            if self.snapshot is None:
                return False
            events, latches = self._judge_age(self._latches, self.snapshot, now)
            if events:
                await self._store_events(events, latches, self.snapshot, now, position=position)
            return bool(events)

    async def _judge(self, tick: Tick, position: str | None) -> bool:
        events: list[Event] = []
        latches = self._latches
        if self.snapshot:
            events, latches = self._judge_age(latches, self.snapshot, tick.at)
        self._sees(tick)
        judged = bool(self.snapshot) and (self._restarted or not latches.stale)
        if self.snapshot and judged:
            shown, watches = levels_of(self.snapshot), self._rulebook.watches(self.symbol)
            crossed, latches = judge_tick(
                latches, shown, watches, tick, self.snapshot.id, late=self._late
            )
            events = [*events, *crossed]
        latches = replace(latches, tick=tick)
        before = self._latches
        changed = bool(events) or (latches.sides, latches.held) != (before.sides, before.held)
        if self.snapshot and changed:
            await self._store_events(events, latches, self.snapshot, tick.at, position=position)
        self._latches, self._restarted = latches, False
        self._late = self._late and not judged
        return bool(self.snapshot) and changed

    def _judge_age(
        self, latches: Latches, snapshot: Snapshot, now: datetime
    ) -> tuple[list[Event], Latches]:
        return judge_freshness(latches, self.symbol, snapshot.heard_at, self.stale_after, now)

    def _sees(self, tick: Tick) -> None:
        """Notice a pause too long for what spot did in it to be called live.

        A restart, a suspended machine, ticks that did not come: no matter why. What crossed in
        it is late, also when the tick that ends it finds the data stale and cannot be judged.
        """
        limit = min(self._late_after or self.stale_after, self.stale_after)
        if self._late_after and self._seen_at and tick.at - self._seen_at > limit:
            self._late = True
        self._seen_at = tick.at

    async def _store_events(
        self,
        events: Sequence[Event],
        latches: Latches,
        shown: Snapshot,
        now: datetime,
        chain: OptionChain | None = None,
        position: str | None = None,
    ) -> None:
        """Write the change with the alerts it rings, then take it as the present state.

        `shown` is the snapshot on view after the change: a new one when its chain is given.
        """
        book = self._rulebook
        rules = book.topics(self.symbol)
        alerts, states = route(events, rules, book.states, shown, now, book.chats)
        await self._store.record(
            Record(
                symbol=self.symbol,
                at=now,
                latches=latches,
                snapshot=shown if chain is not None else None,
                chain=chain,
                events=[event for event in events if is_fact(event)],
                alerts=alerts,
                rule_states=states,
                position=position,
            )
        )
        self._rulebook.rang(states)
        self._latches = latches
        if chain is not None:
            self.snapshot, self.chain = shown, chain


def is_fact(event: Event) -> bool:
    """Whether the event belongs in the journal, or was only judged because a rule asked."""
    match event:
        case Crossing():
            return event.key.is_fact and event.buffer == BUFFER
        case Moved():
            return event.key.is_fact and event.threshold == MOVE
        case RegimeChange() | Freshness():
            return True
