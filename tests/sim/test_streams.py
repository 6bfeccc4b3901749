import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest

from bot.sim.market import Market
from bot.sim.server import Simulator
from bot.sim.streams.binance import Binance
from bot.sim.streams.bybit import Bybit
from bot.sim.streams.conversation import PING, HungUp, prices_of
from bot.sim.streams.deribit import Deribit
from bot.sim.streams.derive import Derive
from bot.sim.streams.okx import Okx
from tests.sim.served import NOON, hear, served

MS = 1_795_435_200_000  # noon
MARKET = Market(7)
NOW = prices_of(MARKET, NOON, NOON)
COINS = ("btc", "eth", "sol")
VENUES = [Deribit, Bybit, Okx, Binance, Derive]
MARK_STREAM = "/market/stream?streams=btcusdt@markPrice@1s"


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def reply(conversation, message, at=NOON):
    (only,) = conversation.reply(json.dumps(message), at)
    return only


def call(method, **params):
    return {"jsonrpc": "2.0", "id": 5, "method": method, "params": params}


def subscribe_deribit(*channels):
    return call("public/subscribe", channels=channels)


def subscribe_bybit(*topics):
    return {"req_id": "1", "op": "subscribe", "args": topics}


def subscribe_okx(channel, name):
    return {"op": "subscribe", "args": [{"channel": channel, "instId": name}]}


def subscribe_derive(*feeds):
    return {"id": 1, "method": "subscribe", "params": {"channels": feeds}}


SUBSCRIPTIONS = {  # to the index of BTC: the path, what to say
    "deribit": ("/ws/api/v2", subscribe_deribit("deribit_price_index.btc_usd")),
    "bybit": ("/v5/public/linear", subscribe_bybit("tickers.BTCUSDT")),
    "okx": ("/ws/v5/public", subscribe_okx("index-tickers", "BTC-USDT")),
    "binance": (MARK_STREAM,),
    "derive": ("/v3/ws", subscribe_derive("spot_feed.BTC")),
}


@asynccontextmanager
async def deaf(simulator):
    """A client that opens a stream and never reads: neither frames nor the end."""
    host, port = simulator.ws_url.removeprefix("ws://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    headers = {
        "Host": host,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MTIzNDU2Nzg5MDEyMzQ1Ng==",
    }
    lines = [f"GET {MARK_STREAM} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await reader.readuntil(b"\r\n\r\n")
    yield
    writer.transport.abort()


def index_in(venue, push):
    """The price of BTC in a venue's push."""
    match venue:
        case "deribit":
            return push["params"]["data"]["price"]
        case "bybit":
            return float(push["data"]["indexPrice"])
        case "okx":
            return float(push["data"][0]["idxPx"])
        case "binance":
            return float(push["data"]["i"])
        case "derive":
            return float(push["params"]["data"]["feeds"]["BTC"]["price"])


@pytest.mark.parametrize("venue", SUBSCRIPTIONS)
async def test_every_venue_tells_the_price_of_the_one_market(venue):
    path, *messages = SUBSCRIPTIONS[venue]

    async with served() as client, client.listening(path, *messages) as socket:
        *_, first = await hear(socket, len(messages) + 1)
        client.clock.advance(1)
        client.simulator.push()
        (second,) = await hear(socket, 1)

    assert index_in(venue, first) == MARKET.spot("BTC", NOON)
    assert index_in(venue, second) == MARKET.spot("BTC", after(1))


async def test_prices_are_pushed_without_being_asked_for():
    async with served(push_every=0.001) as client, client.listening(MARK_STREAM) as socket:
        pushes = await hear(socket, 3)

    assert [push["data"]["E"] for push in pushes] == [MS] * 3


def test_deribit_tells_an_index_and_a_ticker():
    stream, index, ticker = (
        Deribit(NOON, {}),
        "deribit_price_index.sol_usdc",
        "ticker.HYPE_USDC-PERPETUAL.100ms",
    )

    answer = reply(stream, subscribe_deribit(index, ticker))

    assert (answer["id"], answer["result"]) == (5, [index, ticker])
    assert stream.tell(index, NOW)["params"] == {
        "channel": index,
        "data": {
            "index_name": "sol_usdc",
            "price": MARKET.spot("SOL", NOON),
            "timestamp": MS,
        },
    }
    told = stream.tell(ticker, NOW)["params"]["data"]
    assert told["instrument_name"] == "HYPE_USDC-PERPETUAL"
    assert told["index_price"] == MARKET.spot("HYPE", NOON)
    assert told["mark_price"] == MARKET.perpetual("HYPE", NOON)


def test_deribit_leaves_out_a_channel_that_it_does_not_know():
    answer = reply(
        Deribit(NOON, {}),
        subscribe_deribit("deribit_price_index.doge_usd", "deribit_price_index.btc_usd"),
    )

    assert answer["result"] == ["deribit_price_index.btc_usd"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (subscribe_deribit("ticker.BTC-PERPETUAL.raw"), 13778),
        (call("public/set_heartbeat", interval=9), -32602),
        (call("public/set_heartbeat"), -32602),
        (call("public/test") | {"params": [1]}, -32602),
        (call("public/nothing"), -32601),
    ],
)
def test_deribit_refuses_what_it_does_not_offer(message, code):
    assert reply(Deribit(NOON, {}), message)["error"]["code"] == code


