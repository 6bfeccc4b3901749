"""The envelope and its parts: the types that encode every answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from bot.core.levels import ExpectedMove, LevelSet, MaxPain, OdteSet, RankedStrike
from bot.core.snapshot import Candle, Snapshot
from bot.core.zones import FlipZone

VERSION = "2.0"


class Ranked(msgspec.Struct):
    """The ten strongest strikes of each set."""

    all_expiry_top_10: Sequence[RankedStrike]
    odte_top_10: Sequence[RankedStrike]


class Spot(msgspec.Struct):
    """Prices, USD."""

    spot_price: float
    perps_price: float | None


class Sections(msgspec.Struct):
    """`data` of /gex/levels with everything included."""

    all_expiry: LevelSet
    odte: OdteSet
    ranked: Ranked
    max_pain: MaxPain | None
    expected_move: ExpectedMove | None
    gamma_flip_zones: Sequence[FlipZone]
    spot: Spot
    candles: Sequence[Candle]


class Extra(msgspec.Struct):
    """What the public API has no field for."""

    net_gex: float | None  # USD per +1 %
    regime: str | None
    definition_version: str
    dropped_rows: Mapping[str, int]
    venue_ages_seconds: Mapping[str, float]
    left_out: Mapping[str, str]
    stale: bool


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
    extra: Extra | UnsetType = UNSET


class Success(msgspec.Struct):
    """The envelope of an answer."""

    success: bool
    data: Sections
    meta: Meta


def sections(snapshot: Snapshot) -> Sections:
    """All sections of the snapshot."""
    levels = snapshot.levels
    return Sections(
        all_expiry=levels.all_expiry,
        odte=levels.odte,
        ranked=Ranked(levels.ranked, levels.ranked_odte),
        max_pain=levels.max_pain,
        expected_move=levels.expected_move,
        gamma_flip_zones=levels.gamma_flip_zones,
        spot=Spot(snapshot.spot, snapshot.perps_price),
        candles=snapshot.candles,
    )


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
    snapshot: Snapshot, now: datetime, request_id: str, exchanges: Sequence[str] | None
) -> bytes:
    """The success envelope with every section."""
    answer = Success(True, sections(snapshot), meta(snapshot, now, request_id, exchanges))
    return msgspec.json.encode(answer)
