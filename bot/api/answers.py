"""`data` of every path but /gex/levels: the types that encode it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from bot.api.schema import Ranked, sections
from bot.core.breakdown import ExpiryRow, StrikeRow, day_token
from bot.core.history import Past
from bot.core.levels import ExpectedMove, LevelSet, MaxPain, OdteSet
from bot.core.snapshot import Snapshot
from bot.core.zones import FlipZone

Health = Literal["healthy", "degraded", "unhealthy", "unavailable"]


class Result(msgspec.Struct):
    """One symbol of a bundle; a section that was not asked for is left out."""

    all_expiry: LevelSet
    odte: OdteSet
    spot_price: float  # USD
    computed_at: datetime
    ranked: Ranked | UnsetType = UNSET
    max_pain: MaxPain | UnsetType | None = UNSET
    expected_move: ExpectedMove | UnsetType | None = UNSET
    gamma_flip_zones: Sequence[FlipZone] | UnsetType = UNSET


class Bundle(msgspec.Struct):
    """`data` of /multi/gex/levels."""

    results: Mapping[str, Result | None]  # None: no data now
    requested: Sequence[str]
    served: Sequence[str]
    missing: Sequence[str]  # known, without data now
    invalid: Sequence[str]  # unknown


class Profile(msgspec.Struct):
    """`data` of /gex/strike-profile."""

    expiry: str  # as it was asked for
    strikes: Sequence[StrikeRow]


class Pain(msgspec.Struct):
    """One expiry's max pain."""

    expiry: str  # 27MAR26
    dte: int  # days from today to that day, UTC
    max_pain: MaxPain | None  # None without open interest


class Pains(msgspec.Struct):
    """`data` of /gex/max-pain."""

    expiry: str  # as it was asked for
    max_pain: MaxPain | None  # of the nearest one that has open interest
    per_expiry: Sequence[Pain]  # the nearest first


class Point(msgspec.Struct):
    """The levels at one time, USD."""

    datetime: datetime
    spot_price: float
    hvl: float | None
    call_resistance: float | None
    call_wall_2: float | None
    call_wall_3: float | None
    put_support: float | None
    put_wall_2: float | None
    put_wall_3: float | None
    net_gex: float | None  # USD per +1 %
    regime: str | None


class History(msgspec.Struct):
    """`data` of /gex/stress-history, ascending."""

    days: int
    points: Sequence[Point]


class Expiries(msgspec.Struct):
    """`data` of /expiries, the nearest first."""

    expiries: Sequence[ExpiryRow]


class SymbolRow(msgspec.Struct):
    """A symbol that may be asked for."""

    symbol: str
    underlying: str
    computed_at: datetime | None  # None: no data yet
    spot_price: float | None  # USD


class Symbols(msgspec.Struct):
    """`data` of /symbols."""

    symbols: Sequence[SymbolRow]


class VenueState(msgspec.Struct):
    """A venue's part in a symbol."""

    status: Health
    freshness_seconds: float | None  # the age of its oldest part in the levels
    reason: str | None  # why it was left out


class Status(msgspec.Struct):
    """`data` of /status: symbol, venue; a venue that does not list the symbol is not there."""

    overall_status: Health
    symbols: Mapping[str, Mapping[str, VenueState]]


class CodeRow(msgspec.Struct):
    """A code of `error`."""

    code: str
    status: int
    when: str


class Bounds(msgspec.Struct):
    """What one request may ask for."""

    symbols_per_request: int
    history_days: int
    query_bytes: int
    requests_per_minute: int  # of the key that asked


class About(msgspec.Struct):
    """`data` of /meta."""

    version: str
    definition_version: str
    symbols: Sequence[str]
    venues: Sequence[str]
    includes: Sequence[str]
    error_codes: Sequence[CodeRow]
    limits: Bounds


class Alive(msgspec.Struct):
    """`data` of /health: the program answers."""

    status: Literal["ok"]


def result(snapshot: Snapshot, included: Sequence[str]) -> Result:
    """The snapshot as one of a bundle."""
    found = sections(snapshot, included)
    return Result(
        found.all_expiry,
        found.odte,
        snapshot.spot,
        snapshot.at,
        found.ranked,
        found.max_pain,
        found.expected_move,
        found.gamma_flip_zones,
    )


def pains(expiry: str, found: Mapping[datetime, MaxPain | None], at: datetime) -> Pains:
    """Max pain of each expiry found, the nearest first, as of that time."""
    rows = [Pain(day_token(day), (day.date() - at.date()).days, one) for day, one in found.items()]
    return Pains(expiry, next(filter(None, found.values()), None), rows)


def point(past: Past) -> Point:
    """A past snapshot as a point of its history."""
    walls = past.levels.all_expiry
    return Point(
        past.at,
        past.spot,
        walls.hvl,
        walls.call_resistance,
        walls.call_wall_2,
        walls.call_wall_3,
        walls.put_support,
        walls.put_wall_2,
        walls.put_wall_3,
        past.levels.net_gex,
        past.levels.regime,
    )
