"""What a venue tells besides the market's marks: quotes on both sides, and greeks."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from bot.sim.market import DAY, SHORTEST, YEAR, Chain
from bot.sim.noise import Floats

CHEAPEST = 2e-4  # of the index; nobody quotes what is worth less
AWAY = 0.02  # from the mark, in price and in IV
TO_BID, TO_ASK = 1 - AWAY, 1 + AWAY


@dataclass(frozen=True, eq=False)
class Quotes:
    """0 where nobody quotes."""

    bid: Floats  # (n,) USD
    ask: Floats
    bid_iv: Floats  # (n,) fraction, four decimals
    ask_iv: Floats


@dataclass(frozen=True, eq=False)
class Greeks:
    """Black-76's, of one coin's option."""

    delta: Floats  # (n,)
    gamma: Floats  # (n,) a USD
    vega: Floats  # (n,) USD for a hundredth of IV
    theta: Floats  # (n,) USD a day


def quotes(chain: Chain) -> Quotes:
    quoted = chain.mark >= CHEAPEST * chain.index
    return Quotes(
        bid=np.where(quoted, TO_BID * chain.mark, 0.0),
        ask=np.where(quoted, TO_ASK * chain.mark, 0.0),
        bid_iv=np.where(quoted, np.round(TO_BID * chain.iv, 4), 0.0),
        ask_iv=np.where(quoted, np.round(TO_ASK * chain.iv, 4), 0.0),
    )


def greeks(chain: Chain, underlying: Floats) -> Greeks:
    """By the price that the venue holds for the underlying: (n,) USD."""
    years = np.maximum(chain.expiry - chain.at.timestamp(), SHORTEST) / YEAR  # (n,)
    deviation = chain.iv * np.sqrt(years)
    d1 = np.log(underlying / chain.strike) / deviation + deviation / 2
    density = np.exp(-(d1**2) / 2) / np.sqrt(2 * np.pi)
    cdf = NormalDist().cdf
    return Greeks(
        delta=np.array([cdf(value) for value in d1.tolist()]) - ~chain.is_call,
        gamma=density / (underlying * deviation),
        vega=underlying * density * np.sqrt(years) / 100,
        theta=-underlying * density * chain.iv / (2 * np.sqrt(years)) * DAY / YEAR,
    )