def test_deribit_asks_for_a_test_and_hangs_up_when_there_is_none():
    stream = Deribit(NOON, {})
    reply(stream, call("public/set_heartbeat", interval=30))

    before, asked = stream.beat(after(29)), stream.beat(after(30))
    meanwhile = stream.beat(after(59))

    assert (before, meanwhile) == ([], [])
    assert [one["params"] for one in asked] == [{"type": "test_request"}]
    with pytest.raises(HungUp, match="heartbeat"):
        stream.beat(after(60))


def test_deribit_stays_with_a_client_that_answers_its_heartbeat():
    stream = Deribit(NOON, {})
    reply(stream, call("public/set_heartbeat", interval=30))
    stream.beat(after(30))

    answer = reply(stream, call("public/test"))

    assert "version" in answer["result"]
    assert len(stream.beat(after(60))) == 1


def test_bybit_tells_a_snapshot_and_then_only_what_changed():
    stream = Bybit(NOON, {})
    reply(stream, subscribe_bybit("tickers.BTCUSDT"))
    later = prices_of(MARKET, NOON, after(1))

    snapshot, nothing = [stream.tell("tickers.BTCUSDT", NOW) for _ in range(2)]
    delta = stream.tell("tickers.BTCUSDT", later)

    assert snapshot["type"] == "snapshot"
    assert snapshot["ts"] == MS
    assert snapshot["data"]["indexPrice"] == f"{MARKET.spot('BTC', NOON):.2f}"
    assert nothing is None
    assert delta["type"] == "delta"
    assert delta["data"].keys() == {"symbol", "volume24h"}


def test_bybit_fails_a_request_whole_for_one_unknown_topic():
    stream = Bybit(NOON, {})

    answer = reply(stream, subscribe_bybit("tickers.BTCUSDT", "tickers.NOSUCHUSDT"))

    assert answer["success"] is False
    assert "tickers.NOSUCHUSDT" in answer["ret_msg"]
    assert stream.topics == {}


def test_bybit_answers_a_ping():
    pong = reply(Bybit(NOON, {}), {"req_id": "9", "op": "ping"})

    assert (pong["success"], pong["ret_msg"], pong["req_id"], pong["op"]) == (
        True,
        "pong",
        "9",
        "ping",
    )


def test_okx_tells_an_index_and_a_mark():
    stream = Okx(NOON, {})
    reply(stream, subscribe_okx("index-tickers", "HYPE-USDT"))
    reply(stream, subscribe_okx("mark-price", "BTC-USDT-SWAP"))

    index, mark = (stream.tell(topic, NOW) for topic in stream.topics)

    assert index["arg"] == {"channel": "index-tickers", "instId": "HYPE-USDT"}
    assert index["data"] == [
        {"instId": "HYPE-USDT", "idxPx": f"{MARKET.spot('HYPE', NOON):.4f}", "ts": str(MS)}
    ]
    assert mark["data"][0]["markPx"] == f"{MARKET.perpetual('BTC', NOON):.2f}"


