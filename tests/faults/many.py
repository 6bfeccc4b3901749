"""A thousand faults in one run of the daemon, at one venue or two at once, and its memory."""

import gc
from datetime import timedelta
from pathlib import Path
from random import Random

from bot.sim.faults import Fault
from bot.sim.refusals import VENUES
from tests.faults.bench import after, running
from tests.faults.cases import BLOCKED, CYCLE, ROWS
from tests.faults.story import ANSWER

SYMBOL = "BTCUSDT"
SHORTEST, SPAN = 10.0, 50.0  # seconds that a fault lasts, by chance
AT_ONCE = 2  # venues
SETTLED = 200  # faults until whatever is kept has been kept once
GROWTH = 0.05  # fraction
KEPT = timedelta(minutes=10)  # of the store
# A blocked venue falls silent for half an hour: of a thousand faults most would strike nobody.
DRAWN = [row for row in ROWS if row.wait < BLOCKED]


class TooMuch(Exception):
    """The daemon did not go on, or its memory grew."""


async def struck(count, seed):
    """Memory in MB after the first faults and after them all. Raises TooMuch."""
    random, ends, memory = Random(seed), {}, []
    async with running(SYMBOL) as bench:
        await bench.until(after(45))
        for number in range(1, count + 1):
            await bench.until(next_turn(ends, bench.clock.now()))
            forget_ended(ends, bench.clock.now())
            row, venue, seconds = drawn(random, ends)
            strike(bench, row, venue, seconds)
            over = bench.clock.now() + timedelta(seconds=seconds) + row.wait + CYCLE + ANSWER
            ends[venue] = max(over, ends.get(venue, over))
            await bench.until(bench.clock.now() + CYCLE)
            check(bench, ends)
            await clear(bench)
            if number in (SETTLED, count):
                memory.append(megabytes())
    return memory


def next_turn(ends, now):
    """When the next fault may begin: at most two venues fail at once."""
    return now if len(ends) < AT_ONCE else max(now, min(ends.values()))


def forget_ended(ends, now):
    for venue in [venue for venue, end in ends.items() if end <= now]:
        del ends[venue]


def drawn(random, ends):
    """A fault, whom it strikes, and for how long."""
    row = random.choice(DRAWN)
    venue = random.choice([venue for venue in VENUES if venue not in ends])
    return row, venue, SHORTEST + SPAN * random.random()


def strike(bench, row, venue, seconds):
    kind, channel, value = row
    bench.simulator.faults.add(Fault(venue, kind, channel, seconds=seconds, value=value))


def check(bench, ends):
    """The last cycle has every venue that does not fail, and nobody cried. Raises TooMuch."""
    snapshots = [one.snapshot for one in bench.store.records if one.snapshot]
    heard = {source.venue for source in snapshots[-1].sources} if snapshots else set()
    if missing := set(VENUES) - ends.keys() - heard:
        raise TooMuch(f"{bench.clock.now()}: nothing of {', '.join(sorted(missing))}")
    errors = [line.getMessage() for line in bench.log if line.levelname != "WARNING"]
    if errors:
        raise TooMuch(f"{bench.clock.now()}: {errors[0]}")


async def clear(bench):
    """Forget what was witnessed, and let the store forget as it does every hour."""
    now = bench.clock.now()
    await bench.store.prune(now - KEPT, now - KEPT)
    witnessed = (heard.times for heard in (*bench.streams.values(), *bench.sources.values()))
    for kept in (bench.store.records, bench.log, bench.ticks, *witnessed):
        kept.clear()


def megabytes():
    """Resident memory of this process, the simulator's part included."""
    gc.collect()
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024
