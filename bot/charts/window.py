"""Which prices a chart shows."""

from collections.abc import Iterable, Sequence

import numpy as np

from bot.charts.levels import Level
from bot.core.gex import StrikeProfile
from bot.core.levels import ExpectedMove
from bot.core.snapshot import Candle

TAIL = 0.015  # of gross GEX left out at each end: the window holds 97 %
NARROWEST = 0.08  # of spot, on each side
WIDEST = 0.35
MARGIN = 0.02  # of the window, so that nothing sits on the frame
FILLED = 0.5  # of the window that prices fill at least, whatever levels are taken in
STILLEST = 0.5  # of the expected move: prices are taken to have moved so much
NO_MOVE = 0.01  # of spot, where no move is expected


def profile_window(
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
    return _with_margin(min(ends), max(ends))


def price_window(
    candles: Sequence[Candle], spot: float, levels: Iterable[Level], move: ExpectedMove | None
) -> tuple[float, float]:
    """Where the price was, and the levels so near that candles still fill a good part."""
    day = (move.upper_1sd - move.lower_1sd) / 2 if move else spot * NO_MOVE
    low = min([spot - day * STILLEST, *(candle.low for candle in candles)])
    high = max([spot + day * STILLEST, *(candle.high for candle in candles)])
    most = (high - low) / FILLED
    for price in sorted((level.price for level in levels), key=lambda price: abs(price - spot)):
        if max(high, price) - min(low, price) <= most:
            low, high = min(low, price), max(high, price)
    return _with_margin(low, high)


def _with_margin(low: float, high: float) -> tuple[float, float]:
    margin = (high - low) * MARGIN
    return low - margin, high + margin
