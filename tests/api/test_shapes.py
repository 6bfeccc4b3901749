"""Each example that the public documentation shows: its fields, their nesting, their order."""

import re
from datetime import datetime

import pytest

from tests.api.serving import BTC, ETH, HYPE, KEY, SOL, add_key, make_store, served

EVERYTHING = "candles,expected_move,max_pain,ranked,spot,zones"
IN_A_BUNDLE = "expected_move,max_pain,ranked,zones"
WALLS = [
    "hvl",
    "call_resistance",
    "call_wall_2",
    "call_wall_3",
    "put_support",
    "put_wall_2",
    "put_wall_3",
]
RANKED_STRIKE = ["strike", "net_gex", "call_gex", "put_gex", "call_oi", "put_oi", "distance_pct"]
SECTIONS = {
    "all_expiry": WALLS,
    "odte": ["hvl", "call_resistance", "put_support"],
    "ranked": {"all_expiry_top_10": [RANKED_STRIKE], "odte_top_10": [RANKED_STRIKE]},
    "max_pain": ["strike", "value", "expiry"],
    "expected_move": ["upper_1sd", "lower_1sd", "upper_2sd", "lower_2sd"],
    "gamma_flip_zones": [["flip", "flips", "lower", "upper", "direction", "distance_pct"]],
}
ALONE = {
    "spot": ["spot_price", "perps_price"],
    "candles": [["datetime", "open", "high", "low", "close", "volume"]],
}
META = ["version", "timestamp", "request_id", "rate_limit"]
META_OF_A_SYMBOL = [
    "version",
    "timestamp",
    "request_id",
    "symbol",
    "spot_price",
    "computed_at",
    "freshness_seconds",
    "source",
    "exchanges_filtered",
    "rate_limit",
    "extra",
]
RESULT = ["all_expiry", "odte", "spot_price", "computed_at", *list(SECTIONS)[2:]]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"


def assert_shape(value, shape):
    """A list of names is an object with exactly these, in this order; a list in a list, rows."""
    if isinstance(shape, dict):
        assert list(value) == list(shape)
        for name, inner in shape.items():
            assert_shape(value[name], inner)
    elif isinstance(shape[0], list):
        assert value
        for row in value:
            assert list(row) == shape[0]
    else:
        assert list(value) == shape


async def test_levels_with_everything(client):
    body = (await client.ask(f"/v2/gex/levels?symbol={BTC}&include={EVERYTHING}")).body

    assert list(body) == ["success", "data", "meta"]
    assert body["success"] is True
    assert_shape(body["data"], SECTIONS | ALONE)
    assert list(body["meta"]) == META_OF_A_SYMBOL
    assert list(body["meta"]["rate_limit"]) == ["limit", "remaining", "reset"]


async def test_levels_alone(client):
    body = (await client.ask("/v2/gex/levels")).body

    assert_shape(body["data"], {name: SECTIONS[name] for name in ("all_expiry", "odte")})
    assert body["meta"]["symbol"] == BTC


@pytest.mark.parametrize("prefix", ["", "/v2"])
async def test_four_symbols_in_one_request(client, prefix):
    target = f"{prefix}/multi/gex/levels?symbols={BTC},{ETH},{SOL},{HYPE}&include={IN_A_BUNDLE}"

    body = (await client.ask(target)).body

    data = body["data"]
    assert list(data) == ["results", "requested", "served", "missing", "invalid"]
    assert data["requested"] == list(data["results"]) == [BTC, ETH, SOL, HYPE]
    assert (data["served"], data["missing"], data["invalid"]) == ([BTC, ETH, SOL], [HYPE], [])
    for symbol in data["served"]:
        result = data["results"][symbol]
        assert list(result) == RESULT
        assert_shape({name: result[name] for name in SECTIONS}, SECTIONS)
    assert list(body["meta"]) == META


async def test_max_pain_of_today_of_all_and_of_a_day(client):
    today = (await client.ask("/v2/gex/max-pain?expiry=0dte")).data
    whole = (await client.ask("/v2/gex/max-pain?expiry=all")).data
    day = (await client.ask("/v2/gex/max-pain?expiry=20MAR26")).data

    for data in (today, whole, day):
        assert list(data) == ["expiry", "max_pain", "per_expiry"]
        assert list(data["max_pain"]) == ["strike", "value", "expiry"]
        assert_shape(data["per_expiry"], [["expiry", "dte", "max_pain"]])
    assert [one["expiry"] for one in (today, whole, day)] == ["0dte", "all", "20MAR26"]
    assert [one["expiry"] for one in whole["per_expiry"]] == ["03MAR26", "20MAR26", "18SEP26"]
    assert [one["dte"] for one in whole["per_expiry"]] == [1, 18, 200]


async def test_status_is_symbols_then_venues_and_the_worst_of_them(client):
    data = (await client.ask("/v2/status")).data

    assert list(data) == ["overall_status", "symbols"]
    assert list(data["symbols"]) == [BTC, ETH, SOL, HYPE]
    assert_shape(
        data["symbols"][BTC],
        {name: ["status", "freshness_seconds", "reason"] for name in ("deribit", "bybit", "okx")},
    )
    assert data["overall_status"] == "unavailable"  # HYPE has no data


