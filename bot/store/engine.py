"""Connections to a database: how they are opened, and what its refusals mean in one line."""

import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, CursorResult, Executable, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import StoreError

T = TypeVar("T")
Row = Mapping[str, object]

SQLITE, POSTGRESQL = "sqlite+aiosqlite", "postgresql+asyncpg"
FORMS = f"{SQLITE}:///gammabell.db or {POSTGRESQL}://user:password@host/name"
BUSY_SECONDS = 10.0  # how long to wait for another program's write
MODE_TRIES, MODE_PAUSE = 50, 0.01  # seconds: a new file's mode is changed once, within moments
CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 60.0  # a server that is gone without a word must not hang the program
ELSEWHERE = "or change [store] url"

# What a refusal means, by the beginning of SQLite's error name or PostgreSQL's SQLSTATE.
MEANINGS = {
    "SQLITE_READONLY": f"is read-only; make the file and its folder writable {ELSEWHERE}",
    "SQLITE_FULL": f"has no room: the disk is full; free some space {ELSEWHERE}",
    "SQLITE_IOERR": f"cannot be read or written: the disk fails or is full; check it {ELSEWHERE}",
    "SQLITE_NOTADB": f"is not a database; move the file away, restore a backup {ELSEWHERE}",
    "SQLITE_CORRUPT": f"is damaged; move the file away, restore a backup {ELSEWHERE}",
    "SQLITE_BUSY": "is being written by another program; end that one and try again",
    "SQLITE_CANTOPEN": f"cannot be opened; check the permissions of file and folder {ELSEWHERE}",
    "28": "refuses the user or the password; correct [store] url",
    "3D": "does not exist; create the database (createdb) or correct [store] url",
    "42501": "does not let this user create or write tables; grant it that right",
    "53": "has no room: the server is out of disk, memory or connections; free some",
    "08": "lost the connection; it is tried again",
    "57": "lost the connection: the server shuts down; it is tried again",
}
UNREACHABLE = "is not reachable; start the server or correct [store] url"


def parse_url(text: str) -> URL:
    """The address of a database. Raises StoreError, which does not repeat it: it has a password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"[store] url is no database address; write {FORMS}") from error
    if url.drivername not in (SQLITE, POSTGRESQL):
        raise StoreError(f"[store] url begins with {url.drivername!r}; write {FORMS}")
    if "@" in (url.host or ""):  # of a password that was not escaped; it must not be shown
        raise StoreError("[store] url: write an @ in the password as %40")
    if url.drivername == SQLITE and url.database in (None, "", ":memory:"):
        raise StoreError(f"[store] url names no file; write {SQLITE}:///gammabell.db")
    return url


def place(url: URL) -> str:
    """Where the database is, without a user or a password."""
    file = sqlite_file(url)
    if file:
        return str(file)
    host = url.host or url.query.get("host") or "localhost"
    return f"{url.database} at {host}:{url.port or url.query.get('port') or 5432}"


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite database."""
    if url.drivername != SQLITE or url.database is None:
        return None
    return Path(url.database.removeprefix("file:"))


def open_engine(url: URL, *, migrating: bool = False) -> AsyncEngine:
    """Connections to be made when they are needed.

    A migration has one, plain: on SQLite it replaces whole tables, whose references must not
    be followed meanwhile, and what it refuses must stay as it was, to the journal's mode.
    """
    pool: dict[str, Any] = {"poolclass": NullPool} if migrating else {}
    if url.drivername == SQLITE:
        patience = {} if "timeout" in url.query else {"timeout": BUSY_SECONDS}
        engine = create_async_engine(url, connect_args=patience, **pool)
        event.listen(engine.sync_engine, "connect", _migrating if migrating else _storing)
        event.listen(engine.sync_engine, "begin", _begin)
        return engine
    limits = {"timeout": CONNECT_SECONDS, "command_timeout": COMMAND_SECONDS}
    return create_async_engine(url, connect_args=limits, pool_pre_ping=True, **pool)


def _migrating(connection: Any, _record: object) -> None:  # noqa: ANN401 (the driver's own)
    connection.isolation_level = None  # the driver begins late, and never for DDL: _begin does


def _storing(connection: Any, record: object) -> None:  # noqa: ANN401 (the driver's own)
    _migrating(connection, record)
    cursor = connection.cursor()
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")  # whole after any crash; a power cut may undo
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _write_ahead(cursor: Any) -> None:  # noqa: ANN401 (the driver's own)
    """Change the journal's mode, for which SQLite waits for no other program by itself."""
    for _ in range(MODE_TRIES):
        with suppress(sqlite3.OperationalError):
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        time.sleep(MODE_PAUSE)
    cursor.execute("PRAGMA journal_mode = WAL")


def _begin(connection: Connection) -> None:
    """A writer takes the lock at once: one that has read before could not wait for it."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Transaction:
    """Statements that take effect together; the database's refusals leave it as StoreError."""

    def __init__(self, connection: AsyncConnection, where: str) -> None:
        self._connection = connection
        self._where = where

    async def run(
        self, statement: Executable, rows: Row | Sequence[Row] | None = None
    ) -> CursorResult[Any]:
        """What the database answers. Raises StoreError."""
        with refusals(self._where):
            return await self._connection.execute(statement, rows)

    async def call(self, function: Callable[..., T], *args: object) -> T:
        """What the function makes of the connection, which it may use as if nothing was async."""
        with refusals(self._where):
            return await self._connection.run_sync(function, *args)


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, writes: bool = False) -> AsyncIterator[Transaction]:
    """A transaction: committed at the end of the block, undone when the block is left otherwise.

    Only what the database itself refuses becomes a StoreError, not what the block raises.
    """
    where = place(engine.url)
    connections = engine.execution_options(writes=True) if writes else engine
    async with AsyncExitStack() as stack:
        with refusals(where):
            connection = await stack.enter_async_context(connections.connect())
        yield Transaction(connection, where)
        if writes:
            with refusals(where):
                await connection.commit()


@contextmanager
def refusals(where: str) -> Iterator[None]:
    """Turns what the database refuses in this block into StoreError."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError, OSError) as error:
        raise StoreError(f"{where} {_meaning(error)}") from error


def _meaning(error: Exception) -> str:
    if not isinstance(error, DBAPIError):
        return UNREACHABLE
    name = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    for beginning, meaning in MEANINGS.items():
        if (name or "").startswith(beginning):
            return meaning
    if error.connection_invalidated:
        return MEANINGS["08"]
    reason = str(error.orig).strip() or type(error.orig).__name__
    return f"refuses: {reason.splitlines()[0]}"
