"""Judging ticks and snapshots: what crossed, what moved, which regime began.

A tick is judged against the levels last shown, and its side of each level is latched: it
rings once when spot passes the level by the buffer, and again only after it came back by as
much. A new snapshot never rings a crossing: a level that jumps over a still spot has moved.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.core.events import Crossing, Direction, Event, Freshness, LevelKey, Moved, RegimeChange
from bot.core.snapshot import Regime, Snapshot, Tick

BUFFER = 0.0005  # fraction of the level that spot must pass it by
MOVE = 0.01  # fraction that a level must move by

Side = Literal["above", "below"]
Prices = Mapping[LevelKey, float]
Explain = Callable[[LevelKey, float, float], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Watches:
    """What rules ask for beyond the defaults: buffers, thresholds and prices of their own."""

    buffers: Mapping[str, frozenset[float]] = field(default_factory=dict)  # by rule name
    moves: Mapping[str, frozenset[float]] = field(default_factory=dict)  # by rule name
    prices: frozenset[float] = frozenset()  # USD


@dataclass(frozen=True, slots=True)
class Held:
    """A wall that spot went through by less than its buffer when it re-formed beyond spot.

    By its definition a wall never stays behind spot, so that at a cycle of seconds none would
    ever be crossed: the old price is judged on until spot leaves its buffer.
    """

    key: LevelKey
    price: float  # USD, where the wall stood
    buffer: float  # fraction
    side: Side  # that spot came from
    snapshot: str  # that showed it last


@dataclass(frozen=True, slots=True)
class Latches:
    """What the judgement of one symbol remembers; stored with every change."""

    sides: Mapping[str, Side] = field(default_factory=dict)  # "level@buffer" -> spot's side
    anchors: Mapping[str, float] = field(default_factory=dict)  # "level@move" -> USD reported
    regime: Regime | None = None
    stale: bool = False
    tick: Tick | None = None  # the last one judged when this was stored
    held: tuple[Held, ...] = ()


def judge_tick(
    latches: Latches, shown: Prices, watches: Watches, tick: Tick, snapshot: str, *, late: bool
) -> tuple[list[Crossing], Latches]:
    """The crossings that this tick makes of the levels shown, and the latches after it."""
    crossings = []
    sides = _asked_for(latches.sides, shown, watches)

    def cross(key: LevelKey, price: float, buffer: float, way: Direction, by: str) -> None:
        previous = latches.tick.spot if latches.tick else None
        facts = (tick.at, tick.symbol, key, price, way, tick.spot, previous)
        crossings.append(Crossing(*facts, by, buffer, late))

    for one in latches.held:
        direction = _passed(one.side, tick.spot, one.price, one.buffer)
        if direction:
            cross(one.key, one.price, one.buffer, direction, one.snapshot)
    for key, price, buffer in _watched(shown, watches):
        latch = _latch(key, buffer)
        direction = _passed(sides.get(latch), tick.spot, price, buffer)
        if direction:
            cross(key, price, buffer, direction, snapshot)
            sides[latch] = "above" if direction == "up" else "below"
        elif latch not in sides and tick.spot != price:
            sides[latch] = _side(tick.spot, price)
    held = tuple(one for one in latches.held if _is_within(tick.spot, one))
    return crossings, replace(latches, sides=sides, held=held, tick=tick)


def take_sides(latches: Latches, shown: Prices, watches: Watches) -> Latches:
    """The latches with the side of every level newly asked for, by the last tick judged.

    Nothing crosses: who asked for a level is told of what spot does from there on.
    """
    if latches.tick is None:
        return latches
    spot, sides = latches.tick.spot, dict(latches.sides)
    for key, price, buffer in _watched(shown, watches):
        if spot != price:
            sides.setdefault(_latch(key, buffer), _side(spot, price))
    return replace(latches, sides=sides)


def judge_snapshot(
    latches: Latches,
    shown: Prices,
    shown_by: str,
    new: Prices,
    watches: Watches,
    snapshot: Snapshot,
    explain: Explain,
) -> tuple[list[Event], Latches]:
    """The moves and the change of regime that this snapshot brings, and the latches after it.

    `shown` is what was on view until now, by the snapshot of that id.
    """
    anchors = latches.anchors
    if _zones(shown) != _zones(new):  # the zones were renumbered: their positions mean others now
        anchors = {name: price for name, price in anchors.items() if ".flip." not in name}
    moves, anchors = _moves(anchors, new, watches, snapshot, explain)
    events: list[Event] = [*moves]
    regime = snapshot.levels.regime
    if regime and latches.regime and regime != latches.regime:
        change = RegimeChange(snapshot.at, snapshot.symbol, latches.regime, regime, snapshot.spot)
        events.append(change)
    spot = latches.tick.spot if latches.tick else snapshot.spot  # one series: that of the ticks
    left = _left_behind(latches, shown, new, watches, spot)
    held = (*latches.held, *(replace(wall, snapshot=shown_by) for wall in left))
    sides = _resided(latches.sides, shown, new, watches, spot)
    regime = regime or latches.regime
    return events, replace(latches, sides=sides, held=held, anchors=anchors, regime=regime)


def judge_freshness(
    latches: Latches, symbol: str, data_at: datetime, stale_after: timedelta, now: datetime
) -> tuple[list[Event], Latches]:
    """The data's turn from fresh to stale or back, if it is one."""
    stale = now - data_at > stale_after
    if stale == latches.stale:
        return [], latches
    return [Freshness(now, symbol, stale, data_at)], replace(latches, stale=stale)


