from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sim.coins import COINS
from bot.sim.market import Market, black76

NOON = datetime(2026, 11, 23, 12, 0, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

times = st.timedeltas(timedelta(), timedelta(days=1000)).map(lambda since: NOON + since)
names = st.sampled_from(list(COINS))


def seconds(at, count, step=1.0):
    return at.timestamp() + np.arange(count) * step


def half_hours(at, count):
    return int(at.timestamp()) // 1800 * 1800 + np.arange(1 - count, 1) * 1800


def test_the_same_seed_is_the_same_market_in_whatever_order_it_is_asked():
    first, second = Market(7), Market(7)
    later = NOON + timedelta(days=3)

    there = [first.chain("BTC", NOON), first.chain("BTC", later)]
    back = [second.chain("BTC", later), second.chain("BTC", NOON)][::-1]

    for one, other in zip(there, back, strict=True):
        for name, column in vars(one).items():
            np.testing.assert_array_equal(column, vars(other)[name])


def test_another_seed_is_another_market():
    one, other = Market(7).chain("BTC", NOON), Market(8).chain("BTC", NOON)

    assert one.index != other.index
    assert not np.array_equal(one.open_interest, other.open_interest)


@pytest.mark.parametrize("name", COINS)
def test_spot_never_jumps(name):
    prices = Market(7).prices(name, seconds(NOON, 86_400))

    assert np.abs(np.diff(np.log(prices))).max() < 0.001 * COINS[name].near_iv


@pytest.mark.parametrize("name", COINS)
def test_spot_stays_around_the_anchor(name):
    prices = Market(7).prices(name, seconds(NOON, 10_000, step=3601.0))

    assert np.abs(np.log(prices / COINS[name].anchor)).max() < 0.2 * COINS[name].near_iv
    assert abs(prices.mean() / COINS[name].anchor - 1) < 0.01


@pytest.mark.parametrize("name", COINS)
def test_spot_soon_moves_far_enough_to_cross_something(name):
    prices = Market(7).prices(name, seconds(NOON, 720 * 120)).reshape(720, 120)

    moved = np.abs(prices / prices[:, :1] - 1).max(axis=1)

    assert moved.min() > 0.008 * COINS[name].near_iv


@pytest.mark.parametrize("name", COINS)
@pytest.mark.parametrize(("hours", "most"), [(2, 1.3), (8, 1.2), (24, 1.1)])
def test_spot_moves_as_far_as_its_options_expect(name, hours, most):
    path = np.log(Market(7).prices(name, seconds(NOON, 2000, step=hours * 3600.0)))

    expected = COINS[name].near_iv * (hours / 24 / 365) ** 0.5

    assert 0.9 < np.diff(path).std() / expected < most


@given(name=names, at=times)
def test_the_perpetual_stays_near_spot(name, at):
    assert Market(7).perpetual(name, at) == pytest.approx(Market(7).spot(name, at), rel=5e-4)


@given(name=names, at=times)
def test_a_chain_is_usable(name, at):
    chain = Market(7).chain(name, at)

    assert chain.index == Market(7).spot(name, at)
    assert (chain.expiry > at.timestamp()).all()
    assert ((chain.iv > 0.2) & (chain.iv < 3)).all()
    assert (np.abs(chain.forward / chain.index - 1) < 0.06).all()
    assert (chain.open_interest >= 0).all()
    assert (chain.mark >= 0).all()
    lots = chain.open_interest / chain.coin.lot
    np.testing.assert_allclose(lots, np.round(lots), atol=1e-6)


@given(name=names, at=times)
def test_a_call_less_a_put_is_forward_less_strike(name, at):
    chain = Market(7).chain(name, at)
    calls, puts = chain.mark[chain.is_call], chain.mark[~chain.is_call]

    difference = (chain.forward - chain.strike)[chain.is_call]

    np.testing.assert_allclose(calls - puts, difference, atol=1e-9 * chain.index)


def test_an_option_costs_what_a_real_one_did():
    years = (1727424000000 - 1699578548021) / 365 / 86_400_000  # Deribit's BTC-27SEP24-40000-C

    usd = black76(
        np.array([38992.71]), np.array([40000.0]), np.array([0.6127 * years**0.5]), np.array([True])
    )

    assert usd[0] / 38992.71 == pytest.approx(0.21678017, abs=1e-8)


@pytest.mark.parametrize(
    ("name", "least", "most"), [("BTC", 331_000, 450_000), ("ETH", 1_680_000, 2_500_000)]
)
@pytest.mark.parametrize("month", [1, 4, 7, 11])
def test_open_interest_looks_like_the_recorded_one(name, least, most, month):
    chain = Market(month).chain(name, NOON.replace(month=month))
    interest, away = chain.open_interest, np.where(chain.is_call, 1, -1)
    out_of_money = away * (chain.strike - chain.index) > 0
    largest = np.sort(interest)[::-1] / interest.sum()

    assert least <= interest.sum() <= most
    assert 0.09 <= np.mean(interest == 0) <= 0.25
    assert 1.3 <= interest[chain.is_call].sum() / interest[~chain.is_call].sum() <= 2.1
    assert interest[out_of_money].sum() / interest.sum() > 0.65
    assert largest[0] < 0.08
    assert 0.12 <= largest[:10].sum() <= 0.27


def test_open_interest_prefers_round_strikes():
    chain = Market(7).chain("BTC", NOON)
    near = np.abs(chain.strike / chain.index - 1) < 0.15
    by_roundness = [
        chain.open_interest[near & (chain.strike % step == 0)].mean() for step in (500, 1000, 5000)
    ]

    assert by_roundness == sorted(by_roundness)


def test_open_interest_grows_towards_expiry_from_nothing():
    expiry = datetime(2026, 12, 10, 8, tzinfo=UTC)  # a Thursday: four days listed
    listed_for = [timedelta(seconds=1), timedelta(days=1), timedelta(days=2), timedelta(days=3)]

    totals = []
    for since in listed_for:
        chain = Market(7).chain("BTC", expiry - timedelta(days=4) + since)
        totals.append(chain.open_interest[chain.expiry == expiry.timestamp()].sum())

    assert totals[0] == 0
    assert totals == sorted(totals)
    assert 2000 < totals[-1] < 4000


@given(name=names, at=times)
def test_open_interest_drifts_slowly(name, at):
    expiries_stay = at.replace(hour=12)
    before = Market(7).chain(name, expiries_stay).open_interest
    after = Market(7).chain(name, expiries_stay + MINUTE).open_interest

    assert np.abs(after - before).sum() < 0.02 * before.sum()


def test_a_candle_opens_where_the_last_one_closed_and_holds_its_extremes():
    bars = Market(7).candles("ETH", NOON, half_hours(NOON, 499), 1800)

    np.testing.assert_array_equal(bars.open[1:], bars.close[:-1])
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.volume > 0).all()


