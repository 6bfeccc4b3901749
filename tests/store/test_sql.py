"""What only a database can do: migrate, refuse, be killed."""

import asyncio
import os
import re
import sqlite3
import sys
import threading
from asyncio.subprocess import PIPE, STDOUT
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command as alembic
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect, make_url, select, text

from bot.core.events import Delivery
from bot.errors import StoreError
from bot.store import codec
from bot.store import migrate as migration
from bot.store.engine import POSTGRESQL, SQLITE, open_engine, parse_url, transaction
from bot.store.migrate import NEWEST, SCRIPTS, current_revision, migrate, open_store
from bot.store.sql import SqlStore
from bot.store.tables import alerts, metadata, microseconds
from tests.store.endless import record_of
from tests.store.postgres import END_OTHERS, PASSWORD, command
from tests.store.values import (
    BTC,
    MINUTE,
    NOON,
    SECOND,
    SNAPSHOT,
    bits_of,
    journal_of,
    make_alert,
    make_crossing,
    make_minute,
    make_record,
    make_ring,
)

ROOT = Path(__file__).parents[2]


async def look(url, function):
    """What the function makes of a connection to the database."""
    async with transaction(open_engine(parse_url(url), migrating=True), writes=True) as database:
        return await database.call(function)


def run_sql(sql):
    return lambda connection: connection.execute(text(sql))


# migrations


async def test_an_empty_database_is_brought_to_the_newest_revision(empty_url):
    assert await current_revision(empty_url) is None

    store = await open_store(empty_url)
    await store.record(make_record())
    await store.close()

    assert await current_revision(empty_url) == NEWEST
    assert await migrate(empty_url) == (NEWEST, NEWEST)


async def test_asking_for_the_revision_makes_no_file(empty_sqlite_url, tmp_path):
    assert await current_revision(empty_sqlite_url) is None
    assert list(tmp_path.iterdir()) == []


def test_the_newest_revision_is_that_of_the_scripts():
    scripts = ScriptDirectory.from_config(migration.config())

    assert scripts.get_heads() == [NEWEST]
    assert {path.name[:4] for path in (SCRIPTS / "versions").glob("*.py")} == {
        script.revision for script in scripts.walk_revisions()
    }


async def test_the_migrations_make_the_tables_of_the_code(empty_url):
    await migrate(empty_url)

    def differences(connection):
        return compare_metadata(MigrationContext.configure(connection), metadata)

    assert await look(empty_url, differences) == []


async def test_the_migrations_name_everything_as_the_code_does(empty_url):
    await migrate(empty_url)
    migrated = await look(empty_url, describe)

    def make_anew(connection):
        metadata.drop_all(connection)
        metadata.create_all(connection)
        return describe(connection)

    assert migrated == await look(empty_url, make_anew)


def describe(connection):
    """Every table's columns and what has a name."""
    found = inspect(connection)
    return {
        name: (
            [{**column, "type": str(column["type"])} for column in found.get_columns(name)],
            found.get_pk_constraint(name),
            sorted(found.get_foreign_keys(name), key=str),
            sorted(map(readable, found.get_indexes(name)), key=str),
            sorted(found.get_unique_constraints(name), key=str),
        )
        for name in metadata.tables
    }


