"""What five venues and four symbols cost a minute: `python -m benchmarks.live`.

The simulator runs in a process of its own and pushes prices as real venues do. Cycles run on the
system's clock, so the request budgets are the real ones.
"""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.clock import SystemClock
from bot.config import Config
from bot.core.snapshot import Tick
from bot.exchanges import binance, bybit, deribit, derive, okx
from bot.exchanges.http import open_session
from bot.markets import VENUES, Market, networked_market
from bot.ports import Store, Wire
from bot.service.desk import Desk
from bot.service.rulebook import Rulebook
from bot.service.ticker import Ticker
from bot.store.migrate import open_store

ROOT = Path(__file__).resolve().parent.parent
CYCLES, EVERY = 4, 30.0
STALE_AFTER = timedelta(minutes=3)
BOOKS = {  # one whole answer of each venue, and what reads it
    "deribit BTC book": (
        "deribit",
        "GET",
        "/api/v2/public/get_book_summary_by_currency",
        {"currency": "BTC", "kind": "option"},
        lambda body, now: deribit.parse_book(body, now).chain("BTC"),
    ),
    "bybit BTC chain": (
        "bybit",
        "GET",
        "/v5/market/tickers",
        {"category": "option", "baseCoin": "BTC"},
        lambda body, now: bybit.parse_chain("BTC", body, now),
    ),
    "okx BTC-USD summaries": (
        "okx",
        "GET",
        "/api/v5/public/opt-summary",
        {"instFamily": "BTC-USD"},
        okx.parse_summary,
    ),
    "binance marks": (
        "binance",
        "GET",
        "/eapi/v1/mark",
        {},
        lambda body, _: binance.parse_marks(body),
    ),
    "derive BTC instruments": (
        "derive",
        "POST",
        "/public/get_all_instruments",
        {
            "instrument_type": "option",
            "currency": "BTC",
            "expired": False,
            "page": 1,
            "page_size": 1000,
        },
        lambda body, _: derive.parse_instruments(body),
    ),
}


@dataclass
class Timed:
    """A desk that notes how long after its arrival each tick reached it."""

    desk: Desk
    waits: list[float] = field(default_factory=list)
    arrived: float = 0.0  # of the newest print that counted

    @property
    def symbol(self) -> str:
        return self.desk.symbol

    @property
    def tick(self) -> Tick | None:
        return self.desk.tick

    async def judge(self, tick: Tick) -> bool:
        self.waits.append(time.perf_counter() - self.arrived)
        return await self.desk.judge(tick)


def main() -> None:
    """Measure and print."""
    port = free_port()
    simulator = subprocess.Popen(
        [sys.executable, "-m", "bot", "sim", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        simulator.stdout.readline()
        time.sleep(1)  # it listens soon after it says so
        asyncio.run(measure(f"127.0.0.1:{port}"))
    finally:
        simulator.terminate()
        simulator.wait(10)


async def measure(host: str) -> None:
    """Every figure, one after the other."""
    addresses = {
        name: dict.fromkeys(venue.hosts.values(), f"http://{host}") | {"ws_url": f"ws://{host}"}
        for name, venue in VENUES.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(f"sqlite+aiosqlite:///{folder}/bench.db")
        async with open_session() as session:
            wires: list[Wire] = []

            def tap(wire: Wire) -> Wire:
                wires.append(wire)
                return wire

            market = networked_market("sim", Config(), session, addresses, SystemClock(), tap)
            await measure_cycles(market, store)
            await measure_ticks(market, store)
            for name, throttle in market.throttles.items():
                usage = throttle.usage()
                asked = f"{usage.per_minute:>6.0f} a minute asked"
                print(f"{name:<8}{asked}, {usage.allowed:>6,.0f} allowed")
            await measure_books(wires[0], market)
        await store.close()
    print(f"resident: {resident():.0f} MB")


async def measure_cycles(market: Market, store: Store) -> None:
    """Wall time until four snapshots are shown; CPU until the next cycle, stragglers included."""
    collector, desks = market.collector(), await open_desks(market, store)
    walls, costs = [], []
    for cycle in range(CYCLES + 1):
        began, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*map(collector.collect, desks))
        wall = time.perf_counter() - began
        await asyncio.sleep(EVERY - wall)
        if cycle:  # the first one finds nothing to stand in for a slow venue
            walls.append(wall)
            costs.append(time.process_time() - used)
    heard = {desk.symbol: len(desk.snapshot.sources) for desk in desks}
    rows = sum(len(desk.chain) for desk in desks)
    print(f"cycle: {rows:,} rows, venues heard {heard}")
    print(f"cycle: wall {median_ms(walls)}, CPU {median_ms(costs)}, {len(walls)} cycles")


async def measure_ticks(market: Market, store: Store) -> None:
    """From the arrival of a print to the evaluator, while cycles go on beside."""
    collector, desks = market.collector(), await open_desks(market, store)
    timed = {desk.symbol: Timed(desk) for desk in desks}
    ticker = Ticker(market.streams, list(market.venues.values()), market.now, market.timer)
    take = ticker._take  # noqa: SLF001  where every print goes, pushed or asked for

    def arrive(tick: Tick) -> None:
        timed[tick.symbol].arrived = time.perf_counter()
        take(tick)

    ticker._take = arrive  # noqa: SLF001
    running = [asyncio.create_task(one) for one in ticker.loops(list(timed.values()), lambda: None)]
    for _ in range(2):
        await asyncio.gather(*map(collector.collect, desks))
        await asyncio.sleep(EVERY)
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    waits = sorted(wait for one in timed.values() for wait in one.waits)
    p50, p99 = (waits[int(len(waits) * share)] * 1_000 for share in (0.5, 0.99))
    print(
        f"ticks: {len(waits)} judged, p50 {p50:.2f} ms, p99 {p99:.2f} ms, max {waits[-1] * 1e3:.1f}"
    )


async def measure_books(wire: Wire, market: Market) -> None:
    """Reading one whole answer of each venue."""
    for name, (venue, method, path, params, parse) in BOOKS.items():
        body, now, taken = await wire.ask(venue, method, path, params), market.now(), []
        for _ in range(20):
            began = time.perf_counter()
            parse(body, now)
            taken.append(time.perf_counter() - began)
        print(f"parse {name:<24}{len(body) / 1e6:>6.2f} MB  {median_ms(taken)}")


async def open_desks(market: Market, store: Store) -> list[Desk]:
    """A desk each symbol, over that store."""
    rulebook = Rulebook(store, "terminal:")
    await rulebook.reload()
    desks = [Desk(symbol, store, rulebook, STALE_AFTER, STALE_AFTER) for symbol in market.symbols]
    for desk in desks:
        await desk.open()
    return desks


def median_ms(seconds: list[float]) -> str:
    """The median, and the greatest."""
    return f"{statistics.median(seconds) * 1e3:.1f} ms (max {max(seconds) * 1e3:.1f})"


def resident() -> float:
    """Of this process, MB."""
    status = Path(f"/proc/{os.getpid()}/status").read_text()
    return (
        int(next(one for one in status.splitlines() if one.startswith("VmRSS")).split()[1]) / 1024
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
