"""Where labels go beside an axis, so that none covers another."""

from collections.abc import Sequence

import numpy as np

from bot.core.chain import Floats


def spread(wanted: Floats, heights: Floats, low: float, high: float) -> Floats:
    """Centres of boxes stacked on an axis, (n,), each as near to its wanted place as can be.

    `wanted` ascends; the boxes keep that order, touch at most, and stay within low and high.
    All heights together must fit between them.
    """
    below = np.cumsum(heights) - heights / 2  # of each centre, were the boxes stacked from 0
    # With that taken off, boxes are points: not overlapping means not descending.
    pushed = _ascending(wanted - below)
    return np.clip(pushed, low, high - np.sum(heights)) + below


def choose(heights: Sequence[float], room: float) -> list[int]:
    """Positions of the boxes that fit, the first ones first; a later one may fill a gap."""
    kept = []
    for position, height in enumerate(heights):
        if height <= room:
            kept.append(position)
            room -= height
    return kept


def _ascending(values: Floats) -> Floats:
    """The series without descents nearest to `values` by squares: descents become their mean."""
    runs: list[tuple[float, int]] = []  # (mean, length)
    for value in values.tolist():
        mean, length = value, 1
        while runs and runs[-1][0] > mean:
            last, count = runs.pop()
            mean = (last * count + mean * length) / (count + length)
            length += count
        runs.append((mean, length))
    return np.repeat([mean for mean, _ in runs], [length for _, length in runs])