async def test_a_history_without_days_is_of_a_week(client):
    body = (await client.ask("/v2/gex/stress-history")).body

    assert list(body["data"]) == ["days", "points"]
    assert body["data"]["days"] == 7
    assert_shape(body["data"]["points"], [["datetime", "spot_price", *WALLS, "net_gex", "regime"]])


async def test_profile_expiries_symbols_and_meta(client):
    profile = (await client.ask("/v2/gex/strike-profile")).data
    expiries = (await client.ask("/v2/expiries")).data
    symbols = (await client.ask("/v2/symbols")).data
    about = (await client.ask("/v2/meta")).data

    row = ["strike", "call_gex", "put_gex", "net_gex", "call_oi", "put_oi"]
    assert_shape(profile["strikes"], [row])
    row = ["expiry", "hours_left", "call_oi", "put_oi", "net_gex", "atm_iv", "max_pain"]
    assert_shape(expiries["expiries"], [row])
    assert_shape(symbols["symbols"], [["symbol", "underlying", "computed_at", "spot_price"]])
    assert {"symbols", "venues", "error_codes", "limits"} <= about.keys()
    assert about["venues"] == ["deribit", "bybit", "okx", "binance", "derive"]


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/v2/gex/levels?symbol=BTC", 422, "VALIDATION_ERROR"),
        (f"/v2/gex/levels?symbol={HYPE}", 404, "NOT_FOUND"),
        ("/v2/gex/nothing", 404, "NOT_FOUND"),
    ],
)
async def test_a_refusal(client, target, status, code):
    answer = await client.ask(target)

    assert answer.status == status
    assert list(answer.body) == ["success", "error", "meta"]
    assert answer.body["success"] is False
    assert list(answer.error) == ["code", "message", "details"]
    assert answer.error["code"] == code
    assert list(answer.meta) == META


async def test_a_bad_symbol_is_told_where_and_why(client):
    errors = (await client.ask("/v2/gex/levels?symbol=BTC")).error["details"]["errors"]

    assert_shape(errors, [["type", "loc", "msg"]])
    assert errors[0]["loc"] == ["query", "symbol"]
    assert BTC in errors[0]["msg"]


async def test_refusals_of_a_key_have_the_limits_too(store):
    await add_key(store, per_minute=1)
    async with served(store) as client:
        nobody = await client.ask("/v2/gex/levels")
        await client.ask("/v2/gex/levels", headers={"X-API-Key": KEY})
        over = await client.ask("/v2/gex/levels", headers={"X-API-Key": KEY})

    assert (nobody.status, nobody.error["code"]) == (401, "UNAUTHORIZED")
    assert (over.status, over.error["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert list(over.error["details"]) == ["retry_after_seconds", "limit"]
    for answer in (nobody, over):
        shown = {
            "limit": int(answer.headers["X-RateLimit-Limit"]),
            "remaining": int(answer.headers["X-RateLimit-Remaining"]),
            "reset": int(answer.headers["X-RateLimit-Reset"]),
        }
        assert answer.meta["rate_limit"] == shown
    assert int(over.headers["Retry-After"]) == over.error["details"]["retry_after_seconds"] > 0


async def test_meta_says_how_old_each_venue_is_and_which_is_left_out():
    store = await make_store(BTC, left_out={"derive": "HTTP 503"})
    async with served(store) as client:
        extra = (await client.ask("/v2/gex/levels")).meta["extra"]

    assert list(extra) == [
        "net_gex",
        "regime",
        "definition_version",
        "dropped_rows",
        "venue_ages_seconds",
        "left_out",
        "stale",
    ]
    assert extra["venue_ages_seconds"] == {"deribit": 12.5, "bybit": 12.5, "okx": 12.5}
    assert extra["left_out"] == {"derive": "HTTP 503"}
    assert extra["stale"] is False


async def test_the_symbols_are_those_of_the_operator_the_first_is_asked_for():
    store = await make_store("XRPUSDT", "AVAXUSDT")
    async with served(store, symbols=("XRPUSDT", "AVAXUSDT")) as client:
        first = await client.ask("/v2/gex/levels")
        other = await client.ask("/v2/gex/levels?symbol=AVAXUSDT")
        unknown = await client.ask(f"/v2/gex/levels?symbol={BTC}")

    assert (first.meta["symbol"], other.meta["symbol"]) == ("XRPUSDT", "AVAXUSDT")
    assert unknown.status == 422


async def test_every_time_is_iso_8601_in_utc(client):
    body = (await client.ask(f"/v2/gex/levels?include={EVERYTHING}")).body

    times = [
        body["meta"]["timestamp"],
        body["meta"]["computed_at"],
        body["data"]["max_pain"]["expiry"],
        *(candle["datetime"] for candle in body["data"]["candles"]),
    ]
    for time in times:
        assert re.fullmatch(TIME, time)
        assert datetime.fromisoformat(time).utcoffset().total_seconds() == 0


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs"])
async def test_what_needs_no_key_is_under_v2_as_well(store, path):
    await add_key(store)
    async with served(store) as client:
        assert (await client.ask(f"/v2{path}")).status == 200
