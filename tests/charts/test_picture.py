import pickle
from datetime import timedelta

import numpy as np
import pytest

from bot.charts.picture import SPAN, make_picture
from bot.charts.theme import DARK, LIGHT
from tests.charts.pictures import a_market, a_picture, a_price, a_snapshot, candles, no_gamma
from tests.core.chains import NOW


def test_the_curve_crosses_zero_at_the_flip():
    chain = a_market()
    (zone,) = a_snapshot(chain).levels.gamma_flip_zones

    picture = a_picture(chain)

    gex = np.interp([zone.flip - 1, zone.flip + 1], picture.curve_spot, picture.curve_gex)
    assert gex[0] < 0 < gex[1]
    assert picture.ladder.zones == ((zone.lower, zone.upper),)


def test_the_curve_at_spot_is_the_net_exposure_and_the_sum_of_the_bars():
    picture = a_picture()

    at_spot = np.interp(picture.ladder.spot, picture.curve_spot, picture.curve_gex)

    assert at_spot == pytest.approx(picture.caption.net_gex, rel=1e-3)
    bars = picture.bars
    assert sum(bars.call_gex) + sum(bars.put_gex) == pytest.approx(picture.caption.net_gex)


def test_bars_are_those_of_the_snapshots_time_however_late_it_is_drawn():
    chain = a_market(left=timedelta(hours=2))

    picture = a_picture(chain, later=timedelta(hours=3))

    assert picture.bars == a_picture(chain).bars
    assert picture.bars.strike
    assert picture.caption.ages == (("deribit", timedelta(hours=3)),)


def test_levels_come_in_the_order_of_their_weight():
    names = [level.name for level in a_picture().ladder.levels]

    assert names[:2] == ["Call Resistance", "Put Support"]
    assert names[-1].endswith("Wall 3")


def test_a_chain_without_iv_has_a_picture_without_gamma():
    picture = a_picture(no_gamma())

    assert picture.caption.net_gex is None
    assert picture.bars.strike == picture.curve_gex == ()
    assert [level.name for level in picture.ladder.levels] == ["Max Pain"]
    assert picture.ladder.window == pytest.approx(
        (89.64, 108.36)
    )  # Max Pain, 90 and 8 % with a margin


@pytest.mark.parametrize("make", [a_picture, a_price])
def test_a_picture_travels_and_stays_the_same(make):
    picture = make(stale=True, left_out={"okx": "HTTP 502"}, simulated=True, theme=LIGHT)

    copy = pickle.loads(pickle.dumps(picture))

    assert copy == picture
    assert hash(copy) == hash(picture)


def test_the_price_shows_the_candles_of_two_days_and_the_expected_move():
    older = candles(count=120)

    picture = a_price(candles=older)

    assert picture.candles == tuple(one for one in older if one.datetime > NOW - SPAN)
    assert picture.move is not None


def test_pictures_are_as_old_as_their_snapshot_says_whenever_they_are_made():
    snapshot = a_snapshot(a_market(), candles=candles())

    pictures = [
        make_picture(kind, a_market(), snapshot, theme=DARK, simulated=False)
        for kind in ("profile", "price")
    ]

    assert [picture.caption.drawn_at for picture in pictures] == [NOW, NOW]
    assert [picture.caption.ages for picture in pictures] == [(("deribit", timedelta()),)] * 2


def test_only_the_price_is_drawn_without_a_chain():
    snapshot = a_snapshot(a_market())

    picture = make_picture("price", None, snapshot, theme=DARK, simulated=False)

    assert picture.candles == ()
    with pytest.raises(ValueError, match="from a chain"):
        make_picture("profile", None, snapshot, theme=DARK, simulated=False)
