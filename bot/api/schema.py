"""The envelope and the levels: the types that encode the answers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from bot.core.levels import ExpectedMove, LevelSet, MaxPain, OdteSet, RankedStrike
from bot.core.snapshot import Candle, Snapshot
from bot.core.zones import FlipZone

VERSION = "2.0"
IN_MULTI = ("expected_move", "max_pain", "ranked", "zones")
INCLUDES = ("candles", "expected_move", "max_pain", "ranked", "spot", "zones")

T = TypeVar("T")


class Ranked(msgspec.Struct):
    """The ten strongest strikes of each set."""

    all_expiry_top_10: Sequence[RankedStrike]
    odte_top_10: Sequence[RankedStrike]


class Spot(msgspec.Struct):
    """Prices, USD."""

    spot_price: float
    perps_price: float | None


class Sections(msgspec.Struct):
    """`data` of /gex/levels; a section that was not asked for is left out."""

    all_expiry: LevelSet
    odte: OdteSet
    ranked: Ranked | UnsetType = UNSET
    max_pain: MaxPain | UnsetType | None = UNSET
    expected_move: ExpectedMove | UnsetType | None = UNSET
    gamma_flip_zones: Sequence[FlipZone] | UnsetType = UNSET
    spot: Spot | UnsetType = UNSET
    candles: Sequence[Candle] | UnsetType = UNSET


class Extra(msgspec.Struct):
    """What the public API has no field for."""

    net_gex: float | None  # USD per +1 %
    regime: str | None
    definition_version: str
    dropped_rows: Mapping[str, int]
    venue_ages_seconds: Mapping[str, float]
    left_out: Mapping[str, str]
    stale: bool


class RateLimit(msgspec.Struct, frozen=True):
    """How many requests a minute, how many of them are left, when all are back."""

    limit: int
    remaining: int
    reset: int  # seconds since 1970


class Meta(msgspec.Struct):
    """What every answer carries; the fields that do not apply are left out."""

    version: str
    timestamp: datetime
    request_id: str
    symbol: str | UnsetType = UNSET
    spot_price: float | UnsetType = UNSET
    computed_at: datetime | UnsetType = UNSET
    freshness_seconds: float | UnsetType = UNSET
    source: Sequence[str] | UnsetType = UNSET
    exchanges_filtered: Sequence[str] | UnsetType | None = UNSET
    rate_limit: RateLimit | UnsetType = UNSET
    simulated: bool | UnsetType = UNSET  # there, and true, where the market is
    extra: Extra | UnsetType = UNSET


class Success(msgspec.Struct, Generic[T]):
    """The envelope of an answer."""

    success: Literal[True]
    data: T
    meta: Meta


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with one parameter."""

    type: Literal["unknown", "missing", "repeated", "value"]
    loc: Sequence[str]
    msg: str


class Details(msgspec.Struct, frozen=True):
    """More of what went wrong, as the code has it."""

    errors: Sequence[Problem] | UnsetType = UNSET
    retry_after_seconds: int | UnsetType = UNSET
    limit: int | UnsetType = UNSET  # requests a minute


class Trouble(msgspec.Struct):
    """What went wrong."""

    code: str
    message: str
    details: Details


class Failure(msgspec.Struct):
    """The envelope of a refusal."""

    success: Literal[False]
    error: Trouble
    meta: Meta


def sections(snapshot: Snapshot, included: Collection[str] = INCLUDES) -> Sections:
    """The snapshot's levels and the sections included, all of them unless they are named."""
    levels = snapshot.levels
    found = Sections(levels.all_expiry, levels.odte)
    if "ranked" in included:
        found.ranked = Ranked(levels.ranked, levels.ranked_odte)
    if "max_pain" in included:
        found.max_pain = levels.max_pain
    if "expected_move" in included:
        found.expected_move = levels.expected_move
    if "zones" in included:
        found.gamma_flip_zones = levels.gamma_flip_zones
    if "spot" in included:
        found.spot = Spot(snapshot.spot, snapshot.perps_price)
    if "candles" in included:
        found.candles = snapshot.candles
    return found


def meta(
    snapshot: Snapshot, now: datetime, request_id: str, exchanges: Sequence[str] | None = None
) -> Meta:
    """Where the snapshot's numbers come from, as of `now`."""
    levels = snapshot.levels
    return Meta(
        version=VERSION,
        timestamp=now,
        request_id=request_id,
        symbol=snapshot.symbol,
        spot_price=snapshot.spot,
        computed_at=snapshot.at,
        freshness_seconds=(now - snapshot.at).total_seconds(),
        source=[source.venue for source in snapshot.sources],
        exchanges_filtered=exchanges,
        extra=Extra(
            net_gex=levels.net_gex,
            regime=levels.regime,
            definition_version=snapshot.definition,
            dropped_rows=levels.dropped,
            venue_ages_seconds={
                source.venue: (now - source.at).total_seconds() for source in snapshot.sources
            },
            left_out=snapshot.left_out,
            stale=snapshot.stale,
        ),
    )


def envelope(
    snapshot: Snapshot,
    now: datetime,
    request_id: str,
    exchanges: Sequence[str] | None,
    *,
    simulated: bool = False,
) -> bytes:
    """The success envelope with every section."""
    facts = meta(snapshot, now, request_id, exchanges)
    facts.simulated = simulated or UNSET
    return msgspec.json.encode(Success(True, sections(snapshot), facts))
