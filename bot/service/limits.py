"""How many commands a person and a chat may send."""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once; what was used comes back at that rate."""

    at_once: int
    per_second: float

    @property
    def full_after(self) -> float:
        """Seconds until whoever used nothing since may do everything again."""
        return self.at_once / self.per_second


PERSON = Limit(60, 1)
CHAT = Limit(600, 60)
OFFERS = Limit(120, 6)  # a person's, while they type: one asks at every key


class Limits:
    """The limits of everyone. Who has been quiet long enough is forgotten."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._people = Buckets(PERSON, time)
        self._chats = Buckets(CHAT, time)
        self._offers = Buckets(OFFERS, time)

    def wait(self, person: str, chat: str) -> int:
        """Seconds after which the person may ask there; 0: now, and that is counted."""
        seconds = max(self._people.missing(person), self._chats.missing(chat))
        if not seconds:
            self._people.take(person)
            self._chats.take(chat)
        return math.ceil(seconds)

    def wait_to_offer(self, person: str) -> int:
        """The same for what is offered while they type: it uses nothing up of their commands."""
        return math.ceil(self._offers.spend(person))


class Buckets:
    """One limit, by name."""

    def __init__(self, limit: Limit, time: Callable[[], float]) -> None:
        self._limit = limit
        self._time = time  # never runs backwards
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # at that time

    def __len__(self) -> int:
        return len(self._left)

    def spend(self, name: str) -> float:
        """Seconds until there is a whole one to take; 0: now, and it is taken."""
        seconds = self.missing(name)
        if not seconds:
            self.take(name)
        return seconds

    def missing(self, name: str) -> float:
        """Seconds until there is a whole one to take."""
        return max(0.0, (1 - self._available(name)) / self._limit.per_second)

    def take(self, name: str) -> None:
        """Use one up."""
        self._left[name] = self._available(name) - 1, self._time()
        self._left.move_to_end(name)
        self._forget()

    def _available(self, name: str) -> float:
        left, then = self._left.get(name, (self._limit.at_once, self._time()))
        refilled = (self._time() - then) * self._limit.per_second
        return min(self._limit.at_once, left + refilled)

    def _forget(self) -> None:
        """Drop those that are full again: the ones that took longest ago come first."""
        full_since = self._time() - self._limit.full_after
        while self._left and next(iter(self._left.values()))[1] <= full_since:
            self._left.popitem(last=False)
