"""What every store promises of requests that several processes count."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.keys import ApiKey
from bot.core.quota import Drawn, allowed, draw, minute_of, start_of
from tests.store.values import DAY, NOON

NOW = minute_of(NOON.timestamp())
DIGEST = "ab" * 32
KEY = ApiKey("desk", DIGEST, 60, NOON)


async def test_requests_are_counted_for_all_up_to_the_limit(store, other):
    given_out = [await one.draw_requests(DIGEST, NOW, 2, 5) for one in (store, other, store, other)]

    assert given_out == [Drawn(2, 3), Drawn(2, 1), Drawn(1, 0), Drawn(0, 0)]


async def test_everyone_has_a_count_of_their_own(store):
    await store.draw_requests(DIGEST, NOW, 5, 5)

    assert await store.draw_requests("cd" * 32, NOW, 1, 5) == Drawn(1, 4)


@pytest.mark.parametrize(
    "minutes", [(0, 1), (1, 0), (0, 1, 0, 1), (2, 0), (0, 60, 0), (3, 4, 5, 4, 2)]
)
async def test_the_count_goes_from_minute_to_minute_as_the_core_says(store, other, minutes):
    count, expected, found = None, [], []
    for turn, minute in enumerate(minutes):
        count = draw(count, NOW + minute, 2)
        expected.append(allowed(count.drawn, 2, 9))
        found.append(await (store, other)[turn % 2].draw_requests(DIGEST, NOW + minute, 2, 9))

    assert found == expected
    assert await store.asked_at() == {DIGEST: start_of(count.minute)}


async def test_what_is_drawn_at_once_is_given_once(store, other):
    draws = [one.draw_requests(DIGEST, NOW, 3, 50) for one in (store, other) for _ in range(12)]

    given_out = await asyncio.gather(*draws)

    assert sum(one.taken for one in given_out) == 50
    assert min(one.left for one in given_out) == 0


async def test_a_revoked_key_leaves_no_count(store, other):
    await store.add_key(KEY)
    await store.draw_requests(DIGEST, NOW, 1, 60)
    await store.draw_requests("cd" * 32, NOW, 1, 60)

    await other.delete_key("desk")

    assert await store.asked_at() == {"cd" * 32: NOON}


async def test_old_counts_go_but_for_those_of_keys(store):
    await store.add_key(KEY)
    for identity, day in ((DIGEST, 0), ("old", 0), ("new", 2)):
        await store.draw_requests(identity, NOW + day * 1_440, 1, 60)

    deleted = await store.prune(NOON + DAY, NOON + DAY + timedelta(seconds=7))

    assert deleted == 1
    assert await store.asked_at() == {DIGEST: NOON, "new": NOON + 2 * DAY}


async def test_a_key_made_anew_begins_anew(store):
    await store.add_key(KEY)
    await store.draw_requests(KEY.digest, NOW, 60, KEY.per_minute)
    await store.delete_key("desk")
    again = replace(KEY, digest="cd" * 32)
    await store.add_key(again)

    assert await store.draw_requests(again.digest, NOW, 1, again.per_minute) == Drawn(1, 59)
