"""The usual app that ours is measured beside: FastAPI, pydantic models, uvicorn[standard].

It serves the same envelopes from memory: their `data` is parsed into models when it starts, and
`meta` is made for each request, as ours does. It has no ETag, since the usual app has none. It is
kept lean: what costs extra, the dependency that checks keys and the middleware for gzip, is there
only where it is measured.
"""

import hmac
import json
import os
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar
from uuid import uuid4

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response, Security
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, TypeAdapter

UNLIMITED = 1_000_000_000
LEAST_PACKED = 512  # bytes
STALE_SECONDS = 180.0
SYMBOLS = r"^(BTCUSDT|ETHUSDT|SOLUSDT|HYPEUSDT)(,(BTCUSDT|ETHUSDT|SOLUSDT|HYPEUSDT)){0,7}$"
VENUES = r"^(deribit|bybit|okx|binance|derive)(,(deribit|bybit|okx|binance|derive))*$"
SECTIONS = r"^((^|,)(candles|expected_move|max_pain|ranked|spot|zones))*$"
Symbol = Literal["BTCUSDT", "ETHUSDT", "SOLUSDT", "HYPEUSDT"]
T = TypeVar("T")


class LevelSet(BaseModel):
    """Walls, USD."""

    hvl: float | None
    call_resistance: float | None
    call_wall_2: float | None
    call_wall_3: float | None
    put_support: float | None
    put_wall_2: float | None
    put_wall_3: float | None


class OdteSet(BaseModel):
    """Those of today."""

    hvl: float | None
    call_resistance: float | None
    put_support: float | None


class RankedStrike(BaseModel):
    """A strike by its weight."""

    strike: float
    net_gex: float
    call_gex: float
    put_gex: float
    call_oi: float
    put_oi: float
    distance_pct: float


class Ranked(BaseModel):
    """The strongest of each set."""

    all_expiry_top_10: list[RankedStrike]
    odte_top_10: list[RankedStrike]


class MaxPain(BaseModel):
    """One expiry's."""

    strike: float
    value: float
    expiry: datetime


class ExpectedMove(BaseModel):
    """What the options price in."""

    upper_1sd: float
    lower_1sd: float
    upper_2sd: float
    lower_2sd: float


class Zone(BaseModel):
    """Where gamma turns."""

    flip: float
    flips: list[float]
    lower: float
    upper: float
    direction: str
    distance_pct: float


class Spot(BaseModel):
    """Prices."""

    spot_price: float
    perps_price: float | None


class Candle(BaseModel):
    """Thirty minutes."""

    datetime: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


class Sections(BaseModel):
    """`data` of a symbol; what was not asked for is unset."""

    all_expiry: LevelSet
    odte: OdteSet
    ranked: Ranked | None = None
    max_pain: MaxPain | None = None
    expected_move: ExpectedMove | None = None
    gamma_flip_zones: list[Zone] | None = None
    spot: Spot | None = None
    candles: list[Candle] | None = None


class Result(Sections):
    """One symbol of a bundle."""

    spot_price: float
    computed_at: datetime


class Bundle(BaseModel):
    """`data` of several."""

    results: dict[str, Result | None]
    requested: list[str]
    served: list[str]
    missing: list[str]
    invalid: list[str]


class RateLimit(BaseModel):
    """What is left."""

    limit: int
    remaining: int
    reset: int


class Extra(BaseModel):
    """More."""

    net_gex: float | None
    regime: str | None
    definition_version: str
    dropped_rows: dict[str, int]
    venue_ages_seconds: dict[str, float]
    left_out: dict[str, str]
    stale: bool


class Meta(BaseModel):
    """Of a request."""

    version: str
    timestamp: datetime
    request_id: str
    symbol: str | None = None
    spot_price: float | None = None
    computed_at: datetime | None = None
    freshness_seconds: float | None = None
    source: list[str] | None = None
    exchanges_filtered: list[str] | None = None
    rate_limit: RateLimit
    extra: Extra | None = None


