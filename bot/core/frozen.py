"""Venues that go on answering while their market stands still."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from bot.core.chain import OptionChain

MOVED = 0.001  # of the price: so far the others must have gone meanwhile


@dataclass(frozen=True, slots=True)
class Stillness:
    """Since when a venue's prices have not changed, and where the other venues stood then."""

    prices: bytes  # every index and forward of the chain
    since: datetime
    others: float  # USD, NaN where there were none

    def is_frozen(self, others: float, now: datetime, after: timedelta) -> bool:
        """Whether the others, who stand at that price now, moved on while it stood still.

        When all stand still nothing says that any of them is wrong.
        """
        return now - self.since > after and abs(others / self.others - 1) > MOVED


def observe(
    before: Stillness | None, chain: OptionChain, others: float, now: datetime
) -> Stillness:
    """The stillness before, or a new one where the chain's prices changed or it had no company."""
    prices = np.unique(np.concatenate([chain.index, chain.forward])).tobytes()
    if before is not None and before.prices == prices and not math.isnan(before.others):
        return before
    return Stillness(prices, now, others)


def median_index(chain: OptionChain) -> float:
    """USD; NaN where no row has an index."""
    known = chain.index[np.isfinite(chain.index) & (chain.index > 0)]
    return float(np.median(known)) if len(known) else math.nan