def test_okx_refuses_an_unknown_instrument_and_keeps_the_others():
    stream = Okx(NOON, {})
    arguments = [{"channel": "index-tickers", "instId": f"{coin}-USDT"} for coin in ("FOO", "ETH")]

    refused, confirmed = stream.reply(json.dumps({"op": "subscribe", "args": arguments}), NOON)

    assert (refused["event"], refused["code"]) == ("error", "60018")
    assert (confirmed["event"], confirmed["arg"]) == ("subscribe", arguments[1])
    assert list(stream.topics) == ["index-tickers ETH-USDT"]


def test_okx_answers_the_word_ping_with_the_word_pong():
    assert Okx(NOON, {}).reply("ping", NOON) == ["pong"]


def test_binance_tells_the_streams_of_the_address_and_is_silent_about_others():
    stream = Binance(
        NOON, {"streams": "btcusdt@markPrice@1s/hypeusdt@markPrice@1s/ETHUSDT@markPrice"}
    )

    (topic,) = stream.topics

    assert stream.tell(topic, NOW) == {
        "stream": "btcusdt@markPrice@1s",
        "data": {
            "e": "markPriceUpdate",
            "E": MS,
            "s": "BTCUSDT",
            "p": f"{MARKET.perpetual('BTC', NOON):.2f}",
            "i": f"{MARKET.spot('BTC', NOON):.2f}",
            "P": f"{MARKET.spot('BTC', NOON):.2f}",
            "r": "0.00010000",
            "T": MS + 4 * 3_600_000,
        },
    }


def test_binance_subscribes_on_an_open_connection():
    stream = Binance(NOON, {})

    answer = reply(stream, {"method": "SUBSCRIBE", "params": ["solusdt@markPrice"], "id": 3})

    assert answer == {"result": None, "id": 3}
    assert list(stream.topics) == ["solusdt@markPrice"]


def test_binance_pings_and_ends_the_day():
    stream = Binance(NOON, {})

    pings = [stream.beat(after(60 * minute)) for minute in range(11)]
    stream.heard = after(86_399)

    assert [n for n, sent in enumerate(pings) if sent == [PING]] == [5, 10]
    with pytest.raises(HungUp, match="24 hours"):
        stream.beat(after(86_400))


async def test_binance_refuses_more_than_two_hundred_streams():
    streams = "/".join(f"{n}usdt@markPrice" for n in range(201))

    async with served() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.open(f"/market/stream?streams={streams}")

    assert refused.value.status == 400


def test_derive_tells_a_spot_feed_and_which_channels_there_are_none_of():
    stream = Derive(NOON, {})

    answer = reply(stream, subscribe_derive("spot_feed.HYPE", "spot_feed.FOO"))

    assert answer["result"]["current_subscriptions"] == ["spot_feed.HYPE"]
    assert answer["result"]["status"]["spot_feed.FOO"] != "ok"
    assert stream.tell("spot_feed.HYPE", NOW) == {
        "method": "subscription",
        "params": {
            "channel": "spot_feed.HYPE",
            "data": {
                "timestamp": MS,
                "feeds": {"HYPE": {"price": f"{MARKET.spot('HYPE', NOON):.4f}", "confidence": "1"}},
            },
        },
    }


@pytest.mark.parametrize(
    ("make", "seconds"), [(Bybit, 600), (Okx, 30), (Binance, 900)], ids=["bybit", "okx", "binance"]
)
def test_a_client_that_says_nothing_for_too_long_is_cut_off(make, seconds):
    stream = make(NOON, {})

    stream.beat(after(seconds - 1))

    with pytest.raises(HungUp, match="idle"):
        stream.beat(after(seconds))


@pytest.mark.parametrize("make", VENUES)
@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '{"op":[],"method":{},"params":7}'])
def test_no_message_is_too_strange_to_be_answered(make, text):
    answers = make(NOON, {}).reply(text, NOON)

    assert "rror" in json.dumps(answers) or '"success": false' in json.dumps(answers)


