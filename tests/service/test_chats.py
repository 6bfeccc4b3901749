import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.chats import Chat, Digest, Feed, parse_quiet, parse_time
from bot.core.events import Alert
from bot.core.packs import feed_rules
from bot.errors import UserError
from bot.service.chats import Chats
from bot.store.memory import MemoryStore
from tests.service.builders import ManualClock, make_rule

PAGE = "web:7"
GROUP, TOPIC, OTHER = "telegram:-100", "telegram:-100/7", "telegram:-1001"


def having(**fields) -> Callable[[Chat], Chat]:
    """The change to these fields."""
    return lambda chat: replace(chat, **fields)


class Book:
    """Chats over a store, with a listener that notes whose changed."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.told: list[str] = []
        self.chats = Chats(self.store, self.clock.now, self._changed)

    async def states(self) -> dict[str, str]:
        return {chat.target: chat.state for chat in await self.chats.all()}

    async def _changed(self, target: str) -> None:
        self.told.append(target)

    async def hold(self, until: datetime) -> None:
        """A ring that waits for the end of the group's silence."""
        await self.wait(held=True, due_at=until, expires_at=until + timedelta(minutes=15))

    async def wait(self, due_at: datetime, expires_at: datetime, *, held: bool = False) -> None:
        now = self.clock.now()
        ring = Alert("a1", now, "1", GROUP, "BTCUSDT", "rang", expires_at, due_at=due_at, held=held)
        await self.store.post([ring])

    async def due(self, at: datetime) -> list[str]:
        """What may be sent at that time."""
        claimed = await self.store.claim("telegram", "me", at, timedelta(minutes=1), 10)
        return [alert.id for alert in claimed if alert.expires_at > at]


async def test_a_chat_that_nothing_is_known_of_has_the_defaults():
    assert await Book().chats.of(GROUP) == Chat(GROUP)


async def test_a_change_is_kept_and_told_once():
    book = Book()

    changed = await book.chats.change(GROUP, having(zone="Europe/Berlin", title="Traders"))
    await book.chats.change(GROUP, having(zone="Europe/Berlin"))

    assert changed == await book.chats.of(GROUP) == Chat(GROUP, "Traders", "Europe/Berlin")
    assert book.told == [GROUP]


async def test_changes_at_the_same_moment_lose_nothing_of_each_other():
    book = Book()
    digest = Digest(parse_time("08:00"), ("BTCUSDT",))

    await asyncio.gather(
        book.chats.change(GROUP, having(zone="Europe/Berlin")),
        book.chats.change(GROUP, having(digest=digest)),
        book.chats.change(GROUP, having(title="Traders")),
    )

    assert await book.chats.of(GROUP) == Chat(GROUP, "Traders", "Europe/Berlin", digest=digest)


@pytest.mark.parametrize("end", ["reached", "revived"])
async def test_what_waited_for_a_right_comes_at_once_when_the_chat_is_reached(end):
    book = Book()
    now = book.clock.now()
    later = now + timedelta(hours=1)
    await book.chats.suspend(GROUP, "missing Send Messages")
    await book.wait(later, later)

    await (book.chats.reached(GROUP) if end == "reached" else book.chats.revive(GROUP))

    assert await book.due(now) == ["a1"]


async def test_a_chat_that_comes_back_at_night_is_left_to_sleep():
    book = Book()
    until = book.clock.now() + timedelta(hours=1)
    await book.chats.change(GROUP, having(quiet=parse_quiet("11:00-13:00")))
    await book.chats.suspend(GROUP, "missing Send Messages")
    await book.hold(until)

    await book.chats.revive(GROUP)

    assert await book.due(book.clock.now()) == []
    assert await book.due(until) == ["a1"]


@pytest.mark.parametrize(
    ("change", "hours"),
    [
        ({"snoozed_until": None}, 0),
        ({"quiet": parse_quiet("11:00-18:00")}, 6),
        ({"zone": "Europe/Berlin", "quiet": parse_quiet("11:00-18:00")}, 5),
        ({"title": "Traders"}, 1),
    ],
)
async def test_what_is_held_waits_as_long_as_the_silence_lasts_after_a_change(change, hours):
    book = Book()
    now = book.clock.now()
    await book.chats.change(GROUP, having(snoozed_until=now + timedelta(hours=1)))
    await book.hold(now + timedelta(hours=1))

    await book.chats.change(GROUP, having(**change))

    end = now + timedelta(hours=hours)
    assert await book.due(end - timedelta(seconds=1)) == []
    assert await book.due(end) == ["a1"]


