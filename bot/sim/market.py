"""One market, seen by every simulated venue: prices, option chains and candles at any time.

All of it is a function of (seed, coin, time): nothing is stored, any moment can be asked for
in any order, and the same question has the same answer. Prices and IVs are rounded here, so
that every venue can tell the same numbers in its own units.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bot.sim.coins import COINS, Coin
from bot.sim.listing import Kind, Listing, listing
from bot.sim.noise import Bools, Floats, Ints, bits, key_of, normal, uniform, wander

DAY = 86_400  # seconds
YEAR = 365 * DAY
SHORTEST = 1800  # seconds; prices and IVs of the last half hour stay finite

# Sizes are in standard deviations of a day, by the coin's IV: the waves together move as far as
# the options expect, over ten minutes as over a day, and return to the anchor. The tide is livelier
# than a real market so that a demonstration rings within two minutes: it sweeps 0.7 % of BTC.
TIDE = (100, 0.18)  # period in seconds and size
WAVES = (70, 220, 700, 2200, 6900, 21_000, 65_000, 160_000)  # seconds; no multiples of a candle
ROUGHNESS = 0.6  # size of a wave whose period is a day; others by the root of theirs
OWN, SHARED = 0.7, 0.714  # of each wave's size: by the coin alone, and by all; squares sum to 1
SAMPLE = 10  # seconds between the prices that a candle is made of
TRADED = 100e6  # USD that change hands while the price travels its own length

# By kind: daily, weekly, monthly, quarterly.
LIFE = np.array([4, 22, 100, 372]) * DAY  # from listing to expiry
PEAK = np.array([3_600, 22_000, 115_000, 140_000])  # BTC of open interest at the end
SPREAD = np.array([0.035, 0.07, 0.16, 0.32])  # log-moneyness over which it lies
GROWTH = 1.2  # open interest grows with this power of the age
ROUNDNESS = np.array([0.3, 1.0, 1.7, 4.0, 5.0, 6.0])  # a strike's weight by place on the ladder
ROW_DEVIATION = 0.9  # of the logarithm of a row's weight


@dataclass(frozen=True, eq=False)
class Chain(Listing):
    """Every option of a coin at one time."""

    coin: Coin
    at: datetime
    index: float  # USD
    open_interest: Floats  # (n,) coins, a multiple of the coin's lot
    iv: Floats  # (n,) a year, fraction, four decimals
    forward: Floats  # (n,) USD, of the row's expiry
    mark: Floats  # (n,) USD, Black-76


@dataclass(frozen=True, eq=False)
class Candles:
    """Prices by interval, ascending; the last one may be open."""

    start: Ints  # (n,) Unix seconds
    open: Floats  # (n,) USD
    high: Floats
    low: Floats
    close: Floats
    volume: Floats  # (n,) coins


@dataclass(frozen=True)
class Market:
    """Asked by a coin's name (BTC, ETH, SOL, HYPE) and an aware UTC time."""

    seed: int

    def spot(self, name: str, at: datetime) -> float:
        """USD."""
        return float(self.prices(name, np.array([at.timestamp()]))[0])

    def perpetual(self, name: str, at: datetime) -> float:
        """USD: the mark price of the perpetual future, within 0.04 % of spot."""
        premium = 0.0002 * wander(self._key(name, "premium"), np.array([at.timestamp()]), 300)
        return round(self.spot(name, at) * (1 + float(premium[0])), COINS[name].decimals)

    def prices(self, name: str, seconds: Floats) -> Floats:
        """Spot in USD at each Unix time: a tide, waves of its own, waves that all coins share."""
        coin, (period, size) = COINS[name], TIDE
        lag = wander(self._key(name, "tide"), seconds, 3600)  # the coins' tides drift apart
        deviations = size * np.sin(2 * np.pi * (seconds / period + lag))
        for period in WAVES:
            for of_whom, part in ((name, OWN), ("every coin", SHARED)):
                key = self._key(of_whom, f"wave of {period} s")
                size = part * ROUGHNESS * math.sqrt(period / DAY)
                deviations += size * wander(key, seconds, period)
        a_day = coin.near_iv * math.sqrt(DAY / YEAR)
        return np.round(coin.anchor * np.exp(a_day * deviations), coin.decimals)

    def chain(self, name: str, at: datetime) -> Chain:
        coin, now, index = COINS[name], at.timestamp(), self.spot(name, at)
        rows = listing(coin, at)
        years = np.maximum(rows.expiry - now, SHORTEST) / YEAR  # (n,)
        forward = self._forward(coin, index, years, now)
        iv = self._iv(coin, np.log(rows.strike / forward), years, now)
        return Chain(
            **vars(rows),
            coin=coin,
            at=at,
            index=index,
            open_interest=self._open_interest(coin, rows, now),
            iv=iv,
            forward=forward,
            mark=black76(forward, rows.strike, iv * np.sqrt(years), rows.is_call),
        )

    def candles(self, name: str, at: datetime, start: Ints, width: int) -> Candles:
        """The candles that begin at these Unix seconds, as known at the time asked.

        start is (n,), none of them after `at`; width is in seconds, a multiple of SAMPLE.
        A candle opens where the one before it closed.
        """
        times = start[:, None] + np.arange(0, width + 1, SAMPLE)  # (n, m)
        known = np.minimum(times, at.timestamp())
        prices = self.prices(name, known.ravel()).reshape(times.shape)
        turnover = TRADED * np.abs(np.diff(np.log(prices)))  # (n, m - 1) USD
        return Candles(
            start=start,
            open=prices[:, 0],
            high=prices.max(axis=1),
            low=prices.min(axis=1),
            close=prices[:, -1],
            volume=np.round((turnover / prices[:, 1:]).sum(axis=1), 3),
        )

    def _forward(self, coin: Coin, index: float, years: Floats, now: float) -> Floats:
        """Spot and a premium of 2 to 5 % a year."""
        drift = wander(self._key(coin.name, "carry"), np.array([now]), DAY)  # (1,)
        return np.round(index * np.exp((0.035 + 0.008 * drift) * years), coin.decimals)

    def _iv(self, coin: Coin, moneyness: Floats, years: Floats, now: float) -> Floats:
        """A smile in standard deviations from the money: lower towards calls, flat far out."""
        mood = np.exp(0.05 * wander(self._key(coin.name, "iv"), np.array([now]), 7200))  # (1,)
        term = 1 - np.exp(-2 * years)  # (n,) from near to far
        calm = 1 - 0.2 * np.exp(-730 * years)  # (n,) lower in the last hours
        at_money = (coin.near_iv + (coin.far_iv - coin.near_iv) * term) * calm * mood
        z = moneyness / (at_money * np.sqrt(years))
        skew = -0.065 * z / np.sqrt(1 + (z / 8) ** 2)
        wings = 0.053 * z**2 / (1 + z**2 / 38)
        iv: Floats = at_money * (1 + skew + wings)
        return np.round(iv, 4)

    def _open_interest(self, coin: Coin, rows: Listing, now: float) -> Floats:
        """Coins: calls above and puts below the anchor, most at round strikes, growing with age."""
        left = np.clip((rows.expiry - now) / LIFE[rows.kind], 0, 1)  # (n,) of its life
        key = bits(self._key(coin.name, "interest"), _row_number(rows))  # (n,) a stream each
        weight = _appeal(coin, rows) * np.exp(ROW_DEVIATION * normal(key, np.array([0])))
        weight *= np.exp(0.1 * wander(key, np.array([now]), DAY / 4))
        weight *= uniform(key, np.array([1])) >= _emptiness(coin, rows, left)
        side = np.unique(rows.expiry, return_inverse=True)[1] * 2 + rows.is_call  # (n,)
        share = weight / np.maximum(np.bincount(side, weight), 1e-9)[side]
        calls = coin.calls_per_put / (1 + coin.calls_per_put)
        total: Floats = coin.size * PEAK[rows.kind] * (1 - left) ** GROWTH
        lots = total * np.where(rows.is_call, calls, 1 - calls) * share / coin.lot
        return np.round(np.round(lots) * coin.lot, 1)

    def _key(self, *names: str) -> np.uint64:
        return key_of(self.seed, *names)


