"""Keys, limits, and who may see what."""

import pytest

from bot.api.gate import Gate, is_loopback
from bot.api.quotas import Quotas
from bot.api.server import serving
from bot.core.keys import make_key
from bot.errors import BotError, ConfigError, StoreError
from bot.store.memory import MemoryStore
from tests.api.serving import BTC, KEY, SYMBOLS, Clock, add_key, make_parts, make_store, served

WITH_KEY = {"X-API-Key": KEY}
PUBLIC = ("/health", "/openapi.json", "/docs", "/metrics")


async def test_without_a_key_configured_everyone_on_this_machine_may_ask(client):
    answer = await client.ask("/gex/levels")

    assert answer.status == 200
    assert answer.headers["X-RateLimit-Remaining"] == answer.headers["X-RateLimit-Limit"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "gb_live_"},
        {"X-API-Key": make_key(b"x" * 20)},
        {"X-API-Key": KEY.upper()},
        {"X-API-Key": f"{KEY}x"},
        {"X-API-Key": "ä" * 40},
        {"X-API-Key": "x" * 5_000},
        {"Authorization": f"Bearer {KEY}"},
    ],
)
async def test_with_a_key_configured_no_other_is_taken(store, headers):
    await add_key(store)
    async with served(store) as client:
        answer = await client.ask("/gex/levels", headers=headers)

    assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert KEY not in answer.content.decode()


@pytest.mark.parametrize("path", PUBLIC)
async def test_public_paths_need_no_key(store, path):
    await add_key(store)
    async with served(store) as client:
        assert (await client.ask(path)).status == 200


async def test_a_key_is_counted_and_refused_until_the_minute_ends(store):
    clock = Clock()  # fifteen seconds before the minute ends
    await add_key(store, per_minute=2)
    async with served(store, clock=clock) as client:
        found = [await client.ask("/gex/levels", headers=WITH_KEY) for _ in range(3)]
        clock.seconds += 15
        found.append(await client.ask("/gex/levels", headers=WITH_KEY))

    assert [one.status for one in found] == [200, 200, 429, 200]
    assert [one.headers["X-RateLimit-Remaining"] for one in found] == ["1", "0", "0", "1"]
    assert found[0].meta["rate_limit"] == {"limit": 2, "remaining": 1, "reset": 1_000_000_020}
    refused = found[2]
    assert refused.headers["Retry-After"] == "15"
    assert refused.error["code"] == "RATE_LIMIT_EXCEEDED"
    assert refused.error["details"] == {"retry_after_seconds": 15, "limit": 2}


async def test_a_bundle_counts_as_one_request(store):
    await add_key(store, per_minute=9)
    async with served(store) as client:
        target = f"/multi/gex/levels?symbols={','.join(SYMBOLS)}"
        answer = await client.ask(target, headers=WITH_KEY)

    assert answer.headers["X-RateLimit-Remaining"] == "8"


async def test_refusals_and_304_count_as_well_public_paths_do_not(store):
    await add_key(store, per_minute=9)
    async with served(store) as client:
        await client.ask("/gex/levels?x=1", headers=WITH_KEY)
        await client.ask("/health", headers=WITH_KEY)
        await client.ask("/nope", headers=WITH_KEY)
        answer = await client.ask("/gex/levels", headers=WITH_KEY | {"If-None-Match": "*"})

    assert (answer.status, answer.headers["X-RateLimit-Remaining"]) == (304, "7")


async def test_keys_are_counted_apart(store):
    other = make_key(b"y" * 20)
    await add_key(store, per_minute=1)
    await add_key(store, "other", per_minute=1, key=other)
    async with served(store) as client:
        found = [await client.ask("/symbols", headers={"X-API-Key": key}) for key in (KEY, other)]

    assert [one.status for one in found] == [200, 200]


async def test_a_new_key_and_a_revoked_one_take_effect_within_a_second(store):
    clock, seen = Clock(), []
    async with served(store, clock=clock) as client:
        for change in (None, add_key(store, per_minute=9), store.delete_key("desk")):
            if change:
                await change
            clock.seconds += 1
            asked = [await client.ask("/symbols", headers=headers) for headers in ({}, WITH_KEY)]
            seen += [one.status for one in asked]

    assert seen == [200, 200, 401, 200, 200, 200]


async def test_metrics_are_for_this_machine_unless_configured(store):
    handed_on = {"X-Forwarded-For": "203.0.113.7"}
    async with served(store) as client:
        await client.ask("/gex/levels")
        mine = await client.ask("/metrics")
        theirs = await client.ask("/metrics", headers=handed_on)
    async with served(store, metrics_anywhere=True) as client:
        shown = await client.ask("/metrics", headers=handed_on)

    assert b'requests_total{path="/gex/levels",status="200"} 1\n' in mine.content
    assert b'snapshot_age_seconds{symbol="BTCUSDT"} 12.500\n' in mine.content
    assert mine.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert (theirs.status, theirs.error["code"]) == (403, "FORBIDDEN")
    assert shown.status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "bell.example.org"])
async def test_where_everyone_may_ask_it_does_not_start_without_a_key(store, host):
    with pytest.raises(ConfigError, match="keys create"):
        async with serving(make_parts(store), host, 0):
            pass


async def test_where_everyone_may_ask_a_key_is_needed_even_after_the_last_is_revoked(store):
    clock = Clock()
    gate = Gate(store.keys, Quotas(store.draw_requests), clock, is_open=False)
    await add_key(store)

    before = await gate.admit(KEY)
    await store.delete_key("desk")
    clock.seconds += 1

    assert before
    assert before.allowed
    assert await gate.admit(KEY) is None
    assert await gate.admit(None) is None


async def test_a_port_that_is_taken_is_one_line(store):
    async with serving(make_parts(store), "127.0.0.1", 0) as address:
        with pytest.raises(BotError, match="is taken; choose another"):
            async with serving(make_parts(store), "127.0.0.1", int(address.rpartition(":")[2])):
                pass


class Broken(MemoryStore):
    """A database that went away."""

    async def keys(self):
        raise StoreError("postgres at db:5432 is not reachable")


async def test_a_store_that_fails_is_no_fault_of_the_client_and_tells_no_address():
    async with served(Broken()) as client:
        answer = await client.ask("/gex/levels")
        public = await client.ask("/health")

    assert (answer.status, answer.error["code"]) == (503, "UPSTREAM_ERROR")
    assert b"5432" not in answer.content
    assert public.status == 200


async def test_a_bug_leaks_nothing(store):
    async def newest(symbol):
        raise ZeroDivisionError("secret")

    async with served(store, newest=newest) as client:
        answer = await client.ask("/gex/levels")

    assert (answer.status, answer.error["code"]) == (500, "INTERNAL_ERROR")
    assert b"secret" not in answer.content
    assert b"Traceback" not in answer.content


async def test_what_takes_too_long_is_given_up():
    store = await make_store(BTC)
    async with served(store, patience=0.0) as client:
        answer = await client.ask("/expiries")

    assert (answer.status, answer.error["code"]) == (503, "UPSTREAM_ERROR")
    assert "database" not in answer.error["message"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host, loopback):
    assert is_loopback(host) is loopback
