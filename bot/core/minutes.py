"""One-minute prices made of our own ticks."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.snapshot import Tick

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Minute:
    """What a symbol's ticks of one minute were, or those of a part of it."""

    symbol: str
    at: datetime  # its start
    open: float  # USD, like the next three
    high: float
    low: float
    close: float
    ticks: int


def minute_of(tick: Tick) -> Minute:
    """The tick's minute as this tick alone knows it."""
    start, spot = tick.at.replace(second=0, microsecond=0), tick.spot
    return Minute(tick.symbol, start, open=spot, high=spot, low=spot, close=spot, ticks=1)


def merge(earlier: Minute | None, later: Minute) -> Minute:
    """One minute of two parts, in the order in which they came.

    Parts of parts may be merged in any grouping, so nobody need wait for a late tick: what
    comes of it is merged to what was handed on before.
    """
    if earlier is None:
        return later
    return replace(
        earlier,
        high=max(earlier.high, later.high),
        low=min(earlier.low, later.low),
        close=later.close,
        ticks=earlier.ticks + later.ticks,
    )
