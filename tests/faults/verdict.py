"""What a cell proves: which promises were broken, and in a few words what the daemon did."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np

from bot.core.events import Crossing, Moved
from bot.core.symbols import coin_of
from bot.markets import SEED
from bot.sim.market import Market
from tests.faults.cases import CYCLE, LISTED, STALE_AFTER, USABLE
from tests.faults.loop import played
from tests.faults.story import ANSWER, LONGEST, counts, heard_at, witnessed

MARKET = Market(SEED)
LONGEST_SILENCE = timedelta(seconds=5)  # of spot
OLDEST = timedelta(seconds=15)  # stamp of a print that counts
NEAR = 0.005  # fraction of the true price
DUST = 1e-6
MOST_WARNINGS = 5  # of one fault
MOST = 0.9  # of the prices
LATE = timedelta(seconds=15)  # an answer that serves the cycle after


@dataclass(frozen=True)
class Outcome:
    """What the table says of a cell."""

    words: str
    without: int  # cycles of the fault
    back: int | None  # which cycle after its end; None where nobody waited
    broken: tuple[str, ...]  # promises

    def __str__(self):
        without = f", {self.without} without" if self.without else ""
        back = f", back in {self.back}" if self.back != 1 else ""
        return "BROKEN: " + "; ".join(self.broken) if self.broken else self.words + without + back


def outcome_of(case, longest=LONGEST):
    """The outcome of that cell; see `witnessed`."""
    return judged(played(witnessed(case, longest)))


def judged(evidence):
    """The outcome of a story."""
    broken = (line for promise in PROMISES for line in promise(evidence))
    tell = spot_words if evidence.case.row.channel == "ws" else chain_words
    back = evidence.back and -((evidence.ended - evidence.back) // CYCLE)
    return Outcome(tell(evidence), cycles_without(evidence), back, tuple(broken))


# Promises


def goes_on(evidence):
    """Every cycle has a snapshot of all other venues."""
    others = set(LISTED[evidence.case.symbol]) - {evidence.case.venue}
    for before, snapshot in pairwise(evidence.snapshots):
        if snapshot.at - before.at > CYCLE + ANSWER:
            yield f"no snapshot between {before.at:%H:%M:%S} and {snapshot.at:%H:%M:%S}"
        if missing := others - {source.venue for source in snapshot.sources}:
            yield f"{snapshot.at:%H:%M:%S} without {', '.join(sorted(missing))}"


def says_who_was_heard(evidence):
    """The venue is there with an answer that is young enough, or is named with a reason."""
    venue = evidence.case.venue
    for snapshot in evidence.snapshots:
        heard = heard_at(snapshot, venue)
        if heard is None and not snapshot.left_out.get(venue):
            yield f"{snapshot.at:%H:%M:%S}: {venue} is absent in silence"
        if heard is not None and snapshot.at - heard > STALE_AFTER:
            yield f"{snapshot.at:%H:%M:%S}: an answer of {heard:%H:%M:%S} serves"


def leaves_out_what_is_worthless(evidence):
    """Nothing usable for three minutes, and the venue is not among the sources."""
    row, venue = evidence.case.row, evidence.case.venue
    last = evidence.cycles[-1]
    if row.channel == "http" and row.kind not in USABLE and heard_at(last, venue):
        yield f"{last.at:%H:%M:%S}: still among the sources"


def keeps_the_chain(evidence):
    """Where only prices fail, every chain is of this cycle or the one before."""
    if evidence.case.row.channel == "ws":
        for snapshot in evidence.snapshots:
            heard = heard_at(snapshot, evidence.case.venue)
            if heard is None or snapshot.at - heard > CYCLE + ANSWER:
                yield f"{snapshot.at:%H:%M:%S}: no new chain"


def rings_only_what_happened(evidence):
    """Each crossing is one that the true price made just then."""
    for event in evidence.events:
        if isinstance(event, Crossing):
            prices = true_prices(event.symbol, event.at - OLDEST, event.at)
            up, passed = event.direction == "up", event.price
            if event.late or abs(event.spot / prices[-1] - 1) > NEAR:
                yield f"{event.at:%H:%M:%S}: rang at {event.spot}, the price was {prices[-1]}"
            if prices.max() < passed * (1 - DUST) if up else prices.min() > passed * (1 + DUST):
                yield f"{event.at:%H:%M:%S}: {event.key} was not crossed"


def explains_moves(evidence):
    """A level that moves as venues or parts of them come or go says so; else nothing of venues."""
    venues = {one.at: {(src.venue, src.rows) for src in one.sources} for one in evidence.snapshots}
    before = dict(zip(list(venues)[1:], venues.values(), strict=False))
    for event in evidence.events:
        if isinstance(event, Moved):
            same = venues[event.at] == before.get(event.at)
            part = event.cause.get("venues")
            parts = [one for cause, one in event.cause.items() if cause != "reformed"]
            if part is None or (same and abs(part) > DUST * event.to):
                yield f"{event.at:%H:%M:%S}: {event.key} moved, venues: {part}"
            if abs(sum(parts) - (event.to - event.was)) > DUST * event.to:
                yield f"{event.at:%H:%M:%S}: {event.key} moved otherwise than its causes"


def keeps_ticking(evidence):
    """Spot goes on, whoever falls silent."""
    for before, tick in pairwise(one for one in evidence.ticks if one.at >= evidence.began - CYCLE):
        if tick.at - before.at > LONGEST_SILENCE:
            yield f"no price from {before.at:%H:%M:%S} to {tick.at:%H:%M:%S}"


def is_near_the_truth(evidence):
    """No price that was judged is far from the true one."""
    seconds = np.array([tick.at.timestamp() for tick in evidence.ticks])
    prices = MARKET.prices(coin_of(evidence.case.symbol), seconds)
    for tick, price in zip(evidence.ticks, prices.tolist(), strict=True):
        if abs(tick.spot / price - 1) > NEAR:
            yield f"{tick.at:%H:%M:%S}: {tick.spot} for {price}"


def is_back_in_time(evidence):
    """The venue is heard within a cycle of the end of the fault, or of what it asked for."""
    if evidence.waited and evidence.back is None:
        yield "not back in time"


def says_little(evidence):
    """A few lines of warning, and never an error."""
    yield from evidence.errors
    if len(evidence.warnings) > MOST_WARNINGS:
        yield f"{len(evidence.warnings)} lines in the log"


PROMISES = (
    goes_on,
    says_who_was_heard,
    leaves_out_what_is_worthless,
    keeps_the_chain,
    rings_only_what_happened,
    explains_moves,
    keeps_ticking,
    is_near_the_truth,
    is_back_in_time,
    says_little,
)


def true_prices(symbol, since, until):
    """USD, four times a second."""
    seconds = np.arange(until.timestamp(), since.timestamp(), -0.25)[::-1]
    return MARKET.prices(coin_of(symbol), seconds)


# Words

OUT = "left out"


def chain_words(evidence):
    """What became of the venue's chain, cycle by cycle."""
    states = [state_of(snapshot, evidence) for snapshot in evidence.cycles]
    heard = ", ".join(dict.fromkeys(state for state in states if state != OUT))
    if OUT not in states:
        return heard
    first = states.index(OUT)
    if set(states[first:]) != {OUT}:
        return f"{heard}, out now and then"
    minutes = round((evidence.cycles[first].at - evidence.began) / timedelta(minutes=1))
    return f"{heard}, out after {minutes} min" if heard else "out at once"