@pytest.mark.parametrize("name", COINS)
def test_candles_are_small_beside_a_days_move(name):
    bars = Market(7).candles(name, NOON, half_hours(NOON, 480), 1800)

    ranges, a_day = np.log(bars.high / bars.low), COINS[name].near_iv / 365**0.5

    assert np.median(ranges) < 0.6 * a_day
    assert ranges.max() < 1.5 * a_day
    assert np.median(np.abs(np.log(bars.close / bars.open)) / ranges) > 0.2


def test_candles_are_made_of_the_spot_path():
    market, starts = Market(7), half_hours(NOON, 3)

    bars = market.candles("BTC", NOON, starts, 1800)

    np.testing.assert_array_equal(bars.open, market.prices("BTC", starts.astype(float)))
    assert bars.close[-1] == market.spot("BTC", NOON)


def test_minutes_add_up_to_the_half_hour():
    market, start = Market(7), half_hours(NOON, 2)[:1]
    minutes = market.candles("SOL", NOON, start + np.arange(30) * 60, 60)

    whole = market.candles("SOL", NOON, start, 1800)

    assert whole.open[0] == minutes.open[0]
    assert whole.high[0] == minutes.high.max()
    assert whole.low[0] == minutes.low.min()
    assert whole.close[0] == minutes.close[-1]
    assert whole.volume[0] == pytest.approx(minutes.volume.sum(), abs=0.02)


def test_a_closed_candle_never_changes():
    market, starts = Market(7), half_hours(NOON, 10)[:-1]

    now = market.candles("HYPE", NOON, starts, 1800)
    later = market.candles("HYPE", NOON + timedelta(days=1), starts, 1800)

    np.testing.assert_array_equal(now.close, later.close)
    np.testing.assert_array_equal(now.volume, later.volume)
