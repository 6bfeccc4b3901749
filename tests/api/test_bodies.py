"""Bodies, which no request needs: so much is tolerated, however it is sent."""

import pytest

from bot.api.bodies import MOST_BYTES
from tests.api.wire import LEVELS, assert_well, connected, read_answer, tell

CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
END = b"0\r\n\r\n"
TOO_MANY = MOST_BYTES // 0x1000 + 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/gex/levels", "/health", "/docs", "/nope"])
async def test_too_large_a_body_in_pieces_is_told_and_hung_up_on(client, method, path):
    asked = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
    async with connected(client) as (reader, writer):
        writer.write(asked + CHUNKED + CHUNK * TOO_MANY + END + LEVELS + b"\r\n")
        heard = await read_answer(reader, has_body=method != "HEAD")

        assert heard.status == 413
        assert heard.headers["connection"] == "close"
        assert method == "HEAD" or heard.code == "PAYLOAD_TOO_LARGE"
        assert await read_answer(reader) is None


async def test_a_body_without_an_end_is_told_before_it(client):
    async with connected(client) as (reader, writer):
        writer.write(LEVELS + CHUNKED + CHUNK * TOO_MANY)

        assert (await read_answer(reader)).code == "PAYLOAD_TOO_LARGE"

    await assert_well(client)


@pytest.mark.parametrize("count", [0, 1, TOO_MANY - 1])
async def test_a_body_that_is_tolerated_leaves_the_connection_in_step(client, count):
    found = await tell(client, (LEVELS + CHUNKED + CHUNK * count + END) * 2, answers=2)

    assert [one.status for one in found] == [200, 200]


async def test_a_body_that_comes_late_is_waited_for(client):
    async with connected(client) as (reader, writer):
        writer.write(LEVELS + CHUNKED)
        await writer.drain()
        await assert_well(client)
        writer.write(CHUNK + END)

        assert (await read_answer(reader)).status == 200


async def test_a_body_that_cannot_be_read_is_told_and_hung_up_on(client, caplog):
    async with connected(client) as (reader, writer):
        writer.write(LEVELS + CHUNKED)
        await writer.drain()
        await assert_well(client)
        writer.write(b"zz\r\n" + LEVELS + b"\r\n")
        heard = await read_answer(reader)

        assert (heard.status, heard.code) == (400, "BAD_REQUEST")
        assert await read_answer(reader) is None
    assert not caplog.records


async def test_a_client_that_goes_away_within_its_body_is_no_error_of_ours(client, caplog):
    async with connected(client) as (_, writer):
        writer.write(LEVELS + CHUNKED + CHUNK)
        await writer.drain()
        await assert_well(client)

    await assert_well(client)
    assert not caplog.records


async def test_a_client_that_waits_with_its_pieces_is_told_to_go_on(client):
    async with connected(client) as (reader, writer):
        writer.write(LEVELS + b"Expect: 100-continue\r\n" + CHUNKED)
        went_on = await read_answer(reader)
        writer.write(CHUNK + END)
        heard = await read_answer(reader)

    assert (went_on.status, heard.status) == (100, 200)