def readable(index):
    """The index, with the condition of one that is partial as text."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


async def test_a_database_at_the_newest_revision_opens_without_alembic(sqlite_url):
    program = (
        "import asyncio, sys; from bot.store.migrate import open_store;"
        "asyncio.run(open_store(sys.argv[1])); print('alembic' in sys.modules)"
    )

    assert await output_of(await start("-c", program, sqlite_url)) == "False\n"


class OldStore(SqlStore):
    """Fills the outbox as it was before revision 0003."""

    async def _add_alerts(self, database, new):
        for alert in new:
            body = OLD_BODY % (alert.id, alert.at.isoformat(), alert.expires_at.isoformat())
            row = {"id": alert.id, "at": microseconds(alert.at), "body": body}
            await database.run(OLD_INSERT, row)
        return list(new)


OLD_BODY = """{"id":"%s","at":"%s","rule":"default: btc hvl","target":"terminal:",
"symbol":"BTCUSDT","text":"BTC fell below","expires_at":"%s","attempts":0}"""
OLD_INSERT = text(
    "INSERT INTO alerts (id, at, symbol, messenger, body, state, due_at, attempts)"
    " VALUES (:id, :at, 'BTCUSDT', 'terminal', :body, 'pending', :at, 2)"
)
OLD_LEASE = "UPDATE alerts SET state = 'leased', owner = 'me', due_at = %s WHERE id = 'a1'"
OLD_END = "UPDATE alerts SET state = 'sent', due_at = NULL WHERE id = 'a0'"


async def make_old(url, revision, count):
    """A database of that revision with so many records of endless.py; what it holds."""
    await look(url, upgrade_to(revision))
    old = OldStore(open_engine(parse_url(url)))
    for n in range(count):
        await old.record(record_of(n))
    await old.close()
    return await look(url, everything)


async def test_a_database_of_the_first_revision_keeps_everything(empty_url):
    before = await make_old(empty_url, "0001", 3)

    store = await open_store(empty_url)
    await store.add_minutes([make_minute()])

    assert await check_whole(store) == 3
    assert list(await store.minutes(BTC, NOON, NOON + MINUTE)) == [make_minute()]
    await store.close()
    after = await look(empty_url, everything)
    assert after.pop("spot_minutes")
    new = ("chats", "notes", "api_keys", "request_counts", "newest_ticks")
    assert [after.pop(name) for name in new] == [[], [], [], [], []]
    alerts = [row[: len(before["alerts"][0])] for row in after["alerts"]]
    assert after | {"alembic_version": [("0001",)], "alerts": alerts} == before


async def test_alerts_that_wait_in_a_database_without_chats_are_sent_in_their_order(empty_url):
    await make_old(empty_url, "0002", 3)
    await look(empty_url, run_sql(OLD_END))
    await look(empty_url, run_sql(OLD_LEASE % microseconds(NOON + MINUTE)))

    store = await open_store(empty_url)
    early = await store.claim("terminal", "you", NOON + 59 * SECOND, MINUTE, 9)
    (claimed,) = await store.claim("terminal", "you", NOON + MINUTE, MINUTE, 9)
    await store.settle("you", Delivery(NOON + MINUTE, "a1", "terminal:", "sent"))
    await store.move_target("terminal:", "terminal:2")
    (last,) = await store.claim("terminal", "you", NOON + MINUTE, MINUTE, 9)
    await store.close()

    assert early == []
    assert claimed == make_alert("a1", NOON + SECOND, attempts=2)
    assert last == make_alert("a2", NOON + 2 * SECOND, "terminal:2", attempts=2)


async def test_a_message_after_a_migration_gets_a_number_of_its_own(empty_url):
    await make_old(empty_url, "0002", 3)

    store = await open_store(empty_url)
    await store.record(make_ring(make_alert("new")))
    await store.close()

    assert await look(empty_url, numbers_of_alerts) == [1, 2, 3, 4]


def numbers_of_alerts(connection):
    return list(connection.execute(select(alerts.c.number).order_by(alerts.c.number)).scalars())


def upgrade_to(revision):
    def upgrade(connection):
        settings = migration.config()
        settings.attributes["connection"] = connection
        alembic.upgrade(settings, revision)

    return upgrade


async def test_a_newer_database_is_refused_in_one_line_and_left_alone(empty_url):
    await migrate(empty_url)
    await look(empty_url, run_sql("UPDATE alembic_version SET version_num = '9999'"))
    before = await look(empty_url, everything)

    for refused in (open_store(empty_url), migrate(empty_url)):
        with pytest.raises(StoreError, match=f"at revision 9999.*only up to {NEWEST}") as caught:
            await refused
        assert "\n" not in str(caught.value)

    assert await look(empty_url, everything) == before
    assert await current_revision(empty_url) == "9999"


def everything(connection):
    names = inspect(connection).get_table_names()
    return {name: connection.execute(text(f"SELECT * FROM {name}")).all() for name in sorted(names)}


async def test_a_refused_file_keeps_every_byte(sqlite_url, tmp_path):
    await look(sqlite_url, run_sql("UPDATE alembic_version SET version_num = '9999'"))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    for refused in (open_store(sqlite_url), migrate(sqlite_url)):
        with pytest.raises(StoreError):
            await refused

    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


async def test_programs_that_start_at_once_make_one_database(empty_url):
    program = (
        "import asyncio, sys; from bot.store.migrate import open_store;"
        "asyncio.run(open_store(sys.argv[1])); print('ready')"
    )
    started = [await start("-c", program, empty_url) for _ in range(2)]

    assert [await output_of(process) for process in started] == ["ready\n"] * 2
    assert await current_revision(empty_url) == NEWEST


def start(*arguments):
    """Another Python, whose output can be read."""
    return asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=PIPE, stderr=STDOUT
    )


async def output_of(process):
    return (await process.communicate())[0].decode()


async def test_a_migration_that_fails_leaves_nothing(empty_url):
    await look(empty_url, run_sql("CREATE TABLE facts (name TEXT)"))  # of another program

    with pytest.raises(StoreError, match="facts"):
        await open_store(empty_url)

    assert await look(empty_url, lambda connection: inspect(connection).get_table_names()) == [
        "facts"
    ]


# SQLite


async def test_sqlite_runs_with_a_write_ahead_log_and_foreign_keys(sqlite_url):
    store = await open_store(sqlite_url)
    async with transaction(store._engine) as database:  # noqa: SLF001 (its own connections are the question)
        found = [
            (await database.run(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    await store.close()

    assert found == ["wal", 1, 1, 10_000]


async def test_readers_do_not_wait_for_a_writer(sqlite_url):
    store = await open_store(sqlite_url + "?timeout=0.05")
    await store.record(make_record())

    with locked(sqlite_url):
        assert await store.snapshot(BTC) == SNAPSHOT
    await store.close()


def locked(sqlite_url):
    """Another program's transaction; ends with the block."""
    connection = sqlite3.connect(make_url(sqlite_url).database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return closing(connection)


async def test_a_cancelled_record_is_whole_or_nothing_and_the_store_goes_on(url):
    store = await open_store(url)
    for n in range(20):
        task = asyncio.create_task(store.record(record_of(n)))
        for _ in range(n * 2):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await store.record(record_of(99))

    await check_whole(store)
    await store.close()


async def test_a_line_committed_late_is_not_passed_over_by_readers(postgres_url):
    slow, quick = await open_store(postgres_url), await open_store(postgres_url)
    line = codec.event_line(make_crossing(), BTC)

    async with slow._writing() as database:  # noqa: SLF001 (a transaction cannot be held from outside)
        await slow._append(database, [line])  # noqa: SLF001
        recording = asyncio.create_task(quick.record(make_ring(make_alert())))
        await asyncio.wait([recording], timeout=0.1)
        seen = await journal_of(quick)
    await recording
    seen += await journal_of(quick)
    await slow.close()
    await quick.close()

    assert [entry.body["event"] for entry in seen] == ["crossing", "alert"]


async def test_retries_are_counted(url):
    store = await open_store(url)
    await store.record(make_ring(make_alert()))
    for _ in range(3):
        await store.claim("terminal", "me", NOON, MINUTE, 1)
        await store.retry("me", make_alert(), NOON)
    await store.retry("me", make_alert(), NOON)  # its lease is gone
    await store.close()

    def attempts(connection):
        return connection.execute(select(alerts.c.attempts)).scalar()

    assert await look(url, attempts) == 3


# refusals


async def refusal(url, act=None):
    """What the store says, one line without the password."""
    with pytest.raises(StoreError) as caught:
        await use(url, act)
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


async def use(url, act):
    store = await open_store(url)
    try:
        await act(store)
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "no database address"),
        ("gammabell.db", "no database address"),
        (f"postgresql+asyncpg://me:{PASSWORD}@host:port:1/x", "no database address"),
        ("sqlite:///gammabell.db", "begins with 'sqlite'; write sqlite\\+aiosqlite:///"),
        (f"postgresql://me:{PASSWORD}@host/name", "begins with 'postgresql'; write"),
        (f"{SQLITE}://", "names no file"),
        (f"{SQLITE}:///:memory:", "names no file"),
        (f"{SQLITE}:////no/such/folder/x.db", "/no/such/folder is no folder: create it"),
        (f"{POSTGRESQL}://me:{PASSWORD}@127.0.0.1:1/x", "x at 127.0.0.1:1 is not reachable"),
        (
            f"{POSTGRESQL}://me:{PASSWORD}@/x?host=/no/socket",
            "x at /no/socket:5432 is not reachable",
        ),
    ],
)
async def test_an_address_that_leads_nowhere_is_refused_with_advice(url, said):
    assert re.search(said, await refusal(url))


