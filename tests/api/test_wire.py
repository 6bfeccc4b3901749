"""What HTTP forbids, and what it allows and hardly anyone does."""

import pytest
from aiohttp import web

from bot.api.pages import Place, Stream
from tests.api.serving import served
from tests.api.wire import CLOSE, LEVELS, REQUEST, assert_well, connected, read_answer, tell

SECOND = b"GET /gex/levels HTTP/1.1\r\nHost: smuggled\r\nX-Request-ID: smuggled\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /health HTTP/1.1\r\n\r\n", 400, "BAD_REQUEST"),  # no Host
        (REQUEST + b"Host: y\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET /health HTTP/1.1\nHost: localhost\n\n", 400, "BAD_REQUEST"),  # bare line feeds
        (b"GET /health HTTP/1.1\r\nHost: localhost\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + b"X-Odd: a\rb\r\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + b"X-Odd: a\r\n folded\r\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + b"X-Odd : a\r\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + b": a\r\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + b"Content-Length: +5\r\n\r\nhello", 400, "BAD_REQUEST"),
        (REQUEST + b"Content-Length: 0x5\r\n\r\nhello", 400, "BAD_REQUEST"),
        (REQUEST + b"Content-Length: 5, 5\r\n\r\nhello", 400, "BAD_REQUEST"),
        (REQUEST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, "BAD_REQUEST"),
        (REQUEST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + b"Transfer-Encoding: identity\r\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + CHUNKED + b"\r\nzz\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET /health HTTP/1.9\r\nHost: localhost\r\n\r\n", 400, "BAD_REQUEST"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "BAD_REQUEST"),
        (b"get /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"A" * 5_000 + b" / HTTP/1.1\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
        (REQUEST + b"X-Long: " + b"a" * 300_000, 413, "PAYLOAD_TOO_LARGE"),
        (b"GET /" + b"a" * 300_000, 413, "PAYLOAD_TOO_LARGE"),
        (
            REQUEST + b"".join(b"X-%d: 1\r\n" % n for n in range(5_000)) + b"\r\n",
            400,
            "BAD_REQUEST",
        ),
    ],
)
async def test_what_is_no_proper_request_is_refused_and_hung_up_on(client, sent, status, code):
    async with connected(client) as (reader, writer):
        writer.write(sent)
        heard = await read_answer(reader)

        assert (heard.status, heard.code) == (status, code)
        assert heard.body["success"] is False
        assert heard.body["meta"]["request_id"] == heard.headers["x-request-id"]
        assert "x-ratelimit-limit" in heard.headers
        assert await read_answer(reader) is None


@pytest.mark.parametrize(
    "sent",
    [
        REQUEST + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
        REQUEST + CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n",
        REQUEST + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(SECOND),
        REQUEST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        REQUEST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        REQUEST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_a_request_whose_end_is_in_doubt_carries_no_second_one(client, sent):
    async with connected(client) as (reader, writer):
        writer.write(sent + SECOND)
        first, second = await read_answer(reader), await read_answer(reader)

    assert (first.status, first.code) == (400, "BAD_REQUEST")
    assert second is None


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 3\r\n\r\nabc",
        CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n",
        CHUNKED + b"\r\n3;extension=1\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
    ],
)
async def test_after_a_body_that_nobody_reads_the_next_request_is_answered(client, body):
    first, second = await tell(client, LEVELS + body + REQUEST + CLOSE, answers=2)

    assert (first.status, second.status) == (200, 200)
    assert second.body["data"] == {"status": "ok"}


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd", b"nonsense"])
async def test_a_body_that_claims_to_be_packed_is_not_unpacked(client, coding, caplog):
    body = b"Content-Encoding: " + coding + b"\r\nContent-Length: 3\r\n\r\nabc"

    first, second = await tell(client, LEVELS + body + REQUEST + CLOSE, answers=2)

    assert (first.status, second.status) == (200, 200)
    assert not caplog.records


async def test_a_client_that_waits_to_be_told_to_go_on_is_answered(client):
    heard = await tell(client, LEVELS + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n")

    assert heard.status == 200


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"TLS/1.0", b"nonsense"])
async def test_a_client_that_would_speak_something_else_goes_on_with_this(client, protocol):
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\nUpgrade: "
    async with connected(client) as (reader, writer):
        writer.write(LEVELS + upgrade + protocol + b"\r\n\r\n")
        first = await read_answer(reader)
        writer.write(REQUEST + CLOSE)
        second = await read_answer(reader)

    assert (first.status, second.status) == (200, 200)
    assert "upgrade" not in first.headers


