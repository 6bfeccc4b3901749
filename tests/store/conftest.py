import asyncio
import shutil

import pytest

from bot.store.engine import SQLITE
from bot.store.memory import MemoryStore
from bot.store.migrate import migrate, open_store
from tests.store.postgres import (
    empty_postgres_url,
    postgres_database,
    postgres_server,
    postgres_url,
)

__all__ = ["empty_postgres_url", "postgres_database", "postgres_server", "postgres_url"]


@pytest.fixture
def empty_sqlite_url(tmp_path):
    return f"{SQLITE}:///{tmp_path / 'store.db'}"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("store") / "migrated.db"
    asyncio.run(migrate(f"{SQLITE}:///{file}"))
    return file


@pytest.fixture
def sqlite_url(empty_sqlite_url, tmp_path, migrated_file):
    shutil.copyfile(migrated_file, tmp_path / "store.db")
    return empty_sqlite_url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request):
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request):
    return request.getfixturevalue(f"empty_{request.param}_url")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def address(request):
    """Where a store of each kind is; None is the memory."""
    return None if request.param == "memory" else request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def store(address):
    store = await open_store(address) if address else MemoryStore()
    yield store
    await store.close()


@pytest.fixture
async def other(store, address):
    """Another process's way to the same store."""
    other = await open_store(address) if address else store
    yield other
    await other.close()
