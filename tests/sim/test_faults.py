import asyncio
import json
from datetime import timedelta
from random import Random

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sim import mutations
from bot.sim.faults import FAULTS, MOST, Channel, Fault, Faults
from bot.sim.market import Market
from bot.sim.server import Simulator
from tests.sim.served import NOON, Client, ManualClock, hear, served

MARKET = Market(7)
RANDOM = Random(7)
NOON_MS = 1_795_435_200_000
INDEX = {  # how each venue is asked for the index of BTC
    "deribit": ("/api/v2/public/get_index_price", {"index_name": "btc_usd"}),
    "bybit": ("/v5/market/tickers", {"category": "linear", "symbol": "BTCUSDT"}),
    "okx": ("/api/v5/market/index-tickers", {"instId": "BTC-USDT"}),
    "binance": ("/fapi/v1/premiumIndex", {"symbol": "BTCUSDT"}),
}
CHAIN = {  # how each venue is asked for options of BTC
    "deribit": ("/api/v2/public/get_book_summary_by_currency", {"currency": "BTC"}),
    "bybit": ("/v5/market/tickers", {"category": "option", "baseCoin": "BTC"}),
    "okx": ("/api/v5/public/open-interest", {"instType": "OPTION", "instFamily": "BTC-USD"}),
    "binance": ("/eapi/v1/mark", {}),
}
TIME = "/api/v2/public/get_time"
TICKERS = "/v3/public/get_tickers"
MARKS = "/market/stream?streams=btcusdt@markPrice@1s"


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def rows_of(venue, body):
    match venue:
        case "deribit":
            return body["result"]
        case "bybit":
            return body["result"]["list"]
        case "okx":
            return body["data"]
        case "binance":
            return body
        case "derive":
            return body["result"]["tickers"]


def index_of(venue, body):
    if venue == "deribit":
        return body["result"]["index_price"]
    row = body if venue == "binance" else rows_of(venue, body)[0]
    return float(row.get("idxPx") or row["indexPrice"])


async def ask(client, venue, calls=INDEX):
    path, params = calls[venue]
    return await client.get(path, **params)


async def derive_tickers(client, day="20261127"):
    asked = {"instrument_type": "option", "currency": "BTC", "expiry_date": day}
    return await client.post(TICKERS, asked)


