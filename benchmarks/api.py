"""Our HTTP API beside the usual one: `python -m benchmarks.api [--seconds S] [--rounds N]`.

Ours is the real program, `gammabell run --role api`, over an SQLite file with a snapshot of each
symbol; benchmarks/usual.py serves the same data. One process each, on one core, the load on
another; they take turns, and what is told are medians of the rounds. CPU time a request depends
least on what else the machine does: a core's worth of it is what a server can do. The end is ours
alone: idle connections, and the whole daemon against the simulator. Needs
`pip install -e '.[bench]'`.
"""

import argparse
import asyncio
import json
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path

from benchmarks.servers import Load, Server, fill, loading, ours, usual
from bot.api.server import allow_files
from bot.core.keys import make_key

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "HYPEUSDT")
ALL = "candles,expected_move,max_pain,ranked,spot,zones"
IN_MULTI = "expected_move,max_pain,ranked,zones"
BARE, WHOLE = "/gex/levels?symbol=BTCUSDT", f"/gex/levels?symbol=BTCUSDT&include={ALL}"
FOUR = f"/multi/gex/levels?symbols={','.join(SYMBOLS)}"
FOUR_WHOLE = f"{FOUR}&include={IN_MULTI}"
KEY = make_key(bytes(20))
ONE, MANY = "bare", "four symbols"
CONNECTIONS = 16
IDLE = 10_000
COLUMNS = ["ours / usual", "requests/s", "CPU µs", "p50 ms at half load", "p99 ms", "bytes"]
COLUMNS += ["load's core busy", "times as many", "times the CPU"]
DAEMON_RATE, DAEMON_WARM_SECONDS, DAEMON_SECONDS = 200.0, 15.0, 35.0  # a cycle takes 30


@dataclass(frozen=True, slots=True)
class Payload:
    """What is asked of which server of ours, and of which usual one, if that has it."""

    name: str
    target: str
    ours: str = "open"
    usual: str = "usual"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def request(self) -> str:
        """As it is sent."""
        lines = [f"GET {self.target} HTTP/1.1", "Host: 127.0.0.1", "User-Agent: bench"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""])