def _row_number(rows: Listing) -> Ints:
    """A number of its own for every option that a coin ever has."""
    contract = rows.expiry // DAY * 10_000_000 + (rows.strike * 10).astype(np.int64)
    return contract * 2 + rows.is_call


def _appeal(coin: Coin, rows: Listing) -> Floats:
    """How much open interest a row draws by its strike alone; a little everywhere."""
    away = np.log(rows.strike / coin.anchor) / SPREAD[rows.kind]  # (n,)
    near = np.exp(-0.5 * ((away - np.where(rows.is_call, 0.8, -0.9)) / 1.1) ** 2)
    divides = rows.strike[:, None] % np.array(coin.ladder) == 0  # (n, steps)
    roundest = (divides * np.arange(len(coin.ladder))).max(axis=1)
    appeal: Floats = ROUNDNESS[roundest] * (near + 0.03)
    return appeal


def _emptiness(coin: Coin, rows: Listing, left: Floats) -> Floats:
    """The chance of no open interest at all: in the money mostly, and soon after the listing."""
    in_money = rows.is_call == (rows.strike < coin.anchor)
    daily = np.where(rows.kind == Kind.DAILY, 1.5, 1.0)
    return coin.emptiness * (0.03 + 0.22 * left) * daily * np.where(in_money, 2.0, 0.25)


def black76(forward: Floats, strike: Floats, deviation: Floats, is_call: Bools) -> Floats:
    """USD for one coin's option at zero rate; deviation is iv times the root of the years left."""
    d1 = np.log(forward / strike) / deviation + deviation / 2
    d2 = d1 - deviation
    side = np.where(is_call, 1, -1)
    return side * (forward * _normal_cdf(side * d1) - strike * _normal_cdf(side * d2))


def _normal_cdf(x: Floats) -> Floats:
    # erfc keeps the digits of the far tail; numpy has neither.
    return 0.5 * np.array([math.erfc(value) for value in (-x / math.sqrt(2)).tolist()])
