"""Two APIs over one store keep a key's limit together."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from bot.core.keys import make_key
from bot.core.quota import PARTS
from tests.api.serving import KEY, Clock, add_key, served

WITH_KEY = {"X-API-Key": KEY}


@pytest.fixture
def clock():
    """What both go by."""
    return Clock()


@pytest.fixture
async def clients(store, other, clock):
    """One of each process's API."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(served(one, clock=clock)) for one in (store, other)]


async def ask(client, **options):
    return await client.ask("/symbols", headers=WITH_KEY, **options)


async def test_a_small_limit_is_kept_to_the_request(store, clients):
    await add_key(store, per_minute=7)

    found = [await ask(clients[turn % 2]) for turn in range(10)]

    assert [one.status for one in found] == [200] * 7 + [429] * 3
    remaining = [int(one.headers["X-RateLimit-Remaining"]) for one in found]
    assert remaining == [6, 5, 4, 3, 2, 1, 0, 0, 0, 0]
    assert found[-1].headers["Retry-After"] == "15"


@pytest.mark.parametrize("per_minute", [40, 200])
async def test_a_storm_is_let_in_up_to_the_limit(store, clients, per_minute):
    await add_key(store, per_minute=per_minute)

    found = await asyncio.gather(*(ask(clients[turn % 2]) for turn in range(per_minute + 30)))

    statuses = Counter(one.status for one in found)
    assert per_minute - max(0, per_minute // PARTS - 1) <= statuses[200] <= per_minute
    assert statuses[200] + statuses[429] == len(found)


async def test_a_key_made_anew_under_its_name_begins_anew(store, clients, clock):
    await add_key(store, per_minute=1)
    again = make_key(b"again" * 4)
    await ask(clients[0])
    await store.delete_key("desk")
    await add_key(store, per_minute=1, key=again)
    clock.seconds += 1  # the minute goes on

    new = [await client.ask("/symbols", headers={"X-API-Key": again}) for client in clients]

    assert [one.status for one in new] == [200, 429]


async def test_a_key_made_or_revoked_counts_everywhere_within_a_second(store, clients, clock):
    await add_key(store, "other", key=make_key(b"other" * 4))
    unknown = [await ask(client) for client in clients]
    await add_key(store, per_minute=9)
    clock.seconds += 1
    known = [await ask(client) for client in clients]
    await store.delete_key("desk")
    clock.seconds += 1
    revoked = [await ask(client) for client in clients]

    assert [one.status for one in unknown + known + revoked] == [401, 401, 200, 200, 401, 401]
