"""The processes of `benchmarks.api`: ours, the usual one, and what loads them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.chains import SPOT, make_chain
from bot.core.chain import Source
from bot.core.crossings import Latches
from bot.core.keys import ApiKey, digest_of
from bot.core.snapshot import Candle, Snapshot, compute_levels, snapshot_id
from bot.ports import Record
from bot.store.migrate import open_store

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS, END_SECONDS = 30.0, 20.0
PER_MINUTE = 1_000_000_000
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A process that serves on a port."""

    def __init__(self, process: subprocess.Popen, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self._process = process

    def pin(self) -> None:
        """Onto the first core, with the threads that it starts from now on."""
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {min(os.sched_getaffinity(0))})

    def cpu_seconds(self) -> float:
        """Spent since it started, in user mode and in the kernel."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def megabytes(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1_024

    def files(self) -> int:
        """How many it has open."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def ask(self, target: str, headers: Mapping[str, str]) -> bytes:
        """What it answers, as soon as it does."""
        address, ends = f"http://127.0.0.1:{self.port}{target}", time.monotonic() + START_SECONDS
        request = urllib.request.Request(address, headers=dict(headers))
        while True:
            try:
                with urllib.request.urlopen(request, timeout=START_SECONDS) as response:
                    return response.read()
            except OSError as error:
                if time.monotonic() > ends or self._process.poll() is not None:
                    raise SystemExit(f"{error}; {self.log.read_text()[-2_000:]}") from error
                time.sleep(0.1)


@contextmanager
def running(command: Sequence[str], folder: Path, port: int, **more: str) -> Iterator[Server]:
    """The module as a process, in that folder and environment."""
    path = folder / f"{port}.log"
    log = path.open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | more,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        yield Server(process, port, path)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(END_SECONDS)
        log.close()


@contextmanager
def ours(folder: Path, url: str, *options: str) -> Iterator[Server]:
    """`gammabell run` with these options, over that database."""
    port = free_port()
    settings = {"GAMMABELL_STORE__URL": url, "GAMMABELL_API__PORT": str(port)}
    with running(["bot", "run", *options], folder, port, **settings) as server:
        yield server


@contextmanager
def usual(folder: Path, data: Path, **settings: str) -> Iterator[Server]:
    """uvicorn[standard] with one worker, which takes uvloop and httptools by itself."""
    port = free_port()
    command = ["uvicorn", "benchmarks.usual:app", "--port", str(port), "--no-access-log"]
    with running(command, folder, port, USUAL_DATA=str(data), **settings) as server:
        yield server


class Load:
    """Gives orders to the generator."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process

    def run(self, **order: object) -> dict:
        """What came of it."""
        print(json.dumps(order), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the load generator failed; it said why")
        return json.loads(line)


@contextmanager
def loading() -> Iterator[Load]:
    """The generator; the end of its orders is its end."""
    command = [sys.executable, "-m", "benchmarks.load"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        yield Load(process)


def free_port() -> int:
    """One that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


async def fill(url: str, symbols: Sequence[str], key: str | None = None) -> None:
    """A database with a snapshot of each symbol, as a cycle leaves it, and perhaps a key."""
    now = datetime.now(UTC).replace(microsecond=0)
    store = await open_store(url)
    try:
        for symbol in symbols:
            await store.record(Record(symbol, now, Latches(), snapshot=make_snapshot(symbol, now)))
        if key:
            await store.add_key(ApiKey("bench", digest_of(key), PER_MINUTE, now))
    finally:
        await store.close()


def make_snapshot(symbol: str, now: datetime) -> Snapshot:
    """Levels of 3,860 contracts on four venues, and two days of candles."""
    chain = make_chain(3_860)
    levels = compute_levels(chain, SPOT, chain.sources[0].at)
    sources = tuple(Source(one.venue, now, one.rows) for one in chain.sources)
    candles = tuple(
        Candle(now - timedelta(minutes=30 * n), SPOT, SPOT + 80.5, SPOT - 70.25, SPOT + 3, 123.456)
        for n in range(96, 0, -1)
    )
    identity = snapshot_id(symbol, now)
    return Snapshot(identity, symbol, now, SPOT, SPOT + 12.5, levels, sources, {}, candles)
