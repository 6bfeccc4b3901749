"""Repeatable randomness: a number depends on its key and place, never on the order of asking."""

import math
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
TWO_TO_53 = float(2**53)
SPREAD = math.sqrt(12)  # of a uniform with standard deviation 1


def key_of(seed: int, *names: str) -> np.uint64:
    """A stream of its own for each seed and name; Python's hash() differs between processes."""
    text = "/".join((str(seed), *names))
    return np.uint64(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big"))


def bits(key: np.uint64 | Bits, place: Ints) -> Bits:
    """64 well mixed bits for every place: splitmix64."""
    # Arrays wrap around silently, numpy's scalars would warn.
    z = key + place.astype(np.uint64) * GOLDEN
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    return z ^ (z >> np.uint64(31))


def uniform(key: np.uint64 | Bits, place: Ints) -> Floats:
    """In [0, 1)."""
    return (bits(key, place) >> np.uint64(11)) / TWO_TO_53


def normal(key: np.uint64 | Bits, place: Ints) -> Floats:
    """Mean 0, standard deviation 1: Box and Muller."""
    radius: Floats = np.sqrt(-2 * np.log1p(-uniform(key, place)))
    return radius * np.cos(2 * np.pi * uniform(key, ~place))


def wander(key: np.uint64 | Bits, seconds: Floats, period: float) -> Floats:
    """A smooth curve through one random value per period, within ±sqrt(3), deviation about 0.9.

    It moves by at most 3 sqrt(3) / period a second.
    """
    cell = np.floor(seconds / period).astype(np.int64)
    x = seconds / period - cell
    left, right = uniform(key, cell), uniform(key, cell + 1)
    return SPREAD * (left + (right - left) * x * x * (3 - 2 * x) - 0.5)
