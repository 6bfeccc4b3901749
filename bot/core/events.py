"""What happened to a symbol: facts, and the alerts that rules make of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from bot.core.reply import Reply
from bot.core.snapshot import Levels, Regime, Snapshot

Direction = Literal["up", "down"]
DeliveryState = Literal["sent", "expired", "failed", "in_doubt"]
Kind = Literal["alert", "notice", "digest"]  # of messages; the first goes first

SET_LEVELS = (
    "hvl",
    "call_resistance",
    "call_wall_2",
    "call_wall_3",
    "put_support",
    "put_wall_2",
    "put_wall_3",
)
ODTE_LEVELS = ("hvl", "call_resistance", "put_support")
OTHER_LEVELS = ("max_pain", "em_upper_1sd", "em_lower_1sd", "em_upper_2sd", "em_lower_2sd")


@dataclass(frozen=True, slots=True, order=True)
class LevelKey:
    """Which level: `scope` is all_expiry, odte or price; `zone` numbers the flip zones."""

    scope: str
    name: str
    zone: int = -1

    def __str__(self) -> str:
        zone = "" if self.zone < 0 else f".{self.zone}"
        return f"{self.scope}.{self.name}{zone}"

    @property
    def is_fact(self) -> bool:
        """Whether every change of it is worth an event, asked for or not."""
        return self.scope == "odte" or self.name in (*SET_LEVELS, "flip")

    @classmethod
    def of_price(cls, price: float) -> "LevelKey":
        """A price that someone watches, under the word that a rule uses for it."""
        return cls("price", plain_text(price))

    @property
    def rule_name(self) -> str:
        """The word that a rule uses for it."""
        return f"odte.{self.name}" if self.scope == "odte" else self.name


@dataclass(frozen=True, slots=True)
class Crossing:
    """Spot passed a level that was shown, by more than the buffer, from its other side."""

    at: datetime
    symbol: str
    key: LevelKey
    price: float  # USD, of the level
    direction: Direction
    spot: float  # USD
    previous_spot: float | None  # USD
    snapshot: str
    buffer: float  # fraction
    late: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A level stands elsewhere than when it was last reported."""

    at: datetime
    symbol: str
    key: LevelKey
    was: float  # USD
    to: float  # USD
    threshold: float  # fraction
    cause: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RegimeChange:
    """Dealers' gamma changed its sign, or spot entered or left a flip zone."""

    at: datetime
    symbol: str
    was: Regime
    to: Regime
    spot: float  # USD


@dataclass(frozen=True, slots=True)
class Freshness:
    """The data became too old to ring on, or fresh again."""

    at: datetime
    symbol: str
    stale: bool
    data_at: datetime


Event = Crossing | Moved | RegimeChange | Freshness


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to one target; its id is the same however often it is made.

    A ring mostly; the same outbox carries notices of the program and digests.
    """

    id: str
    at: datetime
    rule: str
    target: str  # "terminal:", "discord:...": a messenger and an address
    symbol: str
    text: str
    expires_at: datetime
    attempts: int = 0  # sends that failed so far
    kind: Kind = "alert"
    card: Reply | None = None  # what to show where the text alone says too little
    due_at: datetime | None = None  # not to be sent before
    held: bool = False  # waits for quiet hours to end, and is then told together with the others
    doubts: int = 0  # sends of which nobody knows whether they arrived
    doubted_at: datetime | None = None  # when the last of them was
    mention: str = ""  # the person to call by name, when it goes to a chat in place of them
    event: str = ""  # what a ring is about, as event objects name it: crossing, moved, regime
    snapshot: str = ""  # the one it rang on


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an alert ended."""

    at: datetime
    alert: str
    target: str
    state: DeliveryState


def redated(alert: Alert, due_at: datetime) -> Alert:
    """The alert, due at that time, with as long a life from then on as it had."""
    life = alert.expires_at - (alert.due_at or alert.at)
    return replace(alert, due_at=due_at, expires_at=due_at + life)


def plain_text(value: float) -> str:
    """The number in digits alone: what a rule's line can hold."""
    return f"{Decimal(f'{value:.15g}'):f}"


def levels_of(snapshot: Snapshot) -> dict[LevelKey, float]:
    """Every level that the snapshot shows, USD; what does not exist is absent."""
    zones = range(len(snapshot.levels.gamma_flip_zones))
    keys = [
        *(LevelKey("all_expiry", name) for name in SET_LEVELS),
        *(LevelKey("odte", name) for name in ODTE_LEVELS),
        *(LevelKey("all_expiry", "flip", zone) for zone in zones),
        *(LevelKey("all_expiry", name) for name in OTHER_LEVELS),
    ]
    prices = ((key, level_price(key, snapshot.levels)) for key in keys)
    return {key: price for key, price in prices if price is not None}


def level_price(key: LevelKey, levels: Levels) -> float | None:
    """Where the level stands, USD; None where it does not exist."""
    if key.name == "flip":
        zones = levels.gamma_flip_zones
        return zones[key.zone].flip if key.zone < len(zones) else None
    if key.name == "max_pain":
        return levels.max_pain.strike if levels.max_pain else None
    if key.name.startswith("em_"):
        move = levels.expected_move
        price = getattr(move, key.name.removeprefix("em_")) if move else None
    else:
        price = getattr(levels.odte if key.scope == "odte" else levels.all_expiry, key.name)
    return None if price is None else float(price)


def event_object(event: Event | Alert | Delivery) -> dict[str, object]:
    """The event as the journal tells it, keys always in the same order."""
    match event:
        case Crossing():
            return {
                "event": "crossing",
                "at": event.at,
                "symbol": event.symbol,
                **_level(event.key),
                "price": event.price,
                "direction": event.direction,
                "spot": event.spot,
                "previous_spot": event.previous_spot,
                "snapshot": event.snapshot,
                "late": event.late,
            }
        case Moved():
            return {
                "event": "moved",
                "at": event.at,
                "symbol": event.symbol,
                **_level(event.key),
                "from": event.was,
                "to": event.to,
                "cause": event.cause,
            }
        case RegimeChange():
            return {
                "event": "regime",
                "at": event.at,
                "symbol": event.symbol,
                "from": event.was,
                "to": event.to,
                "spot": event.spot,
            }
        case Freshness():
            return {
                "event": "stale" if event.stale else "fresh",
                "at": event.at,
                "symbol": event.symbol,
                "data_at": event.data_at,
            }
        case Alert():
            return {
                "event": "alert",
                "at": event.at,
                "id": event.id,
                "rule": event.rule,
                "target": event.target,
                "symbol": event.symbol,
                "text": event.text,
            }
        case Delivery():
            return {
                "event": "delivery",
                "at": event.at,
                "alert": event.alert,
                "target": event.target,
                "state": event.state,
            }


def _level(key: LevelKey) -> dict[str, object]:
    zone = {"zone": key.zone} if key.zone >= 0 else {}
    return {"scope": key.scope, "level": key.name, **zone}
