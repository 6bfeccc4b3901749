"""The store in SQLite or PostgreSQL: every query of the program, a method a transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import cache, partial
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Table,
    Text,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.core.chain import OptionChain
from bot.core.crossings import Latches
from bot.core.events import Alert, Delivery
from bot.core.minutes import Minute
from bot.core.rules import Rule, RuleState
from bot.core.snapshot import Snapshot
from bot.errors import StoreError
from bot.ports import JournalEntry, Record
from bot.store import codec
from bot.store.engine import SQLITE, Row, Transaction, place, transaction
from bot.store.tables import (
    alerts,
    candles,
    chains,
    facts,
    journal,
    latches,
    rule_states,
    rules,
    snapshot_chains,
    snapshots,
    spot_minutes,
)

MARKET, POSITION, IDENTITY = "market", "position", "identity"  # names of facts
PENDING, LEASED = "pending", "leased"  # states of alerts, beside the ends that deliveries name
PRUNED_AT_ONCE = 500  # rows a transaction, so that a record never waits long
JOURNAL_LOCK = 0x67616D6D61  # any number that no other lock has

STORED_SNAPSHOT = select(snapshots.c.body, candles.c.body.label("closed")).outerjoin_from(
    snapshots, candles
)

Insert = Callable[[Table], sqlite.Insert | postgresql.Insert]  # able to meet rows that exist


class SqlStore:
    """The store in a database that `open_store` has brought to the newest revision."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_sqlite = engine.url.drivername == SQLITE
        self._insert: Insert = sqlite.insert if self._is_sqlite else postgresql.insert
        self._turn = asyncio.Lock()

    async def record(self, record: Record) -> None:
        """Write the record in one transaction."""
        async with self._writing() as database:
            if record.snapshot:
                await self._add_snapshot(database, record.snapshot, record.chain)
            await self._put(database, latches, [_latches_row(record)])
            if record.rule_states:
                await self._put(database, rule_states, _state_rows(record.rule_states))
            if record.position is not None:
                await self._put(database, facts, [{"name": POSITION, "value": record.position}])
            added = await self._add_alerts(database, record.alerts)
            await self._append(database, codec.record_lines(record, added))

    async def latches(self, symbol: str) -> Latches:
        """What was stored last for the symbol."""
        query = select(latches.c.body).where(latches.c.symbol == symbol)
        async with self._reading() as database:
            body = (await database.run(query)).scalar()
        return codec.from_json(body, Latches) if body else Latches()

    async def snapshot(self, symbol: str, at: datetime | None = None) -> Snapshot | None:
        """The newest snapshot of the symbol, not after `at` when it is given."""
        query = STORED_SNAPSHOT.where(snapshots.c.symbol == symbol)
        if at:
            query = query.where(snapshots.c.at <= at)
        async with self._reading() as database:
            row = (await database.run(query.order_by(snapshots.c.at.desc()).limit(1))).first()
        return codec.join_snapshot(row.body, row.closed) if row else None

    async def chain(self, snapshot: Snapshot) -> OptionChain | None:
        """The chain that the snapshot was computed from; None when pruned."""
        parts = (
            select(snapshots.c.layout, chains.c.body)
            .outerjoin_from(snapshots, snapshot_chains)
            .outerjoin(chains)
            .where(snapshots.c.id == snapshot.id)
            .order_by(snapshot_chains.c.position)
        )
        async with self._reading() as database:
            rows = (await database.run(parts)).all()
        if not rows or rows[0].layout is None:
            return None
        layout = codec.unpack(rows[0].layout, codec.Layout)
        bodies = [row.body for row in rows if row.body is not None]
        return codec.join_chain(layout, bodies) if len(bodies) == len(layout.positions) else None

    async def rules(self) -> Sequence[Rule]:
        """Every rule, oldest first."""
        query = select(rules.c.number, rules.c.body).order_by(rules.c.number)
        async with self._reading() as database:
            rows = (await database.run(query)).all()
        return [replace(codec.from_json(row.body, Rule), id=str(row.number)) for row in rows]

    async def add_rule(self, rule: Rule) -> Rule:
        """Store the rule and give it back with its id."""
        row = {"target": rule.target, "body": codec.to_json(rule)}
        async with self._writing() as database:
            added = await database.run(insert(rules).returning(rules.c.number), row)
            return replace(rule, id=str(added.scalar_one()))

    async def delete_rule(self, rule_id: str, target: str) -> bool:
        """Forget the target's rule; False when it has no such rule."""
        if not (rule_id.isascii() and rule_id.isdecimal()):
            return False  # not every text fits into every database
        theirs = and_(cast(rules.c.number, Text) == rule_id, rules.c.target == target)
        async with self._writing() as database:
            deleted = await database.run(delete(rules).where(theirs))
            if deleted.rowcount:
                await database.run(delete(rule_states).where(rule_states.c.rule == rule_id))
        return bool(deleted.rowcount)

    async def rule_states(self) -> Mapping[str, RuleState]:
        """When each rule rang last and how often, by rule id."""
        async with self._reading() as database:
            rows = (await database.run(select(rule_states))).all()
        return {row.rule: RuleState(row.rang_at, row.rings) for row in rows}

    async def claim(
        self, messenger: str, owner: str, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[Alert]:
        """At most `limit` due alerts of the messenger's targets, leased to `owner`, oldest first.

        The end of a lease is when the alert is due again, so one condition finds them all.
        """
        due = (
            select(alerts.c.number, alerts.c.body, alerts.c.attempts)
            .where(alerts.c.messenger == messenger, alerts.c.due_at <= now)
            .order_by(alerts.c.at, alerts.c.number)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with self._writing() as database:
            rows = (await database.run(due)).all()
            claimed = [
                replace(codec.from_json(row.body, Alert), attempts=row.attempts) for row in rows
            ]
            mine = alerts.c.number.in_([row.number for row in rows])
            values = {"state": LEASED, "owner": owner, "due_at": now + lease}
            if rows:
                await database.run(update(alerts).where(mine).values(values))
        return claimed

    async def settle(self, owner: str, delivery: Delivery) -> bool:
        """End a leased alert and write its delivery to the journal; False if the lease was lost."""
        held = and_(alerts.c.id == delivery.alert, alerts.c.owner == owner)
        ended = {"state": delivery.state, "owner": None, "due_at": None}
        end = update(alerts).where(held).values(ended).returning(alerts.c.symbol)
        async with self._writing() as database:
            symbol = (await database.run(end)).scalar()
            if symbol is None:
                return False
            await self._append(database, [codec.event_line(delivery, symbol)])
        return True

    async def retry(self, owner: str, alert: Alert, due_at: datetime) -> None:
        """Give a leased alert back, due again at that time; its attempts are counted."""
        held = and_(alerts.c.id == alert.id, alerts.c.owner == owner)
        tried = alerts.c.attempts + 1
        values = {"state": PENDING, "owner": None, "due_at": due_at, "attempts": tried}
        async with self._writing() as database:
            await database.run(update(alerts).where(held).values(values))

    async def release(self, owner: str) -> None:
        """Give back everything leased to the owner, due at once."""
        values = {"state": PENDING, "owner": None, "due_at": alerts.c.at}
        async with self._writing() as database:
            await database.run(update(alerts).where(alerts.c.owner == owner).values(values))

    async def journal(self, after: int, limit: int) -> Sequence[JournalEntry]:
        """At most `limit` entries that come after the one numbered `after`, in their order."""
        async with self._reading() as database:
            return await self._entries(database, after, limit)

    async def position(self) -> str | None:
        """How far a replay into this database has come."""
        async with self._reading() as database:
            return await self._fact(database, POSITION)

    async def add_minutes(self, minutes: Sequence[Minute]) -> None:
        """Store the minutes in one transaction, each merged to what is known of it already."""
        if not minutes:
            return
        rows = [asdict(one) for one in sorted(minutes, key=lambda one: (one.symbol, one.at))]
        async with self._writing() as database:
            await database.run(_merging_minutes(self._insert), rows)  # in one order: no deadlocks

    async def minutes(self, symbol: str, since: datetime, until: datetime) -> Sequence[Minute]:
        """The symbol's minutes that began since then and before `until`, ascending."""
        known = spot_minutes.c
        wanted = and_(known.symbol == symbol, known.at >= since, known.at < until)
        async with self._reading() as database:
            rows = await database.run(select(spot_minutes).where(wanted).order_by(known.at))
            return [Minute(**row) for row in rows.mappings()]

    async def open_market(self, market: str) -> str:
        """The database's own name. Raises StoreError when it holds another market's data."""
        new = self._insert(facts).on_conflict_do_nothing()
        rows = [{"name": MARKET, "value": market}, {"name": IDENTITY, "value": uuid4().hex}]
        async with self._writing() as database:
            await database.run(new, rows)
            held = await self._fact(database, MARKET)
            identity = await self._fact(database, IDENTITY)
        if held != market:
            where = place(self._engine.url)
            raise StoreError(
                f"{where} holds {held} data, not {market}: choose another [store] url, "
                "such as GAMMABELL_STORE__URL=sqlite+aiosqlite:///other.db"
            )
        return str(identity)

    async def market(self) -> str | None:
        """Whose data the database holds."""
        async with self._reading() as database:
            return await self._fact(database, MARKET)

    async def prune(self, chains_before: datetime, all_before: datetime) -> int:
        """Delete chains, and everything else that grows, older than this; returns rows deleted."""
        bare = select(snapshots.c.id).where(_outdated(max(chains_before, all_before)))
        unlinked = ~exists().where(snapshot_chains.c.chain == chains.c.id)
        undrawn = ~exists().where(snapshots.c.candles == candles.c.id)
        ended = and_(alerts.c.at < all_before, alerts.c.due_at.is_(None))
        await self._prune(snapshot_chains, snapshot_chains.c.snapshot.in_(bare))
        rows = await self._prune(chains, unlinked)
        rows += await self._prune(journal, journal.c.at < all_before)
        rows += await self._prune(spot_minutes, spot_minutes.c.at < all_before)
        rows += await self._prune(snapshots, _outdated(all_before))
        await self._prune(candles, undrawn)
        return rows + await self._prune(alerts, ended)

    async def health(self) -> Mapping[str, object]:
        """Counts for /status."""
        counts = select(
            *(
                select(func.count()).select_from(table).scalar_subquery().label(table.name)
                for table in (snapshots, chains, rules)
            ),
            select(func.count())
            .where(alerts.c.due_at.is_not(None))
            .scalar_subquery()
            .label("alerts_pending"),
            select(func.max(journal.c.at)).scalar_subquery().label("journal_at"),
        )
        async with self._reading() as database:
            return dict((await database.run(counts)).mappings().one())

    async def close(self) -> None:
        """Give up the connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Transaction]:
        async with transaction(self._engine) as database:
            yield database

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Transaction]:
        """A transaction that writes; on SQLite ours take turns, since only one can write."""
        async with AsyncExitStack() as stack:
            if self._is_sqlite:
                await stack.enter_async_context(self._turn)
            yield await stack.enter_async_context(transaction(self._engine, writes=True))

    async def _put(self, database: Transaction, table: Table, rows: Sequence[Row]) -> None:
        """Write the rows, over those with the same key."""
        await database.run(_upsert(self._insert, table, tuple(rows[0])), rows)

    async def _add_snapshot(
        self, database: Transaction, snapshot: Snapshot, chain: OptionChain | None
    ) -> None:
        body, closed = codec.split_snapshot(snapshot)
        layout, parts = codec.split_chain(chain) if chain is not None else (None, ())
        if closed:
            await self._share(database, candles, {closed.id: lambda: asdict(closed)})
        row = {
            "id": snapshot.id,
            "symbol": snapshot.symbol,
            "at": snapshot.at,
            "body": body,
            "candles": closed.id if closed else None,
            "layout": codec.pack(layout) if layout else None,
        }
        added = await database.run(self._insert(snapshots).on_conflict_do_nothing(), row)
        if not added.rowcount:
            raise StoreError(f"snapshot {snapshot.id} is recorded already")
        await self._add_chain(database, snapshot, parts)

    async def _add_chain(
        self, database: Transaction, snapshot: Snapshot, parts: Sequence[codec.ChainPart]
    ) -> None:
        if not parts:
            return
        await self._share(database, chains, {part.id: partial(_chain_row, part) for part in parts})
        links = [
            {"snapshot": snapshot.id, "position": position, "chain": part.id}
            for position, part in enumerate(parts)
        ]
        await database.run(insert(snapshot_chains), links)

    async def _share(
        self, database: Transaction, table: Table, content: Mapping[str, Callable[[], Row]]
    ) -> None:
        """Add the content that the table lacks; what it has is held, lest it be pruned now."""
        known = select(table.c.id).where(table.c.id.in_(content))
        held = await database.run(known.with_for_update(read=True, key_share=True))
        missing = content.keys() - set(held.scalars())
        rows = [content[identity]() for identity in sorted(missing)]  # in one order: no deadlocks
        if rows:
            await database.run(self._insert(table).on_conflict_do_nothing(), rows)

    async def _add_alerts(self, database: Transaction, new: Sequence[Alert]) -> list[Alert]:
        """The alerts that were not known yet."""
        if not new:
            return []
        unique: dict[str, Alert] = {}
        for alert in new:
            unique.setdefault(alert.id, alert)
        adding = self._insert(alerts).on_conflict_do_nothing().returning(alerts.c.id)
        rows = [_alert_row(alert) for alert in unique.values()]
        added = set((await database.run(adding, rows)).scalars())
        return [alert for alert in unique.values() if alert.id in added]

    async def _append(self, database: Transaction, lines: Sequence[codec.Line]) -> None:
        """Add to the journal; its numbers become visible in their order.

        A reader never looks back, so on PostgreSQL nobody may take a number while another
        transaction has one that is not committed.
        """
        if not lines:
            return
        if not self._is_sqlite:
            await database.run(select(func.pg_advisory_xact_lock(JOURNAL_LOCK)))
        await database.run(insert(journal), [asdict(line) for line in lines])

    async def _entries(self, database: Transaction, seen: int, limit: int) -> list[JournalEntry]:
        query = (
            select(journal, snapshots.c.body.label("shown"), candles.c.body.label("closed"))
            .outerjoin_from(journal, snapshots)
            .outerjoin(candles)
            .where(journal.c.seq > seen)
            .order_by(journal.c.seq)
            .limit(limit)
        )
        return [
            JournalEntry(
                row.seq,
                codec.event_body(row.kind, row.body) if row.body else None,
                codec.join_snapshot(row.shown, row.closed) if row.shown else None,
            )
            for row in await database.run(query)
        ]

    async def _fact(self, database: Transaction, name: str) -> str | None:
        return (await database.run(select(facts.c.value).where(facts.c.name == name))).scalar()

    async def _prune(self, table: Table, doomed: ColumnElement[bool]) -> int:
        """Delete these rows a few at a time; returns how many they were."""
        key = tuple_(*table.primary_key)
        some = select(*table.primary_key).where(doomed).limit(PRUNED_AT_ONCE).correlate(None)
        rows = 0
        while True:
            async with self._writing() as database:
                if not self._is_sqlite:  # nobody may take up content while it is judged unused
                    await database.run(text(f"LOCK TABLE {table.name} IN EXCLUSIVE MODE"))
                deleted = await database.run(delete(table).where(key.in_(some)))
            if not deleted.rowcount:
                return rows
            rows += deleted.rowcount


def _outdated(before: datetime) -> ColumnElement[bool]:
    """Snapshots of before then, the newest of each symbol excepted."""
    others = snapshots.alias()
    newest = select(func.max(others.c.at)).where(others.c.symbol == snapshots.c.symbol)
    return and_(snapshots.c.at < before, snapshots.c.at < newest.scalar_subquery())


@cache  # building it takes half as long as running it
def _upsert(
    insert: Insert, table: Table, columns: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    new = insert(table)
    key = [column.name for column in table.primary_key]
    values = {name: new.excluded[name] for name in columns if name not in key}
    return new.on_conflict_do_update(index_elements=key, set_=values)


@cache
def _merging_minutes(insert: Insert) -> sqlite.Insert | postgresql.Insert:
    """What core.minutes.merge says, as the database's own statement."""
    new = insert(spot_minutes)
    known, later = spot_minutes.c, new.excluded
    merged = {
        "high": case((later.high > known.high, later.high), else_=known.high),
        "low": case((later.low < known.low, later.low), else_=known.low),
        "close": later.close,
        "ticks": known.ticks + later.ticks,
    }
    return new.on_conflict_do_update(index_elements=[known.symbol, known.at], set_=merged)


def _latches_row(record: Record) -> Row:
    return {"symbol": record.symbol, "at": record.at, "body": codec.to_json(record.latches)}


def _state_rows(states: Mapping[str, RuleState]) -> list[Row]:
    """In one order, so that two transactions never wait for each other."""
    return [
        {"rule": rule, "rang_at": state.rang_at, "rings": state.rings}
        for rule, state in sorted(states.items())
    ]


def _chain_row(part: codec.ChainPart) -> Row:
    return {
        "id": part.id,
        "underlying": part.underlying,
        "venue": part.venue,
        "body": codec.pack_columns(part.columns),
    }


def _alert_row(alert: Alert) -> Row:
    return {
        "id": alert.id,
        "at": alert.at,
        "symbol": alert.symbol,
        "messenger": codec.messenger_of(alert.target),
        "body": codec.to_json(alert),
        "state": PENDING,
        "due_at": alert.at,
        "attempts": 0,
    }
