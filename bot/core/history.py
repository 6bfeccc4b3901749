"""Levels over time: the little of each snapshot that a curve needs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.levels import LevelSet
from bot.core.snapshot import Regime

MOST_POINTS = 720  # a curve on a screen has no more


@dataclass(frozen=True, slots=True)
class PastLevels:
    """Of a snapshot's levels those that are followed."""

    all_expiry: LevelSet
    net_gex: float | None  # USD per +1 %
    regime: Regime | None


@dataclass(frozen=True, slots=True)
class Past:
    """What was known of a symbol at one time; fields as a snapshot has them."""

    at: datetime
    spot: float  # USD
    levels: PastLevels


def step_of(span: timedelta) -> timedelta:
    """How far apart the points of a history over this span are."""
    return span / MOST_POINTS
