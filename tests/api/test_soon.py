"""A store that does not answer: everyone is told soon, and nobody waits for those before them."""

import asyncio

import pytest

from bot.api.gate import Gate
from bot.api.quotas import Quotas
from bot.api.soon import soon
from bot.errors import StoreError
from bot.store.memory import MemoryStore
from tests.api.serving import KEY, Clock, add_key, served

NOW = 1_000_000_005.0
MANY = 50


class Stuck(MemoryStore):
    """A database of which nothing is heard until it is let go."""

    def __init__(self):
        super().__init__()
        self.works = asyncio.Event()
        self.asked = 0

    async def keys(self):
        await self._wait()
        return await super().keys()

    async def draw_requests(self, identity, minute, wanted, limit):
        await self._wait()
        return await super().draw_requests(identity, minute, wanted, limit)

    async def _wait(self):
        self.asked += 1
        await self.works.wait()


async def outcomes(waiting):
    return [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)]


async def test_what_is_answered_is_given():
    async def ask(number, *, more):
        await asyncio.sleep(0)
        return number + more

    assert await soon(ask)(1, more=2) == 3


async def test_what_fails_fails_as_it_does():
    async def ask():
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await soon(ask)()


async def test_what_is_not_answered_is_given_up_even_where_it_will_not_end():
    asked, ended = [], asyncio.Event()

    async def ask():
        asked.append(asyncio.current_task())
        try:
            await asyncio.Event().wait()
        finally:
            await ended.wait()  # as a connection does that waits for its other side

    with pytest.raises(StoreError, match="has not answered for 0 s"):
        await soon(ask, 0)()
    with pytest.raises(StoreError):
        await soon(ask, 0.01)()

    assert not asked[-1].done()
    ended.set()
    await asyncio.wait(asked)


async def test_whoever_goes_away_ends_the_question():
    asked = asyncio.Event()

    async def ask():
        asked.set()
        await asyncio.Event().wait()

    known = asyncio.all_tasks()
    waiting = asyncio.create_task(soon(ask)())
    await asked.wait()
    waiting.cancel()
    await asyncio.wait({waiting})
    await asyncio.sleep(0)

    assert waiting.cancelled()
    assert asyncio.all_tasks() == known


def gate_of(store, seconds):
    quotas = Quotas(soon(store.draw_requests, seconds))
    return Gate(soon(store.keys, seconds), quotas, Clock(), is_open=True)


async def test_one_reading_of_the_keys_fails_all_who_wait_for_it_and_the_next_begins_anew():
    store = Stuck()
    gate = gate_of(store, 0.01)

    failed = await outcomes([gate.admit(KEY) for _ in range(MANY)])
    asked_in_vain = store.asked
    store.works.set()
    share = await gate.admit(None)

    assert failed == [StoreError] * MANY
    assert asked_in_vain == 1
    assert share.allowed


async def test_one_draw_fails_all_who_wait_for_it_and_the_next_begins_anew():
    store = Stuck()
    await add_key(store, per_minute=MANY)
    quotas = Quotas(soon(store.draw_requests, 0.01))

    failed = await outcomes([quotas.take("desk", MANY, NOW) for _ in range(MANY)])
    asked_in_vain = store.asked
    store.works.set()
    shares = [await quotas.take("desk", MANY, NOW) for _ in range(MANY + 1)]

    assert failed == [StoreError] * MANY
    assert asked_in_vain == 1
    assert [share.allowed for share in shares] == [True] * MANY + [False]


async def test_where_the_database_hangs_everyone_is_told_so_and_health_is_told_at_once():
    async with served(Stuck(), asking=0.01) as client:
        found = await asyncio.gather(*[client.ask("/gex/levels") for _ in range(MANY)])
        nowhere = await client.ask("/nope")
        health = await client.ask("/health")

    assert {(one.status, one.error["code"]) for one in found} == {(503, "UPSTREAM_ERROR")}
    assert (nowhere.status, health.status) == (404, 200)
