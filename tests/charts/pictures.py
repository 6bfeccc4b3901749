"""Pictures of chains made by hand."""

import struct
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import numpy as np

from bot.charts import canvas
from bot.charts.picture import price_picture, profile_picture
from bot.charts.theme import DARK
from bot.core.chain import OptionChain
from bot.core.gex import StrikeProfile
from bot.core.snapshot import Candle, Snapshot, compute_levels, snapshot_id
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


def a_picture(
    chain=None, spot=100.0, later=timedelta(seconds=42), *, simulated=False, theme=DARK, **fields
):
    chain = a_market(spot) if chain is None else chain
    snapshot = a_snapshot(chain, spot, **fields)
    return profile_picture(chain, snapshot, NOW + later, simulated=simulated, theme=theme)


def a_price(
    chain=None, spot=100.0, later=timedelta(seconds=42), *, simulated=False, theme=DARK, **fields
):
    """The price of that market; it went up and down by a percent or so."""
    chain = a_market(spot) if chain is None else chain
    fields.setdefault("candles", candles(spot))
    snapshot = a_snapshot(chain, spot, **fields)
    return price_picture(snapshot, NOW + later, simulated=simulated, theme=theme)


def candles(spot=100.0, count=96, swing=0.01, until=NOW):
    """Half hours up to then that end at spot."""
    middle = spot * (1 + swing * np.sin(np.arange(-count, 1) / 9))
    return tuple(
        Candle(
            until - timedelta(minutes=30) * (count - place),
            *(opened, max(opened, close) * 1.001, min(opened, close) * 0.999, close),
            volume=1.0,
        )
        for place, (opened, close) in enumerate(np.stack((middle[:-1], middle[1:])).T.tolist())
    )


def a_profile(strike, seed=1):
    """Calls and puts of some size at each strike."""
    strike = np.sort(np.array(strike))
    sizes = np.random.default_rng(seed).uniform(0.1, 1.0, (2, len(strike))) * 1e6
    return StrikeProfile(strike, sizes[0], -sizes[1], sizes[0], sizes[1])


def no_gamma():
    return make_chain(change(make_row(strike), iv=NAN) for strike in (90.0, 100.0, 110.0))


def with_levels(picture, *levels):
    """The picture with these levels and no others."""
    return replace(picture, ladder=replace(picture.ladder, levels=levels))


def words_of(draw, picture):
    """Every text of the chart with its box, px from the lower left corner."""
    with canvas.style():
        figure = draw(picture).figure
        figure.draw_without_rendering()
        texts = [text for text in figure.texts if text.get_text() and not text.get_rotation()]
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                low, high = axis.get_view_interval()
                ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
                texts += [tick for at, tick in ticks if axis.get_visible() and low <= at <= high]
        return [(text.get_text(), text.get_window_extent()) for text in texts]


def check_readable(words):
    """No text is clipped, and none covers another."""
    for word, box in words:
        assert box.x0 >= 0, word
        assert box.x1 <= canvas.WIDTH, word
        assert box.y0 >= 0, word
        assert box.y1 <= canvas.HEIGHT, word
    for (word, box), (other, other_box) in combinations(words, 2):
        apart = (
            box.x1 <= other_box.x0 + 1
            or other_box.x1 <= box.x0 + 1
            or box.y1 <= other_box.y0 + 1
            or other_box.y1 <= box.y0 + 1
        )
        assert apart, f"{word!r} covers {other!r}"


def size_of(png):
    """Width and height, px."""
    assert png.startswith(b"\x89PNG\r\n")
    return struct.unpack(">II", png[16:24])
