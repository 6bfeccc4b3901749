"""Transactions of the SQL store, and what its parts write with."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from functools import cache

from sqlalchemy import Table, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.store import codec
from bot.store.engine import SQLITE, Row, Transaction, transaction
from bot.store.tables import journal

JOURNAL_LOCK = 0x67616D6D61  # any number that no other lock has
OUTBOX_LOCK = 0x6F7574626F78  # the same
CHATS_LOCK = 0x6368617473  # the same

Insert = Callable[[Table], sqlite.Insert | postgresql.Insert]  # able to meet rows that exist


class SqlBase:
    """A database: who writes takes turns where it must."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_sqlite = engine.url.drivername == SQLITE
        self._insert: Insert = sqlite.insert if self._is_sqlite else postgresql.insert
        self._turn = asyncio.Lock()

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

    async def _alone(self, database: Transaction, lock: int) -> None:
        """Wait until no other transaction has the lock; on SQLite only one writes anyway."""
        if not self._is_sqlite:
            await database.run(select(func.pg_advisory_xact_lock(lock)))

    async def _append(self, database: Transaction, lines: Sequence[codec.Line]) -> None:
        """Add to the journal; its numbers become visible in their order.

        A reader never looks back, so on PostgreSQL nobody may take a number while another
        transaction has one that is not committed.
        """
        if not lines:
            return
        await self._alone(database, JOURNAL_LOCK)
        await database.run(insert(journal), [asdict(line) for line in lines])


@cache  # building it takes half as long as running it
def _upsert(
    insert: Insert, table: Table, columns: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    new = insert(table)
    key = [column.name for column in table.primary_key]
    values = {name: new.excluded[name] for name in columns if name not in key}
    return new.on_conflict_do_update(index_elements=key, set_=values)
