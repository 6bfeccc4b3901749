"""What is listed when: expiries and strikes, fixed by the calendar and the coin alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from functools import lru_cache
from itertools import islice

import numpy as np

from bot.sim.coins import Coin
from bot.sim.noise import Bools, Floats, Ints

DAY = timedelta(days=1)
SETTLEMENT = time(8, tzinfo=UTC)
FRIDAY = 5  # of ISO's week
HORIZON = 400  # days that surely hold four quarter ends


class Kind(IntEnum):
    """How far ahead an expiry is listed; a later kind counts as every earlier one as well."""

    DAILY = 0
    WEEKLY = 1
    MONTHLY = 2
    QUARTERLY = 3


# Of each kind: the steps of its strikes (places on the coin's ladder) and how far from the
# anchor each step reaches.
BANDS = {
    Kind.DAILY: ((0, 0.95, 1.05), (1, 0.87, 1.13)),
    Kind.WEEKLY: ((1, 0.92, 1.08), (2, 0.80, 1.20)),
    Kind.MONTHLY: ((1, 0.88, 1.14), (2, 0.80, 1.30), (3, 0.50, 1.60)),
    Kind.QUARTERLY: ((2, 0.85, 1.20), (3, 0.40, 1.80), (4, 0.25, 3.00), (5, 3.00, 4.50)),
}


@dataclass(frozen=True, eq=False)
class Listing:
    """Every option of one coin at one time, as columns."""

    expiry: Ints  # (n,) Unix seconds
    kind: Ints  # (n,) Kind
    strike: Floats  # (n,) USD
    is_call: Bools  # (n,)


def kind_of(day: date) -> Kind:
    if day.isoweekday() != FRIDAY:
        return Kind.DAILY
    if (day + 7 * DAY).month == day.month:
        return Kind.WEEKLY
    return Kind.MONTHLY if day.month % 3 else Kind.QUARTERLY


def live_expiries(coin: Coin, at: datetime) -> list[datetime]:
    """Ascending. An expiry stays listed from its first day to its last.

    As on Deribit the row moves up a day early: on Thursday 08:00 the Friday about to expire
    no longer counts, and a new Friday appears at the far end.
    """
    tomorrow = (at + timedelta(hours=16)).date()  # the first 08:00 still ahead
    days = _ahead(coin.expiries, tomorrow) | _ahead(coin.expiries, tomorrow + DAY)
    return [datetime.combine(day, SETTLEMENT) for day in sorted(days)]


@lru_cache(maxsize=16)
def _ahead(counts: tuple[int, ...], first: date) -> frozenset[date]:
    """The next so many days of each kind."""
    days = [first + n * DAY for n in range(HORIZON)]
    return frozenset(
        day
        for least, count in zip(Kind, counts, strict=True)
        for day in islice((day for day in days if kind_of(day) >= least), count)
    )


def strikes(coin: Coin, kind: Kind) -> Floats:
    """USD, ascending, finest around the anchor; spot has no say, so a strike stays listed."""
    return np.unique(np.concatenate(list(_bands(coin, kind))))


def _bands(coin: Coin, kind: Kind) -> Iterator[Floats]:
    for place, low, high in BANDS[kind]:
        step = coin.ladder[place]
        first, last = np.ceil(low * coin.anchor / step), np.floor(high * coin.anchor / step)
        yield np.arange(first, last + 1) * step


def listing(coin: Coin, at: datetime) -> Listing:
    return _listing(coin, tuple(live_expiries(coin, at)))


@lru_cache(maxsize=16)
def _listing(coin: Coin, expiries: tuple[datetime, ...]) -> Listing:
    kinds = [kind_of(expiry) for expiry in expiries]
    ladders = [np.repeat(strikes(coin, kind), 2) for kind in kinds]  # a call and a put each
    sizes = [len(ladder) for ladder in ladders]
    strike = np.concatenate(ladders)
    return Listing(
        expiry=np.repeat([int(expiry.timestamp()) for expiry in expiries], sizes),
        kind=np.repeat(np.array(kinds, np.int64), sizes),
        strike=strike,
        is_call=np.arange(len(strike)) % 2 == 0,
    )
