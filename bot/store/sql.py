"""The store in SQLite or PostgreSQL, a method a transaction; its outbox is in deliveries.py."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import cache, partial
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bot.core.chain import OptionChain
from bot.core.chats import Chat, is_forgotten
from bot.core.crossings import Latches
from bot.core.events import Alert
from bot.core.history import Past
from bot.core.keys import ApiKey
from bot.core.minutes import Minute
from bot.core.places import PASSING
from bot.core.quota import MOST_AHEAD, Drawn, allowed, minute_of, start_of
from bot.core.rules import Rule, RuleState
from bot.core.snapshot import Snapshot, Tick
from bot.errors import StoreError
from bot.ports import JournalEntry, Record
from bot.store import codec, outbox
from bot.store.addresses import follow, follow_chat
from bot.store.base import CHATS_LOCK, OUTBOX_LOCK, Insert
from bot.store.deliveries import SqlOutbox
from bot.store.engine import Row, Transaction, place
from bot.store.tables import (
    MICROSECOND,
    UNFINISHED,
    alerts,
    api_keys,
    candles,
    chains,
    chats,
    facts,
    journal,
    latches,
    newest_ticks,
    notes,
    request_counts,
    rule_states,
    rules,
    snapshot_chains,
    snapshots,
    spot_minutes,
)

MARKET, POSITION, IDENTITY = "market", "position", "identity"  # names of facts
PRUNED_AT_ONCE = 500  # rows a transaction, so that a record never waits long

STORED_SNAPSHOT = select(snapshots.c.body, candles.c.body.label("closed")).outerjoin_from(
    snapshots, candles
)


class SqlStore(SqlOutbox):
    """The store in a database that `open_store` has brought to the newest revision."""

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

    async def rules(self, target: str | None = None) -> Sequence[Rule]:
        """Every rule, or every rule of the target, oldest first."""
        query = select(rules.c.number, rules.c.body).order_by(rules.c.number)
        if target is not None:
            query = query.where(rules.c.target == target)
        async with self._reading() as database:
            rows = (await database.run(query)).all()
        return [replace(codec.from_json(row.body, Rule), id=str(row.number)) for row in rows]

    async def add_rule(self, rule: Rule) -> Rule:
        """Store the rule and give it back with its id."""
        async with self._writing() as database:
            added = await database.run(insert(rules).returning(rules.c.number), _rule_row(rule))
            return replace(rule, id=str(added.scalar_one()))

    async def delete_rule(self, rule_id: str, target: str) -> bool:
        """Forget the target's rule; False when it has no such rule."""
        if not _is_number(rule_id):
            return False
        async with self._writing() as database:
            deleted = await database.run(delete(rules).where(_is_rule(rule_id, target)))
            if deleted.rowcount:
                await database.run(delete(rule_states).where(rule_states.c.rule == rule_id))
        return bool(deleted.rowcount)

    async def change_rule(self, rule: Rule) -> bool:
        """Store the rule in place of the one with its id and target; False when there is none."""
        if not _is_number(rule.id):
            return False
        change = update(rules).where(_is_rule(rule.id, rule.target))
        async with self._writing() as database:
            changed = await database.run(change.values(body=codec.to_json(rule)))
        return bool(changed.rowcount)

    async def rule_states(self) -> Mapping[str, RuleState]:
        """When each rule rang last and how often, by rule id."""
        async with self._reading() as database:
            rows = (await database.run(select(rule_states))).all()
        return {row.rule: RuleState(row.rang_at, row.rings) for row in rows}

    async def chat(self, target: str) -> Chat | None:
        """What is known of the chat."""
        async with self._reading() as database:
            return await self._chat(database, target)

    async def chats(self, within: str | None = None) -> Sequence[Chat]:
        """Every chat that something is known of, or of these the one and its topics; by target."""
        query = select(chats.c.body)
        if within is not None:
            query = query.where(_is_within(chats.c.target, within))
        async with self._reading() as database:
            bodies = (await database.run(query)).scalars()
        known = [codec.from_json(body, Chat) for body in bodies]
        return sorted(known, key=lambda chat: chat.target)  # as no database's language would

    async def put_chat(self, chat: Chat) -> None:
        """Store the chat, over what was known of it."""
        async with self._writing() as database:
            await self._alone(database, CHATS_LOCK)
            await self._put(database, chats, [_chat_row(chat)])

    async def change_chat(self, target: str, change: Callable[[Chat], Chat]) -> tuple[Chat, Chat]:
        """The chat before and after the change, in one transaction."""
        async with self._writing() as database:
            await self._alone(database, CHATS_LOCK)
            before = await self._chat(database, target) or Chat(target)
            after = change(before)
            if after != before:
                await self._put(database, chats, [_chat_row(after)])
        return before, after

    async def move_target(self, target: str, to: str) -> None:
        """Everything of the one address, topics included, is the other's from now on."""
        ringing = and_(UNFINISHED, _is_within(alerts.c.target, target))
        async with self._writing() as database:
            await self._alone(database, OUTBOX_LOCK)
            await self._alone(database, CHATS_LOCK)
            for row in await database.run(select(rules).where(_is_within(rules.c.target, target))):
                rule = follow(codec.from_json(row.body, Rule), target, to)
                change = update(rules).where(rules.c.number == row.number)
                await database.run(change.values(_rule_row(rule)))
            for row in await database.run(select(alerts).where(ringing)):
                alert = follow(codec.from_json(row.body, Alert), target, to)
                change = update(alerts).where(alerts.c.number == row.number)
                await database.run(change.values(outbox.addressed(alert)))
            await self._move_chats(database, target, to)

    async def fact(self, name: str) -> str | None:
        """What is stored under the name."""
        async with self._reading() as database:
            return await self._named(database, notes, name)

    async def put_fact(self, name: str, value: str) -> None:
        """Store it, over what was there."""
        async with self._writing() as database:
            await self._put(database, notes, [{"name": name, "value": value}])

    async def first_fact(self, name: str, value: str) -> str:
        """What is stored under the name; this value, stored now, where nothing was."""
        new = self._insert(notes).on_conflict_do_nothing()
        async with self._writing() as database:
            await database.run(new, {"name": name, "value": value})
            return str(await self._named(database, notes, name))

    async def swap_fact(self, name: str, known: str, value: str) -> bool:
        """Store it where `known` is stored; False where it is not."""
        held = and_(notes.c.name == name, notes.c.value == known)
        async with self._writing() as database:
            swapped = await database.run(update(notes).where(held).values(value=value))
        return bool(swapped.rowcount)

    async def journal(self, after: int, limit: int) -> Sequence[JournalEntry]:
        """At most `limit` entries that come after the one numbered `after`, in their order."""
        async with self._reading() as database:
            return await self._entries(database, after, limit)

    async def position(self) -> str | None:
        """How far a replay into this database has come."""
        async with self._reading() as database:
            return await self._named(database, facts, POSITION)

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

    async def put_ticks(self, ticks: Sequence[Tick]) -> None:
        """Store each as the newest tick of its symbol, in one transaction."""
        if not ticks:
            return
        rows = [asdict(one) for one in sorted(ticks, key=lambda one: one.symbol)]
        async with self._writing() as database:
            await self._put(database, newest_ticks, rows)  # in one order: no deadlocks

    async def newest_ticks(self) -> Sequence[Tick]:
        """The newest tick of each symbol."""
        async with self._reading() as database:
            rows = await database.run(select(newest_ticks))
            return [Tick(**row) for row in rows.mappings()]

    async def history(
        self, symbol: str, since: datetime, until: datetime, step: timedelta
    ) -> Sequence[Past]:
        """The newest of the symbol's snapshots in each step of that time, ascending."""
        at, of_symbol = snapshots.c.at, snapshots.c.symbol == symbol
        number = type_coerce(at, BigInteger) // (step // MICROSECOND)
        newest = select(func.max(at)).where(of_symbol, at >= since, at <= until).group_by(number)
        query = select(snapshots.c.body).where(of_symbol, at.in_(newest)).order_by(at)
        async with self._reading() as database:
            bodies = (await database.run(query)).scalars().all()
        return await asyncio.to_thread(lambda: [codec.unpack(body, Past) for body in bodies])

    async def add_key(self, key: ApiKey) -> bool:
        """Store the key; False when its name is taken."""
        new = self._insert(api_keys).on_conflict_do_nothing()
        async with self._writing() as database:
            return bool((await database.run(new, asdict(key))).rowcount)

    async def keys(self) -> Sequence[ApiKey]:
        """Every key of the HTTP API, by name."""
        async with self._reading() as database:
            rows = await database.run(select(api_keys))
            return sorted((ApiKey(**row) for row in rows.mappings()), key=lambda key: key.name)

    async def delete_key(self, name: str) -> bool:
        """Forget the key; False when there is none of that name."""
        gone = delete(api_keys).where(api_keys.c.name == name).returning(api_keys.c.digest)
        async with self._writing() as database:
            digest = (await database.run(gone)).scalar()
            counted = request_counts.c.identity == digest
            await database.run(delete(request_counts).where(counted))
        return digest is not None

    async def draw_requests(self, identity: str, minute: int, wanted: int, limit: int) -> Drawn:
        """Count so many more requests of that minute; which of them the limit allows."""
        row = {"identity": identity, "minute": minute, "drawn": wanted}
        async with self._writing() as database:
            drawn = (await database.run(_drawing(self._insert), row)).scalar_one()
        return allowed(drawn, wanted, limit)

    async def asked_at(self) -> Mapping[str, datetime]:
        """By identity the newest minute in which it asked."""
        async with self._reading() as database:
            rows = (await database.run(select(request_counts))).all()
        return {row.identity: start_of(row.minute) for row in rows}

    async def open_market(self, market: str) -> str:
        """The database's own name. Raises StoreError when it holds another market's data."""
        new = self._insert(facts).on_conflict_do_nothing()
        rows = [{"name": MARKET, "value": market}, {"name": IDENTITY, "value": uuid4().hex}]
        async with self._writing() as database:
            await database.run(new, rows)
            held = await self._named(database, facts, MARKET)
            identity = await self._named(database, facts, IDENTITY)
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
            return await self._named(database, facts, MARKET)

    async def prune(self, chains_before: datetime, all_before: datetime) -> int:
        """Delete chains, and everything else that grows, older than this; returns rows deleted."""
        bare = select(snapshots.c.id).where(_outdated(max(chains_before, all_before)))
        unlinked = ~exists().where(snapshot_chains.c.chain == chains.c.id)
        undrawn = ~exists().where(snapshots.c.candles == candles.c.id)
        ended = and_(alerts.c.at < all_before, alerts.c.due_at.is_(None))
        keyless = request_counts.c.identity.not_in(select(api_keys.c.digest))
        forgotten = and_(request_counts.c.minute < minute_of(all_before.timestamp()), keyless)
        await self._prune(snapshot_chains, snapshot_chains.c.snapshot.in_(bare))
        rows = await self._prune(chains, unlinked)
        rows += await self._prune(journal, journal.c.at < all_before)
        rows += await self._prune(spot_minutes, spot_minutes.c.at < all_before)
        rows += await self._prune(snapshots, _outdated(all_before))
        rows += await self._prune(request_counts, forgotten)
        rows += await self._forget_guests(all_before)
        await self._prune(candles, undrawn)
        return rows + await self._prune(alerts, ended)

    async def health(self) -> Mapping[str, object]:
        """Counts for /status."""
        counts = {
            "snapshots": _count(snapshots),
            "chains": _count(chains),
            "rules": _count(rules),
            "chats": _count(chats),
            "chats_suspended": _count(chats).where(chats.c.state == "suspended"),
            "chats_gone": _count(chats).where(chats.c.state == "gone"),
            "feeds": _count(chats).where(chats.c.has_feed),
            "alerts_pending": _count(alerts).where(UNFINISHED),
            "journal_at": select(func.max(journal.c.at)),
        }
        query = select(*(count.scalar_subquery().label(name) for name, count in counts.items()))
        async with self._reading() as database:
            return dict((await database.run(query)).mappings().one())

    async def close(self) -> None:
        """Give up the connections."""
        await self._engine.dispose()

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

    async def _chat(self, database: Transaction, target: str) -> Chat | None:
        query = select(chats.c.body).where(chats.c.target == target)
        body = (await database.run(query)).scalar()
        return codec.from_json(body, Chat) if body else None

    async def _move_chats(self, database: Transaction, target: str, to: str) -> None:
        """The chats at the address and those that name it; settings at the new one win."""
        places = (chats.c.target, chats.c.owner, chats.c.fallback)
        naming = select(chats.c.body).where(or_(*(_is_within(one, target) for one in places)))
        for body in (await database.run(naming)).scalars().all():
            chat = codec.from_json(body, Chat)
            row = _chat_row(follow_chat(chat, target, to))
            if row["target"] == chat.target:
                await self._put(database, chats, [row])
            else:
                await database.run(delete(chats).where(chats.c.target == chat.target))
                await database.run(self._insert(chats).on_conflict_do_nothing(), row)

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

    async def _named(self, database: Transaction, table: Table, name: str) -> str | None:
        return (await database.run(select(table.c.value).where(table.c.name == name))).scalar()

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

    async def _forget_guests(self, before: datetime) -> int:
        """Delete the rules and chats of guests who stay away; how many rows."""
        passing = select(chats.c.body).where(chats.c.target.startswith(PASSING, autoescape=True))
        async with self._reading() as database:
            bodies = (await database.run(passing)).scalars().all()
        known = [codec.from_json(body, Chat) for body in bodies]
        targets = [chat.target for chat in known if is_forgotten(chat, before)]
        return sum([await self._forget_guest(target, before) for target in targets])

    async def _forget_guest(self, target: str, before: datetime) -> int:
        """How many rows were deleted; none when the guest came back just now."""
        owned = rules.c.target == target
        remembered = rule_states.c.rule.in_(select(cast(rules.c.number, Text)).where(owned))
        async with self._writing() as database:
            await self._alone(database, CHATS_LOCK)
            chat = await self._chat(database, target)
            if chat is None or not is_forgotten(chat, before):
                return 0
            await database.run(delete(rule_states).where(remembered))
            deleted = await database.run(delete(rules).where(owned))
            await database.run(delete(chats).where(chats.c.target == target))
        return deleted.rowcount + 1


