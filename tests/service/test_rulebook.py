import asyncio
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.chats import Chat, Feed
from bot.core.events import Crossing, LevelKey
from bot.core.routing import hearers
from bot.core.rules import RuleState
from bot.service.chats import Chats
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


def rules_of(rulebook, symbol=BTC):
    """Every rule of the symbol."""
    return [rule for rules in rulebook.topics(symbol).values() for rule in rules]


def heard_by(rulebook):
    return [rule.target for rule in hearers(CROSSING, rulebook.topics(BTC))]


async def test_the_rules_of_feeds_ring_beside_those_that_people_set():
    rulebook = await make_rulebook(FED, rules=[make_rule("btc hvl cross", "telegram:7")])

    assert heard_by(rulebook) == ["telegram:7", "telegram:-1"]
    assert rules_of(rulebook, ETH) == []
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

    assert [rule.id for rule in rules_of(first)] == [rule.id for rule in rules_of(second)]


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


async def test_what_one_target_changed_is_known_without_reading_the_others():
    class Counted(MemoryStore):
        whole = 0

        async def rules(self, target=None):
            self.whole += target is None
            return await super().rules(target)

    store = Counted()
    rulebook = await make_rulebook(
        FED, rules=[make_rule("btc hvl cross", "telegram:7")], store=store
    )

    await store.add_rule(make_rule("btc hvl cross", "telegram:8"))
    await rulebook.changed("telegram:8")
    await store.put_chat(Chat("telegram:-1"))
    await rulebook.changed("telegram:-1")

    assert heard_by(rulebook) == ["telegram:7", "telegram:8"]
    assert rulebook.chats["telegram:-1"].feed is None
    assert store.whole == 1


async def test_what_was_read_earlier_never_comes_after_what_was_read_later():
    class Slow(MemoryStore):
        async def chats(self, within=None):
            found = await super().chats(within)
            await asyncio.sleep(0)
            return found

    store = Slow()
    rulebook = await make_rulebook(store=store)

    poll = asyncio.create_task(rulebook.reload())
    await asyncio.sleep(0)
    rule = await store.add_rule(make_rule("btc hvl cross", "telegram:7"))
    await asyncio.gather(rulebook.changed("telegram:7"), poll)

    assert rules_of(rulebook) == [rule]


LINES = ("btc hvl cross", "btc hvl moved 2%", "btc 70000 cross up", "eth regime", "eth flip cross")
CHANGES = st.tuples(
    st.sampled_from(["telegram:1", "telegram:2", "telegram:3"]),
    st.lists(st.tuples(st.sampled_from(LINES), st.booleans()), max_size=4),
    st.sampled_from([None, Feed((BTC,), "crossings"), Feed((BTC, ETH), "default")]),
    st.sampled_from(["active", "gone"]),
)


@given(st.lists(CHANGES, max_size=6), st.booleans())
def test_a_book_changed_step_by_step_is_the_one_that_is_read_at_once(changes, asks_between):
    """Whether or not anyone looked at it in between."""

    async def steps():
        store = MemoryStore()
        changed = Rulebook(store, TARGET)
        for target, lines, feed, state in changes:
            for rule in await store.rules(target):
                await store.delete_rule(rule.id, target)
            for line, paused in lines:
                await store.add_rule(replace(make_rule(line, target), paused=paused))
            await store.put_chat(Chat(target, feed=feed, state=state))
            await changed.changed(target)
            if asks_between:
                for symbol in (BTC, ETH):
                    changed.topics(symbol)
                    changed.watches(symbol)
        read = await make_rulebook(store=store)
        for symbol in (BTC, ETH):
            assert sorted(map(repr, rules_of(changed, symbol))) == sorted(
                map(repr, rules_of(read, symbol))
            )
            assert changed.watches(symbol) == read.watches(symbol)
        assert changed.chats == read.chats
        assert changed.by_target().keys() == read.by_target().keys()

    asyncio.run(steps())


async def test_the_states_of_deleted_rules_are_forgotten():
    store = MemoryStore()
    rule = await store.add_rule(make_rule("btc hvl cross"))
    other = await store.add_rule(make_rule("btc flip cross"))
    rulebook = await make_rulebook(store=store)
    rulebook.rang({rule.id: RuleState(NOON, 1), other.id: RuleState(NOON, 1)})

    await store.delete_rule(rule.id, rule.target)
    await rulebook.reload()

    assert rulebook.states.keys() == {other.id}


async def test_what_the_default_pack_rang_is_remembered_while_it_rings():
    rulebook = await make_rulebook()
    ids = [rule.id for rule in rules_of(rulebook)]
    rulebook.rang({ids[0]: RuleState(NOON, 1)})

    await rulebook.reload()

    assert rulebook.states.keys() == {ids[0]}


async def test_a_snooze_holds_what_rings_from_the_moment_it_is_answered():
    store = MemoryStore()
    rulebook = await make_rulebook(rules=[make_rule("btc hvl cross", "telegram:7")], store=store)
    chats = Chats(store, lambda: NOON, rulebook.changed)

    await chats.change("telegram:7", lambda chat: replace(chat, snoozed_until=after(3_600)))

    assert rulebook.chats["telegram:7"].snoozed_until == after(3_600)