@pytest.mark.parametrize(
    ("make", "message", "back"),
    [
        (
            Deribit,
            subscribe_deribit("deribit_price_index.btc_usd"),
            call("public/unsubscribe", channels=["deribit_price_index.btc_usd"]),
        ),
        (
            Bybit,
            subscribe_bybit("tickers.BTCUSDT"),
            {"op": "unsubscribe", "args": ["tickers.BTCUSDT"]},
        ),
        (
            Okx,
            subscribe_okx("index-tickers", "BTC-USD"),
            subscribe_okx("index-tickers", "BTC-USD") | {"op": "unsubscribe"},
        ),
        (
            Binance,
            {"method": "SUBSCRIBE", "params": ["btcusdt@markPrice"], "id": 1},
            {"method": "UNSUBSCRIBE", "params": ["btcusdt@markPrice"], "id": 2},
        ),
        (
            Derive,
            subscribe_derive("spot_feed.BTC"),
            subscribe_derive("spot_feed.BTC") | {"method": "unsubscribe"},
        ),
    ],
)
def test_what_is_subscribed_can_be_left_again(make, message, back):
    stream = make(NOON, {})
    reply(stream, message)
    subscribed = list(stream.topics)

    reply(stream, back)

    assert len(subscribed) == 1
    assert stream.topics == {}


async def test_a_client_that_does_not_read_holds_up_nobody():
    async with served() as client, deaf(client.simulator), client.listening(MARK_STREAM) as good:
        await hear(good, 1)
        for _ in range(3):
            client.clock.advance(1)
            client.simulator.push()
        pushed = await hear(good, 3)

    assert [one["data"]["E"] for one in pushed] == [MS + 1000, MS + 2000, MS + 3000]


async def test_a_client_that_never_reads_is_cut_off_in_the_end():
    streams = "/".join(f"{coin}usdt@markPrice{every}" for coin in COINS for every in ("", "@1s"))

    async with served() as client, client.listening(f"/market/stream?streams={streams}") as socket:
        await hear(socket, 6)
        for _ in range(200):  # nobody gets to send or read in between
            client.simulator.push()
        async for _ in socket:
            pass

    assert socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_a_protocol_ping_is_answered():
    async with served() as client, client.open("/v3/ws", autoping=False) as socket:
        await socket.ping(b"there?")
        answer = await socket.receive()

    assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"there?")


async def test_binance_cuts_off_who_talks_too_much():
    async with served() as client, client.open("/market/stream") as socket:
        for number in range(11):
            await socket.send_json({"method": "LIST", "id": number})
        await hear(socket, 11)
        end = await socket.receive()

    assert end.type is aiohttp.WSMsgType.CLOSE
    assert end.data == 1008


async def test_an_address_has_so_many_connections_and_no_more():
    async with served() as client:
        sockets = [await client.open("/v3/ws") for _ in range(4)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.open("/v3/ws")
        for socket in sockets:
            await socket.close()
        async with client.open("/v3/ws") as again:
            back = not again.closed

    assert refused.value.status == 429
    assert back


async def test_without_limits_an_address_connects_and_talks_as_it_likes():
    async with served(limits=False) as client, AsyncExitStack() as sockets:
        opened = [await sockets.enter_async_context(client.open("/v3/ws")) for _ in range(5)]
        talker = await sockets.enter_async_context(client.open("/market/stream"))
        for number in range(20):
            await talker.send_json({"method": "LIST", "id": number})
        answers = await hear(talker, 20)

    assert len(opened) == 5
    assert len(answers) == 20


async def test_the_server_says_goodbye_to_its_clients_and_waits_for_nobody():
    async with aiohttp.ClientSession() as http, AsyncExitStack() as afterwards:
        async with Simulator(7, lambda: NOON) as simulator:
            await afterwards.enter_async_context(deaf(simulator))
            sockets = [await http.ws_connect(simulator.ws_url + "/ws/v5/public") for _ in range(3)]
        ends = [await socket.receive() for socket in sockets]

    assert [(end.type, end.data) for end in ends] == [(aiohttp.WSMsgType.CLOSE, 1001)] * 3
