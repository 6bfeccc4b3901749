"""The table of paths: one entry says what is asked, what is answered, and by whom."""

from collections.abc import Sequence

from bot.api import answers
from bot.api.calls import Route
from bot.api.endpoints import DAYS, MOST_DAYS, MOST_SYMBOLS, Endpoints
from bot.api.parameters import expiry, names, one_of, some_of, whole
from bot.api.schema import IN_MULTI, INCLUDES, Sections
from bot.core.venues import VENUES

DEFAULT_SYMBOL = "BTCUSDT"
MANY = f"at most {MOST_SYMBOLS}, repeated ones counted, parted by commas"


def make_routes(endpoints: Endpoints, symbols: Sequence[str]) -> Sequence[Route]:
    """Every path that answers with data."""
    default = DEFAULT_SYMBOL if DEFAULT_SYMBOL in symbols else symbols[0]
    symbol = one_of("symbol", "whose levels", symbols, default)
    exchanges = some_of("exchanges", "levels of these venues alone, parted by commas", VENUES)
    day = expiry("expiry", "all, 0dte (within 24 hours), or a day: 2026-03-27, 27MAR26")
    return (
        Route(
            "/gex/levels",
            "the levels of a symbol",
            Sections,
            endpoints.levels,
            (symbol, exchanges, some_of("include", "sections beside the levels", INCLUDES)),
        ),
        Route(
            "/multi/gex/levels",
            "the levels of several symbols in one request",
            answers.Bundle,
            endpoints.bundle,
            (
                names("symbols", MANY, MOST_SYMBOLS, symbols[:MOST_SYMBOLS]),
                exchanges,
                some_of("include", "sections beside the levels", IN_MULTI),
            ),
        ),
        Route(
            "/gex/strike-profile",
            "GEX and open interest by strike",
            answers.Profile,
            endpoints.profile,
            (symbol, exchanges, day),
        ),
        Route(
            "/gex/max-pain",
            "max pain by expiry",
            answers.Pains,
            endpoints.pains,
            (symbol, day),
        ),
        Route(
            "/gex/stress-history",
            "levels and net GEX over time",
            answers.History,
            endpoints.history,
            (symbol, whole("days", "how far back", 1, MOST_DAYS, DAYS)),
        ),
        Route(
            "/expiries",
            "open interest, IV, GEX and max pain by expiry",
            answers.Expiries,
            endpoints.expiries,
            (symbol,),
        ),
        Route("/symbols", "the symbols there are", answers.Symbols, endpoints.symbols),
        Route("/status", "how each venue does for each symbol", answers.Status, endpoints.status),
        Route("/meta", "symbols, venues, codes and limits", answers.About, endpoints.about),
        Route("/health", "whether it answers", answers.Alive, endpoints.health, is_public=True),
    )
