"""Each path of the contract, over a socket."""

import json
from datetime import timedelta

import msgspec
import numpy as np
import pytest

from bot.api import answers
from bot.api.schema import Failure, Sections, Success, envelope
from bot.core.chain import only_venues
from bot.core.crossings import Latches
from bot.core.snapshot import compute_levels
from bot.ports import Record
from tests.api.serving import (
    BTC,
    CHAIN,
    ETH,
    HYPE,
    LATER,
    SOL,
    SYMBOLS,
    VENUES,
    add_snapshot,
    make_store,
    served,
)
from tests.fakes import NOON, SPOT, make_snapshot

DATA = {
    "/gex/levels?include=candles,expected_move,max_pain,ranked,spot,zones": Sections,
    "/gex/levels": Sections,
    f"/multi/gex/levels?symbols=BTCUSDT,{HYPE},NONE&include=ranked,zones": answers.Bundle,
    "/gex/strike-profile": answers.Profile,
    "/gex/max-pain": answers.Pains,
    "/gex/stress-history": answers.History,
    "/expiries": answers.Expiries,
    "/symbols": answers.Symbols,
    "/status": answers.Status,
    "/meta": answers.About,
    "/health": answers.Alive,
}
OF_A_SYMBOL = ("/gex/levels", "/gex/strike-profile", "/gex/max-pain", "/gex/stress-history")


@pytest.mark.parametrize("prefix", ["", "/v2"])
@pytest.mark.parametrize("target", DATA)
async def test_every_path_answers_as_its_type_says(client, prefix, target):
    answer = await client.ask(prefix + target)

    read = msgspec.json.decode(answer.content, type=Success[DATA[target]])
    assert answer.status == 200
    assert json.loads(msgspec.json.encode(read)) == answer.body


async def test_levels_without_sections_are_the_two_sets_alone(client):
    data = (await client.ask("/gex/levels")).data

    assert list(data) == ["all_expiry", "odte"]
    assert set(data["all_expiry"]) == {
        "hvl",
        "call_resistance",
        "call_wall_2",
        "call_wall_3",
        "put_support",
        "put_wall_2",
        "put_wall_3",
    }
    assert set(data["odte"]) == {"hvl", "call_resistance", "put_support"}


@pytest.mark.parametrize(
    ("word", "field", "fields"),
    [
        ("ranked", "ranked", {"all_expiry_top_10", "odte_top_10"}),
        ("max_pain", "max_pain", {"strike", "value", "expiry"}),
        ("expected_move", "expected_move", {"upper_1sd", "lower_1sd", "upper_2sd", "lower_2sd"}),
        ("spot", "spot", {"spot_price", "perps_price"}),
    ],
)
async def test_a_section_comes_when_it_is_included(client, word, field, fields):
    data = (await client.ask(f"/gex/levels?include={word}")).data

    assert set(data) == {"all_expiry", "odte", field}
    assert set(data[field]) == fields


async def test_zones_and_candles_are_lists(client):
    data = (await client.ask("/gex/levels?include=zones,candles")).data

    zone = {"flip", "flips", "lower", "upper", "direction", "distance_pct"}
    assert {frozenset(one) for one in data["gamma_flip_zones"]} == {frozenset(zone)}
    assert data["candles"] == [
        {
            "datetime": "2026-03-02T12:00:00Z",
            "open": 80000.0,
            "high": 80100.5,
            "low": 79900.25,
            "close": 80050.0,
            "volume": 12.5,
        }
    ]


async def test_meta_of_levels_says_where_they_come_from(client):
    meta = (await client.ask(f"/gex/levels?symbol={ETH}")).meta

    assert (meta["version"], meta["symbol"], meta["spot_price"]) == ("2.0", ETH, SPOT)
    assert (meta["timestamp"], meta["computed_at"]) == (
        "2026-03-02T12:00:12.500000Z",
        "2026-03-02T12:00:00Z",
    )
    assert meta["freshness_seconds"] == 12.5
    assert meta["source"] == list(VENUES)
    assert meta["exchanges_filtered"] is None
    assert set(meta["rate_limit"]) == {"limit", "remaining", "reset"}
    assert set(meta["extra"]) >= {"net_gex", "regime", "definition_version", "dropped_rows"}


