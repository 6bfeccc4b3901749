"""A ring as a card: what happened is its title, so that the first line of a screen says it all."""

from datetime import UTC, datetime, tzinfo

from bot.core.clocks import minute_text
from bot.core.events import Crossing, Event, Freshness, Moved, RegimeChange
from bot.core.reply import Reply, Tone
from bot.core.snapshot import Snapshot, regime_at
from bot.core.symbols import coin_of
from bot.core.text import (
    cause_text,
    label,
    percent_text,
    price_text,
    regime_text,
    sources_text,
)

BELL = "🔔"
ARROWS = {"up": "↑", "down": "↓"}
TONES: dict[str | None, Tone] = {"positive": "positive", "negative": "negative"}
NOTHING_RINGS = "Nothing rings on it until it is fresh again."


def event_card(event: Event, snapshot: Snapshot, now: datetime, zone: tzinfo = UTC) -> Reply:
    """What happened; spot and regime, by how much, why; the age of the data as of now."""
    title, lines, tone = _told(event, snapshot, zone)
    return Reply(f"{BELL} {title}", lines=lines, footer=(sources_text(snapshot, now),), tone=tone)


def _told(event: Event, snapshot: Snapshot, zone: tzinfo) -> tuple[str, tuple[str, ...], Tone]:
    """Title, lines and tone."""
    match event:
        case Crossing():
            return _crossing(event, snapshot, zone)
        case Moved():
            return _moved(event, snapshot)
        case RegimeChange():
            title = f"{coin_of(event.symbol)} regime {regime_text(event.was, event.to)}"
            return title, (f"Spot {price_text(event.spot)}",), TONES.get(event.to, "neutral")
        case Freshness():
            title = f"{coin_of(event.symbol)} data is {'STALE' if event.stale else 'fresh again'}"
            return (title, (NOTHING_RINGS,), "stale") if event.stale else (title, (), "neutral")


def _crossing(
    event: Crossing, snapshot: Snapshot, zone: tzinfo
) -> tuple[str, tuple[str, ...], Tone]:
    late = "LATE: " if event.late else ""
    level = f"{label(event.key)} {price_text(event.price)} {ARROWS[event.direction]}"
    before, after = snapshot.levels.regime, regime_at(snapshot.levels, snapshot.spot, event.spot)
    away = percent_text(event.spot / event.price - 1)
    where = f"Spot {price_text(event.spot)} ({away}), regime {regime_text(before, after)}"
    seen = (f"Seen at {minute_text(event.at, zone)}, after a pause",) if event.late else ()
    title = f"{late}{coin_of(event.symbol)} crossed {level}"
    return title, (where, *seen), TONES.get(after, "neutral")


def _moved(event: Moved, snapshot: Snapshot) -> tuple[str, tuple[str, ...], Tone]:
    ends = f"{price_text(event.was)} → {price_text(event.to)}"
    size = percent_text(event.to / event.was - 1)
    regime = snapshot.levels.regime
    lines = (
        f"By {size}; spot {price_text(snapshot.spot)}, regime {regime_text(regime, regime)}",
        f"Why: {cause_text(event)}",
    )
    title = f"{coin_of(event.symbol)} {label(event.key)} moved {ends}"
    return title, lines, TONES.get(regime, "neutral")
