import asyncio
import gzip
import socket
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.sim.market import Market
from bot.sim.server import Simulator, running_clock, serve

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOOK = "/api/v2/public/get_book_summary_by_currency"
TIME = "/api/v2/public/get_time"


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


async def test_both_venues_share_the_address(simulator, http):
    params = {"symbol": "BTCUSDT", "interval": "30m", "limit": "499"}

    async with http.get(simulator.base_url + "/api/v3/klines", params=params) as reply:
        rows = await reply.json()

    assert len(rows) == 499


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


async def test_the_market_follows_the_clock(http):
    times = iter([NOON, NOON + timedelta(days=1)])

    async with Simulator(7, lambda: next(times)) as simulator:
        answers = []
        for _ in range(2):
            async with http.get(simulator.base_url + TIME) as reply:
                answers.append((await reply.json())["result"])

    assert answers[1] - answers[0] == 86_400_000


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


def test_a_clock_runs_as_fast_as_it_is_told():
    elapsed = iter([100.0, 100.0, 101.5])

    clock = running_clock(60.0, monotonic=lambda: next(elapsed))
    first, second = clock(), clock()

    assert first.tzinfo is UTC
    assert second - first == timedelta(seconds=90)
