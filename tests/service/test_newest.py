import asyncio
from dataclasses import replace

import pytest

from bot.errors import StoreError
from bot.service.newest import KEPT_SECONDS, Newest, OfNewest
from tests.service.builders import BTC, make_snapshot


class Counted:
    """A store's snapshots: how often it was asked, and an answer that waits to be let go."""

    def __init__(self, *answers) -> None:
        self.asked: list[str] = []
        self.time = 0.0
        self.go = asyncio.Event()
        self.go.set()
        self.newest = Newest(self._fetch, lambda: self.time)
        self._answers = list(answers)

    async def _fetch(self, symbol):
        self.asked.append(symbol)
        await self.go.wait()
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


FIRST, SECOND = make_snapshot(seconds=0), make_snapshot(seconds=30)


async def test_fifty_people_at_once_cost_one_question():
    store = Counted(FIRST)
    store.go.clear()

    asking = [asyncio.create_task(store.newest.of(BTC)) for _ in range(50)]
    await asyncio.sleep(0)
    store.go.set()

    assert set(map(id, await asyncio.gather(*asking))) == {id(FIRST)}
    assert store.asked == [BTC]


async def test_an_answer_serves_half_a_second():
    store = Counted(FIRST, SECOND)

    first = await store.newest.of(BTC)
    store.time += KEPT_SECONDS * 0.9
    again = await store.newest.of(BTC)
    store.time += KEPT_SECONDS * 0.1
    later = await store.newest.of(BTC)

    assert (first, again, later) == (FIRST, FIRST, SECOND)


async def test_each_symbol_is_asked_for_by_itself():
    store = Counted(FIRST)

    await asyncio.gather(store.newest.of(BTC), store.newest.of("ETHUSDT"))

    assert sorted(store.asked) == [BTC, "ETHUSDT"]


async def test_a_failure_is_everyones_who_waited_and_nobody_elses():
    store = Counted(StoreError("locked"), FIRST)

    failed = await asyncio.gather(*(store.newest.of(BTC) for _ in range(3)), return_exceptions=True)

    assert [str(error) for error in failed] == ["locked"] * 3
    assert await store.newest.of(BTC) == FIRST


async def test_that_there_is_nothing_yet_is_not_kept():
    store = Counted(None, FIRST)

    assert [await store.newest.of(BTC), await store.newest.of(BTC)] == [None, FIRST]


async def test_one_who_goes_away_takes_the_answer_from_nobody():
    store = Counted(FIRST)
    store.go.clear()
    leaves, stays = (asyncio.create_task(store.newest.of(BTC)) for _ in range(2))
    await asyncio.sleep(0)

    leaves.cancel()
    await asyncio.sleep(0)
    store.go.set()

    assert await stays == FIRST
    with pytest.raises(asyncio.CancelledError):
        await leaves


async def test_a_failure_that_nobody_waits_for_any_more_is_no_complaint():
    store = Counted(StoreError("locked"), FIRST)
    store.go.clear()
    leaves = asyncio.create_task(store.newest.of(BTC))
    await asyncio.sleep(0)

    leaves.cancel()
    await asyncio.gather(leaves, return_exceptions=True)
    store.go.set()
    await asyncio.sleep(0)

    assert await store.newest.of(BTC) == FIRST


async def test_what_is_computed_of_a_snapshot_is_computed_once_for_all_who_ask():
    computed = []

    async def compute(snapshot):
        computed.append(snapshot.id)
        await asyncio.sleep(0)
        return snapshot.spot

    derived = OfNewest(compute)

    together = await asyncio.gather(*(derived.of(FIRST) for _ in range(5)))
    again = await derived.of(FIRST)
    newer = await derived.of(replace(FIRST, id="newer"))

    assert {*together, again, newer} == {FIRST.spot}
    assert computed == [FIRST.id, "newer"]


async def test_what_could_not_be_computed_is_tried_again_by_the_next_who_asks():
    answers = [StoreError("locked"), None]

    async def compute(snapshot):
        if error := answers.pop(0):
            raise error
        return snapshot.spot

    derived = OfNewest(compute)

    with pytest.raises(StoreError):
        await derived.of(FIRST)

    assert await derived.of(FIRST) == FIRST.spot
