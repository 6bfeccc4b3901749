"""A client of the public API in plain requests: only its base URL and its key are changed."""

import asyncio
import re

import pytest

pytest.importorskip("requests", reason="requests is not installed: make test")

from tests.api.serving import KEY, Clock, add_key, make_store, served
from tests.clients.conftest import wait_for
from tests.clients.public import ApiError, Levels, summary

EVERYTHING = "candles,expected_move,max_pain,ranked,spot,zones"
IN_A_BUNDLE = "ranked,max_pain,expected_move,zones"


@pytest.fixture(params=["", "/v2"], ids=["root", "v2"])
def levels(daemon, request):
    client = Levels(f"{daemon.address}{request.param}", daemon.key)
    yield client
    client.close()


def test_levels_are_read_as_anywhere_else(levels):
    body = levels.get("/gex/levels", symbol="BTCUSDT", include=EVERYTHING)

    data, meta = body["data"], body["meta"]
    assert re.match(r"BTCUSDT spot [\d,.]+ HVL [\d,]+ call wall [\d,]+ put support", summary(body))
    assert data["all_expiry"]["put_support"] < data["all_expiry"]["call_resistance"]
    assert data["spot"]["spot_price"] == meta["spot_price"]
    assert data["expected_move"]["lower_1sd"] < meta["spot_price"]
    assert len(data["ranked"]["all_expiry_top_10"]) == 10
    assert set(meta["source"]) <= {"deribit", "bybit", "okx", "binance", "derive"}
    assert meta["simulated"] is True


def test_candles_are_half_hours_ascending_of_two_days_at_most(levels):
    candles = levels.get("/gex/levels", include="candles")["data"]["candles"]

    times = [one["datetime"] for one in candles]
    assert 0 < len(times) <= 97
    assert times == sorted(set(times))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:(00|30):00Z", time) for time in times)
    assert all(one["low"] <= min(one["open"], one["close"]) for one in candles)
    assert all(one["high"] >= max(one["open"], one["close"]) for one in candles)


def test_venues_alone_are_another_answer(levels):
    alone = levels.get("/gex/levels", exchanges="deribit", include="ranked")
    whole = levels.get("/gex/levels", include="ranked")

    assert alone["meta"]["source"] == alone["meta"]["exchanges_filtered"] == ["deribit"]
    assert alone["meta"]["extra"]["net_gex"] != whole["meta"]["extra"]["net_gex"]


def test_the_watch_list_is_one_request(levels):
    data = levels.get("/multi/gex/levels", symbols="BTCUSDT,ETHUSDT,SOLUSDT", include=IN_A_BUNDLE)[
        "data"
    ]

    for symbol, result in data["results"].items():
        assert result["spot_price"] > 0, symbol
        assert result["max_pain"]["strike"] > 0
    assert (data["served"], data["invalid"]) == (["BTCUSDT", "ETHUSDT"], ["SOLUSDT"])


def test_every_other_path_is_read(levels):
    pains = levels.get("/gex/max-pain", symbol="ETHUSDT", expiry="all")["data"]
    day = pains["per_expiry"][-1]["expiry"]
    alone = levels.get("/gex/max-pain", symbol="ETHUSDT", expiry=day)["data"]
    profile = levels.get("/gex/strike-profile", symbol="ETHUSDT", expiry=day)["data"]
    history = levels.get("/gex/stress-history", symbol="ETHUSDT", days=1)["data"]["points"]

    assert alone["per_expiry"][0]["dte"] == pains["per_expiry"][-1]["dte"]
    assert profile["strikes"]
    assert history == sorted(history, key=lambda point: point["datetime"])
    assert levels.get("/expiries", symbol="ETHUSDT")["data"]["expiries"]
    assert [one["symbol"] for one in levels.get("/symbols")["data"]["symbols"]][:1] == ["BTCUSDT"]
    assert levels.get("/status")["data"]["overall_status"] in ("healthy", "degraded", "unhealthy")
    assert levels.get("/meta")["data"]["limits"]["symbols_per_request"] == 8
    assert levels.get("/health")["data"] == {"status": "ok"}


@pytest.mark.parametrize(
    ("path", "params", "code", "status"),
    [
        ("/gex/levels", {"symbol": "BTC"}, "VALIDATION_ERROR", 422),
        ("/gex/levels", {"greek": "delta"}, "VALIDATION_ERROR", 422),
        ("/gex/max-pain", {"expiry": "31DEC25"}, "NOT_FOUND", 404),
        ("/gex/nothing", {}, "NOT_FOUND", 404),
    ],
)
def test_errors_are_branched_on_by_their_code(levels, path, params, code, status):
    with pytest.raises(ApiError, match=r"request_id=[0-9a-f]{32}") as raised:
        levels.get(path, **params)

    assert (raised.value.code, raised.value.status) == (code, status)


@pytest.mark.parametrize("key", ["", "gb_live_wrong", "bq_live_" + "a" * 32])
def test_without_the_key_nothing_is_told(daemon, key):
    client = Levels(f"{daemon.address}/v2", key)

    with pytest.raises(ApiError) as raised:
        client.get("/gex/levels")

    assert (raised.value.code, raised.value.status) == ("UNAUTHORIZED", 401)
    client.close()


def test_what_has_not_changed_is_not_sent_again(levels):
    def spared():
        levels.get("/gex/levels", symbol="ETHUSDT")
        return levels.spared

    assert wait_for(spared)


def test_a_client_that_is_told_to_wait_is_told_how_long(daemon):
    slept = []
    client = Levels(f"{daemon.address}/v2", daemon.make_key("slow", "2"), slept.append)

    def until_refused():
        try:
            return client.get("/symbols") and None
        except ApiError as error:
            return error if error.code != "UNAUTHORIZED" else None  # it was made a moment ago

    refused = wait_for(until_refused)

    assert (refused.code, refused.status) == ("RATE_LIMIT_EXCEEDED", 429)
    assert refused.details["limit"] == 2
    assert slept
    assert all(0 < seconds <= 60 for seconds in slept)
    client.close()


async def test_a_client_that_waits_as_long_as_it_is_told_is_answered():
    """Here the clock is ours, so that nobody waits."""
    clock, slept = Clock(), []
    store = await make_store("BTCUSDT")
    await add_key(store, per_minute=2)

    def sleep(seconds):
        slept.append(seconds)
        clock.seconds += seconds

    async with served(store, clock=clock) as api:
        client = Levels(f"{api.address}/v2", KEY, sleep)
        found = [await asyncio.to_thread(client.get, "/symbols") for _ in range(5)]
        client.close()

    assert all(one["success"] for one in found)
    assert slept == [15, 60]
    assert client.remaining == 1
