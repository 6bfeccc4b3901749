"""When a symbol is due again."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.core.chain import EPOCH, from_milliseconds


def next_collect(after: datetime, expiries: Iterable[int], every: timedelta) -> datetime:
    """The next multiple of `every` on the clock or the next expiry, whichever comes first.

    `expiries` in ms since 1970: at each one rows die, and with them levels.
    """
    next_turn = EPOCH + ((after - EPOCH) // every + 1) * every
    ahead = (moment for moment in map(from_milliseconds, expiries) if moment > after)
    return min((next_turn, *ahead))
