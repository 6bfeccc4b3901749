"""What answers tell of limits, and what nobody is told of keys."""

import logging

from bot.api.quotas import UNLIMITED
from bot.core.keys import make_key
from bot.errors import StoreError
from bot.store.memory import MemoryStore
from tests.api.serving import KEY, add_key, served

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
    assert [told(found[n]) for n in (0, 2, 3, 4)] == [(2, 1), (2, 0), (2, 0), (0, 0)]


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