async def test_a_venue_filter_recomputes_from_these_venues_alone(client):
    answer = await client.ask("/gex/levels?exchanges=okx,bybit&include=ranked")

    alone = compute_levels(only_venues(CHAIN, ["okx", "bybit"]), SPOT, NOON)
    whole = compute_levels(CHAIN, SPOT, NOON)
    top = answer.data["ranked"]["all_expiry_top_10"][0]
    assert top["net_gex"] == alone.ranked[0].net_gex != whole.ranked[0].net_gex
    assert answer.meta["source"] == ["bybit", "okx"]
    assert answer.meta["exchanges_filtered"] == ["bybit", "okx"]


async def test_a_filter_with_a_venue_that_is_not_heard_takes_the_others(client):
    answer = await client.ask("/gex/levels?exchanges=okx,derive")

    assert answer.meta["source"] == ["okx"]
    assert answer.meta["exchanges_filtered"] == ["okx", "derive"]


async def test_a_filter_of_venues_that_are_not_heard_is_not_found(client):
    answer = await client.ask("/gex/levels?exchanges=derive")

    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", [*OF_A_SYMBOL, "/expiries"])
async def test_a_symbol_without_data_is_not_found(client, path):
    answer = await client.ask(f"{path}?symbol={HYPE}")

    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


async def test_old_data_is_served_and_marked(store):
    async with served(store, now=lambda: NOON + timedelta(hours=1)) as client:
        meta = (await client.ask("/gex/levels")).meta

    assert meta["freshness_seconds"] == 3600
    assert meta["extra"]["stale"] is True


async def test_old_data_fails_no_bundle_and_says_of_when_it_is(store):
    async with served(store, now=lambda: NOON + timedelta(hours=1)) as client:
        answer = await client.ask(f"/multi/gex/levels?symbols={BTC},{HYPE}")

    assert (answer.status, answer.data["served"], answer.data["missing"]) == (200, [BTC], [HYPE])
    assert answer.data["results"][BTC]["computed_at"] == f"{NOON:%Y-%m-%dT%H:%M:%SZ}"


async def test_a_bundle_tells_served_missing_and_invalid_apart(client):
    data = (await client.ask(f"/multi/gex/levels?symbols=NOPE,{HYPE},{BTC},{SOL},{BTC}")).data

    assert data["requested"] == ["NOPE", HYPE, BTC, SOL]
    assert (data["served"], data["missing"], data["invalid"]) == ([BTC, SOL], [HYPE], ["NOPE"])
    assert list(data["results"]) == [HYPE, BTC, SOL]
    assert data["results"][HYPE] is None
    assert set(data["results"][BTC]) == {"all_expiry", "odte", "spot_price", "computed_at"}


async def test_a_bundle_has_what_the_single_answer_has(client):
    include = "expected_move,max_pain,ranked,zones"
    bundle = await client.ask(f"/multi/gex/levels?symbols={ETH}&include={include}&exchanges=okx")
    single = await client.ask(f"/gex/levels?symbol={ETH}&include={include}&exchanges=okx")

    result = bundle.data["results"][ETH]
    assert (result.pop("spot_price"), result.pop("computed_at")) == (SPOT, "2026-03-02T12:00:00Z")
    assert result == single.data
    assert bundle.meta["exchanges_filtered"] == ["okx"]


async def test_the_profile_sums_to_net_gex(client):
    answer = await client.ask("/gex/strike-profile")

    rows = answer.data["strikes"]
    assert [row["strike"] for row in rows] == sorted(row["strike"] for row in rows)
    np.testing.assert_allclose(
        sum(row["net_gex"] for row in rows), answer.meta["extra"]["net_gex"], rtol=1e-9
    )
    assert {row["call_gex"] >= 0 >= row["put_gex"] for row in rows} == {True}


