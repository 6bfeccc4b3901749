"""Chains made by hand: rows in plain Python, and the columns that the engine reads."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.core.chain import EPOCH, OptionChain, Source
from tests.oracle import Row

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAN = float("nan")


def make_row(
    strike: float = 100.0,
    side: str = "call",
    *,
    oi: float = 10.0,
    iv: float = 0.5,
    left: timedelta = timedelta(days=30),
    venue: str = "deribit",
    forward: float = 100.0,
    index: float = 100.0,
) -> Row:
    """A plain option: 100 USD, 30 days, 50 % IV, 10 coins."""
    return Row(venue, NOW + left, strike, side == "call", oi, iv, forward, index)


def change(row: Row, **fields) -> Row:
    return replace(row, **fields)


def make_chain(rows: Iterable[Row], at: datetime = NOW) -> OptionChain:
    """The rows as one chain; every venue among them is a source."""
    rows = list(rows)
    venues = list(dict.fromkeys(row.venue for row in rows))
    counts = [sum(row.venue == venue for row in rows) for venue in venues]
    return OptionChain(
        "BTC",
        tuple(Source(venue, at, count) for venue, count in zip(venues, counts, strict=True)),
        venue=np.array([venues.index(row.venue) for row in rows], np.int64),
        expiry=np.array([as_milliseconds(row.expiry) for row in rows], np.int64),
        strike=np.array([row.strike for row in rows], np.float64),
        is_call=np.array([row.is_call for row in rows], np.bool_),
        oi=np.array([row.oi for row in rows], np.float64),
        iv=np.array([row.iv for row in rows], np.float64),
        forward=np.array([row.forward for row in rows], np.float64),
        index=np.array([row.index for row in rows], np.float64),
        at=np.full(len(rows), as_milliseconds(at), np.int64),
    )


def as_milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
