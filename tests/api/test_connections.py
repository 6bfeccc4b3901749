"""What arrives on a port that is no proper request, and how the server ends."""

import asyncio
import json
import socket
from urllib.parse import urlsplit

import pytest

from bot.api.server import serving
from tests.api.serving import make_parts, served

REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


async def connect(client):
    parts = urlsplit(client.address)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def say(client, *pieces):
    """What comes back when these pieces are sent one after the other; the status and the body."""
    reader, writer = await connect(client)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    status = int((await reader.readline()).split()[1])
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(
        int(line.split(b":")[1])
        for line in head.splitlines()
        if line.lower().startswith(b"content-length")
    )
    body = await reader.readexactly(size)
    writer.close()
    await writer.wait_closed()
    return status, json.loads(body)


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
        (REQUEST + b"X-Odd: \x00\r\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + b"no colon\r\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + b"X-Long: " + b"a" * 9_000 + b"\r\n\r\n", 413, "PAYLOAD_TOO_LARGE"),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", 413, "PAYLOAD_TOO_LARGE"),
        (REQUEST + b"Content-Length: -1\r\n\r\n", 400, "BAD_REQUEST"),
        (REQUEST + b"Content-Length: 99999999999\r\n\r\n", 413, "PAYLOAD_TOO_LARGE"),
        (REQUEST + b"Transfer-Encoding: nonsense\r\n\r\n", 400, "BAD_REQUEST"),
    ],
)
async def test_what_is_no_request_is_refused_in_the_envelope(client, sent, status, code):
    answered, body = await say(client, sent)

    assert (answered, body["error"]["code"]) == (status, code)
    assert body["success"] is False


async def test_a_client_that_sends_byte_by_byte_is_answered(client):
    request = REQUEST + b"\r\n"

    status, body = await say(client, *(request[n : n + 1] for n in range(len(request))))

    assert (status, body["data"]) == (200, {"status": "ok"})


async def test_a_client_that_stops_half_way_holds_up_nobody(client):
    _, writer = await connect(client)
    writer.write(REQUEST)
    await writer.drain()

    assert (await client.ask("/health")).status == 200

    writer.close()
    await writer.wait_closed()


async def test_many_idle_connections_hold_up_nobody(client):
    idle = [await connect(client) for _ in range(300)]

    assert (await client.ask("/gex/levels")).status == 200

    for _, writer in idle:
        writer.close()


async def test_requests_sent_at_once_are_answered_in_their_order(client):
    reader, writer = await connect(client)
    writer.writelines(REQUEST + f"X-Request-ID: n{n}\r\n\r\n".encode() for n in range(20))

    told = [await next_id(reader) for _ in range(20)]

    assert told == [f"n{n}" for n in range(20)]
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_never_reads_is_let_go(store):
    async with served(store, reading=0.0) as client:
        with pytest.raises(ConnectionError):
            await asyncio.to_thread(ask_without_reading, client.address)

        assert (await client.ask("/health")).status == 200


def ask_without_reading(address):
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=100) as line:
        while True:
            line.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)


async def test_a_client_that_reads_late_has_everything(client):
    reader, writer = await connect(client)
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n"
    writer.writelines(asked + f"X-Request-ID: n{n}\r\n\r\n".encode() for n in range(200))
    assert (await client.ask("/health")).status == 200  # meanwhile

    told = [await next_id(reader) for _ in range(200)]

    assert told == [f"n{n}" for n in range(200)]
    writer.close()
    await writer.wait_closed()


async def next_id(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines()[1:] if line)
    await reader.readexactly(int(fields["Content-Length"]))
    return fields["X-Request-ID"]


async def test_an_absolute_target_is_the_path_that_it_names(client):
    target = client.address.encode() + b"/v2/health"

    status, _ = await say(client, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert status == 200


async def test_what_was_asked_before_the_end_is_answered(store):
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slowly(symbol):
        asked.set()
        await answer.wait()
        return await store.snapshot(symbol)

    server = serving(make_parts(store, newest=slowly), "127.0.0.1", 0)
    address = await server.__aenter__()
    async with served(store) as client:
        client.address = address
        waiting = asyncio.create_task(client.ask("/gex/levels"))
        await asked.wait()
        ending = asyncio.create_task(server.__aexit__(None, None, None))
        await asyncio.sleep(0)
        answer.set()

        assert (await waiting).status == 200
        await ending
        with pytest.raises(OSError, match="Connect"):
            await client.ask("/health")


ODD = [
    "",
    " ",
    "*",
    "\t",
    "a" * 8_000,
    "ä\udc80",
    "\x7f",
    "%00",
    '"',
    "0",
    "-1",
    "gzip;q=1e9",
    "{}",
]


@pytest.mark.parametrize("value", ODD)
async def test_no_header_value_makes_an_error_of_ours(client, value):
    for name in (
        "Accept",
        "Accept-Encoding",
        "Connection",
        "Content-Type",
        "Expect",
        "Host",
        "If-None-Match",
        "Origin",
        "Range",
        "Upgrade",
        "X-API-Key",
        "X-Forwarded-For",
        "X-Request-ID",
    ):
        header = f"{name}: {value}\r\n".encode("utf-8", "surrogateescape")

        status, body = await say(client, b"GET /gex/levels HTTP/1.1\r\n" + header + b"\r\n")

        assert status in (200, 400, 403), (name, body)  # 403: the Host


async def test_a_hundred_parameters_and_headers_are_told_or_taken(client):
    query = "&".join(f"p{n}=1" for n in range(300))
    many = {f"X-Odd-{n}": "x" for n in range(100)}

    told = await client.ask(f"/gex/levels?{query}")
    taken = await client.ask("/gex/levels", headers=many)

    assert (told.status, len(told.error["details"]["errors"])) == (422, 8)
    assert taken.status == 200
