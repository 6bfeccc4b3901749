"""Requests a minute: numbers drawn from one count, by whoever shares it."""

from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE = 60  # seconds
MOST_AHEAD = 1  # minutes that another's clock may be before ours
PARTS = 64  # of what is left, one is drawn at once: most requests draw nothing


@dataclass(frozen=True, slots=True)
class Count:
    """How many numbers were drawn in a minute; those above the limit are nobody's."""

    minute: int  # since 1970
    drawn: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """How many requests the numbers allow that were just drawn, and how many others are left."""

    taken: int
    left: int


def minute_of(now: float) -> int:
    """The minute of that time, seconds since 1970."""
    return int(now // MINUTE)


def start_of(minute: int) -> datetime:
    """When that minute began."""
    return datetime.fromtimestamp(minute * MINUTE, UTC)


def reset_at(now: float) -> int:
    """When that minute ends, seconds since 1970."""
    return (minute_of(now) + 1) * MINUTE


def draw(count: Count | None, minute: int, wanted: int) -> Count:
    """The count after so many more.

    One whose clock is a little behind draws from the minute that another has opened already, so
    that going back and forth gives nobody more. What is further ahead was opened by a clock
    that is wrong, and would shut everyone out until its time comes: that count begins anew.
    """
    if count is None or not 0 <= count.minute - minute <= MOST_AHEAD:
        return Count(minute, wanted)
    return Count(count.minute, count.drawn + wanted)


def allowed(drawn: int, wanted: int, limit: int) -> Drawn:
    """What the last `wanted` of the numbers drawn allow, where the limit is that."""
    unused = limit - (drawn - wanted)
    return Drawn(min(max(unused, 0), wanted), max(limit - drawn, 0))


def enough(waiting: int, left: int) -> int:
    """How many to draw at once for so many who wait.

    None beyond them while fewer than two for each part are left: small limits, and the end of
    every limit, are exact.
    """
    return min(left, max(waiting, left // PARTS))
