import asyncio
import gzip
import socket

import aiohttp
import pytest

from bot.sim.control import MOST_PATHS, OTHER, Requests
from bot.sim.market import Market
from bot.sim.server import Simulator, serve
from tests.sim.served import NOON, served

BOOK = "/api/v2/public/get_book_summary_by_currency"
TIME = "/api/v2/public/get_time"
TICKERS = "/v3/public/get_tickers"
BANDS = "/api/v5/public/instrument-tick-bands"


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def simulator():
    async with Simulator(7, lambda: NOON) as running:
        yield running


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_a_client_reads_a_whole_chain(simulator, http):
    params = {"currency": "BTC", "kind": "option"}

    async with http.get(simulator.base_url + BOOK, params=params) as reply:
        body = await reply.json()

    assert reply.status == 200
    assert reply.content_type == "application/json"
    assert len(body["result"]) == len(Market(7).chain("BTC", NOON).strike)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (BOOK, {"currency": "BTC"}),
        ("/v5/market/tickers", {"category": "option", "baseCoin": "BTC"}),
        ("/api/v5/public/opt-summary", {"instFamily": "BTC-USD"}),
        ("/eapi/v1/mark", {}),
        ("/fapi/v1/premiumIndex", {"symbol": "BTCUSDT"}),
        ("/api/v3/klines", {"symbol": "BTCUSDT", "interval": "30m", "limit": "499"}),
    ],
)
async def test_all_venues_share_the_address(simulator, http, path, params):
    async with http.get(simulator.base_url + path, params=params) as reply:
        body = await reply.json()

    assert reply.status == 200
    assert body


async def test_derive_is_asked_by_post(simulator, http):
    asked = {"instrument_type": "option", "currency": "HYPE", "expiry_date": "20261127"}

    async with http.post(simulator.base_url + TICKERS, json=asked) as reply:
        body = await reply.json()

    assert len(body["result"]["tickers"]) > 10


@pytest.mark.parametrize("data", [b"{", b"[]", b"7"])
async def test_a_post_of_no_object_is_refused(simulator, http, data):
    async with http.post(simulator.base_url + TICKERS, data=data) as reply:
        assert reply.status == 400


async def test_an_answer_is_compressed_for_those_who_accept_it(simulator):
    url, params = simulator.base_url + BOOK, {"currency": "ETH"}

    async with aiohttp.ClientSession(auto_decompress=False) as http:
        async with http.get(url, params=params, headers={"Accept-Encoding": "identity"}) as reply:
            plain = await reply.read()
        async with http.get(url, params=params) as reply:
            packed = await reply.read()

    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(packed) < len(plain) / 3
    assert gzip.decompress(packed) == plain


async def test_a_refusal_keeps_its_status_and_body(simulator, http):
    async with http.get(simulator.base_url + BOOK) as reply:
        body = await reply.json()

    assert reply.status == 400
    assert body["error"]["code"] == -32602


async def test_a_path_of_no_venue_is_not_found(simulator, http):
    async with http.get(simulator.base_url + "/nothing") as reply:
        assert reply.status == 404


async def test_the_market_follows_the_clock():
    async with served() as client:
        _, first = await client.get(TIME)
        client.clock.advance(86_400)
        _, second = await client.get(TIME)

    assert second["result"] - first["result"] == 86_400_000


async def test_requests_are_counted_by_venue_and_path():
    async with served() as client:
        await client.get(TIME)
        await client.get(TIME, again="yes")
        await client.get("/api/v5/public/time")
        async with client.open("/v3/ws"):
            pass
        await client.get("/nothing")
        counted = await client.get("/control/requests")

    assert counted == (
        200,
        {"deribit": {TIME: 2}, "derive": {"/v3/ws": 1}, "okx": {"/api/v5/public/time": 1}},
    )


def test_paths_without_end_are_counted_as_one():
    requests = Requests()

    for number in range(2 * MOST_PATHS):
        requests.count("okx", f"/api/v5/{number}")

    assert requests.of("okx", "/api/v5/1") == 1
    assert requests.of("okx", OTHER) == MOST_PATHS


async def test_who_asks_too_often_is_refused_until_the_clock_moves_on():
    async with served() as client:
        statuses = [(await client.get(BANDS, instType="OPTION"))[0] for _ in range(6)]
        client.clock.advance(2)
        again, _ = await client.get(BANDS, instType="OPTION")

    assert statuses == [200] * 5 + [429]
    assert again == 200


async def test_nobody_asks_too_often_without_limits():
    async with served(limits=False) as client:
        answers = [await client.get(BANDS, instType="OPTION") for _ in range(6)]

    assert {status for status, _ in answers} == {200}


async def test_binance_tells_the_weight_used_with_every_answer(simulator, http):
    weights = []
    for _ in range(2):
        async with http.get(simulator.base_url + "/eapi/v1/mark") as reply:
            weights.append(reply.headers["X-MBX-USED-WEIGHT-1M"])

    assert weights == ["5", "10"]


async def test_it_closes_with_its_connections(http):
    async with Simulator(7, lambda: NOON) as simulator, http.get(simulator.base_url + TIME):
        pass

    with pytest.raises(aiohttp.ClientConnectorError):
        await http.get(simulator.base_url + TIME)


async def test_a_taken_port_is_an_error_and_nothing_stays_open(simulator):
    port = int(simulator.base_url.rpartition(":")[2])

    with pytest.raises(OSError, match="address"):
        async with Simulator(7, lambda: NOON, port=port):
            pass


async def test_serve_answers_until_it_is_cancelled(http):
    port = free_port()
    serving = asyncio.create_task(serve("127.0.0.1", port, seed=7, speed=60.0))
    url = f"http://127.0.0.1:{port}{TIME}"

    while True:
        try:
            async with http.get(url) as reply:
                assert reply.status == 200
            break
        except aiohttp.ClientConnectorError:
            await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving

    with pytest.raises(aiohttp.ClientConnectorError):
        await http.get(url)
