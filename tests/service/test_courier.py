import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.chats import Chat
from bot.core.events import Alert
from bot.errors import (
    DeliveryError,
    DeliveryInDoubt,
    MessageRefused,
    NobodyThere,
    PermissionMissing,
    RecipientGone,
    RecipientMoved,
    StoreError,
    TokenRefused,
)
from bot.service.chats import Chats
from bot.service.courier import LEASE
from bot.store.memory import MemoryStore
from tests.service.builders import (
    BTC,
    NOON,
    FragileStore,
    ManualClock,
    ScriptedMessenger,
    after,
    events_of,
    make_dispatcher,
    run_virtually,
)

TTL = timedelta(minutes=15)
GROUP = Chat("telegram:-1", title="Traders", owner="telegram:7")
MISSING = PermissionMissing("missing Send Messages")


def make_alert(identity="a", target=GROUP.target, **fields):
    return replace(
        Alert(identity, NOON, "1", target, BTC, f"BTC rings #{identity}", NOON + TTL), **fields
    )


class Messenger(ScriptedMessenger):
    """Its trouble is with all but notices."""

    async def send(self, alert, begun):
        if alert.kind == "notice":
            self.sent.append(alert)
        else:
            await super().send(alert, begun)


class World:
    """An outbox with these alerts and chats, and a messenger that fails as it is told to."""

    def __init__(self, *trouble, safe=True, folds=False, store=None):
        self.clock = ManualClock()
        self.store = store or MemoryStore()
        self.changes = 0
        self.messenger = Messenger("telegram", *trouble)
        self.messenger.repeats_are_safe = safe
        self.messenger.folds = folds
        self.chats = Chats(self.store, self.clock.now, self._changed)
        self.dispatcher = make_dispatcher(
            self.store, self.messenger, now=self.clock.now, chats=self.chats
        )

    async def holding(self, *alerts, chats=(GROUP,)):
        for chat in chats:
            await self.store.put_chat(chat)
        await self.store.post(alerts)
        return self

    async def deliver(self, *waits):
        """Deliver what is due, now and after each wait; how many ended each time."""
        ended = [await self.dispatcher.deliver_due()]
        for seconds in waits:
            self.clock.wait(seconds)
            ended.append(await self.dispatcher.deliver_due())
        return ended

    async def ends(self):
        return {one["alert"]: one["state"] for one in await events_of(self.store, "delivery")}

    @property
    def told(self):
        return [(alert.target, alert.text) for alert in self.messenger.sent]

    async def _changed(self, _target):
        self.changes += 1


class TestAMissingPermission:
    async def test_suspends_the_chat_and_tells_its_owner_once(self):
        world = await World(*[MISSING] * 3).holding(make_alert())

        await world.deliver(60, 1, 119)

        chat = await world.store.chat(GROUP.target)
        assert (chat.state, chat.trouble, chat.since) == ("suspended", str(MISSING), NOON)
        assert world.told == [
            (
                "telegram:7",
                f"I cannot ring in Traders: {MISSING}; once that is mended I go on by myself.",
            )
        ]
        assert world.changes == 1

    async def test_is_looked_for_again_after_one_minute_then_two_until_the_alert_expires(self):
        world = await World(*[MISSING] * 100).holding(make_alert(), chats=())

        tried = []
        for second in range(0, 1_100, 20):
            before = len(world.messenger.trouble)
            await world.dispatcher.deliver_due()
            tried += [second] * (before - len(world.messenger.trouble))
            world.clock.wait(20)

        assert tried == [0, 60, 180, 420, 720]
        assert await world.ends() == {"a": "expired"}

    async def test_that_is_given_lets_the_chat_go_on_by_itself(self):
        world = await World(MISSING).holding(make_alert())

        await world.deliver(60)

        assert await world.ends() == {"a": "sent", world.messenger.ids[0]: "sent"}
        assert (await world.store.chat(GROUP.target)).state == "active"

    async def test_in_a_chat_without_an_owner_is_told_to_nobody(self):
        world = await World(MISSING).holding(make_alert(), chats=())

        await world.deliver()

        assert world.told == []

    async def test_of_a_person_s_own_chat_calls_them_where_they_agreed_to(self):
        person = Chat("telegram:7", fallback="telegram:-1")
        world = await World(MISSING).holding(make_alert(target="telegram:7"), chats=[person])

        await world.deliver()

        [sent] = world.messenger.sent
        assert (sent.id, sent.target, sent.mention) == ("a", "telegram:-1", "telegram:7")
        assert await world.ends() == {"a": "sent"}

    async def test_where_they_agreed_to_as_well_suspends_the_person(self):
        person = Chat("telegram:7", fallback="telegram:-1")
        for second in (MISSING, RecipientGone("kicked")):
            world = await World(MISSING, second).holding(
                make_alert(target="telegram:7"), chats=[person, GROUP]
            )

            await world.deliver()

            assert (await world.store.chat("telegram:7")).state == "suspended"
            assert await world.store.chat("telegram:-1") == GROUP
            assert (world.told, await world.ends()) == ([], {})


