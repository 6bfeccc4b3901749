import asyncio
from datetime import timedelta

import pytest

from bot.core.chats import Chat, Digest, parse_time
from bot.core.events import Alert
from bot.service.chats import Chats
from bot.store.memory import MemoryStore
from tests.service.builders import ManualClock, make_rule

GROUP, TOPIC, OTHER = "telegram:-100", "telegram:-100/7", "telegram:-1001"


class Book:
    """Chats over a store, with a listener that counts."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.told = 0
        self.chats = Chats(self.store, self.clock.now, self._changed)

    async def states(self) -> dict[str, str]:
        return {chat.target: chat.state for chat in await self.chats.all()}

    async def _changed(self) -> None:
        self.told += 1


async def test_a_chat_that_nothing_is_known_of_has_the_defaults():
    assert await Book().chats.of(GROUP) == Chat(GROUP)


async def test_a_change_is_kept_and_told_once():
    book = Book()

    changed = await book.chats.change(GROUP, zone="Europe/Berlin", title="Traders")
    await book.chats.change(GROUP, zone="Europe/Berlin")

    assert changed == await book.chats.of(GROUP) == Chat(GROUP, "Traders", "Europe/Berlin")
    assert book.told == 1


async def test_changes_at_the_same_moment_lose_nothing_of_each_other():
    book = Book()
    digest = Digest(parse_time("08:00"), ("BTCUSDT",))

    await asyncio.gather(
        book.chats.change(GROUP, zone="Europe/Berlin"),
        book.chats.change(GROUP, digest=digest),
        book.chats.change(GROUP, title="Traders"),
    )

    assert await book.chats.of(GROUP) == Chat(GROUP, "Traders", "Europe/Berlin", digest=digest)


@pytest.mark.parametrize("end", ["snooze", "right"])
async def test_what_waited_comes_at_once_when_the_silence_ends_early(end):
    book = Book()
    now = book.clock.now()
    until = now + timedelta(hours=1)
    if end == "snooze":
        await book.chats.change(GROUP, snoozed_until=until)
    else:
        await book.chats.suspend(GROUP, "missing Send Messages")
    ring = Alert("a1", now, "1", GROUP, "BTCUSDT", "rang", until, due_at=until)
    await book.store.post([ring])

    if end == "snooze":
        await book.chats.change(GROUP, snoozed_until=None)
    else:
        await book.chats.revive(GROUP)

    claimed = await book.store.claim("telegram", "me", now, timedelta(minutes=1), 10)
    assert [alert.id for alert in claimed] == ["a1"]


async def test_a_suspension_is_news_once_and_keeps_its_beginning():
    book = Book()
    began = book.clock.now()

    first = await book.chats.suspend(GROUP, "missing Send Messages")
    book.clock.wait(60)
    second = await book.chats.suspend(GROUP, "missing Embed Links")

    chat = await book.chats.of(GROUP)
    assert (first, second) == (True, False)
    assert (chat.state, chat.trouble, chat.since) == ("suspended", "missing Embed Links", began)


async def test_a_revived_chat_has_its_settings_and_no_trouble():
    book = Book()
    await book.chats.change(GROUP, title="Traders")
    await book.chats.suspend(GROUP, "missing Send Messages")

    await book.chats.revive(GROUP)

    assert await book.chats.of(GROUP) == Chat(GROUP, "Traders")
    assert await book.chats.suspend(GROUP, "missing Send Messages")


async def test_nothing_is_stored_of_a_chat_that_wants_nothing():
    book = Book()

    await book.chats.revive(GROUP)

    assert (await book.chats.all(), book.told) == ([], 0)


async def test_a_lost_chat_that_nothing_rings_in_leaves_no_trace():
    book = Book()

    await book.chats.lose(GROUP, "the bot was blocked")

    assert (await book.chats.all(), book.told) == ([], 0)


async def test_a_lost_chat_with_rules_is_kept_for_the_record_even_if_it_had_no_settings():
    book = Book()
    await book.store.add_rule(make_rule("btc hvl cross", GROUP))

    await book.chats.lose(GROUP, "the bot was blocked")
    await book.chats.lose(GROUP, "again")

    chat = await book.chats.of(GROUP)
    assert (chat.state, chat.trouble, chat.since) == (
        "gone",
        "the bot was blocked",
        book.clock.now(),
    )
    assert book.told == 1


async def test_topics_are_lost_and_revived_with_their_group_and_with_no_other():
    book = Book()
    for target in (GROUP, TOPIC, OTHER):
        await book.chats.change(target, title="Traders")

    await book.chats.lose(GROUP, "kicked")
    lost = await book.states()
    await book.chats.revive(GROUP)

    assert lost == {GROUP: "gone", TOPIC: "gone", OTHER: "active"}
    assert set((await book.states()).values()) == {"active"}


async def test_a_topic_is_suspended_alone():
    book = Book()
    await book.chats.change(GROUP, title="Traders")

    await book.chats.suspend(TOPIC, "the topic is closed")

    assert await book.states() == {GROUP: "active", TOPIC: "suspended"}


async def test_a_moved_chat_takes_everything_along():
    book = Book()
    await book.chats.change(GROUP, title="Traders")
    await book.store.add_rule(make_rule("btc hvl cross", GROUP))

    await book.chats.move(GROUP, OTHER)

    assert (await book.chats.of(OTHER)).title == "Traders"
    assert [rule.target for rule in await book.store.rules()] == [OTHER]
    assert book.told == 2
