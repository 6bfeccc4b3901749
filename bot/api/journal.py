"""The journal as JSON Lines: one object an event, keys always in the same order."""

from datetime import datetime

import msgspec

from bot.api.schema import meta, sections
from bot.core.snapshot import Snapshot
from bot.core.text import snapshot_line
from bot.ports import JournalEntry


def journal_line(entry: JournalEntry) -> bytes:
    """The entry as one line, its newline included."""
    body = snapshot_object(entry.snapshot) if entry.snapshot else entry.body
    return msgspec.json.encode(body) + b"\n"


def snapshot_object(snapshot: Snapshot) -> dict[str, object]:
    """A snapshot as an event; the same snapshot is always the same object."""
    return {
        "event": "snapshot",
        "at": snapshot.at,
        "symbol": snapshot.symbol,
        "id": snapshot.id,
        "spot": snapshot.spot,
        "data": sections(snapshot),
        "meta": meta(snapshot, snapshot.at, snapshot.id),
    }


def journal_text(entry: JournalEntry) -> bytes:
    """The entry as one line for people; what an alert says stands for the event behind it."""
    if entry.snapshot:
        return f"{_stamp(entry.snapshot.at)}  {snapshot_line(entry.snapshot)}\n".encode()
    body = entry.body or {}
    if body.get("event") != "alert":
        return b""
    return f"{_stamp(body['at'])}  RING {body['text']}\n".encode()


def _stamp(at: object) -> str:
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(str(at))
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