class TestARecipientThatIsGone:
    async def test_ends_the_alert_and_its_owner_is_told_once(self):
        gone = RecipientGone("the bot was kicked")
        world = await World(gone, gone).holding(make_alert("a"), make_alert("b"))

        assert await world.deliver() == [3]

        notice = world.messenger.ids[0]
        assert await world.ends() == {"a": "failed", "b": "failed", notice: "sent"}
        assert (await world.store.chat(GROUP.target)).state == "gone"
        assert [target for target, _ in world.told] == ["telegram:7"]

    async def test_and_is_written_to_with_success_is_back(self):
        world = await World().holding(make_alert(), chats=[replace(GROUP, state="gone")])

        await world.deliver()

        assert (await world.store.chat(GROUP.target)).state == "active"


class TestARecipientThatMoved:
    async def test_is_followed_and_gets_the_message_at_once(self):
        world = World(RecipientMoved("telegram:-100"))
        await world.holding(make_alert("a"), make_alert("b"))

        assert await world.deliver() == [2]

        assert [target for target, _ in world.told] == ["telegram:-100"] * 2
        assert [chat.target for chat in await world.store.chats()] == ["telegram:-100"]
        deliveries = await events_of(world.store, "delivery")
        assert {one["target"] for one in deliveries} == {"telegram:-100"}

    async def test_and_moves_on_and_on_is_left_for_later(self):
        moves = [RecipientMoved(f"telegram:-{number}") for number in range(100, 110)]
        world = await World(*moves).holding(make_alert())

        assert await world.deliver() == [0]

        assert len(world.messenger.trouble) == 6

    async def test_takes_a_person_s_fallback_along(self):
        person = Chat("telegram:7", fallback="telegram:-1")
        world = World(MISSING, RecipientMoved("telegram:-100"))
        await world.holding(make_alert(target="telegram:7"), chats=[person, GROUP])

        await world.deliver()

        assert [target for target, _ in world.told] == ["telegram:-100"]
        assert (await world.store.chat("telegram:7")).fallback == "telegram:-100"
        assert await world.ends() == {"a": "sent"}


class TestADoubt:
    async def test_is_followed_by_one_repeat_and_no_more(self):
        world = await World(*[DeliveryInDoubt("reply lost")] * 9, safe=False).holding(make_alert())

        assert await world.deliver(1, 100) == [0, 1, 0]

        assert len(world.messenger.trouble) == 7
        assert await world.ends() == {"a": "in_doubt"}

    async def test_that_the_repeat_dispels_ends_well(self):
        world = World(DeliveryInDoubt("reply lost"), safe=False)
        await world.holding(make_alert())

        await world.deliver(1)

        assert (world.messenger.ids, await world.ends()) == (["a"], {"a": "sent"})

    async def test_after_two_crashes_ends_the_alert_unsent(self):
        world = await World(safe=False).holding(make_alert())
        for _ in range(3):
            await world.store.claim("telegram", "dead", world.clock.now(), LEASE, 9)
            await world.store.begin("dead", ["a"])
            world.clock.wait(60)

        assert await world.deliver() == [1]

        assert (world.messenger.ids, await world.ends()) == ([], {"a": "in_doubt"})

    async def test_is_none_where_the_crash_came_before_the_request(self):
        world = await World(safe=False).holding(make_alert())
        for _ in range(9):
            await world.store.claim("telegram", "dead", world.clock.now(), LEASE, 9)
            world.clock.wait(60)

        assert await world.deliver() == [1]

        assert (world.messenger.ids, await world.ends()) == (["a"], {"a": "sent"})

    async def test_does_not_matter_where_a_repeat_makes_no_second_message(self):
        world = await World(*[DeliveryInDoubt("reply lost")] * 4, safe=True).holding(make_alert())

        await world.deliver(1, 2, 4, 8)

        assert (world.messenger.ids, await world.ends()) == (["a"], {"a": "sent"})

    async def test_of_sends_within_two_minutes_is_one_where_a_repeat_makes_no_second_message(self):
        lost = [DeliveryInDoubt("reply lost")] * 99
        world = await World(*lost, safe=True).holding(make_alert())

        ended = await world.deliver(1, 2, 4, 8, 16, 32)
        then = await world.deliver(64, 128)

        assert (ended, then) == ([0] * 7, [0, 0, 1])
        assert len(lost) - len(world.messenger.trouble) == 8
        assert await world.ends() == {"a": "in_doubt"}


