"""What every store keeps of guests who closed the page and never come back."""

from datetime import timedelta

import pytest

from bot.core.chats import LONGEST_ABSENCE
from bot.core.events import Crossing, LevelKey
from bot.core.routing import route
from bot.service.chats import Chats
from bot.service.rulebook import Rulebook
from tests.service.builders import make_rule, make_snapshot
from tests.store.values import BTC, NOON, make_ring

GUEST = "web:guest-0123456789abcdef"
MINUTE = timedelta(minutes=1)
SNAPSHOT = make_snapshot(hvl=80_000.0)


class House:
    """A market that crosses a level every minute, over a store."""

    def __init__(self, store):
        self.now = NOON
        self.store = store
        self.book = Rulebook(store, None)
        self.chats = Chats(store, lambda: self.now, self.book.changed)

    async def open(self):
        await self.store.add_rule(make_rule("btc hvl cross any cooldown 1m ttl 7d", GUEST))
        await self.book.reload()

    async def cross(self, times):
        """How many rings wait after so many minutes with a crossing each."""
        for _ in range(times):
            self.now += MINUTE
            hvl = LevelKey("all_expiry", "hvl")
            event = Crossing(self.now, BTC, hvl, 80_000.0, "up", 80_100.0, 79_900.0, "id", 0.0005)
            known = self.book.topics(BTC), self.book.states
            alerts, rang = route([event], *known, SNAPSHOT, self.now, self.book.chats)
            await self.store.record(make_ring(*alerts, at=self.now, rule_states=rang))
            self.book.rang(rang)
        return (await self.store.health())["alerts_pending"]


async def test_what_rings_for_a_guest_who_left_is_bounded(store):
    house = House(store)
    await house.open()
    await house.chats.miss(GUEST)

    waiting = [await house.cross(100), await house.cross(100)]

    most = LONGEST_ABSENCE // MINUTE - 1
    assert waiting == [most, most]


async def test_it_rings_again_when_the_guest_is_back(store, other):
    house = House(store)
    await house.open()
    await house.chats.miss(GUEST)
    house.now += LONGEST_ABSENCE
    at_first = await house.cross(2)
    await house.chats.revive(GUEST)

    assert (at_first, await house.cross(2)) == (0, 2)
    assert (await other.chat(GUEST)).away_since is None


async def test_what_a_passing_guest_set_is_deleted_when_they_stay_away(store, other):
    house = House(store)
    await house.open()
    await house.chats.miss(GUEST)

    deleted = [await other.prune(NOON, NOON + late) for late in (0 * MINUTE, MINUTE, MINUTE)]

    assert deleted == [0, len(["the rule", "the chat"]), 0]
    assert (await store.rules(), await store.chats()) == ([], [])


async def test_what_is_known_of_a_deleted_rule_is_deleted_as_well(store):
    house = House(store)
    await house.open()
    await house.cross(1)
    await house.chats.miss(GUEST)

    await store.prune(NOON, house.now + MINUTE)

    assert await store.rule_states() == {}


@pytest.mark.parametrize("target", ["web:0123456789abcdef", "telegram:7", "webXguest-1"])
async def test_whom_the_bot_knows_keeps_their_rules_however_long_they_stay_away(store, target):
    chats = House(store).chats
    rule = await store.add_rule(make_rule("btc regime", target))
    await chats.miss(target)

    await store.prune(NOON, NOON + timedelta(days=400))

    assert await store.rules() == [rule]
    assert [chat.target for chat in await store.chats()] == [target]


async def test_who_came_back_keeps_their_rules(store):
    house = House(store)
    await house.open()
    await house.chats.miss(GUEST)
    await house.chats.revive(GUEST)

    await store.prune(NOON, NOON + timedelta(days=400))

    assert len(await store.rules()) == 1