async def test_the_profile_of_some_venues_and_a_day_is_part_of_the_whole(client):
    whole = (await client.ask("/gex/strike-profile")).data["strikes"]
    part = (await client.ask("/gex/strike-profile?exchanges=okx&expiry=20MAR26")).data

    assert part["expiry"] == "20MAR26"
    assert all(
        one["call_oi"] < other["call_oi"] for one, other in zip(part["strikes"], whole, strict=True)
    )


@pytest.mark.parametrize("day", ["2026-03-20", "20MAR26", "20mar26"])
async def test_max_pain_of_a_day_however_it_is_written(client, day):
    data = (await client.ask(f"/gex/max-pain?expiry={day}")).data

    assert [one["expiry"] for one in data["per_expiry"]] == ["20MAR26"]
    assert data["max_pain"]["expiry"] == "2026-03-20T12:00:00Z"


async def test_max_pain_of_all_and_of_today(client):
    whole = (await client.ask("/gex/max-pain")).data
    today = (await client.ask("/gex/max-pain?expiry=0dte")).data
    levels = (await client.ask("/gex/levels?include=max_pain")).data

    assert [one["dte"] for one in whole["per_expiry"]] == [1, 18, 200]
    assert len(today["per_expiry"]) == 1
    assert whole["max_pain"] == today["max_pain"] == levels["max_pain"]


@pytest.mark.parametrize("path", ["/gex/max-pain", "/gex/strike-profile"])
async def test_a_day_without_an_expiry_is_not_found(client, path):
    answer = await client.ask(f"{path}?expiry=2026-03-21")

    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/gex/strike-profile", "/gex/max-pain", "/expiries"])
async def test_a_snapshot_without_its_chain_is_not_found(store, path):
    bare = make_snapshot(CHAIN, BTC, at=LATER)
    await store.record(Record(BTC, LATER, Latches(), snapshot=bare))
    async with served(store) as client:
        answer = await client.ask(path)

    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


async def test_history_is_ascending_and_ends_with_the_newest(store):
    for minutes in (3, 2, 1):
        await add_snapshot(store, BTC, NOON + timedelta(minutes=minutes), spot=80_000.0 + minutes)
    async with served(store) as client:
        data = (await client.ask("/gex/stress-history?days=1")).data

    times = [one["datetime"] for one in data["points"]]
    assert data["days"] == 1
    assert times == sorted(times)
    assert data["points"][-1]["spot_price"] == 80_003.0
    assert set(data["points"][0]) >= {"hvl", "call_resistance", "put_support", "net_gex", "regime"}


async def test_symbols_says_which_have_data(client):
    rows = (await client.ask("/symbols")).data["symbols"]

    assert [row["symbol"] for row in rows] == list(SYMBOLS)
    assert [row["computed_at"] is not None for row in rows] == [True, True, True, False]


async def test_status_is_the_worst_of_its_grid():
    store = await make_store(BTC, ETH, left_out={"derive": "HTTP 503"})
    async with served(store, symbols=(BTC, ETH)) as client:
        data = (await client.ask("/status")).data

    assert data["symbols"][BTC]["okx"]["status"] == "healthy"
    assert data["symbols"][ETH]["derive"] == {
        "status": "unhealthy",
        "freshness_seconds": None,
        "reason": "HTTP 503",
    }
    assert data["overall_status"] == "unhealthy"


async def test_meta_names_the_codes_with_their_status(client):
    data = (await client.ask("/meta")).data

    codes = {one["code"]: one["status"] for one in data["error_codes"]}
    assert codes.items() >= {
        ("UNAUTHORIZED", 401),
        ("FORBIDDEN", 403),
        ("NOT_FOUND", 404),
        ("VALIDATION_ERROR", 422),
        ("RATE_LIMIT_EXCEEDED", 429),
        ("UPSTREAM_ERROR", 503),
        ("INTERNAL_ERROR", 500),
        ("METHOD_NOT_ALLOWED", 405),
        ("PAYLOAD_TOO_LARGE", 413),
    }
    assert data["symbols"] == list(SYMBOLS)


