"""The pace of one token: no bursts, replies first, and nobody waits for another's chat."""

import asyncio
import itertools
import logging
from bisect import insort
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from bot.core.text import age_text
from bot.ports import Timer, Urgency

logger = logging.getLogger(__name__)

MOST_IN_FLIGHT = 25  # requests: more only fill the platform's queues and our sockets
MOST_PUSHES = MOST_IN_FLIGHT - 5  # of them: slow ones must not keep replies waiting
REPLY_SPACING = 1.0  # seconds between two messages of one chat, on every platform
LONGEST_REPLY_WAIT = 0.1  # seconds for a slot; a reply that would wait longer borrows one
STRICT_AFTER = 2.0  # seconds after a borrowed slot in which a refusal is blamed on it
STRICT_SECONDS = 600.0  # without borrowing, once the platform refused it
KEPT_FOR_PUSHES = 6  # of a group's messages a minute: whoever asks a lot silences no ring
MINUTE = 61.0  # seconds: the platform's minute, and what a message may take on its way
LONGEST_DEBT = 30.0  # seconds that pushes wait for replies' borrowed slots
MOST_REFUSALS = 5_000  # in the time below: half of what makes Discord ban an address
REFUSALS_SECONDS = 600.0
WAKING_LATE = 0.005  # seconds that a start made late by the event loop may catch up
NEVER = float("inf")
DUST = 1e-9  # of float sums
FEW_PLACES = 1_000  # fewer are not worth looking through


@dataclass(eq=False, slots=True)
class _Turn:
    """One request that wants to start."""

    place: str
    urgency: Urgency
    number: int
    started: asyncio.Future[None] = field(default_factory=asyncio.Future)

    @property
    def rank(self) -> tuple[Urgency, int]:
        """Who goes first, among those that may."""
        return self.urgency, self.number


@dataclass(slots=True)
class _Place:
    """When the next reply and the next push to a chat may start."""

    reply_from: float = 0.0
    push_from: float = 0.0
    lately: deque[float] = field(default_factory=deque)  # what started within the last minute

    def at(self, urgency: Urgency) -> float:
        """When one of that urgency may start."""
        return self.reply_from if urgency == Urgency.REPLY else self.push_from


ANYWHERE = _Place()


def _full_until(lately: deque[float], most: int) -> float:
    """When there is room for one more of so many a minute."""
    return lately[-most] + MINUTE if len(lately) >= most else 0.0