async def test_a_file_that_is_no_database_is_refused_and_left_alone(sqlite_url, tmp_path):
    file = tmp_path / "store.db"
    file.write_bytes(b"definitely not a database\n" * 50)
    before = file.read_bytes()

    assert "store.db is not a database" in await refusal(sqlite_url)
    assert file.read_bytes() == before


async def test_a_damaged_file_says_so(sqlite_url, tmp_path):
    store = await open_store(sqlite_url)
    for n in range(5):
        await store.record(record_of(n))
    await store.close()
    file = tmp_path / "store.db"
    pages = bytearray(file.read_bytes())
    pages[4096 * 2 :] = bytes(len(pages) - 4096 * 2)
    file.write_bytes(pages)

    assert "store.db is damaged" in await refusal(
        sqlite_url, lambda store: store.record(record_of(9))
    )


async def test_a_file_opened_for_reading_alone_reads_and_refuses_to_write(sqlite_url, tmp_path):
    store = await open_store(sqlite_url)
    await store.record(make_record())
    await store.close()
    url = f"{SQLITE}:///file:{tmp_path / 'store.db'}?mode=ro&uri=true"

    store = await open_store(url)
    assert await store.snapshot(BTC) == SNAPSHOT
    await store.close()

    assert "store.db is read-only" in await refusal(url, lambda store: store.record(record_of(1)))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_without_permission_is_refused(empty_sqlite_url, tmp_path):
    tmp_path.chmod(0o500)
    assert "store.db cannot be opened" in await refusal(empty_sqlite_url)
    tmp_path.chmod(0o700)


