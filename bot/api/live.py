"""What happens, as it happens, to every page that listens: Server-Sent Events of the journal."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web

from bot.api.codes import too_many
from bot.api.pages import Stream
from bot.api.telling import BEAT, HELLO, LOG, SNAPSHOT, message, spot_message, summary
from bot.core.snapshot import Tick
from bot.ports import JournalEntry

REMEMBERED = 60  # rings, and as many facts, that a new page is told of
LOOKED_BACK = 400  # entries of the journal in which they are looked for
BATCH = 500
CROWDED = 16  # messages that wait for a page: then it is told facts only, no prices
QUEUED = 64  # messages to a page that reads slowly; then it is let go, and comes back
MOST_LISTENERS = 500
MOST_LISTENERS_THERE = 100  # from one address: nobody alone shuts out all others
FULL_SECONDS = 30  # after which one of them may have gone
HEARTBEAT_SECONDS = 15.0
SEND_SECONDS = 10.0  # for a page to take what it is sent
AGAIN_MILLISECONDS = 2_000  # after which a page that lost us asks again

Journal = Callable[[int, int], Awaitable[Sequence[JournalEntry]]]
NewestTick = Callable[[str], Tick | None]
AddressOf = Callable[[web.BaseRequest], str]
Queue = asyncio.Queue[bytes | None]


def no_price(_: str) -> None:
    """What is known of a price where nobody listens to the venues."""


def neighbour(request: web.BaseRequest) -> str:
    """Where a request comes from, where there is no proxy."""
    return request.remote or ""


class Live:
    """Follows the journal from where it ends now, and the prices while somebody listens."""

    def __init__(
        self,
        journal: Journal,
        newest: NewestTick = no_price,
        symbols: Sequence[str] = (),
        address_of: AddressOf = neighbour,
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        patience: float = SEND_SECONDS,
    ) -> None:
        self._journal = journal
        self._newest = newest
        self._symbols = symbols
        self._address_of = address_of
        self._heartbeat = heartbeat
        self._patience = patience
        self.listeners = 0  # pages, also those that are being let go
        self._there: Counter[str] = Counter()  # the same by address
        self._seq: int | None = None  # of the last entry that was read
        self._rings: deque[tuple[int, bytes]] = deque(maxlen=REMEMBERED)  # by number
        self._facts: deque[tuple[int, bytes]] = deque(maxlen=REMEMBERED)  # there are many more
        self._queues: set[Queue] = set()
        self._told: dict[str, Tick] = {}  # by symbol, the last that the pages heard of

    async def catch_up(self) -> None:
        """Tell every page what is new. Raises StoreError, but the prices are told by then."""
        if self._queues:
            self.tell_prices()
        if self._seq is None:
            self._seq = max(0, await last_entry(self._journal) - LOOKED_BACK)
        while entries := await self._journal(self._seq, BATCH):
            self._seq = entries[-1].seq
            for entry in entries:
                self._tell(entry)

    async def open(self, request: web.BaseRequest) -> Stream:
        """The events from now on, after the last ones. Raises Refused."""
        there = self._there[self._address_of(request)]
        if self.listeners >= MOST_LISTENERS or there >= MOST_LISTENERS_THERE:
            raise too_many("too many pages listen", FULL_SECONDS)
        return Stream(self._stream)

    def _prices(self) -> dict[str, Tick]:
        """The symbols' prices as far as there are any."""
        newest = {symbol: self._newest(symbol) for symbol in self._symbols}
        return {symbol: tick for symbol, tick in newest.items() if tick}

    def tell_prices(self) -> None:
        """Those that changed, in one message; a page that reads slowly does without."""
        prices = self._prices()
        new = [tick for symbol, tick in prices.items() if tick != self._told.get(symbol)]
        self._told = prices
        if new:
            told = b"".join(map(spot_message, new))
            for queue in self._queues:
                if queue.qsize() < CROWDED:
                    queue.put_nowait(told)

    def _tell(self, entry: JournalEntry) -> None:
        fact = summary(entry)
        if fact is None:
            return
        told = message(SNAPSHOT if entry.snapshot else LOG, fact)
        if not entry.snapshot:
            kept = self._rings if fact["kind"] == "alert" else self._facts
            kept.append((entry.seq, told))
        for queue in list(self._queues):
            if queue.full():
                self._drop(queue)
            else:
                queue.put_nowait(told)

    def _drop(self, queue: Queue) -> None:
        """A page that reads too slowly: what it has missed it asks for when it comes back."""
        self._queues.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    async def _stream(
        self, request: web.BaseRequest, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        kind = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers={**headers, **kind})
        queue: Queue = asyncio.Queue(QUEUED)
        begin = f"retry: {AGAIN_MILLISECONDS}\n".encode() + message(HELLO, {})
        begin += b"".join(told for _, told in sorted((*self._facts, *self._rings)))
        begin += b"".join(map(spot_message, self._prices().values()))
        self._queues.add(queue)
        self._count(address := self._address_of(request), 1)
        try:
            await response.prepare(request)
            await self._write(response, begin)
            while told := await self._next(queue):
                await self._write(response, told)
        except ConnectionError:
            pass  # the page was closed
        except TimeoutError:
            if request.transport:
                request.transport.abort()  # closing would wait for the page to read
        finally:
            self._queues.discard(queue)
            self._count(address, -1)
        return response

    def _count(self, address: str, more: int) -> None:
        self.listeners += more
        self._there[address] += more
        self._there += Counter()  # keeps those that are above 0

    async def _write(self, response: web.StreamResponse, told: bytes) -> None:
        """Send it. Raises TimeoutError when the page takes nothing."""
        async with asyncio.timeout(self._patience):
            await response.write(told)

    async def _next(self, queue: Queue) -> bytes | None:
        try:
            return await asyncio.wait_for(queue.get(), self._heartbeat)
        except TimeoutError:
            return message(BEAT, {})


async def last_entry(journal: Journal) -> int:
    """The number of the journal's last entry, or a little more than that where numbers are missing.

    Found by halving: nothing of the past is read for it.
    """
    high = 1
    while await journal(high, 1):
        high *= 2
    low = high // 2
    while low < high:
        middle = (low + high) // 2
        if await journal(middle, 1):
            low = middle + 1
        else:
            high = middle
    return low
