"""A recording as a market: a virtual clock, and a wire that answers as of its time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from bot.core.snapshot import Tick
from bot.errors import NotListed
from bot.ports import Moment
from bot.recording.format import Recording, request_key


class VirtualClock:
    """The time that a replay has reached."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, to: datetime) -> None:
        """Time never runs backwards."""
        self._now = max(self._now, to)


class ReplayWire:
    """Answers each request with the newest recorded answer that is not after the clock."""

    def __init__(self, recording: Recording, clock: VirtualClock) -> None:
        self._clock = clock
        self._pending = list(reversed(recording.answers))
        self._newest: dict[str, bytes] = {}

    async def ask(self, venue: str, method: str, path: str, params: Mapping[str, object]) -> bytes:
        """The body. Raises NotListed for a request that was not recorded up to now."""
        while self._pending and self._pending[-1].at <= self._clock.now():
            answer = self._pending.pop()
            self._newest[answer.request] = answer.body
        body = self._newest.get(request_key(venue, method, path, params))
        if body is None:
            raise NotListed(venue, "not in this recording")
        return body


def newest_tick(recording: Recording, symbol: str, now: datetime) -> Tick | None:
    """The symbol's last tick not after `now`."""
    ticks = (tick for tick in reversed(recording.ticks) if tick.symbol == symbol)
    return next((tick for tick in ticks if tick.at <= now), None)


def stale_after(recording: Recording, symbol: str) -> timedelta:
    """Twice the longest time between two of a venue's chains of the symbol; a day without two."""
    gaps = [
        later - earlier
        for venue in recording.venues
        for earlier, later in pairwise(recording.chain_times(symbol, venue))
    ]
    return 2 * max(gaps) if gaps else timedelta(days=1)


def moments_of(recording: Recording) -> dict[datetime, Moment]:
    """What comes in at each time, of the symbols that the header names."""
    ticks: dict[datetime, list[Tick]] = {}
    for tick in recording.ticks:
        if tick.symbol in recording.symbols:
            ticks.setdefault(tick.at, []).append(tick)
    renewed: dict[datetime, set[str]] = {}
    for symbol in recording.symbols:
        for time in recording.chain_times(symbol):
            renewed.setdefault(time, set()).add(symbol)
    return {
        at: Moment(ticks.get(at, ()), frozenset(renewed.get(at, ())))
        for at in sorted(ticks.keys() | renewed.keys())
    }