class TestTrouble:
    async def test_with_the_message_itself_ends_it_and_is_logged(self, caplog):
        world = await World(MessageRefused("text too long")).holding(make_alert())

        assert await world.deliver(1_000) == [1, 0]

        assert await world.ends() == {"a": "failed"}
        assert "text too long" in caplog.text

    async def test_is_told_to_the_operator_but_not_that_nobody_is_there(self, caplog):
        caplog.set_level(logging.WARNING)
        trouble = NobodyThere("the page is closed", 1.0), DeliveryError("not reached", 1.0)
        world = await World(*trouble).holding(make_alert())

        assert await world.deliver(1, 2) == [0, 0, 1]

        assert "not reached" in caplog.text
        assert "the page is closed" not in caplog.text

    async def test_with_the_token_rests_the_messenger_and_then_tries_one_message(self, caplog):
        alerts = [make_alert(f"{number}", f"telegram:{number}") for number in range(5)]
        world = await World(*[TokenRefused("telegram: wrong token")] * 6).holding(*alerts)

        ended = await world.deliver(59, 1, 59, 1)

        assert ended == [0, 0, 0, 0, 5]
        assert world.messenger.trouble == []
        assert caplog.text.count("wrong token") == 2

    async def test_that_nobody_expected_is_logged_and_tried_again(self, caplog):
        world = await World(ZeroDivisionError("oops")).holding(make_alert())

        assert await world.deliver(1) == [0, 1]

        assert "ZeroDivisionError" in caplog.text

    async def test_of_the_store_within_a_messenger_is_tried_again(self):
        world = await World(StoreError("busy")).holding(make_alert())

        assert await world.deliver(1) == [0, 1]

    def test_writing_down_what_was_sent_does_not_send_it_twice(self):
        async def scenario():
            world = await World(store=FragileStore(StoreError)).holding(make_alert(), chats=())
            world.store.breaks_at = world.store.writes + 2  # after the claim
            await world.deliver()
            return world.messenger.ids, await world.ends()

        assert run_virtually(scenario()) == (["a"], {"a": "sent"})


def make_held(identity, seconds=0.0, **fields):
    """A ring of that time which waited until an hour after noon."""
    due = after(3_600)
    return make_alert(
        identity, at=after(seconds), held=True, due_at=due, expires_at=due + TTL, **fields
    )


class TestHeldAlerts:
    async def test_wait_for_the_quiet_to_end_and_are_told_in_one_message(self):
        held = [make_held(f"{number}", number) for number in range(5)]
        berlin = replace(GROUP, zone="Europe/Berlin")
        world = await World().holding(*held, chats=[berlin])

        assert await world.deliver(3_599, 1) == [0, 0, 5]

        [sent] = world.messenger.sent
        assert sent.text.startswith("While quiet: rang 5x\n13:00 CET: BTC rings #0\n")
        assert set((await world.ends()).values()) == {"sent"}

    async def test_that_could_not_be_sent_stay_together(self):
        held = [make_held(f"{number}", number) for number in range(3)]
        world = await World(DeliveryError("down")).holding(*held)

        assert await world.deliver(3_600, 1) == [0, 0, 3]

        assert len(world.messenger.sent) == 1

    async def test_that_are_too_old_by_then_are_left_out(self):
        short = replace(make_held("short", 1), expires_at=after(3_601))
        world = await World().holding(make_held("long"), short)
        world.clock.wait(3_602)

        assert await world.deliver() == [2]

        assert await world.ends() == {"long": "sent", "short": "expired"}
        assert "#short" not in world.messenger.sent[0].text

    async def test_follow_a_chat_that_moved(self):
        held = [make_held(f"{number}", number) for number in range(3)]
        world = await World(RecipientMoved("telegram:-100")).holding(*held)
        world.clock.wait(3_600)

        assert await world.deliver() == [3]

        assert [alert.target for alert in world.messenger.sent] == ["telegram:-100"]

    async def test_hold_back_no_digest_and_no_later_ring(self):
        digest = make_alert("digest", at=after(60), kind="digest")
        world = await World().holding(make_held("held"), digest, make_alert("ring", at=after(60)))

        await world.deliver(60)

        assert world.messenger.ids == ["ring", "digest"]


