"""What answers tell of limits, and what nobody is told of keys."""

import logging

import pytest

from bot.api.bodies import MOST_BYTES
from bot.api.endpoints import MOST_QUERY_BYTES
from bot.api.quotas import UNLIMITED
from bot.core.keys import make_key
from bot.errors import StoreError
from bot.store.memory import MemoryStore
from tests.api.serving import BTC, KEY, add_key, served

WITH_KEY = {"X-API-Key": KEY}
NAMES = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def told(answer):
    """The same numbers from headers and meta."""
    limit = answer.meta["rate_limit"]
    in_headers = [int(answer.headers[name]) for name in NAMES]
    assert in_headers == [limit["limit"], limit["remaining"], limit["reset"]]
    return limit["limit"], limit["remaining"]


async def test_headers_meta_and_the_list_of_limits_agree(store):
    await add_key(store, per_minute=70)
    async with served(store) as client:
        answer = await client.ask("/meta", headers=WITH_KEY)

    assert told(answer) == (70, 69)
    assert answer.data["limits"]["requests_per_minute"] == 70


async def test_what_is_too_large_is_named(client):
    query = await client.ask(f"/health?x={'a' * MOST_QUERY_BYTES}")
    body = await client.ask("/health", data=b"x" * (MOST_BYTES + 1))

    assert [one.status for one in (query, body)] == [413, 413]
    assert ["query" in one.error["message"] for one in (query, body)] == [True, False]


async def test_where_nobody_counts_the_limit_is_a_number_that_32_bits_hold(client):
    answer = await client.ask("/meta")

    assert told(answer) == (UNLIMITED, UNLIMITED)
    assert answer.data["limits"]["requests_per_minute"] == UNLIMITED < 2**31


async def test_refusals_tell_the_limit_as_well(store):
    await add_key(store, per_minute=2)
    async with served(store) as client:
        targets = ("/gex/levels?symbol=NONE", "/nope", "/symbols", "/symbols")
        found = [await client.ask(target, headers=WITH_KEY) for target in targets]
        found.append(await client.ask("/symbols"))

    assert [one.status for one in found] == [422, 404, 200, 429, 401]
    assert [told(one) for one in found] == [(2, 1), (2, 1), (2, 0), (2, 0), (0, 0)]


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        ("/nope", "GET", 404),
        ("/gex/levels", "POST", 405),
        ("/health", "DELETE", 405),
        (f"/gex/levels?x={'a' * MOST_QUERY_BYTES}", "GET", 413),
        ("/gex/levels?x=1", "GET", 422),
    ],
)
async def test_whoever_has_a_key_is_told_of_its_limit_whatever_is_wrong(
    store, target, method, status
):
    await add_key(store, per_minute=70)
    async with served(store) as client:
        await client.ask("/symbols", headers=WITH_KEY)
        answer = await client.ask(target, method, headers=WITH_KEY)
        nobody = await client.ask("/nope")

    assert answer.status == status
    assert told(answer) == (70, 68 if status == 422 else 69)
    assert told(nobody) == (0, 0)


class Forgetful(MemoryStore):
    """A database that goes away once the keys are read."""

    async def draw_requests(self, identity, minute, wanted, limit):
        raise StoreError("postgres at db:5432 is not reachable")


async def test_where_nothing_can_be_counted_nothing_is_answered():
    store = Forgetful()
    await add_key(store)
    async with served(store) as client:
        answer = await client.ask("/symbols", headers=WITH_KEY)
        public = await client.ask("/health", headers=WITH_KEY)

    assert (answer.status, answer.error["code"]) == (503, "UPSTREAM_ERROR")
    assert b"5432" not in answer.content
    assert public.status == 200


class Flickering(MemoryStore):
    """A database that is away at each call that says so."""

    def __init__(self, *is_away):
        super().__init__()
        self.is_away = list(is_away)

    async def snapshot(self, symbol):
        if self.is_away.pop(0):
            raise StoreError("postgres at db:5432 is not reachable")
        return await super().snapshot(symbol)


async def test_the_log_says_once_that_the_database_is_away_and_again_the_next_time(caplog):
    async with served(Flickering(True, True, False, True), symbols=(BTC,)) as client:
        found = [(await client.ask("/symbols")).status for _ in range(4)]

    assert found == [503, 503, 200, 503]
    assert len([text for text in caplog.messages if "cannot answer" in text]) == 2


async def test_no_log_has_a_key(store, caplog):
    caplog.set_level(logging.DEBUG)
    unknown = make_key(b"unknown" * 2)
    await add_key(store, per_minute=1)
    async with served(store) as client:
        for key in (KEY, KEY, unknown):
            await client.ask("/symbols", headers={"X-API-Key": key})
    failing = Forgetful()
    await add_key(failing)
    async with served(failing) as client:
        await client.ask("/symbols", headers=WITH_KEY)

    assert "cannot answer" in caplog.text
    assert KEY not in caplog.text
    assert unknown not in caplog.text
