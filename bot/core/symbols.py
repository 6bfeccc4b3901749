"""Symbols as people type them: btc, BTC and BTCUSDT are one."""

import difflib
from collections.abc import Iterable

from bot.errors import UserError

QUOTE = "USDT"


def coin_of(symbol: str) -> str:
    """The underlying: BTC of BTCUSDT."""
    return symbol.removesuffix(QUOTE)


def symbol_of(coin: str) -> str:
    """The symbol: BTCUSDT of BTC."""
    return f"{coin}{QUOTE}"


def find_symbol(text: str, known: Iterable[str]) -> str:
    """The known symbol that is meant. Raises UserError, which suggests the nearest."""
    symbols = list(known)
    wanted = text.strip().lstrip("$").upper()
    for symbol in symbols:
        if wanted in (symbol, coin_of(symbol), f"{coin_of(symbol)}USD", f"{coin_of(symbol)}-USD"):
            return symbol
    near = difflib.get_close_matches(coin_of(wanted), map(coin_of, symbols), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(map(coin_of, symbols))}"
    raise UserError(f"no symbol {text.strip()!r}; {hint}")
