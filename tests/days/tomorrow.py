"""What the simulated market will do: it is a function of time, so that a day can be planned."""

from dataclasses import dataclass
from time import time

import numpy as np

from bot.markets import SEED
from bot.sim.market import Market

MARKET = Market(SEED)
COINS = ("BTC", "ETH")
HORIZON = 180  # seconds; by then each coin's tide has turned
CLEAR = 0.0004  # fraction that spot stands away from the price before and after


@dataclass(frozen=True)
class Passage:
    """A price that spot comes from one side of, and is beyond by then."""

    coin: str
    price: float  # USD
    at: float  # Unix seconds

    @property
    def rule(self):
        """The line that rings once on it."""
        return f"{self.coin.lower()} {self.price:g} cross any buffer 0.01% once"

    @property
    def text(self):
        """How the ring writes the price."""
        return f"{self.coin} crossed your price ${self.price:,g} "

    @property
    def is_over(self):
        """Whether spot has just passed."""
        return time() > self.at + 1


def next_passage(after=4, lasting=3):
    """The first that is so many seconds away; spot stays beyond it at least that long."""
    return min((_passage(coin, after, lasting) for coin in COINS), key=lambda one: one.at)


def _passage(coin, after, lasting):
    now = time()
    path = MARKET.prices(coin, now + np.arange(HORIZON + lasting))
    before = path[: after + 1]
    for second in range(after + 1, HORIZON):
        beyond = path[second : second + lasting]
        for lower, upper in ((before, beyond), (beyond, before)):
            if lower.max() * (1 + 2 * CLEAR) < upper.min():
                return Passage(coin, round((lower.max() + upper.min()) / 2, 1), now + second)
    raise AssertionError(f"{coin} goes nowhere within {HORIZON} s")
