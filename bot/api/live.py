"""What happens, as it happens, to every page that listens: Server-Sent Events of the journal."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web

from bot.api.codes import RATE_LIMIT_EXCEEDED, Refused
from bot.api.pages import Stream
from bot.core.events import LevelKey
from bot.core.snapshot import Snapshot
from bot.core.text import label, price_text
from bot.ports import JournalEntry

REMEMBERED = 60  # events that a new page is told of
LOOKED_BACK = 400  # entries of the journal in which they are looked for
BATCH = 500
QUEUED = 64  # messages to a page that reads slowly; then it is let go, and comes back
MOST_LISTENERS = 500
HEARTBEAT_SECONDS = 15.0
SEND_SECONDS = 10.0  # for a page to take what it is sent
AGAIN_MILLISECONDS = 2_000  # after which a page that lost us asks again
HOUSE = "terminal:"  # whose rings everyone may read: other rules belong to their chats

Journal = Callable[[int, int], Awaitable[Sequence[JournalEntry]]]
Queue = asyncio.Queue[bytes | None]


class Live:
    """Follows the journal from where it ends now."""

    def __init__(
        self,
        journal: Journal,
        heartbeat: float = HEARTBEAT_SECONDS,
        patience: float = SEND_SECONDS,
    ) -> None:
        self._journal = journal
        self._heartbeat = heartbeat
        self._patience = patience
        self.listeners = 0  # pages, also those that are being let go
        self._seq: int | None = None  # of the last entry that was read
        self._recent: deque[bytes] = deque(maxlen=REMEMBERED)
        self._queues: set[Queue] = set()

    async def catch_up(self) -> None:
        """Tell every page what is new. Raises StoreError."""
        if self._seq is None:
            self._seq = max(0, await last_entry(self._journal) - LOOKED_BACK)
        while entries := await self._journal(self._seq, BATCH):
            self._seq = entries[-1].seq
            for entry in entries:
                self._tell(entry)

    async def open(self, _: web.BaseRequest) -> Stream:
        """The events from now on, after the last ones. Raises Refused."""
        if self.listeners >= MOST_LISTENERS:
            raise Refused(RATE_LIMIT_EXCEEDED, "too many pages listen; close one")
        return Stream(self._stream)

    def _tell(self, entry: JournalEntry) -> None:
        told = summary(entry)
        if told is None:
            return
        name = "snapshot" if entry.snapshot else "log"
        message = f"event: {name}\ndata: ".encode() + msgspec.json.encode(told) + b"\n\n"
        if not entry.snapshot:
            self._recent.append(message)
        for queue in list(self._queues):
            if queue.full():
                self._drop(queue)
            else:
                queue.put_nowait(message)

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
        begin = f"retry: {AGAIN_MILLISECONDS}\nevent: hello\ndata: {{}}\n\n".encode()
        begin += b"".join(self._recent)
        self._queues.add(queue)
        self.listeners += 1
        try:
            await response.prepare(request)
            await self._write(response, begin)
            while message := await self._next(queue):
                await self._write(response, message)
        except ConnectionError:
            pass  # the page was closed
        except TimeoutError:
            if request.transport:
                request.transport.abort()  # closing would wait for the page to read
        finally:
            self._queues.discard(queue)
            self.listeners -= 1
        return response

    async def _write(self, response: web.StreamResponse, message: bytes) -> None:
        """Send it. Raises TimeoutError when the page takes nothing."""
        async with asyncio.timeout(self._patience):
            await response.write(message)

    async def _next(self, queue: Queue) -> bytes | None:
        try:
            return await asyncio.wait_for(queue.get(), self._heartbeat)
        except TimeoutError:
            return b": still here\n\n"


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


def summary(entry: JournalEntry) -> dict[str, Any] | None:
    """What a page needs of the entry; None of what is nobody's or somebody else's business."""
    if entry.snapshot:
        return _of_snapshot(entry.snapshot)
    body = entry.body or {}
    text = None if body.get("scope") == "price" else _text(body)  # a price that someone watches
    if text is None:
        return None
    return {
        "kind": body["event"],
        "at": body["at"],
        "symbol": body["symbol"],
        "text": text,
    }


def _of_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "symbol": snapshot.symbol,
        "id": snapshot.id,
        "at": snapshot.at,
        "spot": snapshot.spot,
        "regime": snapshot.levels.regime,
        "stale": snapshot.stale,
    }


def _text(body: Mapping[str, Any]) -> str | None:
    """The event in a line; None for what is not shown."""
    match body.get("event"):
        case "crossing":
            late = "LATE: " if body["late"] else ""
            price, spot = price_text(body["price"]), price_text(body["spot"])
            return f"{late}crossed {_level(body)} {price} {body['direction']}, spot {spot}"
        case "moved":
            return f"{_level(body)} moved {price_text(body['from'])} → {price_text(body['to'])}"
        case "regime":
            spot = price_text(body["spot"])
            return f"regime {body['from'] or 'unknown'} → {body['to'] or 'unknown'}, spot {spot}"
        case "stale" | "fresh" as state:
            return "data is STALE" if state == "stale" else "data is fresh again"
        case "alert" if body["target"] == HOUSE:
            return str(body["text"])
        case _:
            return None


def _level(body: Mapping[str, Any]) -> str:
    """As people call it: HVL 0DTE, Flip 2."""
    name = label(LevelKey(body["scope"], body["level"]))
    return f"{name} {body['zone'] + 1}" if "zone" in body else name
