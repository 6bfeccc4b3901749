"""A market made by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.core.chain import OptionChain
from bot.core.snapshot import Snapshot, compute_levels, snapshot_id
from tests.core import chains

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SPOT = 80_000.0

# strike, coins held as calls, coins held as puts: calls above the market, puts below
BOOK = (
    (60_000.0, 10.0, 900.0),
    (70_000.0, 50.0, 700.0),
    (75_000.0, 100.0, 400.0),
    (80_000.0, 300.0, 250.0),
    (85_000.0, 600.0, 100.0),
    (90_000.0, 900.0, 50.0),
    (100_000.0, 700.0, 10.0),
)
EXPIRIES = (timedelta(hours=20), timedelta(days=18), timedelta(days=200))


def make_chain(
    venues: Sequence[str] = ("deribit",),
    *,
    spot: float = SPOT,
    iv: float = 0.5,
    scale: float = 1.0,
    lefts: Sequence[timedelta] = EXPIRIES,
    at: datetime = NOON,
) -> OptionChain:
    """A BTC chain of that book on every venue and expiry; `scale` multiplies strikes and spot.

    The second venue holds half as much as the first, the third a third.
    """
    rows = [
        chains.make_row(
            strike * scale,
            side,
            oi=oi / position,
            iv=iv,
            left=left + (at - chains.NOW),
            venue=venue,
            forward=spot * scale,
            index=spot * scale,
        )
        for position, venue in enumerate(venues, 1)
        for left in lefts
        for strike, calls, puts in BOOK
        for side, oi in (("call", calls), ("put", puts))
    ]
    return chains.make_chain(rows, at)


def make_snapshot(
    chain: OptionChain,
    symbol: str = "BTCUSDT",
    *,
    spot: float = SPOT,
    at: datetime = NOON,
    **fields,
) -> Snapshot:
    """What the chain says at that spot and time."""
    return Snapshot(
        id=snapshot_id(symbol, at),
        symbol=symbol,
        at=at,
        spot=spot,
        perps_price=None,
        levels=compute_levels(chain, spot, at),
        sources=chain.sources,
        **{"left_out": {}, **fields},
    )