ONE_MOMENT = tuple(make_alert(identity) for identity in "abc")


class TestWhatRangAtOneMoment:
    async def test_goes_out_as_one_message_and_ends_together(self):
        world = await World(folds=True).holding(*ONE_MOMENT)

        assert await world.deliver() == [3]

        [sent] = world.messenger.sent
        assert sent.card.footer == ("#a #b #c",)
        assert await world.ends() == {"a": "sent", "b": "sent", "c": "sent"}

    async def test_is_told_apart_from_later_rings_other_coins_and_other_chats(self):
        apart = (
            make_alert("later", at=after(1)),
            make_alert("coin", symbol="ETHUSDT"),
            make_alert("chat", target="telegram:-2"),
            make_alert("notice", kind="notice"),
        )
        world = await World(folds=True).holding(*ONE_MOMENT, *apart)

        await world.deliver(1)

        assert len(world.messenger.sent) == 5
        assert {"later", "coin", "chat", "notice"} < set(world.messenger.ids)

    async def test_rings_line_by_line_where_the_messenger_wants_it_so(self):
        world = await World(folds=False).holding(*ONE_MOMENT)

        await world.deliver()

        assert world.messenger.ids == ["a", "b", "c"]

    async def test_and_happened_to_be_one_thing_is_sent_as_it_is(self):
        world = await World(folds=True).holding(make_alert("a"))

        await world.deliver()

        assert world.messenger.sent == [make_alert("a")]

    async def test_stays_together_when_it_could_not_be_sent(self):
        world = await World(*[DeliveryError("down")] * 3, folds=True).holding(*ONE_MOMENT)

        assert await world.deliver(1, 2, 4) == [0, 0, 0, 3]

        assert len(world.messenger.sent) == 1

    async def test_leaves_out_what_is_too_old_by_then(self):
        short = make_alert("short", expires_at=after(30))
        world = await World(folds=True).holding(*ONE_MOMENT, short)
        world.clock.wait(31)

        assert await world.deliver() == [4]

        assert (await world.ends())["short"] == "expired"
        assert "#short" not in world.messenger.sent[0].text

    async def test_follows_a_chat_that_moved(self):
        moved = RecipientMoved("telegram:-100")
        world = await World(moved, folds=True).holding(*ONE_MOMENT)

        assert await world.deliver() == [3]

        assert [target for target, _ in world.told] == ["telegram:-100"]
        deliveries = await events_of(world.store, "delivery")
        assert [one["target"] for one in deliveries] == ["telegram:-100"] * 3

    async def test_waits_together_for_a_permission_that_one_notice_tells_of(self):
        world = await World(MISSING, MISSING, folds=True).holding(*ONE_MOMENT)

        assert await world.deliver(60, 120) == [1, 0, 3]

        assert [target for target, _ in world.told] == ["telegram:7", GROUP.target]

    async def test_calls_a_person_where_they_agreed_to_once(self):
        person = Chat("telegram:7", fallback="telegram:-1")
        alerts = [make_alert(identity, "telegram:7") for identity in "ab"]
        world = await World(MISSING, folds=True).holding(*alerts, chats=[person])

        assert await world.deliver() == [2]

        [sent] = world.messenger.sent
        assert (sent.target, sent.mention) == ("telegram:-1", "telegram:7")

    async def test_ends_together_where_the_chat_is_gone_or_the_message_wrong(self):
        for trouble in (RecipientGone("kicked"), MessageRefused("too long")):
            world = await World(trouble, folds=True).holding(*ONE_MOMENT, chats=())

            assert await world.deliver() == [3]

            assert set((await world.ends()).values()) == {"failed"}

    async def test_is_repeated_once_where_nobody_knows_whether_it_arrived(self):
        lost = DeliveryInDoubt("reply lost")
        world = await World(*[lost] * 9, folds=True, safe=False).holding(*ONE_MOMENT)

        assert await world.deliver(1, 100) == [0, 3, 0]

        assert len(world.messenger.trouble) == 7
        assert set((await world.ends()).values()) == {"in_doubt"}

    async def test_is_sent_though_something_of_it_is_in_doubt_for_the_second_time(self):
        lost = DeliveryInDoubt("reply lost")
        doubtful = make_alert("doubtful", doubts=1)
        world = await World(lost, folds=True, safe=False).holding(*ONE_MOMENT, doubtful)

        assert await world.deliver(1) == [1, 3]

        assert await world.ends() == {"doubtful": "in_doubt"} | dict.fromkeys("abc", "sent")