async def test_what_a_change_raises_goes_through_and_nothing_is_stored():
    book = Book()

    def refuse(chat: Chat) -> Chat:
        raise UserError(f"not in {chat.target}")

    with pytest.raises(UserError, match=f"not in {GROUP}"):
        await book.chats.change(GROUP, refuse)

    assert (await book.chats.all(), book.told) == ([], [])


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
    await book.chats.change(GROUP, having(title="Traders"))
    await book.chats.suspend(GROUP, "missing Send Messages")

    await book.chats.revive(GROUP)

    assert await book.chats.of(GROUP) == Chat(GROUP, "Traders")
    assert await book.chats.suspend(GROUP, "missing Send Messages")


async def test_who_left_is_away_from_the_first_time_on_until_they_come_back():
    book = Book()
    await book.chats.change(PAGE, having(zone="Asia/Tokyo"))
    left = book.clock.now()
    await book.chats.miss(PAGE)
    book.clock.wait(60)

    await book.chats.miss(PAGE)

    assert (await book.chats.of(PAGE)).away_since == left
    await book.chats.revive(PAGE)
    assert await book.chats.of(PAGE) == Chat(PAGE, zone="Asia/Tokyo")
    assert book.told == [PAGE] * 3


async def test_who_left_leaves_a_trace_where_rules_are_alone():
    book = Book()
    await book.store.add_rule(make_rule("btc hvl cross", PAGE))

    await book.chats.miss(PAGE)
    await book.chats.miss("web:visitor")

    assert await book.chats.all() == [Chat(PAGE, away_since=book.clock.now())]


async def test_nothing_is_stored_of_a_chat_that_wants_nothing():
    book = Book()

    await book.chats.revive(GROUP)

    assert (await book.chats.all(), book.told) == ([], [])


async def test_a_lost_chat_that_nothing_rings_in_leaves_no_trace():
    book = Book()

    await book.chats.lose(GROUP, "the bot was blocked")

    assert (await book.chats.all(), book.told) == ([], [])


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
    assert book.told == [GROUP]


async def test_topics_are_lost_and_revived_with_their_group_and_with_no_other():
    book = Book()
    for target in (GROUP, TOPIC, OTHER):
        await book.chats.change(target, having(title="Traders"))

    await book.chats.lose(GROUP, "kicked")
    lost = await book.states()
    await book.chats.revive(GROUP)

    assert lost == {GROUP: "gone", TOPIC: "gone", OTHER: "active"}
    assert set((await book.states()).values()) == {"active"}


async def test_a_topic_is_suspended_alone():
    book = Book()
    await book.chats.change(GROUP, having(title="Traders"))

    await book.chats.suspend(TOPIC, "the topic is closed")

    assert await book.states() == {GROUP: "active", TOPIC: "suspended"}


async def test_a_moved_chat_takes_everything_along():
    book = Book()
    await book.chats.change(GROUP, having(title="Traders"))
    await book.store.add_rule(make_rule("btc hvl cross", GROUP))

    await book.chats.move(GROUP, OTHER)

    assert (await book.chats.of(OTHER)).title == "Traders"
    assert [rule.target for rule in await book.store.rules()] == [OTHER]
    assert book.told == [GROUP, GROUP, OTHER]


async def test_a_moved_feed_has_the_rules_it_had():
    book = Book()
    feed = Feed(("BTCUSDT",), "default")
    before = await book.chats.change(GROUP, having(feed=feed))

    await book.chats.move(GROUP, OTHER)
    await book.chats.move(OTHER, "telegram:-1002")

    after = await book.chats.of("telegram:-1002")
    assert [rule.id for rule in feed_rules(after)] == [rule.id for rule in feed_rules(before)]


async def test_where_the_bot_may_not_write_a_chat_and_its_topics_wait_for_the_right():
    book = Book()
    await book.chats.change(GROUP, having(title="Traders"))
    await book.chats.change(TOPIC, having(title="Gamma"))

    await book.chats.bar(GROUP, "missing right: Post Messages")
    await book.chats.bar(OTHER, "missing right: Post Messages")

    assert await book.states() == {GROUP: "suspended", TOPIC: "suspended"}
    assert (await book.chats.of(TOPIC)).trouble == "missing right: Post Messages"
