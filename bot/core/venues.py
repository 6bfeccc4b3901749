"""The venues by name."""

from bot.core.words import suggest
from bot.errors import UserError

VENUES = ("deribit", "bybit", "okx", "binance", "derive")


def find_venue(text: str) -> str:
    """The venue that is meant. Raises UserError, which suggests the nearest."""
    name = text.strip().lower()
    if name in VENUES:
        return name
    hint = suggest(name, VENUES, f"venues: {', '.join(VENUES)}")
    raise UserError(f"no venue {text.strip()!r}; {hint}")
