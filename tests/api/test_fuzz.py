"""Whatever is made up and sent to the port: an answer or the end, never harm."""

import asyncio
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.serving import KEY, add_key, served
from tests.api.wire import CLOSE, LEVELS, assert_well, connected, tell

OF_ONE_SERVER = settings(
    max_examples=60,
    # One server takes all examples: that none of them spoils it for the next is the point.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
A_MOMENT = 0.02  # seconds in which an answer comes, if one comes: a request may be incomplete


async def what_comes(client, sent):
    """All that comes back at once, if anything does."""
    async with connected(client) as (reader, writer):
        writer.write(sent)
        try:
            return await asyncio.wait_for(reader.read(65_536), A_MOMENT)
        except (TimeoutError, ConnectionError):
            return b""


def assert_harmless(heard):
    assert heard == b"" or heard.startswith(b"HTTP/")
    assert b"Traceback" not in heard
    assert b"INTERNAL_ERROR" not in heard
    assert b"aiohttp" not in heard


@OF_ONE_SERVER
@given(sent=st.binary(min_size=1, max_size=400))
async def test_no_bytes_do_any_harm(client, sent):
    assert_harmless(await what_comes(client, sent + b"\r\n\r\n"))
    await assert_well(client)


WORDS = st.sampled_from(
    [
        b"GET ",
        b"HEAD ",
        b"POST ",
        b"/",
        b"//",
        b"/gex/levels",
        b"/v2",
        b"?symbol=",
        b"&",
        b"=",
        b"%",
        b"%00",
        b"%ff",
        b"#",
        b" HTTP/1.1",
        b" HTTP/1.0",
        b"\r\n",
        b"\n",
        b"\r",
        b"\x00",
        b"\xff",
        b": ",
        b"Host: localhost\r\n",
        b"Content-Length: ",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Upgrade: websocket\r\n",
        b"Expect: 100-continue\r\n",
        b"Cookie: ",
        b"X-API-Key: ",
        b"0\r\n\r\n",
        b"5",
        b"\t",
        b"http://x/",
    ]
)


@OF_ONE_SERVER
@given(pieces=st.lists(WORDS, min_size=1, max_size=40))
async def test_no_arrangement_of_what_requests_are_made_of_does_any_harm(client, pieces):
    assert_harmless(await what_comes(client, b"".join(pieces) + b"\r\n\r\n"))
    await assert_well(client)


HEADERS = st.sampled_from(
    [
        "Accept",
        "Accept-Encoding",
        "Access-Control-Request-Method",
        "Authorization",
        "Cookie",
        "Forwarded",
        "Host",
        "If-None-Match",
        "Origin",
        "Range",
        "Referer",
        "Sec-WebSocket-Key",
        "X-API-Key",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Request-ID",
    ]
)
VALUES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=60)


@OF_ONE_SERVER
@given(headers=st.lists(st.tuples(HEADERS, VALUES), max_size=8))
async def test_no_headers_make_an_error_of_ours_or_come_back(client, headers):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers).encode()

    heard = await tell(client, b"GET /gex/levels HTTP/1.1\r\n" + lines + CLOSE)

    assert heard.status in (200, 304, 400, 403)  # 403: a Host that is not ours
    assert {"access-control-allow-origin", "set-cookie"}.isdisjoint(heard.headers)


@OF_ONE_SERVER
@given(query=st.text(max_size=80))
async def test_no_query_is_too_odd(client, query):
    sent = query.encode("utf-8", "surrogatepass").hex(" ").upper().split()
    target = b"/multi/gex/levels?symbols=" + b"".join(b"%" + one.encode() for one in sent)

    heard = await tell(client, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n" + CLOSE)

    assert heard.status in (200, 422)


@pytest.mark.parametrize(
    "value", ["💩" * 20, "\xff" * 40, KEY[:-1] + "\u0430", "gb_live_" + "a" * 9_000]
)
async def test_a_key_of_any_letters_is_no_key(store, value, caplog):
    await add_key(store)
    caplog.set_level(logging.DEBUG)
    async with served(store) as client:
        heard = await tell(client, LEVELS + f"X-API-Key: {value}\r\n".encode() + CLOSE)
        cookie = await tell(client, LEVELS + f"Cookie: x={value}; =; a\r\n".encode() + CLOSE)

    assert heard.status in (401, 413)
    assert cookie.status in (401, 413)
    assert value not in caplog.text


async def test_two_keys_at_once_are_no_way_around(store):
    await add_key(store)
    wrong = b"X-API-Key: gb_live_wrong\r\n"
    async with served(store) as client:
        heard = await tell(client, LEVELS + wrong + f"X-API-Key: {KEY}\r\n".encode() + CLOSE)

    assert heard.status == 401
