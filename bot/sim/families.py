"""A coin's two families of options share its open interest; their prices are the same."""

from dataclasses import replace

import numpy as np

from bot.sim.market import Chain
from bot.sim.noise import Floats

SMALLER = 3  # one lot in so many is the smaller family's


def whole(chain: Chain) -> Chain:
    """The only family's chain."""
    return chain


def larger(chain: Chain) -> Chain:
    """The chain of the family that holds what the smaller one does not."""
    lots = _lots(chain)
    return _with(chain, lots - lots // SMALLER)


def smaller(chain: Chain) -> Chain:
    """The chain of the family that holds a third of each row's lots, rounded down."""
    return _with(chain, _lots(chain) // SMALLER)


def _lots(chain: Chain) -> Floats:
    lots: Floats = np.round(chain.open_interest / chain.coin.lot)
    return lots


def _with(chain: Chain, lots: Floats) -> Chain:
    return replace(chain, open_interest=np.round(lots * chain.coin.lot, 1))
