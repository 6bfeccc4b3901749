"""Gamma exposure: what dealers trade against a 1 % move, by option and by strike.

The formula is Black-76 at zero rate; dealers are taken as long calls and short puts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from bot.core.chain import Bools, Floats, Ints, OptionChain, milliseconds, sum_by

YEAR_MS = 365 * 86_400_000.0  # ACT/365
DAY_MS = 86_400_000.0
FLOOR_MS = 30 * 60_000.0  # a live row never has less than 30 minutes: gamma grows without bound
VALID_IV = (0.01, 5.0)  # outside it an IV is junk or a wrong unit
ONE_PERCENT = 0.01
ROUNDING = 1e-12  # of its gross terms: a sum that is smaller is zero
ROOT_TWO_PI = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class LiveRows:
    """The rows of a chain that still live at `now`, with everything a formula needs."""

    spot: float  # USD
    dropped: Mapping[str, int]  # rows of the whole chain, by why they count less or not at all
    strike: Floats  # (n,) USD
    is_call: Bools  # (n,)
    oi: Floats  # (n,) coins, 0 where it was unusable
    iv: Floats  # (n,) a year, fraction; NaN where it was unusable
    forward: Floats  # (n,) USD, scaled to `spot`
    expiry: Ints  # (n,) ms since 1970, UTC
    left_ms: Floats  # (n,) ms to expiry, above 0
    v: Floats  # (n,) iv * sqrt(T); NaN without IV
    d1: Floats  # (n,) ln(F / K) / v + v / 2; NaN without IV

    def take(self, rows: Bools) -> "LiveRows":
        """These rows alone; the counts of the whole chain stay."""
        places = np.flatnonzero(rows)  # once for nine columns
        columns = {name: getattr(self, name)[places] for name in LIVE_COLUMNS}
        return LiveRows(self.spot, self.dropped, **columns)

    def side(self) -> Floats:
        """+1 for a call, -1 for a put, (n,): dealers are long calls and short puts."""
        return np.where(self.is_call, 1.0, -1.0)


LIVE_COLUMNS = ("strike", "is_call", "oi", "iv", "forward", "expiry", "left_ms", "v", "d1")


@dataclass(frozen=True, eq=False)
class StrikeProfile:
    """Exposure and open interest at each strike, strikes ascending; put_gex is negative."""

    strike: Floats  # (k,) USD
    call_gex: Floats  # (k,) USD per +1 %
    put_gex: Floats  # (k,) USD per +1 %
    call_oi: Floats  # (k,) coins
    put_oi: Floats  # (k,) coins

    @cached_property
    def net_gex(self) -> Floats:
        """call_gex + put_gex, (k,) USD per +1 %."""
        return rounded(self.call_gex + self.put_gex, self.gross_gex)

    @cached_property
    def gross_gex(self) -> Floats:
        """Both sides unsigned, (k,) USD per +1 %."""
        return self.call_gex - self.put_gex


def live_rows(chain: OptionChain, spot: float, now: datetime) -> LiveRows:
    """The rows that have not expired, cleaned, with counts of what was not usable.

    An expired row is gone; an unusable IV only loses its gamma; an unusable OI is 0.
    """
    left = np.subtract(chain.expiry, milliseconds(now), dtype=np.float64)
    live = left > 0
    rows = chain if live.all() else chain.take(live)
    left = left[live]
    usable_oi = np.isfinite(rows.oi) & (rows.oi >= 0)
    usable_iv = (rows.iv >= VALID_IV[0]) & (rows.iv <= VALID_IV[1])
    quoted = _forwards(rows, spot)
    dropped = {
        **chain.unreadable,
        "expired": len(chain) - len(rows),
        "iv_unusable": int(np.count_nonzero(~usable_iv)),
        "oi_unusable": int(np.count_nonzero(~usable_oi)),
        "forward_missing": int(np.count_nonzero(np.isnan(quoted))),
    }
    iv = np.where(usable_iv, rows.iv, np.nan)
    forward = np.where(np.isnan(quoted), spot, quoted)
    v = iv * np.sqrt(np.maximum(left, FLOOR_MS) / YEAR_MS)
    return LiveRows(
        spot=spot,
        dropped={reason: count for reason, count in dropped.items() if count},
        strike=rows.strike,
        is_call=rows.is_call,
        oi=np.where(usable_oi, rows.oi, 0.0),
        iv=iv,
        forward=forward,
        expiry=rows.expiry,
        left_ms=left,
        v=v,
        d1=np.log(forward / rows.strike) / v + v / 2,
    )


def exposure(rows: LiveRows) -> Floats:
    """GEX of each row, (n,) USD of delta per +1 % move; 0 without OI or IV."""
    phi = np.exp(-0.5 * rows.d1 * rows.d1) / ROOT_TWO_PI
    gex = rows.side() * rows.oi * phi / (rows.forward * rows.v) * rows.forward**2 * ONE_PERCENT
    return np.where((rows.oi > 0) & np.isfinite(rows.v), gex, 0.0)


def strike_profile(rows: LiveRows, gex: Floats) -> StrikeProfile:
    """Exposure and OI summed at each exact strike over every venue and expiry of the rows."""
    strike, position = np.unique(rows.strike, return_inverse=True)
    alternating = 2 * position + 1 - rows.is_call  # call, put, call, ...: two sums in one pass
    call_gex, put_gex = sum_by(alternating, 2 * len(strike), gex).reshape(-1, 2).T
    call_oi, put_oi = sum_by(alternating, 2 * len(strike), rows.oi).reshape(-1, 2).T
    return StrikeProfile(strike, call_gex, put_gex, call_oi, put_oi)


def rounded(value: Floats, gross: Floats) -> Floats:
    """The sums, 0 where they are within rounding of their unsigned terms.

    Whether a sum that cancels ends a hair above or below nothing depends on the order of its
    terms, and no level may depend on that.
    """
    return np.where(np.abs(value) <= ROUNDING * gross, 0.0, value)


def _forwards(rows: OptionChain, spot: float) -> Floats:
    """Each row's forward moved to `spot`, (n,) USD; NaN where there is none to take.

    A venue that quotes no forward at all takes, for each expiry, the others' median.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        own = rows.forward * spot / rows.index
    quoted = np.isfinite(own) & (own > 0) & (rows.forward > 0) & (rows.index > 0)
    forward = np.where(quoted, own, np.nan)
    quotes = np.zeros(len(rows.sources), np.bool_)
    quotes[rows.venue[quoted]] = True
    if quotes.all():
        return forward
    silent = ~quotes[rows.venue]
    for expiry in np.unique(rows.expiry[silent]):
        same = rows.expiry == expiry
        if np.any(same & quoted):
            forward[same & silent] = np.median(own[same & quoted])
    return forward
