"""ETag and If-None-Match: what is the same, what is another, and who asks how."""

import gzip
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from tests.api.serving import BTC, ETH, KEY, Client, add_key, add_snapshot, make_store, served
from tests.fakes import NOON

EVERYTHING = "/gex/levels?include=candles,expected_move,max_pain,ranked,spot,zones"
PATHS = [
    EVERYTHING,
    f"/multi/gex/levels?symbols={BTC},{ETH}",
    "/gex/strike-profile",
    "/gex/max-pain",
    "/gex/stress-history",
    "/expiries",
    "/symbols",
    "/meta",
    "/health",
    "/openapi.json",
]
PLAIN, PACKED = {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip"}


async def tag_of(client, target, **headers):
    return (await client.ask(target, headers=headers)).headers["ETag"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_a_strong_tag_that_spares_the_next_one(client, path):
    whole = await client.ask(path)
    again = await client.ask(path, headers={"If-None-Match": whole.headers["ETag"]})

    assert not whole.headers["ETag"].startswith("W/")
    assert (again.status, again.content) == (304, b"")
    assert again.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize("path", [EVERYTHING, "/openapi.json", "/docs"])
async def test_nothing_is_used_again_without_asking(client, path):
    whole = await client.ask(path)
    again = await client.ask(path, headers={"If-None-Match": whole.headers["ETag"]})

    assert [one.headers["Cache-Control"] for one in (whole, again)] == ["private, no-cache"] * 2


async def test_a_tag_stays_while_meta_changes():
    store, times = await make_store(BTC), [NOON + timedelta(seconds=n) for n in range(9)]
    async with served(store, now=lambda: times.pop(0)) as client:
        one = await client.ask("/gex/levels", headers={"X-Request-ID": "a"})
        other = await client.ask("/gex/levels", headers={"X-Request-ID": "b"})

    assert one.headers["ETag"] == other.headers["ETag"]
    assert one.data == other.data
    assert one.meta["timestamp"] != other.meta["timestamp"]


async def test_a_tag_is_of_the_query_however_it_is_written(client):
    same = [
        "/gex/levels?exchanges=okx,bybit&include=spot,zones",
        "/v2/gex/levels?include=zones,spot&exchanges=bybit,okx",
        f"/gex/levels?include=zones,spot,zones&exchanges=okx,bybit&symbol={BTC}",
    ]
    other = [
        "/gex/levels?exchanges=okx&include=spot,zones",
        "/gex/levels?exchanges=okx,bybit&include=spot",
        f"/gex/levels?exchanges=okx,bybit&include=spot,zones&symbol={ETH}",
        "/gex/levels?include=spot,zones",
    ]

    first = {await tag_of(client, target) for target in same}
    second = {await tag_of(client, target) for target in other}

    assert len(first) == 1
    assert len(second) == 4
    assert not first & second


async def test_the_next_snapshot_has_another_tag_in_every_answer_of_its_symbol(store):
    paths = [path for path in PATHS if path.startswith(("/gex", "/multi", "/expiries", "/symbols"))]
    async with served(store) as client:
        before = [await tag_of(client, path) for path in paths]
        others = await tag_of(client, f"/gex/levels?symbol={ETH}")
        await add_snapshot(store, BTC, NOON + timedelta(seconds=10), spot=80_010.0)
        answers = [
            await client.ask(path, headers={"If-None-Match": tag})
            for path, tag in zip(paths, before, strict=True)
        ]
        unchanged = await tag_of(client, f"/gex/levels?symbol={ETH}")

    assert [one.status for one in answers] == [200] * len(paths)
    assert unchanged == others


@pytest.mark.parametrize("asked", [PLAIN, PACKED])
@pytest.mark.parametrize("known", [PLAIN, PACKED])
async def test_a_tag_of_either_coding_spares_either(client, known, asked):
    tag = await tag_of(client, EVERYTHING, **known)

    answer = await client.ask(EVERYTHING, headers={"If-None-Match": tag} | asked)

    assert answer.status == 304
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("*", 304),
        (" * ", 304),
        ("{tag}", 304),
        ("W/{tag}", 304),
        ('"x", {tag}', 304),
        ('"x",{tag},"y"', 304),
        ('W/"x" , W/{tag}', 304),
        ('"x"', 200),
        ("", 200),
        ("{bare}", 200),
        ('"{bare}x"', 200),
        ("**", 200),
        ("'{bare}'", 200),
        ('"' * 500, 200),
    ],
)
async def test_if_none_match_in_every_form(client, form, status):
    tag = await tag_of(client, EVERYTHING, **PLAIN)
    header = form.replace("{tag}", tag).replace("{bare}", tag.strip('"'))

    answer = await client.ask(EVERYTHING, headers={"If-None-Match": header} | PLAIN)

    assert answer.status == status


async def test_head_is_spared_as_well(client):
    tag = await tag_of(client, EVERYTHING)

    answer = await client.ask(EVERYTHING, "HEAD", headers={"If-None-Match": tag})

    assert (answer.status, answer.content) == (304, b"")


@pytest.mark.parametrize("target", ["/nope", "/gex/levels?x=1", "/gex/levels?symbol=HYPEUSDT"])
async def test_a_refusal_has_no_tag_and_is_never_kept(client, target):
    answer = await client.ask(target, headers={"If-None-Match": "*"})

    assert answer.status >= 400
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


async def test_what_is_known_is_not_told_to_someone_without_a_key(store):
    async with served(store) as client:
        tag = await tag_of(client, EVERYTHING)
    await add_key(store, per_minute=9)
    async with served(store) as client:
        answer = await client.ask(EVERYTHING, headers={"If-None-Match": tag})
        with_key = await client.ask(EVERYTHING, headers={"If-None-Match": tag, "X-API-Key": KEY})

    assert (answer.status, with_key.status) == (401, 304)


@pytest.mark.parametrize("path", PATHS)
async def test_head_has_the_headers_of_get_and_no_body(client, path):
    same = {"X-Request-ID": "same"} | PLAIN
    get = await client.ask(path, headers=same)
    head = await client.ask(path, "HEAD", headers=same)

    assert (head.status, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(get.content))
    assert dict(head.headers) | {"Date": ""} == dict(get.headers) | {"Date": ""}


@pytest.mark.parametrize("path", PATHS)
async def test_gzip_holds_what_the_plain_answer_holds(client, path):
    same = {"X-Request-ID": "same"}
    plain = await client.ask(path, headers=same | PLAIN)
    async with ClientSession(auto_decompress=False) as session:
        packed = await Client(client.address, session).ask(path, headers=same | PACKED)

    is_packed = packed.headers.get("Content-Encoding") == "gzip"
    assert (gzip.decompress(packed.content) if is_packed else packed.content) == plain.content
    assert packed.headers["Content-Length"] == str(len(packed.content))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/nope", "/v2/v2/gex/levels"])
async def test_where_there_is_no_path_no_method_is_better(client, path, method):
    assert (await client.ask(path, method)).status == 404


async def test_a_small_body_with_get_is_read_past(client):
    one = await client.ask("/gex/levels", data=b"x" * 1_000)
    other = await client.ask("/gex/levels", json={"symbol": ETH})

    assert (one.status, other.meta["symbol"]) == (200, BTC)
