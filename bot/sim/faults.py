"""What can be made to go wrong at the simulated venues, and for how long."""

import asyncio
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

import msgspec

from bot.sim import mutations
from bot.sim.refusals import VENUES, maintenance, refusal
from bot.sim.wire import Answer

Clock = Callable[[], datetime]

HTTP, WS = frozenset(("http",)), frozenset(("ws",))
BOTH = HTTP | WS
ANY = "*"
MOST = 100  # faults at once
LONGEST = 1e8  # seconds, three years
LOOK = 0.05  # real seconds between looks at whether the clock has ended a fault


class Channel(NamedTuple):
    """Where an answer or a push goes out."""

    venue: str
    name: str  # http or ws
    path: str


@dataclass(frozen=True)
class Kind:
    """A way to fail, for people and for the judgement of a fault's value."""

    does: str
    channels: frozenset[str]
    value: float = 0.0  # unless the fault gives another
    least: float = 0.0
    most: float = LONGEST
    count: int | None = None  # unless the fault gives another


def _status(does: str, wait: float = 0.0) -> Kind:
    return Kind(does, HTTP, wait)


STATUSES = {
    "429": _status("too many requests; value: seconds told in Retry-After", 5.0),
    "418": _status("banned; value: seconds told in Retry-After", 120.0),
    "403": _status("blocked for the client's country"),
    "451": _status("blocked for legal reasons"),
    "500": _status("an internal error, in the venue's words"),
    "502": _status("a page of the proxy before the venue"),
    "503": _status("out of service, in the venue's words"),
}
FAULTS: dict[str, Kind] = {
    **STATUSES,
    "maintenance": Kind("the venue says that it is being worked on", HTTP),
    "hang": Kind("nothing is sent while the connection stays open", BOTH),
    "reset": Kind("the connection is aborted instead of an answer", HTTP),
    "drop": Kind("connections are aborted at once, new ones refused with 503", WS),
    "refuse": Kind("new connections are refused; value: the status", WS, 503, 400, 599),
    "slow": Kind("answers and pushes come late; value: seconds", BOTH, 5.0),
    "truncated": Kind("JSON ends in the middle", BOTH),
    "wrong_types": Kind(
        "numbers are objects or lists, texts are numbers; value: share of values", BOTH, 0.5, most=1
    ),
    "nulls": Kind("values are null; value: share of values", BOTH, 0.3, most=1),
    "stale": Kind("values and time stamps are old; value: by how many seconds", BOTH, 600.0),
    "frozen": Kind("values stay as they were when it began, time stamps go on", BOTH),
    "bad_print": Kind(
        "one index price is off; value: by what fraction", BOTH, 0.1, least=-0.99, count=1
    ),
    "empty": Kind("the envelope holds no rows", HTTP),
    "missing_expiry": Kind("the rows of the nearest month's end are absent", HTTP),
}
REFUSALS = frozenset(STATUSES) | {"maintenance"}
TIMES = frozenset(("stale", "frozen"))


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong, where, for how long. Raises ValueError for what makes no sense."""

    venue: str
    kind: str
    channel: str = ANY
    path: str = ""  # that the paths it strikes begin with
    seconds: float | None = None  # that it lasts, by the clock
    count: int | None = None  # of answers or pushes that it strikes
    share: float = 1.0  # of them that it strikes, in (0, 1]
    value: float | None = None  # as the kind has it

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise ValueError(f"kind must be one of {', '.join(FAULTS)}")
        kind, lasts = FAULTS[self.kind], LONGEST if self.seconds is None else self.seconds
        sense = (
            (self.venue in (*VENUES, ANY), f"venue must be {ANY} or one of {', '.join(VENUES)}"),
            (
                self.channel in (*kind.channels, ANY),
                f"channel of {self.kind} must be {ANY} or {' or '.join(sorted(kind.channels))}",
            ),
            (0 < lasts <= LONGEST, f"seconds must be above 0 and at most {LONGEST:g}"),
            (self.count is None or self.count > 0, "count must be above 0"),
            (0 < self.share <= 1, "share must be above 0 and at most 1"),
            (
                kind.least <= self.amount <= kind.most,
                f"value must be from {kind.least:g} to {kind.most:g}",
            ),
        )
        for holds, otherwise in sense:
            if not holds:
                raise ValueError(otherwise)

    @property
    def amount(self) -> float:
        """The value, or the one usual for the kind."""
        return FAULTS[self.kind].value if self.value is None else self.value

    def strikes(self, channel: Channel) -> bool:
        """Whether it is meant for that channel."""
        return (
            self.venue in (channel.venue, ANY)
            and self.channel in (channel.name, ANY)
            and channel.name in FAULTS[self.kind].channels
            and channel.path.startswith(self.path)
        )


class Active:
    """A fault that has begun."""

    def __init__(self, fault: Fault, began: datetime, seed: str) -> None:
        self.fault = fault
        self.began = began
        self.random = Random(seed)
        self.left = FAULTS[fault.kind].count if fault.count is None else fault.count
        self.over = asyncio.Event()
        self.holding = 0  # answers that wait for it to end

    def lasts(self, now: datetime) -> bool:
        """Whether it has not been ended, by hand or by the clock."""
        seconds = self.fault.seconds
        in_time = seconds is None or now < self.began + timedelta(seconds=seconds)
        return in_time and not self.over.is_set()

    def spend(self) -> None:
        """One answer or push was struck."""
        if self.left is not None:
            self.left -= 1


class Faults:
    """The faults of one simulator, told apart by their numbers."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.began: Callable[[], None] = _nobody  # called after each fault that begins
        self._clock = clock
        self._seed = seed
        self._active: dict[int, Active] = {}
        self._newest = 0

    def add(self, fault: Fault) -> int:
        """The number of a fault that begins now. Raises ValueError beyond a hundred."""
        self._forget_ended()
        if len(self._active) >= MOST:
            raise ValueError(f"there are {MOST} faults already")
        self._newest += 1
        seed = f"{self._seed}/{self._newest}"
        self._active[self._newest] = Active(fault, self._clock(), seed)
        self.began()
        return self._newest

    def remove(self, number: int) -> bool:
        """Ends a fault; False when there is none of that number."""
        active = self._active.pop(number, None)
        if active is not None:
            active.over.set()
        return active is not None

    def clear(self) -> None:
        """Ends them all."""
        for number in list(self._active):
            self.remove(number)

    def listed(self) -> list[dict[str, object]]:
        """Each that may still strike: its number and what it was asked to be."""
        self._forget_ended()
        return [
            {"id": number, **msgspec.to_builtins(active.fault)}
            for number, active in self._active.items()
        ]

    def strike(self, channel: Channel, kinds: Collection[str]) -> Active | None:
        """The oldest fault of these kinds that strikes now; that counts as one answer."""
        active = next(self._striking(channel, kinds), None)
        if active is not None:
            active.spend()
        return active

    def refusal(self, channel: Channel, at: datetime) -> Answer | None:
        """What the venue says instead of an answer."""
        active = self.strike(channel, REFUSALS)
        if active is None:
            return None
        if active.fault.kind == "maintenance":
            return maintenance(channel.venue, channel.path, at)
        wait = active.fault.amount if active.fault.kind in ("418", "429") else None
        return refusal(channel.venue, int(active.fault.kind), at, wait)

    def times(self, channel: Channel, at: datetime) -> tuple[datetime, datetime]:
        """As of when values are told, and as of when they are said to be."""
        active = self.strike(channel, TIMES)
        if active is None:
            return at, at
        if active.fault.kind == "frozen":
            return active.began, at
        old = at - timedelta(seconds=active.fault.amount)
        return old, old

    def altered(self, body: object, channel: Channel, at: datetime) -> object:
        """The body after every fault that alters it; one that finds nothing to alter is kept."""
        for active in self._striking(channel, CHANGES):
            before, body = body, CHANGES[active.fault.kind](body, channel, at, active)
            if body != before:
                active.spend()
        return body

    async def outlast(self, active: Active, seconds: float = math.inf) -> None:
        """Wait so many real seconds, or until the fault is over if that is sooner."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        active.holding += 1
        try:
            while active.lasts(self._clock()) and (left := until - loop.time()) > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, LOOK)):
                        await active.over.wait()
        finally:
            active.holding -= 1

    def _striking(self, channel: Channel, kinds: Collection[str]) -> Iterator[Active]:
        """Those of these kinds that strike this time, oldest first."""
        if not self._active:  # the usual case costs nothing
            return
        now = self._clock()
        for active in list(self._active.values()):
            if (
                active.fault.kind in kinds
                and active.left != 0
                and active.fault.strikes(channel)
                and active.lasts(now)
                and active.random.random() < active.fault.share
            ):
                yield active

    def _forget_ended(self) -> None:
        """All but those that may strike or that an answer still waits for."""
        now = self._clock()
        self._active = {
            number: active
            for number, active in self._active.items()
            if active.lasts(now) and (active.left != 0 or active.holding)
        }


Change = Callable[[object, Channel, datetime, Active], object]

CHANGES: Mapping[str, Change] = {
    "empty": lambda body, *_: mutations.empty(body),
    "missing_expiry": lambda body, _, at, __: mutations.without_expiry(body, at),
    "bad_print": lambda body, channel, _, active: mutations.bad_print(
        body, channel.venue, active.fault.amount
    ),
    "nulls": lambda body, _, __, active: mutations.nulls(body, active.fault.amount, active.random),
    "wrong_types": lambda body, _, __, active: mutations.wrong_types(
        body, active.fault.amount, active.random
    ),
}


def _nobody() -> None:
    """Whom the beginning of a fault concerns as long as there are no connections."""
