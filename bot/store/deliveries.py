"""The outbox of the SQL store: messages come, are leased, and end; a method a transaction."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Select, select, text

from bot.core.events import Alert, Delivery
from bot.store import codec, outbox
from bot.store.base import OUTBOX_LOCK, SqlBase
from bot.store.engine import Transaction
from bot.store.tables import alerts

RENEWED_AT_ONCE = 1_000  # ids a statement: a database takes only so many


class SqlOutbox(SqlBase):
    """What ports.Store says of messages."""

    async def post(self, messages: Sequence[Alert]) -> Sequence[Alert]:
        """Put messages that no market event caused into the outbox; returns those that are new."""
        async with self._writing() as database:
            added = await self._add_alerts(database, messages)
            await self._append(database, [codec.event_line(one, one.symbol) for one in added])
        return added

    async def claim(
        self, messenger: str, owner: str, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[Alert]:
        """At most `limit` due alerts of the messenger's targets, one each, leased to `owner`."""
        return await self._lease(outbox.heads(messenger, now).limit(limit), owner, now + lease)

    async def claim_companions(
        self, head: Alert, owner: str, now: datetime, lease: timedelta
    ) -> Sequence[Alert]:
        """Every other due alert that can be told with this one, leased to `owner`."""
        found = outbox.companions(head, now)
        async with self._reading() as database:  # mostly there is none, and nobody need wait
            if (await database.run(found.limit(1))).first() is None:
                return []
        return await self._lease(found, owner, now + lease)

    async def settle(self, owner: str, *deliveries: Delivery) -> int:
        """End leased alerts and write their deliveries to the journal; how many they were."""
        lines = []
        async with self._writing() as database:
            if len(deliveries) > 1:  # lest a move takes the same rows in turns
                await self._alone(database, OUTBOX_LOCK)
            for delivery in deliveries:
                symbol = (await database.run(outbox.ending(owner, delivery))).scalar()
                if symbol is not None:
                    lines.append(codec.event_line(delivery, symbol))
            await self._append(database, lines)
        return len(lines)

    async def rang(self, target: str, limit: int) -> Sequence[Alert]:
        """The target's newest rings that ended, told or not, oldest first: at most `limit`."""
        async with self._reading() as database:
            bodies = (await database.run(outbox.ended_of(target).limit(limit))).scalars().all()
        return [codec.from_json(body, Alert) for body in reversed(bodies)]

    async def retry(self, owner: str, alert: Alert, due_at: datetime) -> None:
        """Give a leased alert back, due again at that time; its attempts are counted."""
        known = select(alerts.c.body).where(outbox.leased_to(owner, alert.id)).with_for_update()
        async with self._writing() as database:
            body = (await database.run(known)).scalar()
            if body is not None:  # else the lease was lost
                again = replace(codec.from_json(body, Alert), doubted_at=alert.doubted_at)
                row = codec.to_json(again)
                await database.run(outbox.retrying(owner, alert, row, due_at))

    async def renew(self, owner: str, ids: Collection[str], until: datetime) -> None:
        """Prolong the owner's leases of these alerts."""
        wanted = sorted(ids)
        async with self._writing() as database:
            await self._alone(database, OUTBOX_LOCK)
            for start in range(0, len(wanted), RENEWED_AT_ONCE):
                some = wanted[start : start + RENEWED_AT_ONCE]
                await database.run(outbox.renewing(owner, some, until))

    async def begin(self, owner: str, ids: Collection[str]) -> None:
        """Requests that carry these leave now: each has one more doubt."""
        async with self._writing() as database:
            await database.run(outbox.beginning(owner, sorted(ids)))

    async def hold(self, owner: str, ids: Collection[str], until: datetime) -> None:
        """Give leased alerts back to be told when a silence ends."""
        async with self._writing() as database:
            await self._alone(database, OUTBOX_LOCK)
            leased = (await database.run(outbox.leased_of(owner, sorted(ids)))).all()
            rows = [outbox.redated_row(row.number, row.body, until, held=True) for row in leased]
            if rows:
                await database.run(outbox.holding(until), rows)

    async def release(self, owner: str) -> None:
        """Give back everything leased to the owner, due at once."""
        async with self._writing() as database:
            await self._alone(database, OUTBOX_LOCK)  # lest a move takes the same rows in turns
            await database.run(outbox.releasing(owner))

    async def hasten(self, target: str, now: datetime) -> None:
        """What waits for the chat to be tried again is due now."""
        async with self._writing() as database:
            await self._alone(database, OUTBOX_LOCK)
            await database.run(outbox.hastening(target, now))

    async def redate_held(self, target: str, due_at: datetime) -> None:
        """What is held for the chat is due then, and lives as long from then on."""
        async with self._writing() as database:
            await self._alone(database, OUTBOX_LOCK)
            held = (await database.run(outbox.held_of(target).with_for_update())).all()
            rows = [outbox.redated_row(row.number, row.body, due_at) for row in held]
            if rows:
                await database.run(outbox.redating(due_at), rows)

    async def _add_alerts(self, database: Transaction, new: Sequence[Alert]) -> list[Alert]:
        """The alerts that were not known yet."""
        if not new:
            return []
        unique: dict[str, Alert] = {}
        for alert in new:
            unique.setdefault(alert.id, alert)
        adding = self._insert(alerts).on_conflict_do_nothing().returning(alerts.c.id)
        rows = [outbox.alert_row(alert) for alert in unique.values()]
        added = set((await database.run(adding, rows)).scalars())
        return [alert for alert in unique.values() if alert.id in added]

    async def _lease(
        self, due: Select[tuple[object, ...]], owner: str, until: datetime
    ) -> list[Alert]:
        """The alerts, leased.

        Two that look at once could both find a target free: on PostgreSQL they take turns.
        """
        async with self._writing() as database:
            await self._alone(database, OUTBOX_LOCK)
            if not self._is_sqlite:  # when a storm begins, statistics still tell of a quiet hour
                await database.run(text("SET LOCAL enable_sort = off"))
            rows = (await database.run(due.with_for_update(skip_locked=True))).all()
            if rows:
                numbers = [row.number for row in rows]
                await database.run(outbox.leasing(numbers, owner, until))
        return [
            replace(
                codec.from_json(row.body, Alert),
                attempts=row.attempts,
                doubts=row.doubts,
            )
            for row in rows
        ]