def _outdated(before: datetime) -> ColumnElement[bool]:
    """Snapshots of before then, the newest of each symbol excepted."""
    others = snapshots.alias()
    newest = select(func.max(others.c.at)).where(others.c.symbol == snapshots.c.symbol)
    return and_(snapshots.c.at < before, snapshots.c.at < newest.scalar_subquery())


def _count(table: Table) -> Select[int]:
    return select(func.count()).select_from(table)


def _is_number(rule_id: str) -> bool:
    """Whether it can be a rule's id; not every text fits into every database."""
    return rule_id.isascii() and rule_id.isdecimal()


def _is_rule(rule_id: str, target: str) -> ColumnElement[bool]:
    return and_(cast(rules.c.number, Text) == rule_id, rules.c.target == target)


def _is_within(address: ColumnElement[str], target: str) -> ColumnElement[bool]:
    """Whether it is the target or a topic of it: what addresses.moved moves."""
    topics = f"{target}/"
    return or_(address == target, func.substr(address, 1, len(topics)) == topics)


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


@cache
def _drawing(insert: Insert) -> Executable:
    """What core.quota.draw says, as one statement; it returns how many were drawn."""
    new = insert(request_counts)
    known, asked = request_counts.c, new.excluded
    goes_on = known.minute.between(asked.minute, asked.minute + MOST_AHEAD)
    changes = {
        "minute": case((goes_on, known.minute), else_=asked.minute),
        "drawn": case((goes_on, known.drawn + asked.drawn), else_=asked.drawn),
    }
    found = new.on_conflict_do_update(index_elements=[known.identity], set_=changes)
    return found.returning(known.drawn)


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


def _rule_row(rule: Rule) -> Row:
    return {"target": rule.target, "body": codec.to_json(rule)}


def _chat_row(chat: Chat) -> Row:
    return {
        "target": chat.target,
        "state": chat.state,
        "has_feed": chat.feed is not None,
        "owner": chat.owner,
        "fallback": chat.fallback,
        "body": codec.to_json(chat),
    }