class TestACrash:
    """Between any two writes of what rang at one moment: claim, companions, settle."""

    @pytest.mark.parametrize("after_commit", [False, True])
    @pytest.mark.parametrize("write", [1, 2, 3])
    async def test_loses_nothing_and_repeats_under_the_same_nonce_alone(self, write, after_commit):
        world = await World(folds=True, store=FragileStore(RuntimeError)).holding(*ONE_MOMENT)
        world.store.breaks_at = world.store.writes + write
        world.store.breaks_after = after_commit
        with pytest.raises(RuntimeError):
            await world.deliver()

        await world.deliver(LEASE.total_seconds())

        assert await world.ends() == dict.fromkeys("abc", "sent")
        assert len(await events_of(world.store, "delivery")) == 3
        assert len(set(world.messenger.ids)) == 1

    async def test_before_more_rang_at_that_moment_makes_a_message_of_its_own(self):
        world = await World(folds=True, store=FragileStore(RuntimeError)).holding(*ONE_MOMENT)
        world.store.breaks_at = world.store.writes + 3
        with pytest.raises(RuntimeError):
            await world.deliver()

        await world.store.post([make_alert("late")])
        await world.deliver(LEASE.total_seconds())

        first, second = world.messenger.sent
        assert first.id != second.id
        assert second.card.footer == ("#a #b #c #late",)


class TestARevivedChat:
    async def test_gets_at_once_what_waits_and_a_second_suspension_is_told_again(self):
        world = await World(MISSING, folds=True).holding(
            *ONE_MOMENT, make_alert("d", at=after(1)), make_alert("e", at=after(2))
        )
        await world.deliver(5)

        await world.chats.revive(GROUP.target)
        ended = await world.deliver()
        world.messenger.trouble.append(MISSING)
        await world.store.post([make_alert("f", at=after(6))])
        await world.deliver(5)

        assert ended == [5]
        told = [target for target, _ in world.told]
        assert told == ["telegram:7", *[GROUP.target] * 3, "telegram:7"]

    async def test_owner_is_told_though_the_program_died_before_it_told_them(self):
        world = await World(MISSING, MISSING).holding(make_alert("a"))
        await world.chats.suspend(GROUP.target, str(MISSING))

        await world.deliver(60)

        assert [target for target, _ in world.told] == ["telegram:7"]


async def test_who_is_not_there_is_away_until_they_hear_something():
    world = await World(*[NobodyThere("the page is closed", 30.0)] * 2).holding(make_alert())
    found = []

    for wait in (0, 30, 30):
        await world.deliver(wait)
        found.append((await world.chats.of(GROUP.target)).away_since)

    assert found == [NOON, NOON, None]
    assert await world.ends() == {"a": "sent"}


async def test_a_silence_that_began_after_the_ring_was_made_holds_it():
    world = await World(DeliveryError("busy")).holding(make_alert("a"))
    await world.deliver()
    until = world.clock.now() + timedelta(hours=1)
    await world.chats.change(GROUP.target, lambda chat: replace(chat, snoozed_until=until))

    await world.deliver(60)
    while_quiet = list(world.messenger.ids)
    await world.deliver(3_600)

    assert while_quiet == []
    assert [alert.card.title for alert in world.messenger.sent] == ["While quiet: rang once"]


async def test_a_silence_holds_nothing_that_has_perhaps_arrived():
    world = await World(DeliveryInDoubt("reply lost")).holding(make_alert("a"))
    await world.deliver()
    until = world.clock.now() + timedelta(hours=1)
    await world.chats.change(GROUP.target, lambda chat: replace(chat, snoozed_until=until))

    await world.deliver(60)

    assert world.messenger.ids == ["a"]
