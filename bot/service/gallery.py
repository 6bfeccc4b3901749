"""Pictures of snapshots, each drawn once however many people ask for it."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.core.chain import OptionChain
from bot.core.snapshot import Snapshot
from bot.errors import BotError
from bot.ports import Store

logger = logging.getLogger(__name__)

MOST_PICTURES = 64
MOST_BYTES = 32 << 20
WANTED_SECONDS = 600.0  # after it was asked for, a picture is drawn in advance
FROM_CHAIN = "profile"  # the kind that takes more than the snapshot

Draw = Callable[[OptionChain | None, Snapshot, str, str, bool], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Key:
    """Which picture: two of one key are equal to the byte."""

    snapshot: str  # id
    kind: str
    theme: str
    stale: bool


class Gallery:
    """The last pictures, and those being drawn."""

    def __init__(self, store: Store, draw: Draw, time: Callable[[], float]) -> None:
        self._store = store
        self._draw = draw
        self._time = time  # seconds, as a Timer tells it
        self._drawn: OrderedDict[Key, bytes] = OrderedDict()  # the last one looked at comes last
        self._bytes = 0
        self._drawing: dict[Key, asyncio.Task[bytes | None]] = {}
        self._asked: dict[tuple[str, str, str], float] = {}  # symbol, kind, theme -> when
        self._coming: dict[str, Snapshot] = {}  # by symbol, still to be drawn in advance
        self._ahead: asyncio.Task[None] | None = None
        self._trouble: dict[tuple[str, str], str] = {}  # symbol, kind -> what was logged

    async def picture(
        self,
        snapshot: Snapshot,
        kind: str,
        theme: str,
        stale: bool,  # noqa: FBT001  handed on as a plain callable, which knows no keywords
    ) -> bytes | None:
        """The PNG of a stored snapshot; None when it cannot be drawn now."""
        self._asked[snapshot.symbol, kind, theme] = self._time()
        return await self._obtain(snapshot, Key(snapshot.id, kind, theme, stale))

    def warm(self, snapshot: Snapshot) -> None:
        """Draw, in a while, what people looked at lately as this new snapshot shows it."""
        self._coming[snapshot.symbol] = snapshot
        if self._ahead is None or self._ahead.done():
            self._ahead = asyncio.create_task(self._draw_ahead())

    async def close(self) -> None:
        """Draw no more; whoever waits is cancelled."""
        tasks: list[asyncio.Task[bytes | None] | asyncio.Task[None]] = [*self._drawing.values()]
        tasks += [self._ahead] if self._ahead else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _draw_ahead(self) -> None:
        """One after the other, so that a person who asks waits for one of them at most."""
        while self._coming:
            symbol = next(iter(self._coming))
            snapshot = self._coming.pop(symbol)
            for kind, theme in self._wanted(symbol):
                if symbol in self._coming:  # a newer one: this one will not be asked for
                    break
                await self._obtain(snapshot, Key(snapshot.id, kind, theme, snapshot.stale))

    def _wanted(self, symbol: str) -> list[tuple[str, str]]:
        """Kinds and themes of the symbol that were asked for lately; others are forgotten."""
        since = self._time() - WANTED_SECONDS
        self._asked = {asked: at for asked, at in self._asked.items() if at >= since}
        return [(kind, theme) for of, kind, theme in self._asked if of == symbol]

    async def _obtain(self, snapshot: Snapshot, key: Key) -> bytes | None:
        if key in self._drawn:
            self._drawn.move_to_end(key)
            return self._drawn[key]
        task = self._drawing.get(key)
        if task is None:
            task = self._drawing[key] = asyncio.create_task(self._make(snapshot, key))
            task.add_done_callback(lambda _: self._drawing.pop(key))
        return await asyncio.shield(task)  # others may wait for it, too

    async def _make(self, snapshot: Snapshot, key: Key) -> bytes | None:
        place = snapshot.symbol, key.kind
        try:
            png = await self._render(snapshot, key)
        except Exception as error:  # whatever it is, the answer goes out without its picture
            if self._trouble.get(place) != str(error):
                bug = None if isinstance(error, BotError) else error
                logger.warning("%s %s chart: %s", *place, error, exc_info=bug)
            self._trouble[place] = str(error)
            return None
        self._trouble.pop(place, None)
        self._keep(key, png)
        return png

    async def _render(self, snapshot: Snapshot, key: Key) -> bytes:
        chain = await self._store.chain(snapshot) if key.kind == FROM_CHAIN else None
        if key.kind == FROM_CHAIN and chain is None:
            raise BotError("the chain behind the snapshot is stored no more")
        return await self._draw(chain, snapshot, key.kind, key.theme, key.stale)

    def _keep(self, key: Key, png: bytes) -> None:
        self._drawn[key] = png
        self._bytes += len(png)
        while len(self._drawn) > MOST_PICTURES or self._bytes > MOST_BYTES:
            _, oldest = self._drawn.popitem(last=False)
            self._bytes -= len(oldest)
