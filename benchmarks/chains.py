"""Chains that look like real ones, of any size, the same each time."""

from datetime import UTC, datetime

import numpy as np

from bot.core.chain import OptionChain, Source, milliseconds

NOW = datetime(2026, 4, 23, 3, tzinfo=UTC)
SPOT = 78_100.0
DAYS = (0.21, 1.21, 2.21, 8.21, 15.2, 22.2, 36.2, 64.2, 99.2, 155.2, 246.2, 337.2)
VENUES = ("deribit", "bybit", "okx", "binance")


def make_chain(rows: int) -> OptionChain:
    """So many contracts on four venues and twelve expiries: calls over puts, round strikes."""
    random = np.random.default_rng(7)
    pairs = -(-rows // (2 * len(VENUES) * len(DAYS)))  # strikes an expiry and venue
    parts = [_expiry(random, venue, days, pairs) for venue in range(len(VENUES)) for days in DAYS]
    columns = {name: np.concatenate([part[name] for part in parts])[:rows] for name in parts[0]}
    sources = tuple(Source(venue, NOW, rows // len(VENUES)) for venue in VENUES)
    return OptionChain("BTC", sources, **columns)


def _expiry(random: np.random.Generator, venue: int, days: float, pairs: int) -> dict:
    """The calls and puts of one expiry on one venue."""
    width = 0.5 * np.sqrt(days / 365) + 0.08
    x = np.linspace(-2.2, 2.2, pairs)
    step = 50 if pairs > 100 else 250
    strike = np.repeat(np.round(78_000 * np.exp(x * width) / step) * step, 2)
    is_call = np.tile([True, False], pairs)
    x = np.repeat(x, 2)
    round_strike = 1 + 3 * (strike % 5_000 == 0) + (strike % 1_000 == 0)
    held = np.exp(-0.5 * ((x - np.where(is_call, 0.8, -0.8)) / 0.9) ** 2)
    rows = len(strike)
    return {
        "venue": np.full(rows, venue),
        "expiry": np.full(rows, int(milliseconds(NOW) + days * 86_400_000)),
        "strike": strike,
        "is_call": is_call,
        "oi": held * round_strike * np.sqrt(days + 1) * random.exponential(30, rows),
        "iv": np.round(0.45 + 0.1 * x**2 - 0.02 * x + 0.01 * venue, 4),
        "forward": np.full(rows, 78_000 * (1 + 0.05 * days / 365)),
        "index": np.full(rows, 78_000.0),
        "at": np.full(rows, int(milliseconds(NOW))),
    }