async def test_a_full_disk_is_refused_and_nothing_is_half_written(sqlite_url):
    engine = open_engine(parse_url(sqlite_url))

    @event.listens_for(engine.sync_engine, "connect")
    def fill_the_disk(connection, _record):
        connection.execute("PRAGMA max_page_count = 60")

    store = SqlStore(engine)
    with pytest.raises(StoreError, match=r"store\.db has no room: the disk is full"):
        await record_many(store)

    await check_whole(store)
    await store.close()


async def record_many(store):
    for n in range(1_000):
        await store.record(record_of(n))


async def test_another_programs_write_is_waited_for_and_then_reported(sqlite_url):

    with locked(sqlite_url):
        said = await refusal(
            sqlite_url + "?timeout=0.05", lambda store: store.record(make_record())
        )

    assert "store.db is being written by another program" in said


async def test_a_wrong_password_is_refused(postgres_url):
    if PASSWORD not in postgres_url:
        pytest.skip("TEST_DATABASE_URL may trust everybody")
    wrong = make_url(postgres_url).set(password="wrong-s3cret")

    said = await refusal(wrong.render_as_string(hide_password=False))

    assert "refuses the user or the password" in said
    assert "wrong-s3cret" not in said


async def test_a_database_that_is_not_there_is_refused(postgres_url):
    missing = make_url(postgres_url).set(database="nowhere").render_as_string(hide_password=False)

    assert re.search("^nowhere at .* does not exist; create", await refusal(missing))


async def test_an_idle_connection_that_the_server_ended_is_made_again(postgres_url):
    store = await open_store(postgres_url)
    await store.record(make_record())
    in_a_thread(command, make_url(postgres_url), END_OTHERS)

    assert await store.snapshot(BTC) == SNAPSHOT
    await store.close()


async def test_a_connection_that_was_lost_is_made_again(postgres_url):
    store = await open_store(postgres_url)
    await store.record(make_ring(make_alert("a1")))

    in_a_thread(command, make_url(postgres_url), END_OTHERS)
    await store.record(make_ring(make_alert("a2")))

    assert [entry.body["id"] for entry in await journal_of(store)] == ["a1", "a2"]
    await store.close()


def in_a_thread(function, *args):
    """The result of a function that must have an event loop of its own."""
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join()


# kill -9


@pytest.mark.parametrize("after", [1, 40])
async def test_a_program_killed_at_any_point_leaves_whole_records(sqlite_url, after):
    process = await start("-m", "tests.store.endless", sqlite_url)
    for _ in range(after):
        await process.stdout.readline()
    process.kill()
    rest = (await output_of(process)).count("\n")

    store = await open_store(sqlite_url)
    stored = await check_whole(store)
    await store.close()

    assert stored in (after + rest, after + rest + 1)


async def check_whole(store):
    """How many records of endless.py are there; each of them must be whole."""
    entries = await journal_of(store)
    shown = [entry.snapshot for entry in entries if entry.snapshot]
    numbers = [int((snapshot.at - NOON).total_seconds()) for snapshot in shown]
    assert shown == [record_of(n).snapshot for n in numbers]
    assert [entry.body["id"] for entry in entries if entry.body] == [f"a{n}" for n in numbers]
    for n, snapshot in zip(numbers, shown, strict=True):
        assert bits_of(await store.chain(snapshot)) == bits_of(record_of(n).chain)
    if numbers:
        assert await store.position() == str(numbers[-1])
        assert await store.latches(BTC) == record_of(numbers[-1]).latches
        assert (await store.health())["alerts_pending"] == len(numbers)
    return len(numbers)