PAYLOADS = (
    Payload(ONE, BARE),
    Payload("bare, with a key", BARE, "keyed", "usual, keyed", {"X-API-Key": KEY}),
    Payload("all sections", WHOLE),
    Payload("all sections, gzip", WHOLE, "open", "usual, gzip", {"Accept-Encoding": "gzip"}),
    Payload(MANY, FOUR),
    Payload("four, with sections", FOUR_WHOLE),
    Payload("304, all sections", WHOLE, "open", "", {"If-None-Match": "*"}),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a server did with a payload: medians."""

    per_second: float
    cpu_us: float  # of the server, a request
    p50_ms: float  # at half of that load
    p99_ms: float
    busy: float  # the load's core: at 1 it would be the load that is measured
    size: float  # bytes, with its headers

    def texts(self) -> list[str]:
        """The numbers as they are shown."""
        rounded = [f"{self.per_second:.0f}", f"{self.cpu_us:.0f}"]
        waits = [f"{self.p50_ms:.2f}", f"{self.p99_ms:.2f}"]
        return [*rounded, *waits, f"{self.size:.0f}", f"{self.busy:.0%}"]


def main() -> None:
    """Measure, print."""
    options = parse()
    with tempfile.TemporaryDirectory() as folder, loading() as load:
        with started(Path(folder)) as servers:
            print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
            found = {}
            for payload in PAYLOADS:
                if options.only in payload.name:
                    found[payload.name] = compare(payload, servers, load, options)
            if {ONE, MANY} <= found.keys():
                print(f"\nfour symbols cost {found[MANY] / found[ONE]:.2f} times as much as one")
            if options.idle:
                idle(servers["open"], load, options)
        if options.daemon:
            daemon(Path(folder), load)


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="benchmarks.api")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="the payloads whose names have this")
    parser.add_argument("--idle", type=int, default=IDLE, help="connections; 0 leaves it out")
    parser.add_argument("--daemon", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


@contextmanager
def started(folder: Path) -> Iterator[Mapping[str, Server]]:
    """All servers, pinned and warm."""
    plain, keyed = (f"sqlite+aiosqlite:///{folder}/{name}.db" for name in ("open", "keyed"))
    asyncio.run(fill(plain, SYMBOLS))
    asyncio.run(fill(keyed, SYMBOLS, KEY))
    with ExitStack() as stack:
        servers = {
            "open": stack.enter_context(ours(folder, plain, "--role", "api")),
            "keyed": stack.enter_context(ours(folder, keyed, "--role", "api")),
        }
        data = folder / "data.json"
        data.write_text(json.dumps(payloads_of(servers["open"])))
        servers["usual"] = stack.enter_context(usual(folder, data))
        servers["usual, keyed"] = stack.enter_context(usual(folder, data, USUAL_KEY=KEY))
        servers["usual, gzip"] = stack.enter_context(usual(folder, data, USUAL_GZIP="1"))
        for server in servers.values():
            server.ask(BARE, {"X-API-Key": KEY})
            server.pin()
        yield servers


def payloads_of(server: Server) -> dict[str, dict]:
    """What the usual app serves: our answers, by what is asked."""
    return {
        "levels": {
            "BTCUSDT ": json.loads(server.ask(BARE, {})),
            f"BTCUSDT {ALL}": json.loads(server.ask(WHOLE, {})),
        },
        "multi": {
            f"{','.join(SYMBOLS)} ": json.loads(server.ask(FOUR, {})),
            f"{','.join(SYMBOLS)} {IN_MULTI}": json.loads(server.ask(FOUR_WHOLE, {})),
        },
    }


def compare(
    payload: Payload, servers: Mapping[str, Server], load: Load, options: argparse.Namespace
) -> float:
    """One row of the table; what a request costs us."""
    names = [name for name in (payload.ours, payload.usual) if name]
    turns: dict[str, list[Found]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            turns[name].append(measure(servers[name], load, payload, options.seconds))
    mine, *others = [medians(turns[name]) for name in names]
    print(f"| {' | '.join([payload.name, *cells(mine, *others)])} |", flush=True)
    return mine.cpu_us


def cells(mine: Found, other: Found | None = None) -> list[str]:
    """What stands in a row."""
    columns = [one.texts() for one in (mine, other) if one]
    if other is None:
        return [f"{text} / -" for text in columns[0]] + ["", ""]
    ratios = [mine.per_second / other.per_second, other.cpu_us / mine.cpu_us]
    both = [" / ".join(pair) for pair in zip(*columns, strict=True)]
    return both + [f"{ratio:.1f}" for ratio in ratios]


def measure(server: Server, load: Load, payload: Payload, seconds: float) -> Found:
    """As much as it can for a turn, then half of that."""
    order = {"port": server.port, "request": payload.request, "connections": CONNECTIONS}
    before = server.cpu_seconds()
    full = load.run(**order, seconds=seconds)
    spent = server.cpu_seconds() - before
    wanted = "304" if "If-None-Match" in payload.headers else "200"
    if set(full["statuses"]) != {wanted}:
        raise SystemExit(f"{payload.name}: {full['statuses']}")
    half = load.run(**order, seconds=seconds, rate=full["per_second"] / 2)
    return Found(
        full["per_second"],
        spent / full["statuses"][wanted] * 1e6,
        half["p50_ms"],
        half["p99_ms"],
        full["busy"],
        full["bytes"],
    )


def medians(found: list[Found]) -> Found:
    """Of each number."""
    columns = zip(*map(astuple, found), strict=True)
    return Found(*map(statistics.median, columns))


def idle(server: Server, load: Load, options: argparse.Namespace) -> None:
    """What connections cost that ask for nothing."""
    allow_files()
    alone = measure(server, load, PAYLOADS[0], options.seconds)
    before, wanted = server.megabytes(), server.files() + options.idle
    lines = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(options.idle)]
    try:
        while server.files() < wanted:
            time.sleep(0.1)
        each = (server.megabytes() - before) * 1_024 / len(lines)
        beside = measure(server, load, PAYLOADS[0], options.seconds)
    finally:
        for line in lines:
            line.close()
    print(
        f"\n{len(lines)} idle connections: {each:.1f} KB each;"
        f" bare at half load p99 {beside.p99_ms:.2f} ms beside them, {alone.p99_ms:.2f} without"
    )


def daemon(folder: Path, load: Load) -> None:
    """The API in one process with everything else."""
    url = f"sqlite+aiosqlite:///{folder}/daemon.db"
    with ours(folder, url, "--source", "sim") as server:
        server.ask("/health", {})
        time.sleep(DAEMON_WARM_SECONDS)
        found = load.run(
            port=server.port,
            request=PAYLOADS[0].request,
            connections=CONNECTIONS,
            rate=DAEMON_RATE,
            seconds=DAEMON_SECONDS,
        )
    print(
        f"\nthe whole daemon, {DAEMON_RATE:.0f} requests/s: p50 {found['p50_ms']:.2f} ms,"
        f" p99 {found['p99_ms']:.2f} ms, at most {found['max_ms']:.0f} ms"
    )


if __name__ == "__main__":
    main()