def _watched(shown: Prices, watches: Watches) -> Iterable[tuple[LevelKey, float, float]]:
    """Each level and each buffer it is judged by; levels that nobody asked for are left out."""
    for key, price in shown.items():
        asked = watches.buffers.get(key.rule_name, frozenset())
        for buffer in sorted(asked | {BUFFER} if key.is_fact else asked):
            yield key, price, buffer
    for price in sorted(watches.prices):
        key = LevelKey.of_price(price)
        for buffer in sorted(watches.buffers.get(key.name, frozenset())):
            yield key, price, buffer


def _passed(side: Side | None, spot: float, price: float, buffer: float) -> Direction | None:
    if side == "below" and spot > price * (1 + buffer):
        return "up"
    if side == "above" and spot < price * (1 - buffer):
        return "down"
    return None


def _is_within(spot: float, wall: Held) -> bool:
    """Whether spot is past the wall by no more than its buffer: neither through it nor back."""
    past = spot > wall.price if wall.side == "below" else spot < wall.price
    return past and _passed(wall.side, spot, wall.price, wall.buffer) is None


def _left_behind(
    latches: Latches, shown: Prices, new: Prices, watches: Watches, spot: float
) -> Iterable[Held]:
    """The walls that re-form although spot is not through where they stood until now."""
    known = {(one.key, one.buffer) for one in latches.held}
    for key, price, buffer in _watched(shown, watches):
        side = latches.sides.get(_latch(key, buffer))
        moved = new.get(key) != price and (key, buffer) not in known
        if side and moved and key.name.startswith(("call_", "put_")):
            wall = Held(key, price, buffer, side, snapshot="")
            if _is_within(spot, wall):
                yield wall


def _zones(prices: Prices) -> int:
    return sum(key.name == "flip" for key in prices)


def _side(spot: float, price: float) -> Side:
    return "above" if spot > price else "below"


def _resided(
    sides: Mapping[str, Side], shown: Prices, new: Prices, watches: Watches, spot: float
) -> dict[str, Side]:
    """The latches under new prices: a level that jumped over spot changes sides in silence.

    So does one that moved until a spot within its buffer stands beyond it, or that comes back
    from being absent. What stands still is for ticks alone to judge. A level that halts exactly
    on spot has no side until spot leaves it.
    """
    resided = _asked_for(sides, new, watches)
    for key, price, buffer in _watched(new, watches):
        latch = _latch(key, buffer)
        before = price if key.scope == "price" else shown.get(key)
        if before == price and latch in resided:
            continue
        if spot == price:
            resided.pop(latch, None)
            continue
        side = _side(spot, price)
        jumped = before is not None and spot != before and _side(spot, before) != side
        beyond = abs(spot - price) > buffer * price
        if jumped or beyond or latch not in resided:
            resided[latch] = side
    return resided


def _asked_for(sides: Mapping[str, Side], shown: Prices, watches: Watches) -> dict[str, Side]:
    """The latches without those that nobody asks for any more; absent levels keep theirs."""
    asked = {_latch(key, buffer) for key, _, buffer in _watched(shown, watches)}
    levels = {str(key) for key in shown}

    def stays(latch: str) -> bool:
        level = latch.rpartition("@")[0]
        return latch in asked or (level not in levels and not level.startswith("price."))

    return {latch: side for latch, side in sides.items() if stays(latch)}


def _latch(key: LevelKey, buffer: float) -> str:
    return f"{key}@{buffer:.15g}"


def _moves(
    anchors: Mapping[str, float],
    new: Prices,
    watches: Watches,
    snapshot: Snapshot,
    explain: Explain,
) -> tuple[list[Moved], dict[str, float]]:
    """Levels that stand at least their threshold away from where they were last reported."""
    moves = []
    kept = dict(anchors)
    for key, price in new.items():
        asked = watches.moves.get(key.rule_name, frozenset())
        for threshold in sorted(asked | {MOVE} if key.is_fact else asked):
            anchor = f"{key}@{threshold:.15g}"
            was = kept.setdefault(anchor, price)
            if abs(price - was) >= threshold * was:
                cause = explain(key, was, price)
                moves.append(Moved(snapshot.at, snapshot.symbol, key, was, price, threshold, cause))
                kept[anchor] = price
    return moves, kept
