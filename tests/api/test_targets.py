"""Paths and parameters in every spelling that somebody will try."""

from urllib.parse import quote

import pytest

from tests.api.serving import BTC, ETH, HYPE, SOL, VENUES, make_store, served
from tests.api.wire import ask_target

NOWHERE = [
    "/nope",
    "//",
    "///",
    "//gex/levels",
    "//example.org/gex/levels",
    "/v2",
    "/v2/",
    "/v2/v2/gex/levels",
    "/v2//gex/levels",
    "/v1/gex/levels",
    "/V2/gex/levels",
    "/GEX/levels",
    "/gex/levels/",
    "/gex//levels",
    "/gex/./levels",
    "/gex/../gex/levels",
    "/v2/%2e%2e/gex/levels",
    "/gex/levels%00",
    "/gex/levels%0d%0aX-Odd:1",
    "/gex/levels;symbol=BTCUSDT",
    "/%ff%fe",
    "/gex/levels.json",
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/metrics/",
    "/.env",
]


@pytest.mark.parametrize("target", NOWHERE)
async def test_what_is_no_path_is_not_found_in_the_envelope(client, target):
    heard = await ask_target(client, target)

    assert (heard.status, heard.code) == (404, "NOT_FOUND")
    assert heard.body["success"] is False
    assert heard.body["meta"]["request_id"] == heard.headers["x-request-id"]


@pytest.mark.parametrize(
    "target",
    [
        "/v2/gex/levels",
        "/%67ex/levels",
        "/gex/levels?",
        "/gex/levels?&&",
        "/gex/levels#part",
        "http://example.org/v2/gex/levels",
        "http://example.org:8080/gex/levels?symbol=BTCUSDT",
    ],
)
async def test_other_spellings_of_a_path_are_that_path(client, target):
    heard = await ask_target(client, target)

    assert (heard.status, heard.body["meta"]["symbol"]) == (200, BTC)


@pytest.mark.parametrize("target", ["/gex/levels", "/docs", "/nope", "localhost:80"])
async def test_a_tunnel_is_not_found_and_takes_no_path_from_others(client, target):
    tunnel = await ask_target(client, target, "CONNECT")
    path = await client.ask("/gex/levels")
    again = await ask_target(client, target, "CONNECT")

    assert [tunnel.status, path.status, again.status] == [404, 200, 404]


@pytest.mark.parametrize(
    "target",
    ["gex/levels", "http://[::1/health", "http://x:port/health", "http://x:99999999/", ":", "/ä"],
)
async def test_what_is_no_target_is_a_bad_request(client, target):
    heard = await ask_target(client, target)

    assert (heard.status, heard.code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "query",
    [
        "symbol=",
        "symbol",
        "symbol=btcusdt",
        "symbol=BTC",
        "symbol=%20BTCUSDT",
        "symbol=BTCUSDT%00",
        "symbol=BTCUSDT,ETHUSDT",
        "symbol=BTCUSDT;include=spot",
        "symbol=%ff",
        "symbol=%ud800",
        "exchanges=",
        "exchanges=,",
        "exchanges=okx,",
        "exchanges=,okx",
        "exchanges=okx,,bybit",
        "exchanges=OKX",
        "exchanges=kraken",
        "exchanges=okx|bybit",
        "include=",
        "include=spot,",
        "include=SPOT",
        "include=all",
        "Symbol=BTCUSDT",
        "symbols=BTCUSDT",
        "api_key=x",
        "symbol=BTCUSDT&symbol=ETHUSDT",
        "exchanges=okx&exchanges=bybit",
        "include=spot&include=spot",
        "symbol[]=BTCUSDT",
        "=",
        "=BTCUSDT",
        f"symbol={'A' * 4_000}",
    ],
)
async def test_a_parameter_that_is_not_as_it_should_be_is_refused(client, query):
    heard = await ask_target(client, f"/gex/levels?{query}")

    assert (heard.status, heard.code) == (422, "VALIDATION_ERROR")
    assert heard.body["error"]["details"]["errors"]
    assert len(heard.content) < 2_000


@pytest.mark.parametrize(
    "query",
    [
        "exchanges=okx,bybit",
        "exchanges=bybit,%20okx",
        "exchanges=okx,+bybit,okx",
        "exchanges=okx%2Cbybit",
    ],
)
async def test_venues_are_parted_by_commas_spaces_do_not_matter(client, query):
    heard = await ask_target(client, f"/gex/levels?{query}")

    assert heard.body["meta"]["exchanges_filtered"] == ["bybit", "okx"]
    assert heard.body["meta"]["source"] == ["bybit", "okx"]


async def test_all_venues_together_are_the_whole(client):
    whole = await client.ask("/gex/levels?include=ranked")
    named = await client.ask(f"/gex/levels?include=ranked&exchanges={','.join(VENUES)}")

    assert named.data == whole.data
    assert named.meta["exchanges_filtered"] == ["deribit", "bybit", "okx"]
    assert whole.meta["exchanges_filtered"] is None


@pytest.mark.parametrize("path", ["/gex/levels", "/gex/strike-profile"])
async def test_a_venue_without_data_is_not_found(client, path):
    answer = await client.ask(f"{path}?exchanges=derive,binance")

    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
    assert "derive" in answer.error["message"]


