"""Words for people: every number with its unit, every statement with its age."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from bot.core.clocks import minute_text
from bot.core.events import Crossing, Event, Freshness, LevelKey, Moved, RegimeChange
from bot.core.snapshot import Snapshot, regime_at
from bot.core.symbols import coin_of

LABELS = {
    "hvl": "HVL",
    "call_resistance": "Call Resistance",
    "call_wall_2": "Call Wall 2",
    "call_wall_3": "Call Wall 3",
    "put_support": "Put Support",
    "put_wall_2": "Put Wall 2",
    "put_wall_3": "Put Wall 3",
    "flip": "Flip",
    "max_pain": "Max Pain",
    "em_upper_1sd": "1D Max (1 sd)",
    "em_lower_1sd": "1D Min (1 sd)",
    "em_upper_2sd": "1D Max (2 sd)",
    "em_lower_2sd": "1D Min (2 sd)",
}
CAUSES = {
    "spot": "spot's move",
    "iv": "IV",
    "open_interest": "open interest",
    "expiry": "expiry",
    "venues": "venues",
    "earlier": "earlier moves",
}
DIGITS = ((100_000, 0), (1_000, 1), (10, 2))  # of a price from that size on, behind the point


def label(key: LevelKey) -> str:
    """The level's name as traders write it."""
    if key.scope == "price":
        return "your price"
    return LABELS[key.name] + (" 0DTE" if key.scope == "odte" else "")


def level_text(name: str) -> str:
    """The label of the level that a rule calls so: odte.hvl is HVL 0DTE."""
    scope, _, bare = name.rpartition(".")
    return label(LevelKey(scope or "all_expiry", bare))


def price_text(value: float | None) -> str:
    """USD with the digits that matter at its size: $123,457, $78,304.6, $77.50, $0.8512."""
    if value is None:
        return "none"
    digits = next((few for least, few in DIGITS if value >= least), 4)
    text = f"{value:,.{digits}f}"
    return f"${text.removesuffix('.0') if digits == 1 else text}"


def money_text(value: float | None) -> str:
    """A large USD amount, short: -$12.3M."""
    if value is None:
        return "none"
    size, unit = abs(value), ""
    for name in ("K", "M", "B"):
        if round(size, 1) < 1_000:
            break
        size, unit = size / 1_000, name
    return f"{'-' if value < 0 else ''}${size:,.1f}{unit}"


def percent_text(fraction: float) -> str:
    """A signed distance in at most seven characters: +0.42%, +112%."""
    text = f"{fraction * 100:+.{0 if abs(fraction) >= 0.99995 else 2}f}%"
    return "+0.00%" if text == "-0.00%" else text


def age_text(age: timedelta) -> str:
    """How old, in its two largest units: 42 s, 5 min, 3 h 20 min, 2 d 4 h."""
    seconds = max(0, int(age.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"


def sources_text(snapshot: Snapshot, now: datetime) -> str:
    """Who was heard, and how long ago: data: bybit, deribit 4 s, derive 1 min old."""
    heard = ages_text((source.venue, now - source.at) for source in snapshot.sources)
    left_out = "".join(f"; without {v} ({why})" for v, why in snapshot.left_out.items())
    return f"data: {heard} old{left_out}"


def ages_text(ages: Iterable[tuple[str, timedelta]]) -> str:
    """Venues by the age of what they said: bybit, deribit 4 s, derive 1 min."""
    venues: dict[str, list[str]] = {}
    for venue, age in ages:
        venues.setdefault(age_text(age), []).append(venue)
    return ", ".join(f"{', '.join(names)} {age}" for age, names in venues.items())


def snapshot_line(snapshot: Snapshot) -> str:
    """The snapshot in one line."""
    levels = snapshot.levels
    hvl, call, put = (
        price_text(price)
        for price in (
            levels.all_expiry.hvl,
            levels.all_expiry.call_resistance,
            levels.all_expiry.put_support,
        )
    )
    return (
        f"{coin_of(snapshot.symbol)} {price_text(snapshot.spot)}, "
        f"regime {levels.regime or 'not known'}, "
        f"HVL {hvl}, call resistance {call}, put support {put}, "
        f"net GEX {money_text(levels.net_gex)} per 1%"
    )


def event_text(event: Event, snapshot: Snapshot, now: datetime, zone: tzinfo = UTC) -> str:
    """One sentence: what happened, by how much, regime, age of the data; times in that zone."""
    sources = sources_text(snapshot, now)
    told = _told(event, snapshot, zone)
    return f"{coin_of(event.symbol)} {told} {sources[:1].upper()}{sources[1:]}."


def _told(event: Event, snapshot: Snapshot, zone: tzinfo) -> str:
    """What happened to the coin."""
    match event:
        case Crossing():
            return _crossing(event, snapshot, zone)
        case Moved():
            size = percent_text(event.to / event.was - 1)
            return (
                f"{label(event.key)} moved {price_text(event.was)} -> "
                f"{price_text(event.to)} ({size}); spot {price_text(snapshot.spot)}; "
                f"why: {cause_text(event)}."
            )
        case RegimeChange():
            return f"regime {event.was} -> {event.to}; spot {price_text(event.spot)}."
        case Freshness():
            return f"data is {'STALE, nothing rings on it' if event.stale else 'fresh again'}."


def _crossing(event: Crossing, snapshot: Snapshot, zone: tzinfo) -> str:
    away = percent_text(event.spot / event.price - 1)
    after = regime_at(snapshot.levels, snapshot.spot, event.spot)
    late = f" LATE: seen at {minute_text(event.at, zone)}, after a pause." if event.late else ""
    return (
        f"crossed {label(event.key)} {price_text(event.price)} going "
        f"{event.direction}: spot {price_text(event.spot)} ({away}); "
        f"regime {regime_text(snapshot.levels.regime, after, '->')}.{late}"
    )


def cause_text(event: Moved) -> str:
    """The largest reason first, each with its part of the level's move."""
    told = abs(event.to - event.was) / 1_000  # less is rounding, or not worth a word
    parts = {n: s for n, s in event.cause.items() if isinstance(s, float) and abs(s) > told}
    largest = sorted(parts.items(), key=lambda part: -abs(part[1]))
    digits = 0 if event.was >= 1_000 else 2 if event.was >= 10 else 4
    named = ", ".join(f"{s:+,.{digits}f} USD from {CAUSES.get(n, n)}" for n, s in largest)
    reformed = "re-formed beyond the spot that crossed it" if event.cause.get("reformed") else ""
    return "; ".join(part for part in (reformed, named) if part) or "not known"


def regime_text(before: str | None, after: str | None, arrow: str = "→") -> str:
    """What the regime was and is; one word where that is the same."""
    if before is None:
        return "not known"
    return before if before == after else f"{before} {arrow} {after}"