# What a fault may be


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"venue": "ftx"}, "venue"),
        ({"kind": "flood"}, "kind"),
        ({"kind": "drop", "channel": "http"}, "channel of drop"),
        ({"kind": "empty", "channel": "ws"}, "channel of empty"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": 1e9}, "seconds"),
        ({"count": 0}, "count"),
        ({"count": 1.5}, "count"),
        ({"share": 0}, "share"),
        ({"share": 1.1}, "share"),
        ({"kind": "nulls", "value": 2}, "value"),
        ({"kind": "refuse", "value": 200}, "value"),
        ({"path": 7}, "path"),
        ({"volume": 11}, "volume"),
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused_in_one_line(wrong, words):
    async with served() as client:
        status, body = await client.post("/control/faults", {"venue": "*", "kind": "hang"} | wrong)
        listed = await client.get("/control/faults")

    assert status == 400
    assert words in body["error"]
    assert "\n" not in body["error"]
    assert listed == (200, [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"hang"', b'{"venue":"okx"}'])
async def test_what_is_no_fault_at_all_is_refused_too(body):
    async with served() as client:
        url = client.simulator.base_url + "/control/faults"
        async with client.http.post(url, data=body) as reply:
            answer = await reply.json()

    assert reply.status == 400
    assert answer["error"]


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_says_what_it_does_and_is_a_fault_as_it_stands(kind):
    fault = Fault("*", kind)

    assert FAULTS[kind].does
    assert "\n" not in FAULTS[kind].does
    assert FAULTS[kind].channels <= {"http", "ws"}
    assert FAULTS[kind].least <= fault.amount <= FAULTS[kind].most


async def test_faults_are_added_listed_and_ended_over_http():
    async with served() as client:
        asked = {"venue": "okx", "kind": "stale", "path": "/api/v5/public/", "value": 30}
        added = [await client.post("/control/faults", asked) for _ in range(3)]
        listed = await client.get("/control/faults")
        ended = await client.delete("/control/faults/2")
        again = await client.delete("/control/faults/2")
        left = await client.get("/control/faults")
        await client.delete("/control/faults")
        none = await client.get("/control/faults")

    assert added == [(200, {"id": 1}), (200, {"id": 2}), (200, {"id": 3})]
    assert listed[1][0].items() >= (asked | {"id": 1, "channel": "*", "share": 1.0}).items()
    assert (ended[0], again[0]) == (200, 404)
    assert [one["id"] for one in left[1]] == [1, 3]
    assert none == (200, [])


def test_there_may_be_so_many_faults_and_no_more():
    faults = Faults(ManualClock(), 7)
    for _ in range(MOST):
        faults.add(Fault("okx", "500"))

    with pytest.raises(ValueError, match="faults already"):
        faults.add(Fault("okx", "500"))


# When and where it strikes


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        (Fault("*", "hang"), [True, True, True]),
        (Fault("okx", "hang"), [True, True, False]),
        (Fault("*", "hang", channel="ws"), [False, True, False]),
        (Fault("*", "hang", path="/api/v5/pub"), [True, False, False]),
        (Fault("*", "500"), [True, False, True]),
    ],
)
def test_a_fault_strikes_the_venue_channel_and_path_it_is_meant_for(fault, struck):
    faults = Faults(ManualClock(), 7)
    faults.add(fault)
    channels = [
        Channel("okx", "http", "/api/v5/public/time"),
        Channel("okx", "ws", "/ws/v5/public"),
        Channel("bybit", "http", "/v5/market/time"),
    ]

    assert [faults.strike(one, (fault.kind,)) is not None for one in channels] == struck


async def test_a_fault_lasts_as_long_as_it_should_by_the_clock():
    async with served() as client:
        client.simulator.faults.add(Fault("deribit", "500", seconds=30))
        statuses = []
        for seconds in (0, 29, 1):
            client.clock.advance(seconds)
            statuses.append((await client.get(TIME))[0])
        left = client.simulator.faults.listed()

    assert statuses == [500, 500, 200]
    assert left == []


async def test_a_fault_strikes_as_many_answers_as_it_should():
    async with served() as client:
        client.simulator.faults.add(Fault("deribit", "500", count=2))
        statuses = [(await client.get(TIME))[0] for _ in range(3)]

    assert statuses == [500, 500, 200]


def test_a_fault_strikes_the_share_that_it_should_and_the_same_for_the_same_seed():
    def struck(seed):
        faults = Faults(ManualClock(), seed)
        faults.add(Fault("okx", "500", share=0.3))
        channel = Channel("okx", "http", "/")
        return [faults.strike(channel, ("500",)) is not None for _ in range(1000)]

    assert 250 < sum(struck(7)) < 350
    assert struck(7) == struck(7)
    assert struck(7) != struck(8)


# Over HTTP: instead of an answer


@pytest.mark.parametrize("venue", INDEX)
@pytest.mark.parametrize("status", ["418", "429", "403", "451", "500", "502", "503"])
async def test_a_venue_refuses_with_the_status_asked_for(venue, status):
    async with served() as client:
        client.simulator.faults.add(Fault(venue, status, value=17 if status < "450" else None))
        path, params = INDEX[venue]
        async with client.http.get(client.simulator.base_url + path, params=params) as reply:
            text = await reply.text()

    assert reply.status == int(status)
    assert reply.headers.get("Retry-After") == ("17" if status in ("418", "429") else None)
    assert reply.content_type == ("text/html" if text.startswith("<") else "application/json")


@pytest.mark.parametrize(
    ("venue", "words"),
    [("deribit", "10028"), ("bybit", "10006"), ("okx", "50011"), ("binance", "-1003")],
)
async def test_a_refusal_is_in_the_words_of_the_venue(venue, words):
    async with served() as client:
        client.simulator.faults.add(Fault(venue, "429"))
        _, body = await ask(client, venue)

    assert words in json.dumps(body)


@pytest.mark.parametrize(
    ("venue", "status", "words"),
    [
        ("deribit", 503, "11051"),
        ("bybit", 200, "10016"),
        ("okx", 503, "50001"),
        ("binance", 503, "-1008"),
    ],
)
async def test_a_venue_under_maintenance_says_so_in_its_own_way(venue, status, words):
    async with served() as client:
        client.simulator.faults.add(Fault(venue, "maintenance"))
        answered, body = await ask(client, venue)

    assert answered == status
    assert words in json.dumps(body)


async def test_derive_and_deribits_status_tell_of_maintenance_without_a_status_of_their_own():
    async with served() as client:
        client.simulator.faults.add(Fault("*", "maintenance"))
        derive = await derive_tickers(client)
        deribit = await client.get("/api/v2/public/status")

    assert (derive[0], derive[1]["error"]["code"]) == (200, -32603)
    assert (deribit[0], deribit[1]["result"]["locked"]) == (200, "true")


async def held(client):
    """A call that the server has begun to answer."""
    # A POST: what is only read would be asked for again by the client itself.
    asking = asyncio.create_task(derive_tickers(client))
    while not client.simulator.requests.of("derive", TICKERS):
        await client.get("/control/requests")
    return asking


async def test_an_answer_that_hangs_comes_never_and_costs_the_others_nothing():
    async with served() as client:
        number = client.simulator.faults.add(Fault("derive", "hang"))
        hanging = await held(client)
        other = await ask(client, "okx")
        hung = not hanging.done()
        client.simulator.faults.remove(number)
        with pytest.raises(aiohttp.ClientConnectionError):
            await hanging

    assert other[0] == 200
    assert hung


async def test_an_answer_hangs_no_longer_than_the_clock_says():
    async with served() as client:
        client.simulator.faults.add(Fault("derive", "hang", count=1, seconds=60))
        hanging = await held(client)
        client.clock.advance(60)
        with pytest.raises(aiohttp.ClientConnectionError):
            await hanging
        status, _ = await derive_tickers(client)

    assert status == 200


async def test_the_server_closes_while_an_answer_hangs():
    async with aiohttp.ClientSession() as http:
        async with Simulator(7, lambda: NOON) as simulator:
            simulator.faults.add(Fault("derive", "hang"))
            hanging = await held(Client(simulator, http, None))

        with pytest.raises(aiohttp.ClientConnectionError):
            await hanging


async def test_a_client_that_goes_ends_the_hanging_of_its_answer():
    async with served() as client:
        client.simulator.faults.add(Fault("derive", "hang", count=1))
        hanging = await held(client)
        while_it_hangs = client.simulator.faults.listed()
        hanging.cancel()
        while client.simulator.faults.listed():
            await client.get("/control/requests")

    assert len(while_it_hangs) == 1


async def test_a_connection_is_reset_instead_of_an_answer():
    async with served() as client:
        client.simulator.faults.add(Fault("derive", "reset"))
        with pytest.raises(aiohttp.ClientConnectionError):
            await derive_tickers(client)

    assert client.simulator.requests.of("derive", TICKERS) == 1


async def test_a_slow_answer_comes_whole_in_the_end():
    async with served() as client:
        client.simulator.faults.add(Fault("deribit", "slow", value=0.001))
        plain = await ask(client, "deribit", CHAIN)
        client.simulator.faults.clear()

        assert plain == await ask(client, "deribit", CHAIN)


async def test_a_slow_answer_is_released_with_its_fault():
    async with served() as client:
        number = client.simulator.faults.add(Fault("derive", "slow", value=3600))
        slow = await held(client)
        early = slow.done()
        client.simulator.faults.remove(number)
        status, _ = await slow

    assert (early, status) == (False, 200)


# Over HTTP: a wrong answer


async def test_a_truncated_answer_ends_in_the_middle():
    async with served() as client:
        url = client.simulator.base_url + TIME
        async with client.http.get(url) as reply:
            whole = await reply.read()
        client.simulator.faults.add(Fault("deribit", "truncated"))
        async with client.http.get(url) as reply:
            cut = await reply.read()

    assert cut == whole[: len(whole) // 2]


@pytest.mark.parametrize("venue", INDEX)
async def test_a_stale_venue_tells_old_prices_with_old_stamps(venue):
    async with served() as client:
        client.simulator.faults.add(Fault(venue, "stale", value=90))
        stale = await ask(client, venue)
        client.simulator.faults.clear()
        client.clock.advance(-90)

        assert stale == await ask(client, venue)


@pytest.mark.parametrize("venue", INDEX)
async def test_a_frozen_venue_tells_the_prices_of_its_beginning_with_stamps_of_now(venue):
    async with served() as client:
        client.simulator.faults.add(Fault(venue, "frozen"))
        client.clock.advance(90)
        _, frozen = await ask(client, venue)
        client.simulator.faults.clear()
        _, fresh = await ask(client, venue)

    assert index_of(venue, frozen) == MARKET.spot("BTC", NOON)
    assert index_of(venue, fresh) == MARKET.spot("BTC", after(90))
    assert stamps(frozen) == stamps(fresh)


def stamps(body):
    """The figures near now, which are stamps."""
    found = []

    def leaf(name, value):
        text = str(value)
        if text.isdecimal() and text.startswith(str(NOON_MS)[:5]) and "next" not in name:
            found.append((name, text))

    mutations.each_leaf(body, leaf)
    return found


@pytest.mark.parametrize("venue", INDEX)
async def test_one_bad_print_is_off_by_a_tenth_and_the_next_is_good(venue):
    async with served() as client:
        client.simulator.faults.add(Fault(venue, "bad_print"))
        prices = [index_of(venue, (await ask(client, venue))[1]) for _ in range(2)]

    spot = MARKET.spot("BTC", NOON)
    assert prices == [pytest.approx(1.1 * spot, abs=0.01), spot]


async def test_a_bad_print_waits_for_an_answer_with_a_price():
    async with served() as client:
        client.simulator.faults.add(Fault("deribit", "bad_print", value=-0.05))
        await client.get(TIME)
        _, body = await ask(client, "deribit")

    assert index_of("deribit", body) == pytest.approx(0.95 * MARKET.spot("BTC", NOON), abs=0.01)


@pytest.mark.parametrize("venue", CHAIN)
async def test_an_empty_answer_keeps_its_envelope(venue):
    async with served() as client:
        _, full = await ask(client, venue, CHAIN)
        client.simulator.faults.add(Fault(venue, "empty"))
        status, body = await ask(client, venue, CHAIN)

    assert status == 200
    assert len(rows_of(venue, full)) > 100
    assert rows_of(venue, body) == []
    assert venue == "binance" or body.keys() == full.keys()


async def test_derives_rows_are_emptied_too():
    async with served() as client:
        _, full = await derive_tickers(client)
        client.simulator.faults.add(Fault("derive", "empty"))
        _, body = await derive_tickers(client)

    assert len(full["result"]["tickers"]) > 20
    assert body["result"] == full["result"] | {"tickers": {}}


@pytest.mark.parametrize("venue", CHAIN)
async def test_the_rows_of_the_months_end_are_missing_and_no_others(venue):
    async with served() as client:
        full = rows_of(venue, (await ask(client, venue, CHAIN))[1])
        client.simulator.faults.add(Fault(venue, "missing_expiry"))
        rest = rows_of(venue, (await ask(client, venue, CHAIN))[1])

    missing = [row for row in full if row not in rest]
    assert all(row in full for row in rest)
    assert len(missing) > 20
    assert all("-27NOV26-" in str(row) or "-261127-" in str(row) for row in missing)
    assert "-27NOV26-" not in str(rest)
    assert "-261127-" not in str(rest)


async def test_derive_misses_the_months_end_as_well():
    async with served() as client:
        client.simulator.faults.add(Fault("derive", "missing_expiry"))
        _, november = await derive_tickers(client)
        _, december = await derive_tickers(client, "20261225")

    assert november["result"]["tickers"] == {}
    assert len(december["result"]["tickers"]) > 20


@pytest.mark.parametrize("venue", CHAIN)
@pytest.mark.parametrize("kind", ["wrong_types", "nulls"])
async def test_a_venues_values_lose_their_types(venue, kind):
    async with served() as client:
        _, good = await ask(client, venue, CHAIN)
        client.simulator.faults.add(Fault(venue, kind))
        status, bad = await ask(client, venue, CHAIN)

    assert status == 200
    assert bad != good


# The mutations themselves

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
bodies = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(body=bodies)
def test_every_value_null_leaves_the_shape(body):
    nulled = mutations.nulls(body, 1, RANDOM)

    assert mutations.each_leaf(body, lambda _, __: None) == nulled


@given(body=bodies, at=st.datetimes().map(lambda at: at.replace(tzinfo=NOON.tzinfo)))
def test_no_body_is_too_strange_to_be_altered(body, at):
    altered = [
        mutations.wrong_types(body, 0.5, RANDOM),
        mutations.bad_print(body, "okx", 0.1),
        mutations.empty(body),
        mutations.without_expiry(body, NOON),
        mutations.restamped(body, NOON, at),
    ]

    assert all(msgspec.json.encode(one) for one in altered)


@given(body=bodies, by=st.timedeltas(timedelta(days=-1000), timedelta(days=1000)))
def test_a_stamp_moved_there_and_back_is_itself(body, by):
    stamped = {"timestamp": NOON_MS, "rows": [{"ts": str(NOON_MS), "usIn": NOON_MS * 1000}, body]}
    by = timedelta(milliseconds=by // timedelta(milliseconds=1))

    there = mutations.restamped(stamped, NOON, NOON + by)

    assert there["timestamp"] == NOON_MS + by // timedelta(milliseconds=1)
    assert mutations.restamped(there, NOON + by, NOON) == stamped


def test_numbers_become_objects_or_lists_and_texts_numbers():
    body = {"iv": 61.27, "name": "BTC", "open": True, "last": None}

    mutated = mutations.wrong_types(body, 1, RANDOM)

    assert isinstance(mutated["iv"], list | dict)
    assert mutated | {"iv": None} == {"iv": None, "name": 3, "open": "True", "last": None}


# Over WebSockets


async def test_a_dropped_stream_is_cut_at_once_and_refused_until_the_fault_ends():
    async with served() as client, client.listening(MARKS) as socket:
        await hear(socket, 1)
        number = client.simulator.faults.add(Fault("binance", "drop"))
        cut = await socket.receive()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.open(MARKS)
        client.simulator.faults.remove(number)
        async with client.open(MARKS) as again:
            (back,) = await hear(again, 1)

    assert cut.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    assert refused.value.status == 503
    assert back["data"]["s"] == "BTCUSDT"


async def test_a_stream_is_refused_with_the_status_asked_for_and_open_ones_go_on():
    async with served() as client, client.listening(MARKS) as socket:
        await hear(socket, 1)
        client.simulator.faults.add(Fault("binance", "refuse", value=429))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.open(MARKS)
        client.simulator.push()
        (pushed,) = await hear(socket, 1)

    assert refused.value.status == 429
    assert pushed["stream"] == "btcusdt@markPrice@1s"


async def test_a_stream_that_hangs_stays_open_and_goes_on_afterwards():
    async with served() as client, client.listening(MARKS) as socket:
        await hear(socket, 1)
        number = client.simulator.faults.add(Fault("binance", "hang"))
        client.clock.advance(1)
        client.simulator.push()
        client.simulator.faults.remove(number)
        client.clock.advance(1)
        client.simulator.push()
        (pushed,) = await hear(socket, 1)

    assert pushed["data"]["E"] == NOON_MS + 2000


@pytest.mark.parametrize(
    ("kind", "of", "stamped"), [("stale", -600, -600), ("frozen", 0, 60)], ids=["stale", "frozen"]
)
async def test_a_stream_tells_the_prices_of_another_time(kind, of, stamped):
    async with served() as client, client.listening(MARKS) as socket:
        await hear(socket, 1)
        client.simulator.faults.add(Fault("binance", kind))
        if kind == "frozen":
            client.clock.advance(60)
        client.simulator.push()
        (pushed,) = await hear(socket, 1)

    assert pushed["data"]["i"] == f"{MARKET.spot('BTC', after(of)):.2f}"
    assert pushed["data"]["E"] == NOON_MS + 1000 * stamped


async def test_one_bad_print_is_pushed_and_the_next_is_good():
    async with served() as client, client.listening(MARKS) as socket:
        await hear(socket, 1)
        client.simulator.faults.add(Fault("*", "bad_print", channel="ws", value=0.2))
        for _ in range(2):
            client.simulator.push()
        bad, good = [float(one["data"]["i"]) for one in await hear(socket, 2)]

    assert good == MARKET.spot("BTC", NOON)
    assert bad == pytest.approx(1.2 * good, abs=0.01)


@pytest.mark.parametrize("kind", ["truncated", "wrong_types", "nulls"])
async def test_a_push_is_spoilt_like_an_answer(kind):
    async with served() as client, client.listening(MARKS) as socket:
        good = await socket.receive_str()
        client.simulator.faults.add(Fault("binance", kind, count=1))
        for _ in range(2):
            client.simulator.push()
        spoilt, next_one = await socket.receive_str(), await socket.receive_str()

    assert spoilt != good
    assert kind != "truncated" or spoilt == good[: len(good) // 2]
    assert next_one == good


async def test_a_slow_push_comes_late_but_in_its_order():
    async with served() as client, client.listening(MARKS) as socket:
        await hear(socket, 1)
        number = client.simulator.faults.add(Fault("binance", "slow", value=3600))
        for _ in range(2):
            client.clock.advance(1)
            client.simulator.push()
        client.simulator.faults.remove(number)
        pushed = await hear(socket, 2)

    assert [one["data"]["E"] for one in pushed] == [NOON_MS + 1000, NOON_MS + 2000]