class Places:
    """The chats that were sent to lately; those that need not wait any more are forgotten."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._look_through_at = FEW_PLACES

    def __len__(self) -> int:
        return len(self._places)

    def start_at(self, name: str, urgency: Urgency) -> float:
        """When the chat lets a request of that urgency start."""
        return self._places.get(name, ANYWHERE).at(urgency)

    def hold(self, name: str, now: float, reply_from: float, push_from: float) -> None:
        """Let nothing start there before."""
        if len(self._places) >= self._look_through_at:
            self._forget(now)
        place = self._places.setdefault(name, _Place())
        place.reply_from = max(place.reply_from, reply_from)
        place.push_from = max(place.push_from, push_from)

    def count(self, name: str, now: float, spacing: float) -> None:
        """Note a start. A chat that bears fewer than one message a second has so many a minute."""
        if spacing <= REPLY_SPACING:
            return
        self.hold(name, now, now, now)
        lately, most = self._places[name].lately, round(60.0 / spacing)
        lately.append(now)
        while lately[0] <= now - MINUTE:
            lately.popleft()
        self.hold(name, now, _full_until(lately, most - KEPT_FOR_PUSHES), _full_until(lately, most))

    def _forget(self, now: float) -> None:
        self._places = {
            name: one
            for name, one in self._places.items()
            if max(one.reply_from, one.push_from) > now
            or (one.lately and one.lately[-1] > now - MINUTE)
        }
        self._look_through_at = max(FEW_PLACES, 2 * len(self._places))


class Pacer:
    """Lets requests of one token start when the platform's limits allow.

    Pushes start 1 / `per_second` apart, never more than that many within a second, and
    `spacing(place)` seconds apart in one place.
    """

    def __init__(self, per_second: float, spacing: Callable[[str], float], timer: Timer) -> None:
        self._per_second = per_second
        self._interval = 1 / per_second
        self._spacing = spacing
        self._timer = timer
        self._waiting: list[_Turn] = []  # by rank
        self._numbers = itertools.count()
        self._in_flight = 0
        self._pushes = 0  # of those in flight
        self._slot_at = 0.0  # the token's next slot
        self._push_at = 0.0  # the same for pushes, which pay for borrowed slots
        self._starts: deque[float] = deque(maxlen=max(1, int(per_second)))  # of a second
        self._held_until = 0.0
        self._borrowed_at = NEVER  # when a reply last took a slot that was not its own
        self._strict_until = 0.0
        self._places = Places()
        self._refusals: deque[float] = deque(maxlen=MOST_REFUSALS)  # times
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = NEVER

    @asynccontextmanager
    async def turn(self, place: str, urgency: Urgency) -> AsyncIterator[None]:
        """Waits until a request to that chat may start; within it one is made."""
        turn = _Turn(place, urgency, next(self._numbers))
        insort(self._waiting, turn, key=lambda one: one.rank)
        try:
            self._admit()
            await turn.started
            yield
        finally:
            self._leave(turn)

    def hold(self, seconds: float, place: str | None = None) -> None:
        """Start nothing for so long: to that chat, or at all. The longest wish counts."""
        now = self._timer.time()
        if 0 <= now - self._borrowed_at <= STRICT_AFTER:
            self._strict_until = now + STRICT_SECONDS  # this platform means its limit
        if place is None:
            self._held_until = max(self._held_until, now + seconds)
        else:
            self._places.hold(place, now, now + seconds, now + seconds)

    def refused(self) -> None:
        """Count a 401, 403 or 429; too many in ten minutes stop everything for a while."""
        now = self._timer.time()
        was_shut = self._safe_at() > now
        self._refusals.append(now)
        if not was_shut and (pause := self._safe_at() - now) > 0:
            logger.error(
                "%d requests refused within 10 minutes: nothing is sent for %.0f s, "
                "so that the platform does not ban us; look for what it refuses",
                MOST_REFUSALS,
                pause,
            )

    def state(self) -> str:
        """For /status: 29/s; 3 waiting; held 12 s."""
        held = self._open_at() - self._timer.time()
        parts = [f"{self._per_second:g}/s"]
        parts += [f"{len(self._waiting)} waiting"] if self._waiting else []
        parts += [f"held {age_text(timedelta(seconds=held))}"] if held > 0 else []
        return "; ".join(parts)

    def _open_at(self) -> float:
        """When anything may start again."""
        return max(self._held_until, self._safe_at())

    def _safe_at(self) -> float:
        """When there are few enough refusals again."""
        full = len(self._refusals) == MOST_REFUSALS
        return self._refusals[0] + REFUSALS_SECONDS if full else 0.0

    def _admit(self) -> None:
        """Start whoever may, and look again when the next one may."""
        now = self._timer.time()
        planned = min(self._alarm_at, now)
        while turn := self._next(now + DUST):
            self._start(turn, now, max(planned, now - WAKING_LATE))
        self._set_alarm(now)

    def _next(self, now: float) -> _Turn | None:
        """The first in rank that may start now; one whose chat must wait holds up no other."""
        if now < self._open_at():
            return None
        ahead = 0  # replies that wait for a slot
        for turn in self._waiting:
            if not self._has_room(turn):
                return None
            if now < self._places.start_at(turn.place, turn.urgency):
                continue
            if turn.urgency != Urgency.REPLY:
                return turn if now >= self._push_slot() else None
            wait = self._slot_at + ahead * self._interval - now
            may_borrow = now >= self._strict_until and wait > LONGEST_REPLY_WAIT
            if wait <= 0 or may_borrow:
                return turn
            ahead += 1
        return None

    def _has_room(self, turn: _Turn) -> bool:
        """Whether few enough are in flight; those behind it in rank have no more room."""
        if self._in_flight >= MOST_IN_FLIGHT:
            return False
        return turn.urgency == Urgency.REPLY or self._pushes < MOST_PUSHES

    def _start(self, turn: _Turn, now: float, planned: float) -> None:
        self._waiting.remove(turn)
        self._in_flight += 1
        self._pushes += turn.urgency != Urgency.REPLY
        borrows = turn.urgency == Urgency.REPLY and now + DUST < self._slot_at
        if borrows:  # only pushes wait the longer
            self._borrowed_at = now
        else:
            self._slot_at = now + self._interval
        owed = max(self._push_at, planned) + self._interval
        self._push_at = min(owed, now + max(LONGEST_DEBT, self._interval))
        self._starts.append(now)
        self._places.count(turn.place, now, self._spacing(turn.place))
        self._space(turn.place, now)
        if not turn.started.done():  # it is, cancelled, when it is about to leave
            turn.started.set_result(None)

    def _leave(self, turn: _Turn) -> None:
        """Make room: it is through, or was cancelled."""
        if turn in self._waiting:
            self._waiting.remove(turn)
        else:
            self._in_flight -= 1
            self._pushes -= turn.urgency != Urgency.REPLY
            # It may have arrived only now: counted from its start, the next could come too soon.
            self._space(turn.place, self._timer.time())
        self._admit()

    def _space(self, place: str, now: float) -> None:
        """Let the chat rest after a message."""
        self._places.hold(place, now, now + REPLY_SPACING, now + self._spacing(place))

    def _push_slot(self) -> float:
        """When the token lets the next push start."""
        full = len(self._starts) == self._starts.maxlen
        return max(self._push_at, self._starts[0] + 1.0 if full else 0.0)

    def _start_at(self, turn: _Turn) -> float:
        """When it may start, were it the first."""
        slot = self._slot_at if turn.urgency == Urgency.REPLY else self._push_slot()
        return max(slot, self._places.start_at(turn.place, turn.urgency), self._open_at())

    def _set_alarm(self, now: float) -> None:
        """Look again when the first of those that have room may start; others leave before."""
        if self._alarm:
            self._alarm.cancel()
        self._alarm, self._alarm_at = None, NEVER
        earliest = self._earliest()
        if earliest < NEVER:
            self._alarm_at = earliest
            work = self._look_again(self._alarm_at - now)
            self._alarm = asyncio.get_running_loop().create_task(work)

    def _earliest(self) -> float:
        """When the first of those that have room may start."""
        earliest = NEVER
        for turn in self._waiting:
            if not self._has_room(turn):
                break
            earliest = min(earliest, self._start_at(turn))
            if turn.urgency != Urgency.REPLY and earliest <= self._push_slot():
                break  # no push starts sooner
        return earliest

    async def _look_again(self, pause: float) -> None:
        await self._timer.sleep(pause)
        self._alarm = None  # it must not cancel itself
        self._admit()
