"""A chain by strike and by expiry: what the levels summarise."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bot.core.chain import OptionChain, from_milliseconds
from bot.core.gex import DAY_MS, LiveRows, exposure, live_rows, strike_profile
from bot.core.levels import MaxPain, expiry_atm_iv, max_pain
from bot.core.words import MONTHS

ALL, ODTE = "all", "0dte"


@dataclass(frozen=True, slots=True)
class StrikeRow:
    """One strike of the profile."""

    strike: float  # USD
    call_gex: float  # USD per +1 %
    put_gex: float  # USD per +1 %, negative
    net_gex: float  # USD per +1 %
    call_oi: float  # coins
    put_oi: float  # coins


@dataclass(frozen=True, slots=True)
class ExpiryRow:
    """One expiry of the chain."""

    expiry: datetime
    hours_left: float
    call_oi: float  # coins
    put_oi: float  # coins
    net_gex: float  # USD per +1 %
    atm_iv: float | None  # a year, fraction
    max_pain: float | None  # USD; None without open interest


def by_strike(
    chain: OptionChain, spot: float, at: datetime, expiry: str = ALL
) -> Sequence[StrikeRow]:
    """The profile of the wanted expiries, strikes ascending."""
    rows = wanted_rows(live_rows(chain, spot, at), expiry)
    profile = strike_profile(rows, exposure(rows))
    columns = (
        profile.strike,
        profile.call_gex,
        profile.put_gex,
        profile.net_gex,
        profile.call_oi,
        profile.put_oi,
    )
    return [StrikeRow(*row) for row in np.stack(columns, axis=1).tolist()]


def by_expiry(chain: OptionChain, spot: float, at: datetime) -> Sequence[ExpiryRow]:
    """Every live expiry, the nearest first."""
    return [_expiry_row(rows) for rows in _expiries(live_rows(chain, spot, at))]


def pains(
    chain: OptionChain, spot: float, at: datetime, expiry: str = ALL
) -> Mapping[datetime, MaxPain | None]:
    """Max pain of each wanted expiry, the nearest first; None where nobody holds anything."""
    rows = wanted_rows(live_rows(chain, spot, at), expiry)
    return {
        from_milliseconds(int(part.expiry[0])): max_pain(part) if np.any(part.oi > 0) else None
        for part in _expiries(rows)
    }


def wanted_rows(rows: LiveRows, expiry: str) -> LiveRows:
    """The rows of all expiries, of those within 24 hours, or of the one day that is named."""
    if expiry == ALL:
        return rows
    if expiry == ODTE:
        return rows.take(rows.left_ms <= DAY_MS)
    named = [one for one in np.unique(rows.expiry).tolist() if expiry.upper() in day_names(one)]
    return rows.take(np.isin(rows.expiry, named))


def day_names(expiry_ms: int) -> Sequence[str]:
    """How the day of an expiry may be written: 2026-03-07, 7MAR26, 07MAR26."""
    day = from_milliseconds(expiry_ms)
    return f"{day:%Y-%m-%d}", day_token(day).removeprefix("0"), day_token(day)


def day_token(day: datetime) -> str:
    """The day as venues name it: 07MAR26."""
    return f"{day:%d}{MONTHS[day.month - 1]}{day:%y}"


def _expiries(rows: LiveRows) -> Iterator[LiveRows]:
    for expiry in np.unique(rows.expiry):
        yield rows.take(rows.expiry == expiry)


def _expiry_row(rows: LiveRows) -> ExpiryRow:
    held = bool(np.any(rows.oi > 0))
    return ExpiryRow(
        expiry=from_milliseconds(int(rows.expiry[0])),
        hours_left=float(rows.left_ms[0]) / 3_600_000,
        call_oi=float(rows.oi[rows.is_call].sum()),
        put_oi=float(rows.oi[~rows.is_call].sum()),
        net_gex=float(exposure(rows).sum()),
        atm_iv=expiry_atm_iv(rows),
        max_pain=max_pain(rows).strike if held else None,
    )
