"""The network over real sockets on the loopback interface."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import aiohttp
import msgspec
import pytest
from aiohttp import web

from bot.errors import SourceError
from bot.exchanges.deribit import Deribit
from bot.exchanges.http import Host, HttpWire, host_of, open_session
from bot.exchanges.terms import Terms
from bot.exchanges.throttle import Throttle
from tests.exchanges.timers import ManualTimer
from tests.exchanges.wires import NOW, deribit_body, deribit_row

PATH = "/api/v2/public/something"


@asynccontextmanager
async def wire_to(handler):
    """A wire to a server with this handler, as the program opens it."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with open_session() as session:
            address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield HttpWire(session, {"deribit": host(address), "derive": host(address, "/v3")})
    finally:
        await runner.cleanup()


@asynccontextmanager
async def wire_to_socket(talk, total_seconds=10.0):
    """A wire to a server that speaks no HTTP but what `talk` writes."""
    done = asyncio.Event()

    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await talk(writer, done)
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    timeout = aiohttp.ClientTimeout(total=total_seconds)
    async with server, open_session() as session:
        name, port = server.sockets[0].getsockname()
        yield HttpWire(session, {"deribit": host(f"http://{name}:{port}")}, timeout)
        done.set()


def host(address, prefix=""):
    """A venue at that address which allows everything."""
    timer = ManualTimer()
    return {"": Host(address, Throttle("deribit", Terms(()), timer, timer.now), prefix)}


def ask(wire, venue="deribit", **params):
    return wire.ask(venue, "GET", PATH, params)


async def test_a_get_carries_its_parameters_in_the_query():
    async def handler(request):
        assert request.headers["User-Agent"] == "gammabell"
        return web.json_response([request.method, request.path, dict(request.query)])

    async with wire_to(handler) as wire:
        body = await ask(wire, currency="BTC", limit=5)

    assert msgspec.json.decode(body) == ["GET", PATH, {"currency": "BTC", "limit": "5"}]


async def test_a_post_carries_them_as_json_under_the_address_of_the_venue():
    async def handler(request):
        return web.json_response([request.method, request.path, await request.json()])

    async with wire_to(handler) as wire:
        params = {"currency": "HYPE", "expired": False, "page": 1}
        body = await wire.ask("derive", "POST", "/public/get_tickers", params)

    assert msgspec.json.decode(body) == ["POST", "/v3/public/get_tickers", params]


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_large_book_arrives_whole(compressed):
    rows = [deribit_row(f"BTC-27MAR26-{strike}-C") for strike in range(10_000, 15_000)]
    book = deribit_body(*rows)

    async def handler(request):
        reply = web.Response(body=book, content_type="application/json")
        if compressed:
            reply.enable_compression(web.ContentCoding.gzip)
        return reply

    async with wire_to(handler) as wire:
        chain = await Deribit(wire, lambda: NOW, timedelta(minutes=3)).fetch_chain("BTC")

    assert len(chain) == 10_000  # each book has them
    assert len(book) > 2_000_000


async def test_an_answer_in_pieces_arrives_whole():
    async def handler(request):
        reply = web.StreamResponse()
        await reply.prepare(request)
        for piece in (b'{"result":', b"[1,", b"2]}"):
            await reply.write(piece)
            await asyncio.sleep(0.02)
        return reply

    async with wire_to(handler) as wire:
        assert await ask(wire) == b'{"result":[1,2]}'


@pytest.mark.parametrize("status", [400, 404])
async def test_an_error_in_json_is_left_to_the_adapter(status):
    error = {"jsonrpc": "2.0", "error": {"code": 10028, "message": "too_many_requests"}}

    async def handler(request):
        return web.json_response(error, status=status)

    async with wire_to(handler) as wire:
        assert msgspec.json.decode(await ask(wire)) == error


