"""What a chart shows, as plain values that travel to the process that draws it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from bot.core.chain import OptionChain
from bot.core.events import LevelKey, levels_of
from bot.core.gex import StrikeProfile, exposure, live_rows, strike_profile
from bot.core.snapshot import Regime, Snapshot
from bot.core.symbols import coin_of
from bot.core.text import label
from bot.core.zones import reprice

TAIL = 0.015  # of gross GEX left out at each end: the window holds 97 %
NARROWEST = 0.08  # of spot, on each side
WIDEST = 0.35
MARGIN = 0.02  # of the window, so that nothing sits on the frame
MOST_BARS = 150  # six pixels each on the picture; nearer strikes share a bar
UNSEEN = 0.001  # of the longest bar: half a pixel
THICKEST = 1 / 36  # of the window: the bar of a strike that stands alone
CURVE_POINTS = 361
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)

Kind = Literal["spot", "hvl", "call", "put", "flip", "max_pain", "move"]

# The levels drawn: the first ones keep their label when there is no room for all.
KINDS: dict[str, Kind] = {
    "call_resistance": "call",
    "put_support": "put",
    "hvl": "hvl",
    "flip": "flip",
    "max_pain": "max_pain",
    "em_upper_1sd": "move",
    "em_lower_1sd": "move",
    "call_wall_2": "call",
    "put_wall_2": "put",
    "call_wall_3": "call",
    "put_wall_3": "put",
}


@dataclass(frozen=True, slots=True)
class Level:
    """A level by name; those that matter most come first in a picture."""

    name: str
    kind: Kind
    price: float  # USD
    odte: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Exposure by strike, strikes ascending, a bar each; put_gex is negative."""

    strike: tuple[float, ...]  # USD
    call_gex: tuple[float, ...]  # USD per +1 %
    put_gex: tuple[float, ...]  # USD per +1 %
    thickness: float  # USD of the strike axis
    step: float | None  # USD of strikes that share a bar; None: each has its own


@dataclass(frozen=True, slots=True)
class ProfilePicture:
    """GEX by strike, the total over spot and the levels, cut to the strikes that matter."""

    coin: str
    drawn_at: datetime
    spot: float  # USD
    net_gex: float | None  # USD per +1 %; None when no row has gamma
    regime: Regime | None
    window: tuple[float, float]  # USD, of strikes and spots
    bars: Bars
    curve_spot: tuple[float, ...]  # USD, ascending over the window
    curve_gex: tuple[float, ...]  # USD per +1 %; the total, were spot there
    levels: tuple[Level, ...]
    zones: tuple[tuple[float, float], ...]  # USD, lower and upper edge
    ages: tuple[tuple[str, timedelta], ...]  # of each venue's data
    left_out: tuple[str, ...]  # venues that were not heard
    stale: bool
    simulated: bool
    definition: str


def profile_picture(
    chain: OptionChain, snapshot: Snapshot, now: datetime, *, simulated: bool
) -> ProfilePicture:
    """The snapshot drawn from its chain; `now` is what the data's age is counted to."""
    # At the snapshot's own time and spot, so that the curve crosses zero where its flip is.
    rows = live_rows(chain, snapshot.spot, snapshot.at)
    profile = strike_profile(rows, exposure(rows))
    levels = drawn_levels(snapshot)
    window = choose_window(profile, snapshot.spot, levels)
    has_gamma = snapshot.levels.net_gex is not None
    spots = np.linspace(*window, CURVE_POINTS) if has_gamma else np.empty(0)
    return ProfilePicture(
        coin=coin_of(snapshot.symbol),
        drawn_at=now,
        spot=snapshot.spot,
        net_gex=snapshot.levels.net_gex,
        regime=snapshot.levels.regime,
        window=window,
        bars=make_bars(profile, window),
        curve_spot=tuple(spots.tolist()),
        curve_gex=tuple(reprice(rows, spots).tolist()) if has_gamma else (),
        levels=levels,
        zones=tuple((zone.lower, zone.upper) for zone in snapshot.levels.gamma_flip_zones),
        ages=tuple((source.venue, now - source.at) for source in snapshot.sources),
        left_out=tuple(snapshot.left_out),
        stale=snapshot.stale,
        simulated=simulated,
        definition=snapshot.definition,
    )


def drawn_levels(snapshot: Snapshot) -> tuple[Level, ...]:
    """The levels that a chart names: those that matter most first, then those nearest to spot."""
    order = list(KINDS)

    def rank(item: tuple[LevelKey, float]) -> tuple[int, bool, float]:
        key, price = item
        return order.index(key.name), key.scope == "odte", abs(price - snapshot.spot)

    known = [item for item in levels_of(snapshot).items() if item[0].name in KINDS]
    return tuple(
        Level(label(key), KINDS[key.name], price, odte=key.scope == "odte")
        for key, price in sorted(known, key=rank)
    )


def choose_window(
    profile: StrikeProfile, spot: float, levels: Iterable[Level]
) -> tuple[float, float]:
    """The strikes that matter: nearly all exposure, and the levels within reach of spot."""
    lowest, highest = spot * (1 - WIDEST), spot * (1 + WIDEST)
    gross = np.cumsum(np.abs(profile.call_gex) + np.abs(profile.put_gex))
    ends = [spot * (1 - NARROWEST), spot * (1 + NARROWEST)]
    if len(gross) and gross[-1] > 0:
        tails = np.searchsorted(gross, gross[-1] * np.array([TAIL, 1 - TAIL]))
        ends += np.clip(profile.strike[tails], lowest, highest).tolist()
    ends += [level.price for level in levels if lowest <= level.price <= highest]
    margin = (max(ends) - min(ends)) * MARGIN
    return min(ends) - margin, max(ends) + margin


def make_bars(profile: StrikeProfile, window: tuple[float, float]) -> Bars:
    """A bar for each strike of the window that has exposure; those too near share one."""
    low, high = window
    inside = (profile.strike >= low) & (profile.strike <= high)
    strike, call, put = profile.strike[inside], profile.call_gex[inside], profile.put_gex[inside]
    gross = call - put
    seen = gross > gross.max(initial=0) * UNSEEN
    apart = float(np.diff(strike[seen]).min(initial=(high - low) * THICKEST))
    step = None
    if apart >= (high - low) / MOST_BARS:
        strike, call, put = strike[seen], call[seen], put[seen]
    else:
        step = apart = nice_step((high - low) / MOST_BARS)
        slot, position = np.unique(np.round(strike / step), return_inverse=True)
        strike = slot * step
        call, put = (np.bincount(position, gex).astype(np.float64) for gex in (call, put))
    return Bars(
        tuple(strike.tolist()),
        tuple(call.tolist()),
        tuple(put.tolist()),
        thickness=apart,
        step=step,
    )


def nice_step(least: float) -> float:
    """The smallest round number that is not below `least`."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(next((nice * power for nice in NICE if nice * power >= least), NICE[-1] * power))
