"""How values are written: JSON where a person may look, msgpack and zlib where there is much.

A field that is added to a value later needs a default: what was stored before lacks it.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from bot.core.chain import COLUMNS, OptionChain, Source, merge
from bot.core.events import (
    Alert,
    Crossing,
    Delivery,
    Event,
    Freshness,
    Moved,
    RegimeChange,
    event_object,
)
from bot.core.snapshot import Candle, Snapshot
from bot.errors import StoreError
from bot.ports import Record

T = TypeVar("T")
Columns = Mapping[str, NDArray[np.generic]]

FORMAT = 1  # of packed columns
QUICK = 2  # zlib's level: half the time of its usual one for 4 % more bytes
DIGEST_BYTES = 16
CONTENT = COLUMNS[1:]  # a part's rows need not say their venue: it is the part's
EMPTY = merge("", [])
SNAPSHOT = "Snapshot"
ADVICE = "restore a backup, or run the newer gammabell that wrote it"
KINDS: Mapping[str, type[Event | Alert | Delivery]] = {
    kind.__name__: kind for kind in (Crossing, Moved, RegimeChange, Freshness, Alert, Delivery)
}


def to_json(value: object) -> str:
    """The value as JSON text."""
    return msgspec.json.encode(value).decode()


def from_json(text: str, kind: type[T]) -> T:
    """The value that to_json wrote. Raises StoreError."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise _unreadable(kind, error) from error


def pack(value: object) -> bytes:
    """The value in few bytes."""
    return zlib.compress(msgspec.msgpack.encode(value))


def unpack(data: bytes, kind: type[T]) -> T:
    """The value that `pack` wrote. Raises StoreError."""
    try:
        return msgspec.msgpack.decode(zlib.decompress(data), type=kind)
    except (msgspec.DecodeError, zlib.error) as error:
        raise _unreadable(kind, error) from error


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the journal before it has its number: a snapshot's id, or the event as JSON."""

    at: datetime
    symbol: str
    kind: str
    snapshot: str | None = None
    body: str | None = None


def snapshot_line(snapshot: Snapshot) -> Line:
    """The journal's line of a snapshot."""
    return Line(snapshot.at, snapshot.symbol, SNAPSHOT, snapshot=snapshot.id)


def event_line(event: Event | Alert | Delivery, symbol: str) -> Line:
    """The journal's line of an event, with more than its event object tells.

    A message's card is the outbox's alone: its text says the same.
    """
    told = replace(event, card=None) if isinstance(event, Alert) else event
    return Line(event.at, symbol, type(event).__name__, body=to_json(told))


def record_lines(record: Record, new: Sequence[Alert]) -> list[Line]:
    """The journal's lines of a record: the snapshot, the events, the alerts that are new."""
    shown = [snapshot_line(record.snapshot)] if record.snapshot else []
    return [*shown, *(event_line(event, event.symbol) for event in (*record.events, *new))]


def event_body(kind: str, text: str) -> Mapping[str, object]:
    """The event object of a journal line. Raises StoreError."""
    if kind not in KINDS:
        raise StoreError(f"the journal has a line of the unknown kind {kind!r}; {ADVICE}")
    return event_object(from_json(text, KINDS[kind]))


def check_card(alert: Alert) -> None:
    """Raises ValueError for a card with a picture or a file: the outbox keeps words alone."""
    card = alert.card
    if card and (card.picture or card.draw or card.file):
        raise ValueError(
            f"the card of message {alert.id!r} has a picture or a file, which cannot be stored"
        )


def digest(*parts: bytes) -> str:
    """A short name for this content: equal content has the equal name."""
    whole = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        whole.update(len(part).to_bytes(8, "little"))
        whole.update(part)
    return whole.hexdigest()


@dataclass(frozen=True, slots=True)
class ClosedCandles:
    """All candles of a snapshot but the last: they stay the same until another one closes."""

    id: str
    body: bytes


def split_snapshot(snapshot: Snapshot) -> tuple[bytes, ClosedCandles | None]:
    """The snapshot's body, and its closed candles if it has any."""
    *closed, last = snapshot.candles or (None,)
    body = pack(replace(snapshot, candles=(last,) if last else ()))
    if not closed:
        return body, None
    content = pack(closed)
    return body, ClosedCandles(digest(content), content)


def join_snapshot(body: bytes, closed: bytes | None) -> Snapshot:
    """The snapshot of these two. Raises StoreError."""
    snapshot = unpack(body, Snapshot)
    if closed is None:
        return snapshot
    return replace(snapshot, candles=(*unpack(closed, tuple[Candle, ...]), *snapshot.candles))


