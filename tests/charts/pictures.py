"""Pictures of chains made by hand."""

from datetime import timedelta

from bot.charts.picture import profile_picture
from bot.core.chain import OptionChain
from bot.core.snapshot import Snapshot, compute_levels, snapshot_id
from tests.core.chains import NAN, NOW, change, make_chain, make_row


def a_market(spot=100.0, step=5.0, count=9, **fields):
    """Calls weigh more from spot upwards, puts below it, as in a real chain."""
    strikes = [spot + step * (place - count // 2) for place in range(count)]
    return make_chain(
        make_row(
            strike,
            side,
            oi=10.0 if (side == "call") == (strike >= spot) else 4.0,
            forward=spot,
            index=spot,
            **fields,
        )
        for strike in strikes
        for side in ("call", "put")
    )


def a_snapshot(chain: OptionChain, spot=100.0, symbol="BTCUSDT", **fields):
    return Snapshot(
        id=snapshot_id(symbol, NOW),
        symbol=symbol,
        at=NOW,
        spot=spot,
        perps_price=None,
        levels=compute_levels(chain, spot, NOW),
        sources=chain.sources,
        left_out=fields.pop("left_out", {}),
        **fields,
    )


def a_picture(chain=None, spot=100.0, later=timedelta(seconds=42), *, simulated=False, **fields):
    chain = a_market(spot) if chain is None else chain
    snapshot = a_snapshot(chain, spot, **fields)
    return profile_picture(chain, snapshot, NOW + later, simulated=simulated)


def no_gamma():
    return make_chain(change(make_row(strike), iv=NAN) for strike in (90.0, 100.0, 110.0))
