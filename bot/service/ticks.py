"""Each symbol's newest price, from the process that hears the venues to those that do not."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.core.snapshot import Tick
from bot.errors import StoreError
from bot.ports import Store
from bot.service.outage import Outage

LIVE = timedelta(seconds=15)  # an older price is no live one: nobody hears the venues any more


class TickKeeper:
    """Gathers ticks and stores the newest of each symbol that has one; best effort.

    A loop of its own calls `store`, so that a store that hangs holds up no tick.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._new: dict[str, Tick] = {}  # by symbol, what is not stored yet
        self._outage = Outage("prices not told to other processes", "prices are told again")

    def take(self, tick: Tick) -> None:
        """Make it the newest of its symbol."""
        self._new[tick.symbol] = tick

    async def store(self) -> None:
        """Store what is new; what the store refuses waits for the next try, or for newer ticks."""
        if not self._new:
            return
        new, self._new = self._new, {}
        try:
            await self._store.put_ticks(list(new.values()))
        except StoreError as error:
            self._new = new | self._new
            self._outage.note(error)
        else:
            self._outage.note(None)


class TickReader:
    """What another process hears of the venues, as of the last look; best effort."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._known: Mapping[str, Tick] = {}
        self._outage = Outage("no prices of the process that collects", "prices again")

    async def read(self) -> None:
        """Look what is new; while the store refuses, the last prices grow old."""
        try:
            self._known = {tick.symbol: tick for tick in await self._store.newest_ticks()}
        except StoreError as error:
            self._outage.note(error)
        else:
            self._outage.note(None)

    def newest(self, symbol: str) -> Tick | None:
        """The symbol's newest price; None where there is none of just now."""
        tick = self._known.get(symbol)
        return tick if tick and abs(self._now() - tick.at) <= LIVE else None
