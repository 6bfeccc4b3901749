"""Why a level moved: the parts of the move that each cause accounts for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from bot.core.chain import OptionChain, only_venues
from bot.core.events import LevelKey, level_price
from bot.core.snapshot import compute_levels


@dataclass(frozen=True, slots=True)
class State:
    """What levels are a function of."""

    chain: OptionChain
    spot: float  # USD
    at: datetime


def attribute(
    key: LevelKey, was: float, to: float, before: State | None, after: State
) -> Mapping[str, object]:
    """The move in USD by cause, and whether a wall re-formed beyond the spot that crossed it.

    The causes are put in one after the other: venues that came or went, time and expiries
    gone by, open interest, then IV and forwards, then spot. The parts sum to `to - was`;
    `earlier` is what had moved before the last snapshot without reaching the threshold.
    """
    if before is None:
        return {"reformed": False, "earlier": to - was}
    chains = _stages(before.chain, after.chain)
    stages = [
        ("earlier", before.chain, before.spot, before.at),
        ("venues", chains[0], before.spot, before.at),
        ("expiry", chains[0], before.spot, after.at),
        ("open_interest", chains[1], before.spot, after.at),
        ("iv", after.chain, before.spot, after.at),
    ]
    parts: dict[str, object] = {"reformed": _reformed(key, was, to, after.spot)}
    last = was
    for cause, chain, spot, at in stages:
        price = level_price(key, compute_levels(chain, spot, at))
        parts[cause] = price - last if price is not None else 0.0
        last = price if price is not None else last
    parts["spot"] = to - last
    return parts


def _reformed(key: LevelKey, was: float, to: float, spot: float) -> bool:
    """Whether spot went through the wall and the next one stands beyond it."""
    if key.name.startswith("call_"):
        return was < spot <= to
    return key.name.startswith("put_") and to <= spot < was


def _stages(old: OptionChain, new: OptionChain) -> tuple[OptionChain, OptionChain]:
    """The old rows with the new venues, and the new rows with the old IV and forwards."""
    common = {s.venue for s in old.sources} & {s.venue for s in new.sources}
    venues = only_venues(old, common)
    matched = _match(new, venues)
    known = matched >= 0
    columns = {}
    for name in ("iv", "forward", "index"):
        column = getattr(new, name).copy()
        column[known] = getattr(venues, name)[matched[known]]
        columns[name] = column
    return venues, replace(new, **columns)


def _match(rows: OptionChain, among: OptionChain) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """For each row its position in the other chain, (n,); -1 where it is not listed there."""
    position = {option: place for place, option in enumerate(_options(among))}
    return np.array([position.get(option, -1) for option in _options(rows)], np.int64)


def _options(chain: OptionChain) -> list[tuple[str, int, float, bool]]:
    venues = [chain.sources[place].venue for place in chain.venue.tolist()]
    return list(
        zip(
            venues,
            chain.expiry.tolist(),
            chain.strike.tolist(),
            chain.is_call.tolist(),
            strict=True,
        )
    )
