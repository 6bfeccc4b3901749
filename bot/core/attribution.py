"""Why a level moved: the parts of the move that each cause accounts for."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np

from bot.core.chain import OptionChain, merge, milliseconds
from bot.core.events import LevelKey, level_price
from bot.core.snapshot import Levels, compute_levels


@dataclass(frozen=True, slots=True)
class State:
    """What levels are a function of, and the levels."""

    chain: OptionChain
    spot: float  # USD
    at: datetime
    levels: Levels


class Causes:
    """Splits the moves between two states by cause; the states in between are computed once.

    The causes are put in one after the other: venues, or expiries of theirs, that came or went,
    time and expiries gone by, open interest, then IV and forwards, then spot. `earlier` is what
    had moved before the last snapshot without reaching the threshold.
    """

    def __init__(self, before: State | None, after: State) -> None:
        self._before = before
        self._after = after

    def explain(self, key: LevelKey, was: float, to: float) -> Mapping[str, object]:
        """The move in USD by cause, in parts that sum to `to - was`.

        With them whether a wall re-formed beyond the spot that crossed it.
        """
        parts: dict[str, object] = {"reformed": _reformed(key, was, to, self._after.spot)}
        last = was
        for cause, levels in self._stages:
            price = level_price(key, levels)
            parts[cause] = price - last if price is not None else 0.0
            last = price if price is not None else last
        return parts | {"spot" if self._stages else "earlier": to - last}

    @cached_property
    def _stages(self) -> list[tuple[str, Levels]]:
        """The levels after each cause but the last; none when the state before is not known."""
        before, after = self._before, self._after
        if before is None:
            return []
        venues, open_interest = _chains(before.chain, after.chain, after.at)
        same = venues is before.chain  # as in almost every cycle
        return [
            ("earlier", before.levels),
            ("venues", before.levels if same else compute_levels(venues, before.spot, before.at)),
            ("expiry", compute_levels(venues, before.spot, after.at)),
            ("open_interest", compute_levels(open_interest, before.spot, after.at)),
            ("iv", compute_levels(after.chain, before.spot, after.at)),
        ]


def _reformed(key: LevelKey, was: float, to: float, spot: float) -> bool:
    """Whether spot went through the wall and the next one stands beyond it."""
    if key.name.startswith("call_"):
        return was < spot <= to
    return key.name.startswith("put_") and to <= spot < was


def _chains(old: OptionChain, new: OptionChain, now: datetime) -> tuple[OptionChain, OptionChain]:
    """The old rows with the parts that came, and the new rows with the old IV and forwards.

    A part is a venue's expiry; one that has expired is no part that went. The first is the old
    chain itself where none came or went.
    """
    was, are, now_ms = _parts(old), _parts(new), milliseconds(now)
    present, past = set(are), set(was)
    stays = np.array([part in present or part[1] <= now_ms for part in was], np.bool_)
    came = np.array([part not in past for part in are], np.bool_)
    venues = old
    if not stays.all() or came.any():
        venues = merge(new.underlying, [old.take(stays), new.take(came)])
    matched = _match(new, venues)
    known = matched >= 0
    columns = {}
    for name in ("iv", "forward", "index"):
        column = getattr(new, name).copy()
        column[known] = getattr(venues, name)[matched[known]]
        columns[name] = column
    return venues, replace(new, **columns)


def _parts(chain: OptionChain) -> list[tuple[str, int]]:
    """Venue and expiry of each row."""
    venues = [source.venue for source in chain.sources]
    rows = zip(chain.venue.tolist(), chain.expiry.tolist(), strict=True)
    return [(venues[place], expiry) for place, expiry in rows]


def _match(rows: OptionChain, among: OptionChain) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """For each row its position in the other chain, (n,); -1 where it is not listed there."""
    position = {option: place for place, option in enumerate(_options(among))}
    return np.array([position.get(option, -1) for option in _options(rows)], np.int64)


def _options(chain: OptionChain) -> list[tuple[object, ...]]:
    """What tells each row from the others; the twins of two families by their order."""
    seen: Counter[tuple[object, ...]] = Counter()
    options: list[tuple[object, ...]] = []
    rows = zip(_parts(chain), chain.strike.tolist(), chain.is_call.tolist(), strict=True)
    for option in rows:
        options.append((*option, seen[option]))
        seen[option] += 1
    return options
