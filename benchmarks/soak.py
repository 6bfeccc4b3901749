"""A day of the daemon in minutes: `python -m benchmarks.soak [HOURS]`.

Four symbols, five venues, over real sockets, on the clock of the fault matrix, which jumps to the
next moment that somebody waits for; from noon to noon, so that 08:00 UTC and its expiries are
among the hours. Prints resident memory each hour (program and simulator, which share the process)
and exits with 1 when something was logged, a venue was missing, or memory did not stay level.
"""

import sys
from collections import Counter
from datetime import datetime, timedelta

from bot.core.chain import from_milliseconds
from tests.faults.bench import NOON, Bench, running
from tests.faults.loop import played
from tests.faults.many import clear, megabytes

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "HYPEUSDT")
VENUES = {"HYPEUSDT": 2}  # Deribit and Derive; the other coins are on all five
HOUR, TURN = timedelta(hours=1), timedelta(minutes=6)
EVERY, PUSH_SECONDS = timedelta(minutes=2), 5.0  # a day at the usual pace takes three times as long
SETTLED_HOURS = 4  # until whatever is kept has been kept once
LEVEL = 0.05  # of the memory


def main() -> None:
    """Run, judge, exit."""
    hours = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    resident, complaints, events, rolls = played(soaked(hours))
    print(f"events: {dict(events)}; expiries rolled: {rolls}")
    print(f"complaints: {len(complaints)}", *complaints[:20], sep="\n  ")
    settled = resident[min(SETTLED_HOURS, len(resident)) - 1]
    growth = resident[-1] / settled - 1
    print(f"resident: {settled:.1f} MB settled, {resident[-1]:.1f} MB at the end ({growth:+.1%})")
    sys.exit(bool(complaints) or growth > LEVEL or not events["snapshot"])


async def soaked(hours: int) -> tuple[list[float], list[str], Counter[str], int]:
    """Memory each hour in MB, what was wrong, events by kind, expiries that passed."""
    resident: list[float] = []
    complaints: list[str] = []
    events: Counter[str] = Counter()
    expiries: set[datetime] = set()
    async with running(*SYMBOLS, every=EVERY, push_every=PUSH_SECONDS) as bench:
        for turn in range(1, hours * (HOUR // TURN) + 1):
            await bench.until(NOON + turn * TURN)
            complaints += wrong(bench, first=turn == 1)
            events += happened(bench)
            expiries |= seen_expiries(bench)
            await clear(bench)
            if turn % (HOUR // TURN) == 0:
                resident.append(megabytes())
                print(f"{bench.clock.now():%d %b %H:%M}: {resident[-1]:.1f} MB", flush=True)
        rolls = sum(expiry <= bench.clock.now() for expiry in expiries)
    return resident, complaints, events, rolls


def wrong(bench: Bench, *, first: bool) -> list[str]:
    """What was logged, and the snapshots that lack a venue; at first Derive takes its time."""
    lines = [f"{bench.clock.now()}: {line.getMessage()}" for line in bench.log]
    for record in bench.store.records:
        snapshot = record.snapshot
        if snapshot and len(snapshot.sources) < VENUES.get(snapshot.symbol, 5) and not first:
            lines.append(f"{snapshot.id}: {dict(snapshot.left_out)}")
    return lines


def happened(bench: Bench) -> Counter[str]:
    """The events by their kind."""
    kinds = Counter(type(event).__name__ for one in bench.store.records for event in one.events)
    kinds["snapshot"] = sum(one.snapshot is not None for one in bench.store.records)
    return kinds


def seen_expiries(bench: Bench) -> set[datetime]:
    """Those of the chains."""
    chains = [record.chain for record in bench.store.records if record.chain is not None]
    return {from_milliseconds(one) for chain in chains for one in set(chain.expiry.tolist())}


if __name__ == "__main__":
    main()
