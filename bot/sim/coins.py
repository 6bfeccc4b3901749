"""The coins of the simulated market, and the figures it was calibrated to.

Measured on Deribit chains of January, April and June 2026 and Derive's HYPE chains of August:

- Expiries: BTC and ETH 11 before 08:00 UTC on Thursdays, else 12 or 13.
- Rows: BTC 654-682 in January, 896-1002 in April; ETH 686-828; SOL about 700 in October.
  Of one BTC expiry in April: daily 50-60, weekly 30-50, monthly 80-112, quarterly 90-116.
- Strikes over spot: daily 0.85-1.14, weekly 0.77-1.28, monthly 0.5-1.8, quarterly 0.25-4.9.
- Open interest in coins: BTC 331,000-440,000, ETH 1.68-2.44 million, HYPE 2.3 million.
  Of one BTC expiry: daily 800 three days ahead, 3,000 at last; weekly 7,000-9,000 and 20,000;
  monthly 50,000 a month ahead, 95,000-110,000 at last; quarterly 7,000-12,000 eleven months
  ahead, 22,000-68,000 eight, 45,000-64,000 five and 88,000-105,000 two.
- Calls over puts: BTC 1.37-1.51, ETH 1.5-2.1, HYPE 1.6. Largest row 2-3 %, ten largest 12-20 %.
- Rows without open interest: BTC 9-23 %, ETH 13-24 %, HYPE 53 %. Of BTC and ETH rows in the money
  17-41 %, out of it 0-9 %.
- IV: BTC 11-125 %, ETH 21-194 %, HYPE 68-144 %; at the money 37-41 % (BTC), 50-62 % (ETH) in
  the first month, 46-47 % and 64-65 % after eleven; a fifth lower in the last hours.
- Forward: BTC +0.02 to +0.4 % a month out, +2.7 to +4.7 % eleven months out.
- Bids: 3-10 % of rows have none.

Nothing was measured for SOL's open interest and IV: its figures are invented.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Coin:
    """What sets one coin's market apart from another's."""

    name: str
    anchor: float  # USD; spot returns to it, strikes are laid out around it
    decimals: int  # of its prices in USD
    ladder: tuple[float, ...]  # USD; steps between strikes, the finest first
    expiries: tuple[int, int, int, int]  # dailies, Fridays, month ends, quarter ends ahead
    size: float  # open interest in coins relative to BTC's
    lot: float  # coins; open interest is a multiple
    calls_per_put: float
    emptiness: float  # how many rows have no open interest, relative to BTC
    near_iv: float  # at the money, a few weeks out
    far_iv: float  # and years out


BTC = Coin(
    "BTC",
    anchor=80_000,
    decimals=2,
    ladder=(500, 1000, 2000, 5000, 10_000, 20_000),
    expiries=(3, 3, 3, 4),
    size=1.0,
    lot=0.1,
    calls_per_put=1.4,
    emptiness=1.0,
    near_iv=0.39,
    far_iv=0.49,
)
ETH = Coin(
    "ETH",
    anchor=2400,
    decimals=2,
    ladder=(25, 50, 50, 100, 500, 1000),
    expiries=(3, 3, 3, 4),
    size=5.5,
    lot=1.0,
    calls_per_put=1.8,
    emptiness=1.2,
    near_iv=0.56,
    far_iv=0.66,
)
SOL = Coin(
    "SOL",
    anchor=90,
    decimals=4,
    ladder=(1, 1, 2, 5, 10, 20),
    expiries=(3, 3, 3, 2),
    size=10.0,
    lot=10.0,
    calls_per_put=1.6,
    emptiness=2.0,
    near_iv=0.65,
    far_iv=0.72,
)
HYPE = Coin(
    "HYPE",
    anchor=80,
    decimals=4,
    ladder=(0.5, 1, 2.5, 5, 10, 20),
    expiries=(1, 2, 2, 1),
    size=5.0,
    lot=10.0,
    calls_per_put=1.6,
    emptiness=3.0,
    near_iv=0.72,
    far_iv=0.75,
)
COINS = {coin.name: coin for coin in (BTC, ETH, SOL, HYPE)}