@pytest.mark.parametrize(
    ("sent", "connection"),
    [(b"", "close"), (b"Connection: keep-alive\r\n", "keep-alive")],
)
async def test_an_old_client_is_answered_in_its_own_version(client, sent, connection):
    async with connected(client) as (reader, writer):
        writer.write(b"GET /v2/health HTTP/1.0\r\n" + sent + b"\r\n")
        heard = await read_answer(reader)

    assert (heard.version, heard.status) == ("HTTP/1.0", 200)
    assert heard.headers.get("connection", "close").lower() == connection


async def test_head_and_refusals_leave_the_connection_in_step(client):
    async with connected(client) as (reader, writer):
        writer.write(b"HEAD /gex/levels HTTP/1.1\r\nHost: localhost\r\n\r\n")
        writer.write(b"DELETE /gex/levels HTTP/1.1\r\nHost: localhost\r\n\r\n")
        writer.write(b"GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n")
        writer.write(REQUEST + b"\r\n")
        found = [await read_answer(reader, has_body=n > 0) for n in range(4)]

    assert [one.status for one in found] == [200, 405, 404, 200]


async def test_a_request_cut_off_anywhere_harms_nobody(client):
    whole = LEVELS + b"X-API-Key: x\r\nContent-Length: 5\r\n\r\nhello"

    for end in range(len(whole)):
        async with connected(client) as (_, writer):
            writer.write(whole[:end])

    await assert_well(client)


@pytest.mark.parametrize(
    "headers",
    [
        b"",
        b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: short\r\n",
    ],
)
async def test_a_handshake_that_is_none_is_refused_in_the_envelope(store, headers):
    async def talk(request, _):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        return socket

    async def open_socket(_):
        return Stream(talk)

    async with served(store, places={"/socket": Place(open_socket)}) as client:
        heard = await tell(client, b"GET /socket HTTP/1.1\r\nHost: [::1]\r\n" + headers + b"\r\n")

    assert (heard.status, heard.code) == (400, "BAD_REQUEST")
    assert "x-ratelimit-limit" in heard.headers


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HEAD /nope", 404),
        (b"HEAD /gex/levels?x=1", 422),
        (b"HEAD /gex/levels?symbol=HYPEUSDT", 404),
        (b"HEAD /openapi.json", 200),
        (b"HEAD /docs", 200),
        (b"HEAD /metrics", 200),
    ],
)
async def test_head_never_has_a_body_so_that_the_next_answer_is_read(client, line, status):
    async with connected(client) as (reader, writer):
        writer.write(line + b" HTTP/1.1\r\nHost: localhost\r\n\r\n" + REQUEST + CLOSE)
        first = await read_answer(reader, has_body=False)
        second = await read_answer(reader)

    assert (first.status, second.status) == (status, 200)
    assert int(first.headers["content-length"]) > 0


async def test_what_has_not_changed_has_no_body_and_the_next_answer_is_read(client):
    known = LEVELS + b"If-None-Match: *\r\n\r\n"
    async with connected(client) as (reader, writer):
        writer.write(known * 2 + REQUEST + CLOSE)
        found = [await read_answer(reader, has_body=n == 2) for n in range(3)]

    assert [one.status for one in found] == [304, 304, 200]
