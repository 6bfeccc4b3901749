import gzip
import re

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st

from bot.api.headers import accepts_gzip, has_changed, request_id
from tests.api.serving import BTC, Client, add_snapshot, served
from tests.fakes import NOON

EVERYTHING = "/gex/levels?include=candles,expected_move,max_pain,ranked,spot,zones"
LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
PLAIN = {"Accept-Encoding": "identity"}


@pytest.mark.parametrize("target", ["/gex/levels", "/nope", "/docs", "/metrics", "/gex/levels?x=1"])
async def test_every_answer_carries_its_id_and_limits(client, target):
    answer = await client.ask(target)

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert all(answer.headers[name].isdigit() for name in LIMITS)


@pytest.mark.parametrize("given_id", ["a", "req-1", "0198c2e4-5a3b-7c1d", "A:b.c_d~1", "x" * 128])
async def test_a_well_formed_id_comes_back(client, given_id):
    answer = await client.ask("/gex/levels", headers={"X-Request-ID": given_id})

    assert answer.headers["X-Request-ID"] == answer.meta["request_id"] == given_id


@pytest.mark.parametrize("given_id", ["", " ", "a b", "<script>", "x" * 129, "ä", "-x", "a,b"])
async def test_another_id_is_replaced_by_ours(client, given_id):
    answer = await client.ask("/gex/levels", headers={"X-Request-ID": given_id})

    assert answer.headers["X-Request-ID"] == answer.meta["request_id"] != given_id
    assert re.fullmatch("[0-9a-f]{32}", answer.meta["request_id"])


async def test_the_same_snapshot_and_query_have_one_tag(client):
    tags = [(await client.ask(EVERYTHING)).headers["ETag"] for _ in range(2)]
    other = (await client.ask("/gex/levels")).headers["ETag"]

    assert re.fullmatch('"[0-9a-f]{32}(-gzip)?"', tags[0])
    assert tags[0] == tags[1] != other


async def test_the_next_snapshot_has_another_tag(store):
    async with served(store) as client:
        before = (await client.ask("/gex/levels")).headers["ETag"]
        await add_snapshot(store, BTC, NOON.replace(second=10))
        after = (await client.ask("/gex/levels")).headers["ETag"]

    assert before != after


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
@pytest.mark.parametrize("target", ["/gex/levels", EVERYTHING, "/docs", "/openapi.json"])
async def test_a_known_tag_is_answered_without_a_body(client, target, accepted):
    whole = await client.ask(target)
    headers = {"If-None-Match": f'"other", W/{whole.headers["ETag"]}', "Accept-Encoding": accepted}

    again = await client.ask(target, headers=headers)

    assert (again.status, again.content) == (304, b"")
    assert all(name in again.headers for name in (*LIMITS, "ETag", "X-Request-ID", "Vary"))
    assert "Content-Type" not in again.headers


async def test_an_unknown_tag_is_answered_in_full(client):
    assert (await client.ask("/gex/levels", headers={"If-None-Match": '"abc"'})).status == 200


@pytest.mark.parametrize("target", [EVERYTHING, "/docs", "/openapi.json"])
async def test_gzip_is_one_stream_with_the_same_content(client, target):
    given_id = {"X-Request-ID": "same"}
    plain = await client.ask(target, headers=given_id | PLAIN)
    async with ClientSession(auto_decompress=False) as session:
        raw = Client(client.address, session)
        packed = await raw.ask(target, headers=given_id | {"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content)
    assert packed.headers["ETag"] != plain.headers["ETag"]


async def test_head_is_get_without_its_body(client):
    head = await client.ask("/gex/levels", "HEAD", headers={"X-Request-ID": "same"} | PLAIN)
    get = await client.ask("/gex/levels", headers={"X-Request-ID": "same"} | PLAIN)

    assert (head.status, head.content) == (200, b"")
    assert dict(head.headers) | {"Date": ""} == dict(get.headers) | {"Date": ""}


async def test_no_answer_may_be_taken_for_another_type(client):
    assert (await client.ask("/nope")).headers["X-Content-Type-Options"] == "nosniff"


async def test_another_origin_reads_nothing_unless_configured(client):
    answer = await client.ask("/gex/levels", headers={"Origin": "https://example.org"})
    asked = await client.ask(
        "/gex/levels",
        "OPTIONS",
        headers={"Origin": "https://example.org", "Access-Control-Request-Method": "GET"},
    )

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert asked.status == 405


@pytest.mark.parametrize(
    ("cors", "allowed"), [(("https://example.org",), "https://example.org"), (("*",), "*")]
)
async def test_a_configured_origin_reads_answers_and_refusals(store, cors, allowed):
    origin = {"Origin": "https://example.org"}
    async with served(store, cors=cors) as client:
        found = [
            await client.ask("/gex/levels", headers=origin),
            await client.ask("/gex/levels?x=1", headers=origin),
            await client.ask(
                "/gex/levels",
                "OPTIONS",
                headers=origin | {"Access-Control-Request-Method": "GET"},
            ),
        ]

    assert [one.status for one in found] == [200, 422, 204]
    assert {one.headers["Access-Control-Allow-Origin"] for one in found} == {allowed}
    assert "ETag" in found[0].headers["Access-Control-Expose-Headers"]
    assert "X-API-Key" in found[2].headers["Access-Control-Allow-Headers"]
    assert "Content-Type" in found[2].headers["Access-Control-Allow-Headers"]  # axios sends it


async def test_an_origin_that_is_not_configured_is_not_named(store):
    async with served(store, cors=("https://example.org",)) as client:
        answer = await client.ask("/gex/levels", headers={"Origin": "https://evil.example"})

    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZip, deflate, br", True),
        ("*", True),
        ("gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("*;q=0", False),
        ("identity", False),
        ("", False),
        ("gzip;q=x", False),
        ("gzip;q=...", False),
    ],
)
def test_gzip_is_what_the_client_accepts(header, accepted):
    assert accepts_gzip(header) is accepted


@given(st.text())
def test_no_header_is_too_odd(text):
    assert request_id(text, "ours") in (text, "ours")
    assert accepts_gzip(text) in (True, False)
    assert has_changed(text, "abc") in (True, False)
