"""The levels of one set of rows: walls, HVL, ranked strikes, max pain, expected move."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bot.core.chain import Bools, Floats, from_milliseconds, sum_by
from bot.core.gex import ROUNDING, LiveRows, StrikeProfile, rounded

HOUR_MS = 3_600_000.0
ONE_DAY_ROOT = float(np.sqrt(1 / 365))


@dataclass(frozen=True, slots=True)
class LevelSet:
    """The levels of every live row; None is "does not exist"."""

    hvl: float | None = None  # USD, like all of them
    call_resistance: float | None = None
    call_wall_2: float | None = None
    call_wall_3: float | None = None
    put_support: float | None = None
    put_wall_2: float | None = None
    put_wall_3: float | None = None


@dataclass(frozen=True, slots=True)
class OdteSet:
    """The levels of the rows that expire within 24 hours."""

    hvl: float | None = None  # USD
    call_resistance: float | None = None
    put_support: float | None = None


@dataclass(frozen=True, slots=True)
class RankedStrike:
    """One of the ten strikes with the most exposure, either sign."""

    strike: float  # USD
    net_gex: float  # USD per +1 %
    call_gex: float  # USD per +1 %
    put_gex: float  # USD per +1 %
    call_oi: float  # coins
    put_oi: float  # coins
    distance_pct: float  # % from spot


@dataclass(frozen=True, slots=True)
class MaxPain:
    """The strike where one expiry pays its holders least, and what it pays there."""

    strike: float  # USD
    value: float  # USD
    expiry: datetime


@dataclass(frozen=True, slots=True)
class ExpectedMove:
    """One-day bands around spot, one and two standard deviations."""

    upper_1sd: float  # USD
    lower_1sd: float
    upper_2sd: float
    lower_2sd: float


def level_set(profile: StrikeProfile, spot: float) -> LevelSet:
    """HVL and the three walls on each side of spot."""
    net = profile.net_gex
    calls = _strongest(profile.strike, net, (profile.strike >= spot) & (net > 0), spot, 3)
    puts = _strongest(profile.strike, net, (profile.strike <= spot) & (net < 0), spot, 3)
    walls = [*profile.strike[calls].tolist(), None, None, None][:3]
    supports = [*profile.strike[puts].tolist(), None, None, None][:3]
    return LevelSet(find_hvl(profile, spot), *walls, *supports)


def odte_set(profile: StrikeProfile, spot: float) -> OdteSet:
    """The three levels of the day from the profile of its rows."""
    levels = level_set(profile, spot)
    return OdteSet(levels.hvl, levels.call_resistance, levels.put_support)


def find_hvl(profile: StrikeProfile, spot: float) -> float | None:
    """The strike nearest spot at which the running sum of net GEX takes the opposite sign."""
    net = profile.net_gex
    gross = np.cumsum(profile.gross_gex)
    turns = np.flatnonzero(sign_changes(rounded(np.cumsum(net), gross))) + 1
    if not len(turns):
        return None
    nearest = np.lexsort((profile.strike[turns], np.abs(profile.strike[turns] - spot)))[0]
    return float(profile.strike[turns[nearest]])


def sign_changes(value: Floats) -> Bools:
    """(n-1,): between which neighbours the sign turns; zeros carry the sign before them."""
    sign = np.sign(value)
    last = np.maximum.accumulate(np.where(sign != 0, np.arange(len(sign)), 0))
    carried = sign[last]
    return carried[:-1] * carried[1:] < 0


def ranked_strikes(profile: StrikeProfile, spot: float) -> tuple[RankedStrike, ...]:
    """At most ten strikes, the largest exposure of either sign first."""
    net = profile.net_gex
    top = _strongest(profile.strike, net, net != 0, spot, 10)
    columns = (
        profile.strike[top],
        net[top],
        profile.call_gex[top],
        profile.put_gex[top],
        profile.call_oi[top],
        profile.put_oi[top],
        (profile.strike[top] / spot - 1) * 100,
    )
    return tuple(RankedStrike(*row) for row in np.stack(columns, axis=1).tolist())


def nearest_max_pain(rows: LiveRows) -> MaxPain | None:
    """Max pain of the nearest expiry that has open interest."""
    held = rows.oi > 0
    if not held.any():
        return None
    return max_pain(rows.take(rows.expiry == rows.expiry[held].min()))


def max_pain(rows: LiveRows) -> MaxPain:
    """The listed strike of one expiry where holders are paid least, ties nearest to spot."""
    strikes, payout = payouts(rows)
    cheapest = np.flatnonzero(payout <= payout.min() * (1 + ROUNDING))
    nearest = np.lexsort((strikes[cheapest], np.abs(strikes[cheapest] - rows.spot)))[0]
    strike = cheapest[nearest]
    expiry = from_milliseconds(int(rows.expiry[0]))
    return MaxPain(float(strikes[strike]), float(payout[strike]), expiry)


def payouts(rows: LiveRows) -> tuple[Floats, Floats]:
    """Strikes of one expiry (k,), and the USD that holders are paid at each (k,).

    Sums of non-negative steps only, so that a payout of nothing is exactly 0.
    """
    strikes, position = np.unique(rows.strike, return_inverse=True)
    call_oi = sum_by(position, len(strikes), np.where(rows.is_call, rows.oi, 0.0))
    put_oi = sum_by(position, len(strikes), np.where(rows.is_call, 0.0, rows.oi))
    steps = np.diff(strikes)
    to_calls = np.concatenate(([0.0], np.cumsum(steps * np.cumsum(call_oi)[:-1])))
    to_puts = np.concatenate(([0.0], np.cumsum(steps[::-1] * np.cumsum(put_oi[::-1])[:-1])))
    return strikes, to_calls + to_puts[::-1]


def expected_move(rows: LiveRows) -> ExpectedMove | None:
    """The one-day move that the at-the-money IV of the nearest usable expiry implies."""
    iv = atm_iv(rows)
    if iv is None:
        return None
    spot, move = rows.spot, iv * ONE_DAY_ROOT
    bands = (spot * np.exp(k * move) for k in (1, -1, 2, -2))
    return ExpectedMove(*map(float, bands))


def atm_iv(rows: LiveRows) -> float | None:
    """ATM IV, a fraction a year, of the nearest expiry over an hour away that has any."""
    usable = np.isfinite(rows.iv) & (rows.left_ms > HOUR_MS)
    if not usable.any():
        return None
    return expiry_atm_iv(rows.take(rows.expiry == rows.expiry[usable].min()))


def expiry_atm_iv(rows: LiveRows) -> float | None:
    """IV at the median forward of one expiry, linear between strikes, flat outside."""
    valid = np.isfinite(rows.iv)
    if not valid.any():
        return None
    strikes, position = np.unique(rows.strike[valid], return_inverse=True)
    mean_iv = sum_by(position, len(strikes), rows.iv[valid]) / np.bincount(position)
    return float(np.interp(np.median(rows.forward), strikes, mean_iv))


def _strongest(strike: Floats, size: Floats, wanted: Bools, spot: float, count: int) -> list[int]:
    """Positions of the `count` largest: ties go to the nearer to spot, then to the lower."""
    at = np.flatnonzero(wanted)
    magnitude = np.abs(size[at])
    if len(at) > count:  # only these can be among the first
        least = np.partition(magnitude, -count)[-count]
        near = magnitude >= least * (1 - ROUNDING)
        at, magnitude = at[near], magnitude[near]
    largest = sorted(zip((-magnitude).tolist(), at.tolist(), strict=True))
    ranked, rank, last = [], 0, 0.0
    for negative, position in largest:
        rank += -negative < last * (1 - ROUNDING)
        last = -negative
        price = float(strike[position])
        ranked.append((rank, abs(price - spot), price, position))
    return [position for *_, position in sorted(ranked)[:count]]