async def test_simulated_stands_on_every_answer(store):
    async with served(store, simulated=True) as client:
        found = [await client.ask(target) for target in ("/gex/levels", "/health", "/nope")]

    assert [one.meta["simulated"] for one in found] == [True] * 3
    assert [one.headers["X-Simulated"] for one in found] == ["true"] * 3


async def test_simulated_stands_on_the_page_for_people_too(store):
    async with served(store, simulated=True) as client:
        page = (await client.ask("/docs")).content

    assert b"SIMULATED" in page


async def test_what_the_terminal_prints_is_what_the_api_answers(store, client):
    everything = "candles,expected_move,max_pain,ranked,spot,zones"
    answer = await client.ask(f"/gex/levels?include={everything}", headers={"X-Request-ID": "one"})

    printed = json.loads(envelope(await store.snapshot(BTC), LATER, "one", None))
    assert answer.meta.pop("rate_limit")
    assert answer.body["data"] == printed["data"]
    assert {name: answer.meta[name] for name in printed["meta"]} == printed["meta"]


@pytest.mark.parametrize(
    ("target", "kinds"),
    [
        ("/gex/levels?symbol=BTC", ["value"]),
        ("/gex/levels?symbol=", ["value"]),
        ("/gex/levels?symbol=BTCUSDT&symbol=BTCUSDT", ["repeated"]),
        ("/gex/levels?exchanges=ftx", ["value"]),
        ("/gex/levels?include=everything", ["value"]),
        ("/gex/levels?foo=1&include=x&bar=2", ["unknown", "unknown", "value"]),
        ("/multi/gex/levels", ["missing"]),
        ("/multi/gex/levels?symbols=A,B,C,D,E,F,G,H,I", ["value"]),
        ("/multi/gex/levels?symbols=BTCUSDT&include=candles", ["value"]),
        ("/gex/stress-history?days=0", ["value"]),
        ("/gex/stress-history?days=31", ["value"]),
        ("/gex/stress-history?days=1.5", ["value"]),
        ("/gex/max-pain?expiry=tomorrow", ["value"]),
        ("/gex/max-pain?exchanges=okx", ["unknown"]),
        ("/health?x=1", ["unknown"]),
    ],
)
async def test_a_bad_query_is_told_in_full(client, target, kinds):
    answer = await client.ask(target)

    errors = answer.error["details"]["errors"]
    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_ERROR")
    assert [one["type"] for one in errors] == kinds
    assert all(one["loc"][0] == "query" and one["msg"] for one in errors)
    msgspec.json.decode(answer.content, type=Failure)


@pytest.mark.parametrize(
    "target", ["/nope", "/v2/nope", "/v2/v2/gex/levels", "/gex/levels/", "/v2"]
)
async def test_no_such_path_is_in_the_envelope(client, target):
    answer = await client.ask(target)

    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
    assert answer.body["success"] is False


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
@pytest.mark.parametrize("path", ["/gex/levels", "/docs", "/health"])
async def test_another_method_is_in_the_envelope(client, method, path):
    answer = await client.ask(path, method)

    assert (answer.status, answer.error["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("target", ["/gex/levels?x=" + "a" * 5_000, "/" + "a" * 20_000])
async def test_too_long_a_target_is_in_the_envelope(client, target):
    answer = await client.ask(target)

    assert (answer.status, answer.error["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_too_large_a_body_is_in_the_envelope(client):
    answer = await client.ask("/gex/levels", data=b"x" * 100_000)

    assert (answer.status, answer.error["code"]) == (413, "PAYLOAD_TOO_LARGE")
