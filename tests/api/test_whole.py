"""What leaves in one piece, byte by byte."""

import asyncio
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.api.lines import lines, unlined
from tests.api.serving import BTC, LATER, make_store, served

NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ-", min_size=1, max_size=12)


async def heard(client, request):
    """Everything that the server says until it hangs up."""
    parts = urlsplit(client.address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = said.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    names = [line.partition(": ")[0] for line in rest]
    assert len(names) == len(set(names))
    return first, dict(line.split(": ", 1) for line in rest), body


async def test_one_who_wants_to_hang_up_is_told_that_we_do(client):
    first, headers, body = await heard(
        client, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )

    assert first == "HTTP/1.1 200 OK"
    assert headers["Connection"] == "close"
    assert int(headers["Content-Length"]) == len(body)
    assert headers["Date"].endswith(" GMT")


async def test_the_first_http_hangs_up_unless_asked_not_to(client):
    first, headers, _ = await heard(client, b"GET /health HTTP/1.0\r\n\r\n")

    assert first == "HTTP/1.0 200 OK"
    assert "Connection" not in headers


async def test_the_first_http_may_ask_to_stay(client):
    asked = b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"

    said = await heard(client, asked + b"GET /meta HTTP/1.0\r\n\r\n")

    assert said[1]["Connection"] == "keep-alive"
    assert said[2].count(b"HTTP/1.0 200 OK") == 1  # the second answer


async def test_head_says_how_long_the_body_would_be_and_sends_none(client):
    rest = b" /gex/levels HTTP/1.1\r\nHost: [::1]\r\nX-Request-ID: one\r\nConnection: close\r\n\r\n"

    got, head = await heard(client, b"GET" + rest), await heard(client, b"HEAD" + rest)

    assert head[2] == b""
    assert {**head[1], "Date": ""} == {**got[1], "Date": ""}


async def test_what_is_not_modified_has_no_body_and_no_type(client):
    first, headers, body = await heard(
        client,
        b"GET /gex/levels HTTP/1.1\r\nHost: [::1]\r\nIf-None-Match: *\r\nConnection: close\r\n\r\n",
    )

    assert first == "HTTP/1.1 304 Not Modified"
    assert body == b""
    assert not headers.keys() & {"Content-Type", "Content-Length", "Content-Encoding"}


async def test_meta_of_one_request_is_not_that_of_another():
    async with served(await make_store(BTC)) as client:
        first = await client.ask("/gex/levels", headers={"X-Request-ID": "one"})
        second = await client.ask("/gex/levels?exchanges=deribit", headers={"X-Request-ID": "two"})
        third = await client.ask("/gex/levels", headers={"X-Request-ID": "three"})

    assert [one.meta["request_id"] for one in (first, second, third)] == ["one", "two", "three"]
    filtered = [one.meta["exchanges_filtered"] for one in (first, second, third)]
    assert filtered == [None, ["deribit"], None]


async def test_ages_grow_while_the_snapshot_is_the_same():
    clock = [LATER]
    async with served(await make_store(BTC), now=lambda: clock[-1]) as client:
        first = await client.ask("/gex/levels")
        clock.append(LATER.replace(minute=1))
        second = await client.ask("/gex/levels")

    assert first.data == second.data
    assert second.meta["freshness_seconds"] - first.meta["freshness_seconds"] == 60.0
    ages = [one.meta["extra"]["venue_ages_seconds"]["deribit"] for one in (first, second)]
    assert ages[1] - ages[0] == 60.0


@given(st.dictionaries(NAMES, st.text("abc: ;=\"'/", max_size=20)))
def test_headers_are_lines_and_again_headers(headers):
    assert unlined(lines(headers)) == headers


@given(st.sampled_from(["\r", "\n", "\r\n"]), st.text("ab", max_size=3))
def test_no_value_adds_a_header(end, text):
    with pytest.raises(ValueError, match="more than one line"):
        lines({"X-Odd": f"{text}{end}Set-Cookie: no"})
