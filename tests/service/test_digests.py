import asyncio
from dataclasses import replace
from datetime import time, timedelta

import pytest

from bot.core.chats import Chat, Digest, Quiet
from bot.core.crossings import Latches
from bot.core.rules import RuleState
from bot.errors import StoreError
from bot.ports import Record
from bot.service.digests import Digests
from bot.service.rulebook import Rulebook
from bot.store.memory import MemoryStore
from tests.service.builders import (
    BTC,
    NOON,
    STALE_AFTER,
    FragileStore,
    ManualClock,
    VirtualTimer,
    after,
    events_of,
    make_chain,
    make_rule,
    make_snapshot,
    run_virtually,
    virtual_now,
)

DAY = 86_400
CHAT = Chat("telegram:1", digest=Digest(time(12), (BTC,)))
LEASE = timedelta(minutes=1)


async def make_digests(*chats, store=None, now=None):
    """The digests of these chats, and the store that they are posted to."""
    store = store or MemoryStore()
    for chat in chats:
        await store.put_chat(chat)
    snapshot = make_snapshot(hvl=78_000.0)
    await store.record(Record(BTC, NOON, Latches(), snapshot, make_chain()))
    rulebook = Rulebook(store, None)
    await rulebook.reload()
    return Digests(store, rulebook, now or ManualClock().now, VirtualTimer(), STALE_AFTER), store


async def posted(store):
    return [(event["target"], event["at"]) for event in await events_of(store, "alert")]


async def test_a_digest_is_posted_at_its_time_with_a_card_and_an_hour_to_live():
    digests, store = await make_digests(CHAT)

    await digests.post_due()

    [message] = await store.claim("telegram", "one", NOON, LEASE, 9)
    assert (message.kind, message.expires_at) == ("digest", after(3_600))
    assert message.text == "Daily digest: BTC $80,000 positive"
    assert message.card.tables[0].title.startswith("BTC $80,000")


async def test_a_digest_is_posted_once_a_day_and_a_restart_repeats_none():
    clock = ManualClock()
    digests, store = await make_digests(CHAT, now=clock.now)
    for _ in range(48 * 4):
        await digests.post_due()
        clock.wait(900)
    clock.wait(-900 * 48 * 4)

    rulebook = Rulebook(store, None)
    await rulebook.reload()
    await Digests(store, rulebook, clock.now, VirtualTimer(), STALE_AFTER).post_due()

    assert await posted(store) == [("telegram:1", NOON), ("telegram:1", after(DAY))]


async def test_each_chat_s_digest_comes_on_its_own_clock():
    clock = ManualClock(after(60))
    berlin = replace(CHAT, target="telegram:2", zone="Europe/Berlin")
    digests, store = await make_digests(CHAT, berlin, now=clock.now)

    for _ in range(24):
        await digests.post_due()
        clock.wait(3_600)

    assert await posted(store) == [
        ("telegram:1", after(60)),
        ("telegram:2", after(60 + 23 * 3_600)),
    ]


async def test_a_digest_comes_in_quiet_hours_too_for_it_was_asked_for_at_that_time():
    quiet = replace(CHAT, quiet=Quiet(time(11), time(13)))
    digests, store = await make_digests(quiet)

    await digests.post_due()

    [message] = await store.claim("telegram", "one", NOON, LEASE, 9)
    assert not message.held


async def test_a_chat_that_is_gone_or_wants_none_gets_none():
    digests, store = await make_digests(
        replace(CHAT, state="gone"), Chat("telegram:2"), Chat("telegram:3", zone="Asia/Tokyo")
    )

    await digests.post_due()

    assert await posted(store) == []


async def test_a_digest_tells_what_rang_in_that_chat():
    store = MemoryStore()
    for target in ("telegram:1", "telegram:2"):
        rule = await store.add_rule(make_rule("btc hvl cross", target))
        states = {rule.id: RuleState(after(-3_600), 1)}
        await store.record(Record(BTC, NOON, Latches(), rule_states=states))
    digests, store = await make_digests(CHAT, store=store)

    await digests.post_due()

    [message] = await store.claim("telegram", "one", NOON, LEASE, 9)
    assert message.card.lines == ("rang 11:00 UTC: btc hvl cross any",)


async def test_thousands_are_posted_a_few_at_a_time_and_a_refusal_repeats_none():
    class Counting(FragileStore):
        posted_at_once = ()

        async def post(self, messages):
            self.posted_at_once += (len(messages),)
            return await super().post(messages)

    chats = [replace(CHAT, target=f"telegram:{number}") for number in range(250)]
    digests, store = await make_digests(*chats, store=Counting(StoreError))
    store.breaks_at = store.writes + 2

    with pytest.raises(StoreError):
        await digests.post_due()
    await digests.post_due()

    assert store.posted_at_once == (100, 100, 100, 50)
    assert len(await posted(store)) == 250


async def test_a_chat_that_moves_gets_the_digest_of_that_hour_once():
    digests, store = await make_digests(replace(CHAT, origin=CHAT.target))
    await digests.post_due()
    await store.move_target(CHAT.target, "telegram:-100")
    rulebook = Rulebook(store, None)
    await rulebook.reload()

    await Digests(store, rulebook, lambda: NOON, VirtualTimer(), STALE_AFTER).post_due()

    assert await posted(store) == [(CHAT.target, NOON)]


def test_the_loop_posts_within_half_a_minute_and_goes_on_after_the_store_refused():
    async def scenario():
        chat = replace(CHAT, digest=Digest(time(12, 10), (BTC,)))
        digests, store = await make_digests(chat, store=FragileStore(StoreError), now=virtual_now)
        store.breaks_at = store.writes + 1
        running = asyncio.create_task(digests.run())
        await asyncio.sleep(3_600)
        running.cancel()
        await asyncio.wait([running])
        return await posted(store)

    [(_, at)] = run_virtually(scenario())

    assert after(600) <= at <= after(640)
