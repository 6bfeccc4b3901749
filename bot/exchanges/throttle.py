"""A venue's patience: half of its documented limits, and silence while it wants none."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.errors import SourceError
from bot.exchanges.terms import Limit, Terms
from bot.ports import Timer

SHARE = 0.5  # of what is documented: others may share the address
SHORT = 2_048  # bytes; a longer answer is data or a page, and no refusal is looked for in it
TOO_MANY = timedelta(seconds=5)  # Derive's window, the longest of those who do not say how long
BANNED = timedelta(minutes=2)  # the shortest ban of Binance's 418
SLOWED = timedelta(minutes=10)  # Bybit's 403 for "access too frequent"
BLOCKED = timedelta(minutes=30)  # 403 and 451 do not heal by asking
LONGEST = timedelta(days=3)  # of the bans that are documented
MINUTE = 60.0
DUST = 1e-6  # of float sums; a wait so short would not move a clock


class Window:
    """What was spent of one limit in its last seconds."""

    def __init__(self, limit: Limit) -> None:
        self._most = limit.amount * SHARE
        self._seconds = limit.seconds
        self._spent: deque[tuple[float, float]] = deque()  # time, cost
        self._sum = 0.0

    def spend(self, cost: float, time: float) -> None:
        """Take note of a request."""
        self._forget(time)
        self._spent.append((time, cost))
        self._sum += cost

    def wait(self, cost: float, time: float) -> float:
        """Seconds until a request of that cost fits; one that never would goes alone."""
        self._forget(time)
        over, until = self._sum + cost - self._most, time
        for spent_at, spent in self._spent:
            if over <= DUST:
                break
            over -= spent
            until = spent_at + self._seconds
        return until - time

    def total(self, time: float) -> float:
        """What was spent in the last seconds."""
        self._forget(time)
        return self._sum

    def _forget(self, time: float) -> None:
        while self._spent and self._spent[0][0] + self._seconds <= time + DUST:
            self._sum -= self._spent.popleft()[1]
        if not self._spent:
            self._sum = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What /status says of a venue's requests."""

    per_minute: float  # spent in the last minute
    allowed: float  # documented, a minute: the first of the venue's limits
    shut: str  # why it is not asked now, "" when it is


class Throttle:
    """Lets requests to one venue pass as its terms allow."""

    def __init__(self, venue: str, terms: Terms, timer: Timer, now: Callable[[], datetime]) -> None:
        self._venue = venue
        self._terms = terms
        self._timer = timer
        self._now = now
        self._windows: dict[tuple[Limit, str], Window] = {}
        self._minute = Window(Limit(0, MINUTE))
        self._turn = asyncio.Lock()  # whoever came first goes first
        self._slots = asyncio.Semaphore(terms.connections)
        self._shut_until: datetime | None = None
        self._shut_why = ""

    @asynccontextmanager
    async def admitted(self, path: str, params: Mapping[str, object]) -> AsyncIterator[None]:
        """Entered once the request fits into the budget. Raises SourceError while it is shut."""
        cost = self._terms.cost(path, params)
        windows = self._windows_of(path)
        async with self._turn:
            self._check_open()
            while wait := max((one.wait(cost, self._timer.time()) for one in windows), default=0):
                await self._timer.sleep(wait)
                self._check_open()
            for window in (*windows, self._minute):
                window.spend(cost, self._timer.time())
        async with self._slots:
            self._check_open()  # the venue may have had enough meanwhile
            yield

    def heed(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Obey a refusal: the venue is left alone for a while. Raises SourceError for one."""
        short = body if len(body) < SHORT else b""
        too_many = self._terms.is_too_many(short)
        if status == 403 and (too_many or b"too frequent" in short.lower()):
            why, pause = "too many requests", SLOWED
        elif status in (403, 451):
            why, pause = "blocked", BLOCKED
        elif status == 418:
            why, pause = "banned", self._asked_pause(headers) or BANNED
        elif status == 429 or too_many:
            why, pause = "too many requests", self._asked_pause(headers) or TOO_MANY
        else:
            return
        self._shut_why = f"{why} (HTTP {status})"
        self._shut_until = max(self._now() + pause, self._shut_until or self._now())
        self._check_open()

    def usage(self) -> Usage:
        """What was asked of it lately."""
        general = next(iter(self._terms.limits), Limit(0, MINUTE))
        shut = self._shut_text() if self._is_shut() else ""
        asked = self._minute.total(self._timer.time())
        return Usage(asked, general.amount * MINUTE / general.seconds, shut)

    def _windows_of(self, path: str) -> list[Window]:
        keys = [
            (limit, path if limit.each_path else limit.path)
            for limit in self._terms.limits
            if path.startswith(limit.path)
        ]
        return [self._windows.setdefault(key, Window(key[0])) for key in keys]

    def _check_open(self) -> None:
        if self._is_shut():
            raise SourceError(self._venue, self._shut_text())

    def _is_shut(self) -> bool:
        return self._shut_until is not None and self._now() < self._shut_until

    def _shut_text(self) -> str:
        return f"{self._shut_why}, asked again at {self._shut_until:%d %b %H:%M:%S} UTC"

    def _asked_pause(self, headers: Mapping[str, str]) -> timedelta | None:
        """How long Retry-After says to wait: seconds, or a date."""
        text = headers.get("Retry-After", "").strip()
        try:
            if text.isdecimal():
                pause = timedelta(seconds=int(text))
            else:
                pause = parsedate_to_datetime(text).astimezone(UTC) - self._now()
        except (ValueError, OverflowError):
            return None
        return min(pause, LONGEST) if pause > timedelta(0) else None