class Envelope(BaseModel, Generic[T]):
    """What everything is in."""

    success: Literal[True]
    data: T
    meta: Meta


KEY = os.environ.get("USUAL_KEY", "")
KEPT = json.loads(Path(os.environ["USUAL_DATA"]).read_text())
ONE = TypeAdapter(dict[str, Envelope[Sections]]).validate_python(KEPT["levels"])
MANY = TypeAdapter(dict[str, Envelope[Bundle]]).validate_python(KEPT["multi"])
USED: Counter[int] = Counter()


def admitted(request: Request, response: Response) -> tuple[str, RateLimit]:
    """The request's id and what its key has left, also as headers."""
    minute = int(time.time() // 60)
    USED[minute] += 1
    found = RateLimit(limit=UNLIMITED, remaining=UNLIMITED - USED[minute], reset=minute * 60 + 60)
    identity = request.headers.get("x-request-id") or uuid4().hex
    response.headers["X-Request-ID"] = identity
    response.headers["X-RateLimit-Limit"] = str(found.limit)
    response.headers["X-RateLimit-Remaining"] = str(found.remaining)
    response.headers["X-RateLimit-Reset"] = str(found.reset)
    return identity, found


async def known(key: Annotated[str, Security(APIKeyHeader(name="X-API-Key"))]) -> None:
    """Raises HTTPException for a key that is not ours."""
    if not hmac.compare_digest(key, KEY):
        raise HTTPException(401, "unknown key")


app = FastAPI(dependencies=[Depends(known)] if KEY else [])
if os.environ.get("USUAL_GZIP"):
    app.add_middleware(GZipMiddleware, minimum_size=LEAST_PACKED)


@app.get("/gex/levels", response_model_exclude_unset=True)
async def levels(
    request: Request,
    response: Response,
    symbol: Symbol = "BTCUSDT",
    exchanges: Annotated[str | None, Query(pattern=VENUES)] = None,
    include: Annotated[str, Query(pattern=SECTIONS)] = "",
) -> Envelope[Sections]:
    """One symbol."""
    kept = ONE[f"{symbol} {include}"]
    then, now = kept.meta, datetime.now(UTC)
    assert then.computed_at
    assert then.extra
    age = (now - then.computed_at).total_seconds()
    identity, limit = admitted(request, response)
    meta = Meta(
        version="2.0",
        timestamp=now,
        request_id=identity,
        symbol=symbol,
        spot_price=then.spot_price,
        computed_at=then.computed_at,
        freshness_seconds=age,
        source=then.source,
        exchanges_filtered=exchanges and exchanges.split(","),
        rate_limit=limit,
        extra=Extra(
            net_gex=then.extra.net_gex,
            regime=then.extra.regime,
            definition_version=then.extra.definition_version,
            dropped_rows=then.extra.dropped_rows,
            venue_ages_seconds=dict.fromkeys(then.extra.venue_ages_seconds, age),
            left_out=then.extra.left_out,
            stale=age > STALE_SECONDS,
        ),
    )
    return Envelope(success=True, data=kept.data, meta=meta)


@app.get("/multi/gex/levels", response_model_exclude_unset=True)
async def bundle(
    request: Request,
    response: Response,
    symbols: Annotated[str, Query(pattern=SYMBOLS)],
    exchanges: Annotated[str | None, Query(pattern=VENUES)] = None,
    include: Annotated[str, Query(pattern=SECTIONS)] = "",
) -> Envelope[Bundle]:
    """Several."""
    identity, limit = admitted(request, response)
    meta = Meta(
        version="2.0",
        timestamp=datetime.now(UTC),
        request_id=identity,
        exchanges_filtered=exchanges and exchanges.split(","),
        rate_limit=limit,
    )
    return Envelope(success=True, data=MANY[f"{symbols} {include}"].data, meta=meta)
