"""Symbols as people type them: btc, BTC and BTCUSDT are one."""

from collections.abc import Iterable

from bot.core.words import suggest
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
    coins = list(map(coin_of, symbols))
    hint = suggest(coin_of(wanted), coins, f"known: {', '.join(coins)}")
    raise UserError(f"no symbol {text.strip()!r}; {hint}")


def find_symbols(words: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """The known symbols that are meant, each once; all of them without a word. Raises UserError."""
    symbols = tuple(known)
    found = [
        symbol
        for word in words
        for symbol in (symbols if word == "all" else (find_symbol(word, symbols),))
    ]
    return tuple(dict.fromkeys(found)) or symbols
