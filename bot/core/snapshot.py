"""What is known of a symbol at one time."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from bot.core.chain import OptionChain, Source, milliseconds, only_venues
from bot.core.gex import DAY_MS, exposure, live_rows, rounded, strike_profile
from bot.core.levels import (
    ExpectedMove,
    LevelSet,
    MaxPain,
    OdteSet,
    RankedStrike,
    expected_move,
    level_set,
    nearest_max_pain,
    odte_set,
    ranked_strikes,
)
from bot.core.zones import FlipZone, flip_zones

DEFINITION = "1"  # of levels.md's rules: numbers of different versions are not comparable
HIGHEST_PRICE = 1e15  # USD: what is above is no price
FRESH_TICK = timedelta(minutes=30)
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
AFTER_ALL = datetime.max.replace(tzinfo=UTC)

Regime = Literal["positive", "negative", "neutral"]


@dataclass(frozen=True, slots=True)
class Tick:
    """A spot price, USD."""

    symbol: str
    at: datetime
    spot: float
    source: str


@dataclass(frozen=True, slots=True)
class Candle:
    """Thirty minutes of price; the last one of a list may still be open."""

    datetime: datetime
    open: float  # USD, like the next three
    high: float
    low: float
    close: float
    volume: float  # coins


@dataclass(frozen=True, slots=True)
class Levels:
    """Everything the engine says of one chain at one spot and time."""

    all_expiry: LevelSet
    odte: OdteSet
    ranked: tuple[RankedStrike, ...]
    ranked_odte: tuple[RankedStrike, ...]
    gamma_flip_zones: tuple[FlipZone, ...]
    max_pain: MaxPain | None
    expected_move: ExpectedMove | None
    net_gex: float | None  # USD per +1 %; None when no row has gamma
    regime: Regime | None
    dropped: Mapping[str, int]  # rows by reason


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The levels of a symbol with the spot, the time and the venues that they rest on."""

    id: str
    symbol: str
    at: datetime
    spot: float  # USD
    perps_price: float | None  # USD
    levels: Levels
    sources: tuple[Source, ...]
    left_out: Mapping[str, str]  # venue -> why it was not heard
    candles: tuple[Candle, ...] = ()
    stale: bool = False
    definition: str = DEFINITION

    @property
    def heard_at(self) -> datetime:
        """The time of its newest source: a venue that fails leaves before the others are old."""
        return max((source.at for source in self.sources), default=self.at)

    def fresh_until(self, stale_after: timedelta) -> datetime:
        """When its data becomes too old to ring on; it never was fresh where it began stale."""
        heard_at = self.heard_at
        return BEFORE_ALL if self.stale else heard_at + min(stale_after, AFTER_ALL - heard_at)

    def is_stale(self, now: datetime, stale_after: timedelta) -> bool:
        """Whether its data is too old by then to ring on."""
        return now > self.fresh_until(stale_after)


def compute_levels(chain: OptionChain, spot: float, now: datetime) -> Levels:
    """The levels of both sets and the sections beside them, as levels.md defines each."""
    rows = live_rows(chain, spot, now)
    gex = exposure(rows)
    today = rows.left_ms <= DAY_MS
    profile = strike_profile(rows, gex)
    odte_profile = strike_profile(rows.take(today), gex[today])
    zones = flip_zones(rows)
    net = float(rounded(gex.sum(), np.abs(gex).sum())) if np.any(gex) else None
    return Levels(
        all_expiry=level_set(profile, spot),
        odte=odte_set(odte_profile, spot),
        ranked=ranked_strikes(profile, spot),
        ranked_odte=ranked_strikes(odte_profile, spot),
        gamma_flip_zones=zones,
        max_pain=nearest_max_pain(rows),
        expected_move=expected_move(rows),
        net_gex=net,
        regime=None if net is None else regime(net, spot, zones),
        dropped=rows.dropped,
    )


def recompute(
    snapshot: Snapshot, chain: OptionChain, at: datetime, venues: Collection[str] | None = None
) -> Snapshot:
    """The snapshot as of `at`, from these venues' rows alone when they are named."""
    rows = chain if venues is None else only_venues(chain, venues)
    levels = compute_levels(rows, snapshot.spot, at)
    return replace(snapshot, at=at, levels=levels, sources=rows.sources)


def regime(net_gex: float, spot: float, zones: Iterable[FlipZone]) -> Regime:
    """Neutral inside a flip zone, else the sign of the total at spot."""
    if net_gex == 0 or any(zone.lower <= spot <= zone.upper for zone in zones):
        return "neutral"
    return "positive" if net_gex > 0 else "negative"


def regime_at(levels: Levels, was: float, spot: float) -> Regime | None:
    """The regime at another spot by the same zones: the sign turns at every flip between."""
    if levels.net_gex is None:
        return None
    low, high = sorted((was, spot))
    flips = sum(low < flip <= high for zone in levels.gamma_flip_zones for flip in zone.flips)
    return regime(levels.net_gex * (-1) ** flips, spot, levels.gamma_flip_zones)


def choose_spot(tick: Tick | None, chain: OptionChain, now: datetime) -> float | None:
    """The tick while it is fresh, else the median of the venues' median index, else None."""
    if tick is not None and now - tick.at <= FRESH_TICK:
        return tick.spot
    usable = np.isfinite(chain.index) & (chain.index > 0) & (chain.expiry > milliseconds(now))
    medians = [
        np.median(chain.index[usable & (chain.venue == venue)])
        for venue in np.unique(chain.venue[usable])
    ]
    return float(np.median(medians)) if medians else None


def snapshot_id(symbol: str, at: datetime) -> str:
    """One snapshot a symbol and moment: the id says which."""
    fraction = f"{at.microsecond:06d}" if at.microsecond else ""
    return f"{symbol}-{at:%Y%m%dT%H%M%S}{fraction}Z"
