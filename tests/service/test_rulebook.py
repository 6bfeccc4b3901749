from dataclasses import replace
from datetime import timedelta

from bot.core.chats import Chat, Feed
from bot.core.events import Crossing, LevelKey
from bot.core.routing import hearers
from bot.service.desk import Desk
from bot.service.rulebook import Rulebook
from bot.store.memory import MemoryStore
from tests.service.builders import (
    BTC,
    NOON,
    STALE_AFTER,
    TARGET,
    after,
    make_chain,
    make_rule,
    make_snapshot,
    make_tick,
)

ETH = "ETHUSDT"
CROSSING = Crossing(
    NOON, BTC, LevelKey("all_expiry", "hvl"), 80_000.0, "up", 80_100.0, 79_900.0, "id", 0.0005
)
FED = Chat("telegram:-1", feed=Feed((BTC,), "crossings"))


async def make_rulebook(*chats, rules=(), store=None):
    store = store or MemoryStore()
    for chat in chats:
        await store.put_chat(chat)
    for rule in rules:
        await store.add_rule(rule)
    rulebook = Rulebook(store, TARGET)
    await rulebook.reload()
    return rulebook


def heard_by(rulebook):
    return [rule.target for rule in hearers(CROSSING, rulebook.topics(BTC))]


async def test_the_rules_of_feeds_ring_beside_those_that_people_set():
    rulebook = await make_rulebook(FED, rules=[make_rule("btc hvl cross", "telegram:7")])

    assert heard_by(rulebook) == ["telegram:7", "telegram:-1"]
    assert rulebook.of(ETH) == []
    assert rulebook.chats == {FED.target: FED}


async def test_the_default_pack_rings_only_while_there_is_neither_rule_nor_feed():
    assert heard_by(await make_rulebook()) == [TARGET]
    assert heard_by(await make_rulebook(FED)) == ["telegram:-1"]
    assert heard_by(await make_rulebook(rules=[make_rule("eth hvl cross")])) == []


async def test_the_feed_of_a_chat_that_is_gone_rings_nowhere():
    gone = Chat("telegram:-1", feed=FED.feed, state="gone")
    rule = make_rule("btc hvl cross", "telegram:7")

    assert heard_by(await make_rulebook(gone, rules=[rule])) == ["telegram:7"]


async def test_a_feed_s_rules_keep_their_ids_so_that_their_cooldown_survives_a_restart():
    first, second = await make_rulebook(FED), await make_rulebook(FED)

    assert [rule.id for rule in first.of(BTC)] == [rule.id for rule in second.of(BTC)]


async def test_nothing_more_is_judged_for_a_rule_that_is_paused():
    store = MemoryStore()
    rule = await store.add_rule(make_rule("btc 70000 cross"))
    rulebook = await make_rulebook(store=store)
    before = rulebook.watches(BTC).prices

    await store.change_rule(replace(rule, paused=True))
    await rulebook.reload()

    assert (before, rulebook.watches(BTC).prices) == ({70_000.0}, frozenset())


async def test_the_rules_are_known_by_target_as_well():
    mine, other = make_rule("btc hvl cross", "telegram:7"), make_rule("eth regime", "telegram:8")
    rulebook = await make_rulebook(rules=[mine, other, mine])

    counts = {target: len(rules) for target, rules in rulebook.by_target().items()}

    assert counts == {"telegram:7": 2, "telegram:8": 1}


async def test_a_desk_holds_what_rings_in_a_snoozed_chat():
    store = MemoryStore()
    snoozed = Chat("telegram:7", snoozed_until=after(3_600))
    rules = [make_rule("btc hvl cross", target) for target in ("telegram:7", "telegram:8")]
    rulebook = await make_rulebook(snoozed, rules=rules, store=store)
    desk = Desk(BTC, store, rulebook, STALE_AFTER, timedelta(minutes=2))
    await desk.open()

    await desk.show(make_snapshot(79_000.0, hvl=80_000.0), make_chain())
    await desk.judge(make_tick(79_000.0, 1))
    await desk.judge(make_tick(81_000.0, 2))

    due_now = await store.claim("telegram", "one", after(3), timedelta(minutes=1), 9)
    due_later = await store.claim("telegram", "one", after(3_600), timedelta(minutes=1), 9)
    assert [alert.target for alert in due_now] == ["telegram:8"]
    assert "telegram:7" in [alert.target for alert in due_later if alert.held]
