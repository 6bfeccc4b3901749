"""What rang in a chat before, as every store keeps it."""

from dataclasses import replace
from datetime import timedelta

from bot.core.events import Delivery
from tests.store.values import NOON, make_alert, make_ring

MINUTE = timedelta(minutes=1)
GUEST = "web:guest-0123456789abcdef"


async def ring(store, number, *, state="sent", **fields):
    """An alert of that minute whose delivery ended."""
    fields = {"at": NOON + number * MINUTE, "target": GUEST, **fields}
    made = make_alert(f"a{number}", **fields)
    await (store.post([made]) if made.kind != "alert" else store.record(make_ring(made)))
    for one in await store.claim(GUEST.partition(":")[0], "me", made.at, MINUTE, 9):
        await store.settle("me", Delivery(made.at, one.id, one.target, state))
    return made


async def test_the_newest_rings_are_told_the_oldest_first(store, other):
    made = [await ring(store, number) for number in (3, 1, 2)]

    found = await other.rang(GUEST, 2)

    assert list(found) == [made[2], made[0]]


async def test_what_nobody_was_there_to_hear_rang_as_well(store):
    missed = await ring(store, 1, state="expired")

    assert list(await store.rang(GUEST, 9)) == [missed]


async def test_nothing_is_told_that_waits_or_is_no_ring_or_somebody_else_s(store):
    await ring(store, 1, kind="notice")
    await ring(store, 2, target="web:somebody")
    await store.record(make_ring(replace(make_alert("a3"), target=GUEST)))  # nobody claims it

    assert list(await store.rang(GUEST, 9)) == []
