"""The venues by name."""

import difflib

from bot.errors import UserError

VENUES = ("deribit", "bybit", "okx", "binance", "derive")


def find_venue(text: str) -> str:
    """The venue that is meant. Raises UserError, which suggests the nearest."""
    name = text.strip().lower()
    if name in VENUES:
        return name
    near = difflib.get_close_matches(name, VENUES, n=1)
    hint = f"did you mean {near[0]}?" if near else f"venues: {', '.join(VENUES)}"
    raise UserError(f"no venue {text.strip()!r}; {hint}")