def state_of(snapshot, evidence):
    """How the venue was heard in that cycle."""
    heard = heard_at(snapshot, evidence.case.venue)
    if heard is None:
        return OUT
    if heard < evidence.began:
        return "last answer"
    if snapshot.at - heard > LATE:
        return "heard a cycle late"
    whole = rows_of(evidence.snapshots[0], evidence.case.venue)
    return "heard" if rows_of(snapshot, evidence.case.venue) >= whole else "heard in part"


def rows_of(snapshot, venue):
    """How many the venue gave."""
    return sum(one.rows for one in snapshot.sources if one.venue == venue)


def spot_words(evidence):
    """What became of the venue's price."""
    pushed, polled = during(evidence, evidence.pushed), during(evidence, evidence.polled)
    told = ("pushed, polled in between" if polled else "pushed") if pushed else "polled instead"
    ticks = [one for one in evidence.ticks if evidence.began < one.at <= evidence.ended]
    counted = sum(counts(one, evidence.case.venue) for one in ticks)
    return told if counted > MOST * len(ticks) else f"{told}, outvoted"


def cycles_without(evidence):
    """Cycles of the fault in which the venue had no part."""
    if evidence.case.row.channel == "http":
        return sum(heard_at(one, evidence.case.venue) is None for one in evidence.cycles)
    counted = [one.at for one in evidence.ticks if counts(one, evidence.case.venue)]
    starts = (evidence.began + n * CYCLE for n in range(evidence.case.row.lasts // CYCLE))
    return sum(not any(one <= at < one + CYCLE for at in counted) for one in starts)


def during(evidence, times):
    """Those while the fault lasted, but for its first seconds: what was on its way arrives."""
    return [at for at in times if evidence.began + LONGEST_SILENCE < at <= evidence.ended]