@dataclass(frozen=True, slots=True)
class Layout:
    """How a chain is made of its parts, one for each venue, ascending by position."""

    underlying: str
    sources: tuple[Source, ...]
    unreadable: Mapping[str, int]
    positions: tuple[int, ...]  # in `sources`, of each part
    order: bytes | None = None  # the rows' places, packed, where the parts are interleaved


@dataclass(frozen=True, slots=True, eq=False)
class ChainPart:
    """One venue's rows of a chain."""

    id: str
    underlying: str
    venue: str
    columns: Columns


def split_chain(chain: OptionChain) -> tuple[Layout, tuple[ChainPart, ...]]:
    """The chain as its venues' parts and what puts them together again."""
    positions = np.unique(chain.venue)
    follow = bool(np.all(np.diff(chain.venue) >= 0))
    order = None if follow else np.argsort(chain.venue, kind="stable")
    layout = Layout(
        chain.underlying,
        chain.sources,
        chain.unreadable,
        tuple(positions.tolist()),
        None if order is None else pack_columns({"order": order}),
    )
    return layout, tuple(_part(chain, position) for position in positions.tolist())


def join_chain(layout: Layout, bodies: Sequence[bytes]) -> OptionChain:
    """The chain of these packed parts, equal to the one that was split. Raises StoreError."""
    parts = [unpack_columns(body) for body in bodies]
    sizes = [len(part["strike"]) for part in parts]
    columns = {
        name: np.concatenate([getattr(EMPTY, name), *(part[name] for part in parts)])
        for name in CONTENT
    }
    columns["venue"] = np.repeat(np.array(layout.positions, np.int64), sizes)
    if layout.order is not None:
        places = np.argsort(unpack_columns(layout.order)["order"])
        columns = {name: column[places] for name, column in columns.items()}
    return OptionChain(layout.underlying, layout.sources, unreadable=layout.unreadable, **columns)


def _part(chain: OptionChain, position: int) -> ChainPart:
    rows = chain.venue == position
    columns = {name: getattr(chain, name)[rows] for name in CONTENT}
    venue = chain.sources[position].venue
    content = [
        f"{name}{column.dtype.str}".encode() + column.tobytes() for name, column in columns.items()
    ]
    identity = digest(chain.underlying.encode(), venue.encode(), *content)
    return ChainPart(identity, chain.underlying, venue, columns)


class Packed(msgspec.Struct):
    """Columns in a form that says what it is."""

    format: int
    rows: int
    columns: dict[str, str]  # name -> numpy's word for the type
    data: bytes


def pack_columns(columns: Columns) -> bytes:
    """Equally long columns, bit by bit, in few bytes.

    The first bytes of all numbers come first, then the second ones: zlib sees how alike
    their exponents are, and the result is a third of what JSON would take.
    """
    little = {
        name: column.astype(column.dtype.newbyteorder("<")) for name, column in columns.items()
    }
    rows = len(next(iter(little.values())))
    planes = (
        np.frombuffer(column.tobytes(), np.uint8).reshape(rows, column.itemsize).T.tobytes()
        for column in little.values()
    )
    types = {name: column.dtype.str for name, column in little.items()}
    packed = Packed(FORMAT, rows, types, zlib.compress(b"".join(planes), QUICK))
    return msgspec.msgpack.encode(packed)


def unpack_columns(data: bytes) -> dict[str, NDArray[np.generic]]:
    """The columns that pack_columns took. Raises StoreError."""
    try:
        return _columns(msgspec.msgpack.decode(data, type=Packed))
    except (msgspec.DecodeError, zlib.error, TypeError, ValueError) as error:
        raise _unreadable(OptionChain, error) from error


def _columns(packed: Packed) -> dict[str, NDArray[np.generic]]:
    if packed.format != FORMAT:
        raise ValueError(f"format {packed.format}, this version knows {FORMAT}")
    data, start = zlib.decompress(packed.data), 0
    columns = {}
    for name, word in packed.columns.items():
        dtype = np.dtype(word)
        size = packed.rows * dtype.itemsize
        planes = np.frombuffer(data, np.uint8, size, start).reshape(dtype.itemsize, packed.rows)
        columns[name] = np.frombuffer(planes.T.tobytes(), dtype)
        start += size
    return columns


def _unreadable(kind: object, error: Exception) -> StoreError:
    name = getattr(kind, "__name__", str(kind))
    return StoreError(f"the database holds a {name} that cannot be read ({error}); {ADVICE}")