async def test_a_bundle_of_venues_without_data_is_all_missing(client):
    data = (await client.ask(f"/multi/gex/levels?symbols={BTC},{ETH}&exchanges=derive")).data

    assert data["results"] == {BTC: None, ETH: None}
    assert (data["served"], data["missing"]) == ([], [BTC, ETH])


def many(count):
    return ",".join(f"COIN{number}USDT" for number in range(count))


@pytest.mark.parametrize(("count", "status"), [(1, 200), (8, 200), (9, 422), (100, 422)])
async def test_a_bundle_has_eight_symbols_at_most(client, count, status):
    answer = await client.ask(f"/multi/gex/levels?symbols={many(count)}")

    assert answer.status == status
    if status == 200:
        assert answer.data["invalid"] == many(count).split(",")


@pytest.mark.parametrize(("repeated", "status"), [(8, 200), (9, 422)])
async def test_repeated_symbols_count_for_the_limit_and_are_asked_once(client, repeated, status):
    answer = await client.ask(f"/multi/gex/levels?symbols={','.join([BTC] * repeated)}")

    assert answer.status == status
    if status == 200:
        assert answer.data["requested"] == answer.data["served"] == [BTC]


async def test_a_bundle_keeps_the_order_that_was_asked_for(client):
    data = (await client.ask(f"/multi/gex/levels?symbols={SOL},%20{BTC},{SOL},X,{ETH},X")).data

    assert data["requested"] == [SOL, BTC, "X", ETH]
    assert list(data["results"]) == data["served"] == [SOL, BTC, ETH]
    assert data["invalid"] == ["X"]


async def test_a_bundle_of_nothing_that_is_known_and_one_without_data_are_answered(client):
    unknown = (await client.ask("/multi/gex/levels?symbols=A,B,btcusdt")).data
    missing = (await client.ask(f"/multi/gex/levels?symbols={HYPE}")).data

    assert unknown["results"] == {}
    assert unknown["invalid"] == ["A", "B", "btcusdt"]
    assert missing["results"] == {HYPE: None}
    assert missing["missing"] == [HYPE]


@pytest.mark.parametrize(
    "symbols", ["", ",", f"{BTC},", f",{BTC}", "BTC/USDT", "<b>", "Ä", "A" * 33, "BTC USDT", "\x00"]
)
async def test_what_is_no_symbol_is_refused_in_a_bundle(client, symbols):
    answer = await client.ask(f"/multi/gex/levels?symbols={quote(symbols)}")

    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_ERROR")


@pytest.mark.parametrize("word", ["spot", "candles", "zones,candles"])
async def test_what_a_bundle_does_not_include_is_refused(client, word):
    answer = await client.ask(f"/multi/gex/levels?symbols={BTC}&include={word}")

    assert answer.status == 422


async def test_old_data_is_served_in_a_bundle_beside_new():
    store = await make_store(BTC)
    async with served(store, symbols=(BTC, ETH)) as client:
        data = (await client.ask(f"/multi/gex/levels?symbols={BTC},{ETH}")).data

    assert (data["served"], data["missing"]) == ([BTC], [ETH])


@pytest.mark.parametrize(
    "day", ["all", "0dte", "2026-03-20", "20MAR26", "20mar26", "2026-03-03", "3MAR26", "03MAR26"]
)
@pytest.mark.parametrize("path", ["/gex/max-pain", "/gex/strike-profile"])
async def test_an_expiry_is_told_as_it_was_asked_for(client, path, day):
    assert (await client.ask(f"{path}?expiry={day}")).data["expiry"] == day


@pytest.mark.parametrize("day", ["2026-03-01", "1MAR26", "2020-01-01", "31DEC99", "2026-02-31"])
async def test_a_day_that_is_past_or_has_no_expiry_is_not_found(client, day):
    for path in ("/gex/max-pain", "/gex/strike-profile"):
        answer = await client.ask(f"{path}?expiry={day}")

        assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
        assert day in answer.error["message"]


@pytest.mark.parametrize(
    "day", ["", "today", "2026-00-10", "2026-13-10", "2026-03-00", "20MAR2026", "20-03-26", "0DTE"]
)
async def test_what_is_no_day_is_refused(client, day):
    assert (await client.ask(f"/gex/max-pain?expiry={day}")).status == 422


@pytest.mark.parametrize("days", ["0", "31", "-1", "1.0", "1e1", "", "9" * 4_000, "0x10", "\u0661"])
async def test_days_are_a_whole_number_from_1_to_30(client, days):
    assert (await client.ask(f"/gex/stress-history?days={quote(days)}")).status == 422


@pytest.mark.parametrize("days", ["1", "7", "30", "07"])
async def test_days_within_their_bounds_are_taken(client, days):
    assert (await client.ask(f"/gex/stress-history?days={days}")).data["days"] == int(days)


async def test_all_that_is_wrong_is_told_at_once(client):
    target = "/gex/levels?symbol=X&exchanges=kraken&include=x&y=1&symbl=BTCUSDT"
    error = (await client.ask(target)).error

    found = {one["loc"][1]: one["type"] for one in error["details"]["errors"]}
    assert found == {
        "symbol": "value",
        "exchanges": "value",
        "include": "value",
        "y": "unknown",
        "symbl": "unknown",
    }
    assert "\n" not in error["message"]
