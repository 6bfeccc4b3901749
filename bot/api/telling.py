"""What the pages are told: a fact of the journal, a new snapshot, a price, each as one message."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bot.core.events import LevelKey
from bot.core.snapshot import Snapshot, Tick
from bot.core.text import label, price_text
from bot.ports import JournalEntry

HELLO, SNAPSHOT, SPOT, LOG = EVENTS = ("hello", "snapshot", "spot", "log")  # dashboard.js hears all
BEAT = "beat"  # bot/web/events.js hears it: nothing else to tell, but we are there
HOUSE = "terminal:"  # whose rings everyone may read: other rules belong to their chats


def message(name: str, data: Mapping[str, Any]) -> bytes:
    """A Server-Sent Event of that name."""
    return f"event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"


def spot_message(tick: Tick) -> bytes:
    """A symbol's newest price."""
    return message(SPOT, {"symbol": tick.symbol, "spot": tick.spot, "at": tick.at})


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
