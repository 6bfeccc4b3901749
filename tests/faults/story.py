"""One fault from its beginning until the venue is back, and what was seen of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.events import Event
from bot.core.snapshot import Snapshot, Tick
from tests.faults.bench import after, running
from tests.faults.cases import CYCLE, Case

BEGINS = after(45)  # after two cycles
ANSWER = timedelta(seconds=7)  # at most, that a cycle waits for its venues
LONGEST = timedelta(hours=1)  # pause of a venue that is waited for


@dataclass
class Evidence:
    """What the daemon did in one cell."""

    case: Case
    began: datetime
    ended: datetime
    back: datetime | None = None  # when the venue was heard as before
    waited: bool = True  # for it to be back
    snapshots: list[Snapshot] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    pushed: list[datetime] = field(default_factory=list)  # prices of the venue
    polled: list[datetime] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # logged
    warnings: list[str] = field(default_factory=list)

    @property
    def cycles(self):
        """The snapshots while the fault lasted."""
        return [one for one in self.snapshots if self.began < one.at <= self.ended]


async def witnessed(case, longest=LONGEST):
    """The story of that cell; a venue that is left alone for longer is not waited for."""
    row, ends = case.row, BEGINS + case.row.lasts
    evidence = Evidence(case, BEGINS, ends, waited=row.wait <= longest)
    async with running(case.symbol) as bench:
        await bench.until(BEGINS)
        for fault in case.faults:
            bench.simulator.faults.add(fault)
        await bench.until(ends)
        bench.simulator.faults.clear()
        if evidence.waited:
            latest = ends + row.wait + CYCLE + ANSWER
            evidence.back = await bench.until_true(lambda: is_back(case, bench, ends), latest)
        take_down(evidence, bench)
    return evidence


def is_back(case, bench, ended):
    """Whether the venue is heard again as it was before the fault."""
    if case.row.channel == "ws":
        stream = bench.streams[case.venue]
        pushes = stream.stream.live_since is not None and stream.times[-1] > ended
        return pushes and counts(bench.ticks[-1], case.venue)
    snapshot = next(one.snapshot for one in reversed(bench.store.records) if one.snapshot)
    heard = heard_at(snapshot, case.venue)
    return heard is not None and heard > ended


def heard_at(snapshot, venue):
    """The time of the venue's part of a snapshot; None where it has none."""
    return next((one.at for one in snapshot.sources if one.venue == venue), None)


def counts(tick, venue):
    """Whether the venue's print is one of those that made the price."""
    return venue in tick.source.removesuffix(" index").split("+")


def take_down(evidence, bench):
    """Everything that was seen, from the warming up to now."""
    venue = evidence.case.venue
    records = bench.store.records
    evidence.snapshots = [one.snapshot for one in records if one.snapshot]
    evidence.events = [event for one in records for event in one.events]
    evidence.ticks = bench.ticks
    evidence.pushed = bench.streams[venue].times
    evidence.polled = bench.sources[venue].times
    for line in bench.log:
        kind = evidence.errors if line.levelname != "WARNING" else evidence.warnings
        kind.append(line.getMessage())