@pytest.mark.parametrize("status", [403, 404, 418, 429, 451, 500, 502, 503])
async def test_an_error_page_is_a_source_error_with_its_status(status):
    async def handler(request):
        return web.Response(status=status, text="<html>no</html>", content_type="text/html")

    async with wire_to(handler) as wire:
        with pytest.raises(SourceError, match=f"^deribit: .*{status}"):
            await ask(wire)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_broken_venue_is_not_believed_even_in_json(status):
    async def handler(request):
        return web.json_response({"jsonrpc": "2.0", "result": []}, status=status)

    async with wire_to(handler) as wire:
        with pytest.raises(SourceError, match=f"HTTP {status}"):
            await ask(wire)


async def test_a_venue_that_had_enough_is_not_asked_again_for_a_while():
    asked = []

    async def handler(request):
        asked.append(request.path)
        return web.json_response({}, status=429, headers={"Retry-After": "60"})

    async with wire_to(handler) as wire:
        for _ in range(3):
            with pytest.raises(SourceError, match="too many requests"):
                await ask(wire)

    assert len(asked) == 1


async def test_an_answer_without_end_is_given_up():
    async def handler(request):
        reply = web.StreamResponse()
        await reply.prepare(request)
        with suppress(ConnectionError):
            while True:
                await reply.write(b" " * (1 << 20))
        return reply

    async with wire_to(handler) as wire:
        with pytest.raises(SourceError, match="more than 32 MB"):
            await ask(wire)


async def test_each_path_is_asked_of_the_address_that_serves_it():
    hosts = {"": Host("http://options", None), "/fapi/": Host("http://futures", None)}

    assert host_of(hosts, "/eapi/v1/mark").address == "http://options"
    assert host_of(hosts, "/fapi/v1/klines").address == "http://futures"


async def test_an_empty_error_is_a_source_error():
    async def handler(request):
        return web.Response(status=503)

    async with wire_to(handler) as wire:
        with pytest.raises(SourceError, match="503"):
            await ask(wire)


async def test_a_venue_that_never_answers_is_given_up():
    async def silence(writer, done):
        await done.wait()

    async with wire_to_socket(silence, total_seconds=0.1) as wire:
        with pytest.raises(SourceError, match=r"^deribit: no answer"):
            await ask(wire)


async def test_a_venue_that_stops_within_its_answer_is_given_up():
    async def start(writer, done):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await done.wait()

    async with wire_to_socket(start, total_seconds=0.1) as wire:
        with pytest.raises(SourceError, match=r"^deribit: no answer"):
            await ask(wire)


BROKEN = {
    "nothing": b"",
    "too short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n{}{}",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_answer_is_a_source_error(kind):
    async def speak(writer, done):
        writer.write(BROKEN[kind])
        await writer.drain()

    async with wire_to_socket(speak) as wire:
        with pytest.raises(SourceError, match=r"^deribit: ."):
            await ask(wire)


async def test_a_reset_connection_is_a_source_error():
    async def reset(writer, done):
        writer.transport.abort()

    async with wire_to_socket(reset) as wire:
        with pytest.raises(SourceError, match=r"^deribit: ."):
            await ask(wire)


@pytest.mark.parametrize(
    "address",
    ["", "www.deribit.com", "http://", "http://127.0.0.1:99999", "http://[", "ftp://127.0.0.1"],
)
async def test_an_address_that_is_none_is_a_source_error(address):
    async with open_session() as session:
        with pytest.raises(SourceError, match=r"^deribit: ."):
            await ask(HttpWire(session, {"deribit": host(address)}))


async def test_a_refused_connection_is_a_source_error():
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    name, port = server.sockets[0].getsockname()
    server.close()
    await server.wait_closed()

    async with open_session() as session:
        with pytest.raises(SourceError, match=r"^deribit: not reached"):
            await ask(HttpWire(session, {"deribit": host(f"http://{name}:{port}")}))


async def test_what_is_asked_after_the_end_is_a_source_error():
    async def answer(request):
        return web.Response()

    async with wire_to(answer) as wire:
        pass

    with pytest.raises(SourceError, match="ending"):
        await wire.ask("deribit", "GET", PATH, {})


async def test_an_endless_redirect_is_a_source_error():
    async def handler(request):
        raise web.HTTPFound(PATH)

    async with wire_to(handler) as wire:
        with pytest.raises(SourceError, match=r"^deribit: ."):
            await ask(wire)
