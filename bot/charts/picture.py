"""What a chart shows, as plain values that travel to the process that draws it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from bot.charts.bars import Bars, make_bars
from bot.charts.levels import Level, drawn_levels
from bot.charts.theme import DARK, Theme
from bot.charts.window import price_window, profile_window
from bot.core.chain import OptionChain
from bot.core.gex import exposure, live_rows, strike_profile
from bot.core.levels import ExpectedMove
from bot.core.snapshot import Candle, Regime, Snapshot
from bot.core.symbols import coin_of
from bot.core.zones import reprice

CURVE_POINTS = 361
SPAN = timedelta(hours=48)  # of candles


@dataclass(frozen=True, slots=True)
class Caption:
    """What is written around every chart."""

    coin: str
    drawn_at: datetime  # what the data's age is counted to
    net_gex: float | None  # USD per +1 %; None when no row has gamma
    regime: Regime | None
    ages: tuple[tuple[str, timedelta], ...]  # of each venue's data
    left_out: tuple[str, ...]  # venues that were not heard
    stale: bool
    simulated: bool
    definition: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """The price axis of every chart and what stands on it."""

    window: tuple[float, float]  # USD, its ends
    spot: float  # USD
    levels: tuple[Level, ...]
    zones: tuple[tuple[float, float], ...]  # USD, lower and upper edge


@dataclass(frozen=True, slots=True)
class ProfilePicture:
    """GEX by strike, the total over spot and the levels, cut to the strikes that matter."""

    theme: Theme
    caption: Caption
    ladder: Ladder
    bars: Bars
    curve_spot: tuple[float, ...]  # USD, ascending over the window
    curve_gex: tuple[float, ...]  # USD per +1 %; the total, were spot there


@dataclass(frozen=True, slots=True)
class PricePicture:
    """Two days of price with the levels, and where a day is expected to take it."""

    theme: Theme
    caption: Caption
    ladder: Ladder
    candles: tuple[Candle, ...]  # ascending, begun within SPAN before `at`
    at: datetime  # where the past ends: the snapshot's time
    move: ExpectedMove | None


Picture = ProfilePicture | PricePicture


def make_picture(
    kind: str,
    chain: OptionChain | None,
    snapshot: Snapshot,
    *,
    theme: Theme,
    simulated: bool,
) -> Picture:
    """The "price", or the "profile"; ages are counted to the snapshot's own time.

    So it is true however late it is looked at. Raises ValueError for a profile without a chain.
    """
    if kind == "price":
        return price_picture(snapshot, snapshot.at, simulated=simulated, theme=theme)
    if chain is None:
        raise ValueError("a profile is drawn from a chain")
    return profile_picture(chain, snapshot, snapshot.at, simulated=simulated, theme=theme)


def profile_picture(
    chain: OptionChain, snapshot: Snapshot, now: datetime, *, simulated: bool, theme: Theme = DARK
) -> ProfilePicture:
    """The snapshot drawn from its chain; `now` is what the data's age is counted to."""
    # At the snapshot's own time and spot, so that the curve crosses zero where its flip is.
    rows = live_rows(chain, snapshot.spot, snapshot.at)
    profile = strike_profile(rows, exposure(rows))
    window = profile_window(profile, snapshot.spot, drawn_levels(snapshot))
    has_gamma = snapshot.levels.net_gex is not None
    spots = np.linspace(*window, CURVE_POINTS) if has_gamma else np.empty(0)
    return ProfilePicture(
        theme,
        _caption(snapshot, now, simulated=simulated),
        _ladder(snapshot, window),
        bars=make_bars(profile, window),
        curve_spot=tuple(spots.tolist()),
        curve_gex=tuple(reprice(rows, spots).tolist()) if has_gamma else (),
    )


def price_picture(
    snapshot: Snapshot, now: datetime, *, simulated: bool, theme: Theme = DARK
) -> PricePicture:
    """The snapshot's candles and levels; `now` is what the data's age is counted to."""
    candles = tuple(one for one in snapshot.candles if snapshot.at - one.datetime < SPAN)
    move = snapshot.levels.expected_move
    window = price_window(candles, snapshot.spot, drawn_levels(snapshot), move)
    return PricePicture(
        theme,
        _caption(snapshot, now, simulated=simulated),
        _ladder(snapshot, window),
        candles,
        at=snapshot.at,
        move=move,
    )


def _caption(snapshot: Snapshot, now: datetime, *, simulated: bool) -> Caption:
    return Caption(
        coin=coin_of(snapshot.symbol),
        drawn_at=now,
        net_gex=snapshot.levels.net_gex,
        regime=snapshot.levels.regime,
        ages=tuple((source.venue, now - source.at) for source in snapshot.sources),
        left_out=tuple(snapshot.left_out),
        stale=snapshot.stale,
        simulated=simulated,
        definition=snapshot.definition,
    )


def _ladder(snapshot: Snapshot, window: tuple[float, float]) -> Ladder:
    zones = tuple((zone.lower, zone.upper) for zone in snapshot.levels.gamma_flip_zones)
    return Ladder(window, snapshot.spot, drawn_levels(snapshot), zones)
