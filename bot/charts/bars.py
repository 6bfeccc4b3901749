"""Exposure by strike as bars: few enough to be seen."""

from dataclasses import dataclass

import numpy as np

from bot.core.gex import StrikeProfile

MOST_BARS = 150  # six pixels each on the picture; nearer strikes share a bar
UNSEEN = 0.001  # of the longest bar: half a pixel
THICKEST = 1 / 36  # of the window: the bar of a strike that stands alone
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Bars:
    """Exposure by strike, strikes ascending, a bar each; put_gex is negative."""

    strike: tuple[float, ...]  # USD
    call_gex: tuple[float, ...]  # USD per +1 %
    put_gex: tuple[float, ...]  # USD per +1 %
    thickness: float  # USD of the strike axis
    step: float | None  # USD of strikes that share a bar; None: each has its own


def make_bars(profile: StrikeProfile, window: tuple[float, float]) -> Bars:
    """A bar for each strike of the window that has exposure; those too near share one."""
    low, high = window
    inside = (profile.strike >= low) & (profile.strike <= high)
    strike, call, put = profile.strike[inside], profile.call_gex[inside], profile.put_gex[inside]
    gross = call - put
    seen = gross > gross.max(initial=0) * UNSEEN
    apart = float(np.diff(strike[seen]).min(initial=(high - low) * THICKEST))
    step = None
    if apart >= (high - low) / MOST_BARS:
        strike, call, put = strike[seen], call[seen], put[seen]
    else:
        step = apart = nice_step((high - low) / MOST_BARS)
        slot, position = np.unique(np.round(strike / step), return_inverse=True)
        strike = slot * step
        call, put = (np.bincount(position, gex).astype(np.float64) for gex in (call, put))
    return Bars(
        tuple(strike.tolist()),
        tuple(call.tolist()),
        tuple(put.tolist()),
        thickness=apart,
        step=step,
    )


def nice_step(least: float) -> float:
    """The smallest round number that is not below `least`."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(next((nice * power for nice in NICE if nice * power >= least), NICE[-1] * power))
