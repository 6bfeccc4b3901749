"""An answer of each path, made up, of the very types that encode the answers."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bot.api import answers
from bot.api.codes import CODES, RATE_LIMIT_EXCEEDED, VALIDATION_ERROR, Code
from bot.api.schema import (
    INCLUDES,
    VERSION,
    Details,
    Extra,
    Failure,
    Meta,
    Problem,
    Ranked,
    RateLimit,
    Sections,
    Spot,
    Trouble,
)
from bot.core.breakdown import ExpiryRow, StrikeRow
from bot.core.levels import ExpectedMove, LevelSet, MaxPain, OdteSet, RankedStrike
from bot.core.snapshot import DEFINITION, Candle
from bot.core.venues import VENUES
from bot.core.zones import FlipZone

SYMBOL, SPOT = "BTCUSDT", 89_250.0
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
AT = NOW - timedelta(seconds=12.5)
EXPIRY = datetime(2026, 3, 27, 8, tzinfo=UTC)
REQUEST_ID = "0f8fad5bd9cb469fa16570867728950e"
LIMIT = RateLimit(limit=600, remaining=599, reset=1_772_452_860)

LEVELS = LevelSet(88_500.0, 95_000.0, 100_000.0, 92_000.0, 85_000.0, 80_000.0, 82_000.0)
ODTE = OdteSet(hvl=89_000.0, call_resistance=90_000.0, put_support=88_000.0)
PAIN = MaxPain(strike=88_000.0, value=412_500_000.0, expiry=EXPIRY)
MOVE = ExpectedMove(91_600.0, 86_900.0, 93_950.0, 84_550.0)
STRONGEST = RankedStrike(95_000.0, 18_250_000.0, 19_000_000.0, -750_000.0, 5_120.0, 240.0, 6.44)
RANKED = Ranked(all_expiry_top_10=[STRONGEST], odte_top_10=[])
ZONE = FlipZone(88_420.0, (88_420.0,), 88_100.0, 88_740.0, "negative_to_positive", -0.93)
CANDLE = Candle(NOW - timedelta(minutes=30), 89_100.0, 89_400.0, 89_020.0, 89_250.0, 310.5)

EXTRA = Extra(
    net_gex=42_000_000.0,
    regime="positive",
    definition_version=DEFINITION,
    dropped_rows={"expired": 4},
    venue_ages_seconds={"deribit": 12.5, "okx": 14.0},
    left_out={"derive": "HTTP 503"},
    stale=False,
)
META = Meta(VERSION, NOW, REQUEST_ID, rate_limit=LIMIT)
META_OF_SYMBOL = Meta(
    version=VERSION,
    timestamp=NOW,
    request_id=REQUEST_ID,
    symbol=SYMBOL,
    spot_price=SPOT,
    computed_at=AT,
    freshness_seconds=12.5,
    source=["deribit", "okx"],
    exchanges_filtered=None,
    rate_limit=LIMIT,
    extra=EXTRA,
)

DATA: Mapping[str, object] = {
    "/gex/levels": Sections(
        LEVELS, ODTE, RANKED, PAIN, MOVE, [ZONE], Spot(SPOT, 89_240.5), [CANDLE]
    ),
    "/multi/gex/levels": answers.Bundle(
        results={
            SYMBOL: answers.Result(LEVELS, ODTE, SPOT, AT, RANKED, PAIN, MOVE, [ZONE]),
            "HYPEUSDT": None,
        },
        requested=[SYMBOL, "HYPEUSDT", "XYZUSDT"],
        served=[SYMBOL],
        missing=["HYPEUSDT"],
        invalid=["XYZUSDT"],
    ),
    "/gex/strike-profile": answers.Profile(
        "all", [StrikeRow(95_000.0, 19_000_000.0, -750_000.0, 18_250_000.0, 5_120.0, 240.0)]
    ),
    "/gex/max-pain": answers.pains("all", {PAIN.expiry: PAIN}, AT),
    "/gex/stress-history": answers.History(
        days=7,
        points=[
            answers.Point(
                AT,
                SPOT,
                LEVELS.hvl,
                LEVELS.call_resistance,
                LEVELS.call_wall_2,
                LEVELS.call_wall_3,
                LEVELS.put_support,
                LEVELS.put_wall_2,
                LEVELS.put_wall_3,
                EXTRA.net_gex,
                EXTRA.regime,
            )
        ],
    ),
    "/expiries": answers.Expiries(
        [ExpiryRow(EXPIRY, 596.0, 21_400.0, 18_900.0, 9_800_000.0, 0.472, PAIN.strike)]
    ),
    "/symbols": answers.Symbols(
        [
            answers.SymbolRow(SYMBOL, "BTC", AT, SPOT),
            answers.SymbolRow("HYPEUSDT", "HYPE", None, None),
        ]
    ),
    "/status": answers.Status(
        "unhealthy",
        {
            SYMBOL: {
                "deribit": answers.VenueState("healthy", 12.5, None),
                "derive": answers.VenueState("unhealthy", None, "HTTP 503"),
            }
        },
    ),
    "/meta": answers.About(
        VERSION,
        DEFINITION,
        [SYMBOL, "HYPEUSDT"],
        VENUES,
        INCLUDES,
        [answers.CodeRow(code.name, code.status, code.when) for code in CODES],
        answers.Bounds(8, 30, 4_096, LIMIT.limit),
    ),
    "/health": answers.Alive("ok"),
}
OF_NO_SYMBOL = ("/multi/gex/levels", "/symbols", "/status", "/meta", "/health")
DETAILS = {
    VALIDATION_ERROR: Details(
        errors=[Problem("value", ("query", "symbol"), "no 'BTC'; did you mean BTCUSDT?")]
    ),
    RATE_LIMIT_EXCEEDED: Details(retry_after_seconds=32, limit=LIMIT.limit),
}


def example_of(path: str) -> Mapping[str, object]:
    """A whole answer of that path."""
    meta = META if path in OF_NO_SYMBOL else META_OF_SYMBOL
    return {"success": True, "data": DATA[path], "meta": meta}


def example_of_refusal(code: Code) -> Failure:
    """A whole refusal with that code."""
    return Failure(False, Trouble(code.name, code.when, DETAILS.get(code, Details())), META)
