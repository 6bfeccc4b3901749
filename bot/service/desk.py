"""One symbol's desk: the levels last shown, the latches, and every judgement of them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.attribution import State, attribute
from bot.core.chain import OptionChain
from bot.core.crossings import (
    BUFFER,
    MOVE,
    Latches,
    judge_freshness,
    judge_snapshot,
    judge_tick,
)
from bot.core.events import Crossing, Event, LevelKey, Moved, levels_of
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
        self._resuming = False

    async def open(self) -> None:
        """Take up where the store says the last run ended."""
        self._latches = await self._store.latches(self.symbol)
        self.snapshot = await self._store.snapshot(self.symbol)
        self.tick = self._latches.tick
        self.chain = await self._store.chain(self.snapshot) if self.snapshot else None
        self._resuming = self._latches.tick is not None

    def recall(self, tick: Tick) -> None:
        """Take note of a tick that an earlier run judged already."""
        self.tick = tick
        self._latches = replace(self._latches, tick=tick)

    async def judge(self, tick: Tick, position: str | None = None) -> bool:
        """Judge one tick against the levels last shown; whether anything was stored."""
        async with self._turn:
            self.tick = tick
            late, self._resuming = self._is_late(tick), False
            events: list[Event] = []
            latches = self._latches
            if self.snapshot:
                events, latches = self._judge_age(latches, self.snapshot, tick.at)
            if self.snapshot and (late or not latches.stale):
                shown, watches = levels_of(self.snapshot), self._rulebook.watches(self.symbol)
                crossed, latches = judge_tick(
                    latches, shown, watches, tick, self.snapshot.id, late=late
                )
                events = [*events, *crossed]
            latches = replace(latches, tick=tick)
            if self.snapshot and (events or latches.sides != self._latches.sides):
                await self._store_events(events, latches, self.snapshot, tick.at, position=position)
                return True
            self._latches = latches
            return False

    async def show(
        self, snapshot: Snapshot, chain: OptionChain, position: str | None = None
    ) -> None:
        """Make the snapshot the one that is shown, and judge what it changed."""
        async with self._turn:
            old = self.snapshot
            shown = levels_of(old) if old else {}
            state = State(chain, snapshot.spot, snapshot.at)
            before = State(self.chain, old.spot, old.at) if old and self.chain else None

            def explain(key: LevelKey, was: float, to: float) -> Mapping[str, object]:
                return attribute(key, was, to, before, state)

            events, latches = judge_snapshot(
                self._latches,
                shown,
                levels_of(snapshot),
                self._rulebook.watches(self.symbol),
                snapshot,
                explain,
            )
            aged, latches = judge_freshness(
                latches, self.symbol, snapshot.data_at, self.stale_after, snapshot.at
            )
            latches = replace(latches, tick=self.tick)
            await self._store_events(
                [*aged, *events], latches, snapshot, snapshot.at, chain, position
            )

    async def age(self, now: datetime) -> None:
        """Notice when the data became too old to ring on."""
        async with self._turn:
            if self.snapshot:
                events, latches = self._judge_age(self._latches, self.snapshot, now)
                if events:
                    await self._store_events(events, latches, self.snapshot, now)

    def _judge_age(
        self, latches: Latches, snapshot: Snapshot, now: datetime
    ) -> tuple[list[Event], Latches]:
        return judge_freshness(latches, self.symbol, snapshot.data_at, self.stale_after, now)

    def _is_late(self, tick: Tick) -> bool:
        """Whether this first tick after a restart ends a pause too long to be called live."""
        before = self._latches.tick
        if not self._resuming or before is None or self._late_after is None:
            return False
        return tick.at - before.at > self._late_after

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
        rules = self._rulebook.of(self.symbol)
        alerts, states = route(events, rules, self._rulebook.states, shown, now)
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
        case _:
            return True
