"""How many requests a key has left."""

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from bot.api.schema import RateLimit
from bot.core.keys import ApiKey

MINUTE = 60
UNLIMITED = 1_000_000_000  # a minute: a number that clients can read and nobody reaches


@dataclass(frozen=True, slots=True)
class Share:
    """What a request may do, and what it is told of that."""

    limit: RateLimit
    allowed: bool = True


class Quotas(Protocol):
    """Where requests are counted; one for several processes has its counts in the store."""

    async def take(self, key: ApiKey, now: float) -> Share:
        """Count a request of the key at that time, seconds since 1970."""
        ...


class MinuteQuotas:
    """Counts of the running minute, in this process alone."""

    def __init__(self) -> None:
        self._minute = 0
        self._used: Counter[str] = Counter()  # by the key's digest: a name may be given again

    async def take(self, key: ApiKey, now: float) -> Share:
        """Count a request of the key; a refused one is not counted."""
        minute = int(now // MINUTE)
        if minute != self._minute:
            self._minute = minute
            self._used.clear()
        used = self._used[key.digest]
        if used >= key.per_minute:
            return Share(RateLimit(key.per_minute, 0, reset_at(now)), allowed=False)
        self._used[key.digest] = used + 1
        return Share(RateLimit(key.per_minute, key.per_minute - used - 1, reset_at(now)))


def reset_at(now: float) -> int:
    """When the running minute ends, seconds since 1970."""
    return (int(now // MINUTE) + 1) * MINUTE


def unlimited(now: float) -> Share:
    """As much as anyone can ask."""
    return Share(RateLimit(UNLIMITED, UNLIMITED, reset_at(now)))


def nothing(now: float) -> Share:
    """What someone without a key has."""
    return Share(RateLimit(0, 0, reset_at(now)), allowed=False)
