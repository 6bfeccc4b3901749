"""Bringing a database to the newest revision of its tables, before anything else is done."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, String, column, func, inspect, select, table

from bot.errors import StoreError
from bot.store.engine import (
    SQLITE,
    open_engine,
    parse_url,
    place,
    sqlite_file,
    transaction,
)
from bot.store.sql import SqlStore

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST = "0007"  # kept here so that a database that has it starts without loading Alembic
SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"
VERSIONS = table("alembic_version", column("version_num", String))
LOCK = 0x676D6967  # any number that no other advisory lock has


async def open_store(url: str) -> SqlStore:
    """The store at this address, made or migrated if it must be. Raises StoreError."""
    address = _reachable(url)
    if await _look(address) != NEWEST:
        await _migrate(address)
    return SqlStore(open_engine(address))


async def migrate(url: str) -> tuple[str | None, str]:
    """The revision that the database had, None when it was new, and the one it has now."""
    return await _migrate(_reachable(url)), NEWEST


async def current_revision(url: str) -> str | None:
    """The revision that the database has; None when it is new. Changes nothing."""
    address = _reachable(url)
    file = sqlite_file(address)
    return None if file and not file.exists() else await _look(address)


def config() -> "Config":
    """Alembic's configuration: where the scripts are."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return found


def _reachable(url: str) -> URL:
    address = parse_url(url)
    file = sqlite_file(address)
    if file and not file.parent.is_dir():
        raise StoreError(f"{file.parent} is no folder: create it or change [store] url")
    return address


async def _look(address: URL) -> str | None:
    async with transaction(open_engine(address, migrating=True)) as database:
        return await database.call(_revision)


async def _migrate(address: URL) -> str | None:
    """The revision before. Everything happens in one transaction, under one lock.

    Of two programs that start at once the second waits, and then finds the work done.
    """
    async with transaction(open_engine(address, migrating=True), writes=True) as database:
        if address.drivername != SQLITE:
            await database.run(select(func.pg_advisory_xact_lock(LOCK)))
        revision = await database.call(_revision)
        if revision != NEWEST:
            await database.call(_upgrade, revision, place(address))
    return revision


def _revision(connection: Connection) -> str | None:
    """The row that Alembic keeps."""
    if not inspect(connection).has_table(VERSIONS.name):
        return None
    return connection.execute(select(VERSIONS.c.version_num)).scalar()


def _upgrade(connection: Connection, revision: str | None, where: str) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    settings = config()
    settings.attributes["connection"] = connection
    try:
        ScriptDirectory.from_config(settings).get_revisions(revision or ())
    except CommandError as error:
        raise StoreError(
            f"{where} is at revision {revision}, but this gammabell knows only up to {NEWEST}:"
            " run the newer gammabell that made it; nothing was changed"
        ) from error
    command.upgrade(settings, "head")
