"""The level string: label, value, label, value, in one line, as indicators for charts read it."""

from collections.abc import Iterator

from bot.core.exports.export import number_text
from bot.core.snapshot import Snapshot
from bot.core.symbols import coin_of


def level_string(snapshot: Snapshot) -> str:
    """`$BTCUSD: Call Resistance, 95000, Put Support, 85000, ...`; without what does not exist.

    The symbol has at most six letters for most coins: known readers take no more.
    """
    known = ((name, price) for name, price in _levels(snapshot) if price is not None)
    pairs = [f"{name}, {number_text(price)}" for name, price in known]
    return f"${coin_of(snapshot.symbol)}USD: {', '.join(pairs)}".rstrip()


def _levels(snapshot: Snapshot) -> Iterator[tuple[str, float | None]]:
    """Every label of the form, in its order."""
    levels, move = snapshot.levels, snapshot.levels.expected_move
    yield "Call Resistance", levels.all_expiry.call_resistance
    yield "Put Support", levels.all_expiry.put_support
    yield "HVL", levels.all_expiry.hvl
    yield "1D Min", move.lower_1sd if move else None
    yield "1D Max", move.upper_1sd if move else None
    yield "Call Resistance 0DTE", levels.odte.call_resistance
    yield "Put Support 0DTE", levels.odte.put_support
    yield "HVL 0DTE", levels.odte.hvl
    for rank, strike in enumerate(levels.ranked, 1):
        yield f"GEX {rank}", strike.strike
