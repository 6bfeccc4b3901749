"""Limits that several processes keep together."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.api.quotas import Quotas
from bot.core.quota import PARTS
from bot.errors import StoreError
from bot.store.memory import MemoryStore

NOW = 1_000_000_005.0  # fifteen seconds before a minute ends


class Slow:
    """A store whose answers wait until they are let go; what it counts, it counts at that time."""

    def __init__(self):
        self.store = MemoryStore()
        self.waiting = []
        self.draws = 0

    async def draw_requests(self, identity, minute, wanted, limit):
        self.draws += 1
        gate = asyncio.Event()
        self.waiting.append(gate)
        await gate.wait()
        return await self.store.draw_requests(identity, minute, wanted, limit)

    async def let_go(self, number=0):
        if self.waiting:
            self.waiting.pop(number % len(self.waiting)).set()
        await settle()

    async def finish(self, asking):
        """Let all go until everyone has an answer."""
        while not all(one.done() for one in asking):
            await self.let_go()
        return await asyncio.gather(*asking)


async def settle():
    """Everything that can go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)


def counted(shares):
    return sum(share.allowed for share in shares)


@given(
    per_minute=st.integers(1, 5),
    times=st.lists(st.floats(0, 300, allow_nan=False), min_size=1, max_size=60).map(sorted),
)
async def test_no_minute_allows_more_than_the_limit(per_minute, times):
    quotas = Quotas(MemoryStore().draw_requests)

    shares = [(now, await quotas.take("d", per_minute, now)) for now in times]

    for minute in range(6):
        of_minute = [share for now, share in shares if now // 60 == minute]
        assert counted(of_minute) == min(per_minute, len(of_minute))
        assert {share.limit.reset for share in of_minute} <= {(minute + 1) * 60}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 3), st.integers(1, 20)),
        st.tuples(st.just("answer"), st.integers(0, 9), st.just(0)),
    ),
    max_size=25,
)


@given(processes=st.integers(1, 4), limit=st.integers(1, 400), steps=steps)
async def test_processes_never_allow_more_together_and_hold_back_a_known_part(
    processes, limit, steps
):
    store = Slow()
    several = [Quotas(store.draw_requests) for _ in range(processes)]
    asking = []
    for what, which, how_many in steps:
        if what == "answer":
            await store.let_go(which)
        for _ in range(how_many):
            quotas = several[which % processes]
            asking.append(asyncio.create_task(quotas.take("d", limit, NOW)))
    shares = await store.finish(asking)

    held_back = (processes - 1) * max(0, limit // PARTS - 1)
    assert counted(shares) <= limit
    assert counted(shares) >= min(len(shares), limit - held_back)
    assert all(0 <= share.limit.remaining < limit for share in shares)


@given(limit=st.integers(1, 3_000))
async def test_in_one_process_what_remains_falls_by_one_a_request(limit):
    quotas = Quotas(MemoryStore().draw_requests)

    shares = [await quotas.take("d", limit, NOW) for _ in range(min(limit, 700) + 1)]

    numbers = range(1, len(shares) + 1)
    assert [share.limit.remaining for share in shares] == [max(0, limit - n) for n in numbers]
    assert [share.allowed for share in shares] == [number <= limit for number in numbers]


async def test_most_requests_of_a_wide_limit_ask_the_store_nothing():
    store = Slow()
    quotas = Quotas(store.draw_requests)
    await store.finish([asyncio.create_task(quotas.take("d", 6_400, NOW))])

    shares = [await quotas.take("d", 6_400, NOW) for _ in range(99)]

    assert shares[-1].limit.remaining == 6_300
    assert store.draws == 1


async def test_who_waits_together_is_served_by_one_draw():
    store = Slow()
    quotas = Quotas(store.draw_requests)
    asking = [asyncio.create_task(quotas.take("d", 60, NOW)) for _ in range(40)]

    shares = await store.finish(asking)

    assert counted(shares) == 40
    assert store.draws == 1


async def test_once_nothing_is_left_the_store_is_asked_no_more():
    store = Slow()
    quotas, other = Quotas(store.draw_requests), Quotas(store.draw_requests)
    asking = [asyncio.create_task(one.take("d", 1, NOW)) for one in (quotas, other)]
    await store.finish(asking)

    refused = [await one.take("d", 1, NOW) for one in (quotas, other) for _ in range(9)]

    assert counted(refused) == 0
    assert store.draws == 2


async def test_a_new_minute_is_a_new_limit_and_what_was_held_is_gone():
    store = MemoryStore()
    quotas, other = Quotas(store.draw_requests), Quotas(store.draw_requests)
    for _ in range(3):
        await quotas.take("d", 640, NOW)

    share = await quotas.take("d", 640, NOW + 60)
    elsewhere = await other.take("d", 640, NOW + 60)

    assert share.limit.remaining == 639
    assert elsewhere.limit.remaining == 640 - 10 - 1  # ten are the other's


async def test_a_clock_that_is_ahead_opens_the_next_minute_for_all():
    store = MemoryStore()
    ahead, behind = Quotas(store.draw_requests), Quotas(store.draw_requests)

    early = [await ahead.take("d", 3, NOW + 15) for _ in range(2)]
    late = [await behind.take("d", 3, NOW) for _ in range(2)]
    after = await behind.take("d", 3, NOW + 15)

    assert [share.allowed for share in early + late] == [True, True, True, False]
    assert not after.allowed


async def test_a_clock_that_was_far_ahead_shuts_nobody_out():
    store = MemoryStore()
    for _ in range(3):
        await Quotas(store.draw_requests).take("d", 3, NOW + 86_400)

    shares = [await Quotas(store.draw_requests).take("d", 3, NOW) for _ in range(4)]

    assert [share.allowed for share in shares] == [True, True, True, False]


async def test_a_process_allows_no_more_than_the_limit_whatever_becomes_of_the_count():
    store = MemoryStore()
    quotas, shares = Quotas(store.draw_requests), []
    for hours in range(1, 20):
        shares.append(await quotas.take("d", 5, NOW))
        await store.draw_requests("d", int(NOW // 60) + 60 * hours, 1, 5)  # begins it anew

    assert counted(shares) == 5


class Broken:
    """A store that is away for some time."""

    def __init__(self, failures):
        self.failures = failures
        self.store = MemoryStore()

    async def draw_requests(self, *asked):
        if self.failures:
            self.failures -= 1
            raise StoreError("db is not reachable")
        return await self.store.draw_requests(*asked)


async def test_a_store_that_fails_uses_nothing_up():
    quotas = Quotas(Broken(1).draw_requests)
    with pytest.raises(StoreError):
        await quotas.take("d", 2, NOW)

    shares = [await quotas.take("d", 2, NOW) for _ in range(3)]

    assert [share.allowed for share in shares] == [True, True, False]


async def test_one_who_gives_up_waiting_leaves_the_draw_to_the_next():
    store = Slow()
    quotas = Quotas(store.draw_requests)
    gone = asyncio.create_task(quotas.take("d", 2, NOW))
    await settle()
    waits = asyncio.create_task(quotas.take("d", 2, NOW))
    await settle()

    gone.cancel()
    share = (await store.finish([waits]))[0]

    assert share.allowed
    assert gone.cancelled()
