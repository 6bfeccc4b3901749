"""What the endpoints are made of: bodies, what is kept, the grid of venues, counters."""

import asyncio
import gzip
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.api.body import Body
from bot.api.kept import Kept
from bot.api.metrics import Metrics
from bot.api.schema import VERSION, Meta
from bot.api.status import status_of
from tests.api.serving import CHAIN, LATER
from tests.fakes import NOON, make_snapshot

META = Meta(VERSION, LATER, "request-1")
LIMIT = timedelta(minutes=3)
VENUES = ("deribit", "okx")


@given(st.recursive(st.none() | st.integers(-(2**53), 2**53) | st.text(), st.lists, max_leaves=50))
def test_a_packed_body_is_the_plain_one(data):
    body = Body("id", data)

    packed = [body.packed(META) for _ in range(2)]

    assert json.loads(body.plain(META))["data"] == data
    assert [gzip.decompress(one) for one in packed] == [body.plain(META)] * 2


def test_a_tag_is_of_the_snapshot_and_of_the_data():
    tags = [Body(*one).tag for one in (("a", 1), ("a", 1), ("b", 1), ("a", 2))]

    assert tags[0] == tags[1]
    assert len(set(tags)) == 3


async def test_a_value_is_made_once_for_all_who_ask_meanwhile():
    kept, made, go = Kept(2), [], asyncio.Event()

    async def make():
        made.append(1)
        await go.wait()
        return "value"

    asking = [asyncio.create_task(kept.of("key", make)) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()
    go.set()

    assert await asyncio.gather(*asking[1:]) == ["value"] * 4
    assert made == [1]
    assert kept.get("key") == "value"


async def test_what_failed_is_made_again():
    kept, failing = Kept(2), [True]

    async def make():
        if failing.pop():
            raise ValueError("once")
        return "value"

    with pytest.raises(ValueError, match="once"):
        await kept.of("key", make)
    failing.append(False)

    assert await kept.of("key", make) == "value"


def test_no_more_is_kept_than_allowed_and_what_was_asked_for_last_stays():
    kept = Kept(2)
    for key in "ab":
        kept.put(key, key)
    kept.get("a")
    kept.put("c", "c")

    assert [kept.get(key) for key in "abc"] == ["a", None, "c"]
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("age", "status"),
    [(0, "healthy"), (90, "healthy"), (91, "degraded"), (180, "degraded"), (181, "unhealthy")],
)
def test_a_venue_is_as_well_as_its_data_is_young(age, status):
    snapshots = {"BTCUSDT": make_snapshot(CHAIN)}

    found = status_of(snapshots, VENUES, NOON + timedelta(seconds=age), LIMIT)

    assert {cell.status for cell in found.symbols["BTCUSDT"].values()} == {status}
    assert found.overall_status == status


def test_a_symbol_without_data_is_unavailable_everywhere():
    found = status_of({"BTCUSDT": make_snapshot(CHAIN), "HYPEUSDT": None}, VENUES, NOON, LIMIT)

    assert {cell.status for cell in found.symbols["HYPEUSDT"].values()} == {"unavailable"}
    assert set(found.symbols["HYPEUSDT"]) == set(VENUES)
    assert found.overall_status == "unavailable"


def test_a_venue_that_does_not_list_the_symbol_is_no_trouble():
    found = status_of({"BTCUSDT": make_snapshot(CHAIN)}, (*VENUES, "derive"), NOON, LIMIT)

    assert "derive" not in found.symbols["BTCUSDT"]
    assert found.overall_status == "healthy"


def test_counters_add_up():
    metrics = Metrics()
    for seconds in (0.25, 0.5):
        metrics.count("/gex/levels", 200, seconds)
    metrics.count("other", 404, 0.0)

    lines = metrics.text({"BTCUSDT": 1.5}).splitlines()

    assert 'gammabell_http_requests_total{path="/gex/levels",status="200"} 2' in lines
    assert 'gammabell_http_requests_total{path="other",status="404"} 1' in lines
    assert 'gammabell_http_seconds_total{path="/gex/levels"} 0.750000' in lines
    assert 'gammabell_snapshot_age_seconds{symbol="BTCUSDT"} 1.500' in lines


async def test_the_list_of_paths_needs_nothing_from_elsewhere(client):
    answer = await client.ask("/docs")

    page = answer.content.decode()
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "/gex/stress-history" in page
    assert "/docs.css" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    assert "style=" not in page
