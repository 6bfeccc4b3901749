import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.crossings import Latches
from bot.core.events import Alert
from bot.errors import DeliveryError, StoreError, TokenRefused
from bot.ports import Record, urgency_of
from bot.service.courier import LEASE
from bot.service.pacer import Pacer
from bot.store.memory import MemoryStore
from tests.service.builders import (
    BTC,
    NOON,
    FragileStore,
    ManualClock,
    ScriptedMessenger,
    VirtualTimer,
    after,
    events_of,
    make_dispatcher,
    run_virtually,
    virtual_now,
)

TTL = timedelta(minutes=15)


def make_alert(identity, seconds=0.0, target="terminal:", ttl=TTL):
    at = after(seconds)
    return Alert(identity, at, "1", target, BTC, f"BTC rings #{identity}", at + ttl)


async def store_with(*alerts, store=None):
    store = store or MemoryStore()
    await put(store, *alerts)
    return store


async def put(store, *alerts):
    await store.record(Record(BTC, NOON, Latches(), alerts=alerts))


class Paced(ScriptedMessenger):
    """A messenger with a pacer, as the platforms' are; a request takes a fifth of a second."""

    def __init__(self):
        super().__init__("paced")
        self._pacer = Pacer(48.0, lambda _: 1.0, VirtualTimer())

    async def send(self, alert, begun):
        async with self._pacer.turn(alert.target, urgency_of(alert)):
            self.sent.append(alert)
            self.last_at = virtual_now()
            await asyncio.sleep(0.2)


def chats_alerts(count):
    """An alert each for so many chats."""
    return [make_alert(f"{number}", target=f"paced:{number}") for number in range(count)]


async def deliveries_of(store):
    return [(event["alert"], event["state"]) for event in await events_of(store, "delivery")]


async def test_a_due_alert_is_sent_once_and_its_delivery_written_down():
    store, messenger = await store_with(make_alert("a")), ScriptedMessenger()
    dispatcher = make_dispatcher(store, messenger)

    ended = [await dispatcher.deliver_due() for _ in range(2)]

    assert ended == [1, 0]
    assert messenger.ids == ["a"]
    assert await events_of(store, "delivery") == [
        {"event": "delivery", "at": NOON, "alert": "a", "target": "terminal:", "state": "sent"}
    ]


async def test_alerts_are_sent_oldest_first_however_many_there_are():
    alerts = [make_alert(f"{number}", -number) for number in range(250)]
    store, messenger = await store_with(*alerts), ScriptedMessenger()

    await make_dispatcher(store, messenger).deliver_due()

    assert messenger.ids == [f"{number}" for number in reversed(range(250))]


async def test_each_messenger_sends_what_is_addressed_to_it():
    store = await store_with(make_alert("a"), make_alert("b", target="telegram:1"))
    terminal, telegram = ScriptedMessenger("terminal"), ScriptedMessenger("telegram")

    await make_dispatcher(store, terminal, telegram).deliver_due()

    assert (terminal.ids, telegram.ids) == (["a"], ["b"])


async def test_an_alert_for_a_messenger_that_is_not_here_waits_for_it():
    store, telegram = await store_with(make_alert("b", target="telegram:1")), ScriptedMessenger()

    await make_dispatcher(store, telegram).deliver_due()

    assert (await store.health())["alerts_pending"] == 1


async def test_the_same_alert_written_twice_is_sent_once():
    store, messenger = await store_with(make_alert("a")), ScriptedMessenger()
    dispatcher = make_dispatcher(store, messenger)
    await dispatcher.deliver_due()

    await put(store, make_alert("a"))
    await dispatcher.deliver_due()

    assert messenger.ids == ["a"]


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (DeliveryError("connection lost"), 1),
        (DeliveryError("429", retry_after=17.5), 17.5),
        (DeliveryError("429", retry_after=0.2), 1),
    ],
)
async def test_a_failed_alert_is_due_again_no_sooner_than_the_platform_asks(error, waits):
    clock, messenger = ManualClock(), ScriptedMessenger("terminal", error)
    dispatcher = make_dispatcher(await store_with(make_alert("a")), messenger, now=clock.now)

    await dispatcher.deliver_due()
    clock.wait(waits - 0.01)
    await dispatcher.deliver_due()
    too_early = list(messenger.ids)
    clock.wait(0.02)
    await dispatcher.deliver_due()

    assert (too_early, messenger.ids) == ([], ["a"])


async def test_an_alert_that_fails_keeps_no_other_chat_s_from_being_sent():
    messenger = ScriptedMessenger("terminal", DeliveryError("connection lost"))
    store = await store_with(make_alert("a"), make_alert("b", target="terminal:2"))

    await make_dispatcher(store, messenger).deliver_due()

    assert messenger.ids == ["b"]


async def test_a_messenger_that_is_down_loses_nothing_until_the_alert_is_too_old():
    clock = ManualClock()
    messenger = ScriptedMessenger("terminal", *[DeliveryError("no route")] * 5)
    dispatcher = make_dispatcher(await store_with(make_alert("a")), messenger, now=clock.now)

    for _ in range(12):
        await dispatcher.deliver_due()
        clock.wait(60)

    assert messenger.ids == ["a"]


async def test_a_messenger_that_stays_down_is_asked_less_and_less_often():
    clock = ManualClock()
    messenger = ScriptedMessenger("terminal", *[DeliveryError("no route")] * 1_000)
    dispatcher = make_dispatcher(await store_with(make_alert("a")), messenger, now=clock.now)

    for _ in range(600):
        await dispatcher.deliver_due()
        clock.wait(1)

    assert 1_000 - len(messenger.trouble) < 15


async def test_a_messenger_that_fails_slowly_does_not_hold_up_another():
    clock = ManualClock()

    class Slow(ScriptedMessenger):
        async def send(self, alert, begun):
            clock.wait(5)
            await super().send(alert, begun)

    class Quick(ScriptedMessenger):
        async def send(self, alert, begun):
            tries_before.append(100 - len(slow.trouble))

    tries_before = []
    slow = Slow("slow", *[DeliveryError("timed out")] * 100)
    store = await store_with(make_alert("a", target="slow:"), make_alert("b", target="quick:"))

    await make_dispatcher(store, slow, Quick("quick"), now=clock.now).deliver_due()

    assert tries_before == [1]


@pytest.mark.parametrize(("age", "state"), [(900, "sent"), (900.1, "expired")])
async def test_an_alert_past_its_time_to_live_is_dropped_and_the_journal_says_so(age, state):
    store, messenger = await store_with(make_alert("a")), ScriptedMessenger()

    await make_dispatcher(store, messenger, now=ManualClock(after(age)).now).deliver_due()

    assert await deliveries_of(store) == [("a", state)]
    assert len(messenger.sent) == (state == "sent")


async def test_an_alert_that_expired_is_not_sent_by_a_messenger_that_comes_back():
    clock = ManualClock()
    messenger = ScriptedMessenger("terminal", DeliveryError("down", retry_after=5_000.0))
    store = await store_with(make_alert("a"))
    dispatcher = make_dispatcher(store, messenger, now=clock.now)

    await dispatcher.deliver_due()
    clock.wait(5_001)
    await dispatcher.deliver_due()

    assert (messenger.ids, await deliveries_of(store)) == ([], [("a", "expired")])


async def test_two_dispatchers_never_send_the_same_alert():
    store = await store_with(*(make_alert(f"{number}") for number in range(30)))
    sent = []

    class Yielding(ScriptedMessenger):
        async def send(self, alert, begun):
            await asyncio.sleep(0)
            sent.append(alert.id)

    async with asyncio.TaskGroup() as group:
        for owner in ("one", "two"):
            group.create_task(make_dispatcher(store, Yielding(), owner=owner).deliver_due())

    assert sorted(sent) == sorted({f"{number}" for number in range(30)})


async def test_a_slow_batch_is_not_sent_a_second_time_by_another_process():
    clock, sent = ManualClock(), []
    store = await store_with(*(make_alert(f"{number}") for number in range(100)))

    class Other(ScriptedMessenger):
        async def send(self, alert, begun):
            sent.append(alert.id)

    other = make_dispatcher(store, Other(), now=clock.now, owner="two")

    class Slow(ScriptedMessenger):
        async def send(self, alert, begun):
            sent.append(alert.id)
            clock.wait(1)
            await other.deliver_due()

    await make_dispatcher(store, Slow(), now=clock.now).deliver_due()

    assert len(sent) == 100


async def stopped(dispatcher, seconds):
    """Let it run that long; whether it ended as it was told to."""
    running = asyncio.create_task(dispatcher.run())
    await asyncio.sleep(seconds)
    running.cancel()
    await asyncio.wait([running])
    return running.cancelled()


class HeldBack(ScriptedMessenger):
    """Its platform makes every message wait, and could not tell a repeat."""

    repeats_are_safe = False
    folds = True

    def __init__(self, seconds):
        super().__init__()
        self._seconds = seconds

    async def send(self, alert, begun):
        await asyncio.sleep(self._seconds)
        await super().send(alert, begun)


async def test_a_refused_token_is_a_trouble_until_something_is_delivered():
    clock = ManualClock()
    messenger = ScriptedMessenger("telegram", *[TokenRefused("wrong token")] * 2)
    store = await store_with(make_alert("a", target="telegram:1"))
    dispatcher = make_dispatcher(store, messenger, ScriptedMessenger(), now=clock.now)

    told = []
    for _ in range(3):
        await dispatcher.deliver_due()
        told.append(dispatcher.troubles())
        clock.wait(60)

    assert told == [
        {"telegram": "nothing is sent: wrong token, for 0 s"},
        {"telegram": "nothing is sent: wrong token, for 1 min"},
        {},
    ]


class TestADispatcherThatDies:
    @pytest.mark.parametrize("after_commit", [False, True])
    @pytest.mark.parametrize("write", [1, 2])
    async def test_loses_no_alert_whatever_it_was_writing(self, write, after_commit):
        store = await store_with(make_alert("a"), store=FragileStore(RuntimeError))
        store.breaks_at, store.breaks_after = store.writes + write, after_commit
        clock, messenger = ManualClock(), ScriptedMessenger()
        with pytest.raises(RuntimeError):
            await make_dispatcher(store, messenger, now=clock.now).deliver_due()

        clock.wait(LEASE.total_seconds())
        await make_dispatcher(store, messenger, now=clock.now, owner="two").deliver_due()

        assert set(messenger.ids) == {"a"}
        assert await deliveries_of(store) == [("a", "sent")]

    async def test_gives_back_at_the_next_start_what_it_had_claimed(self):
        store = await store_with(make_alert("a"))
        await store.claim("terminal", "one", NOON, LEASE, 10)
        messenger = ScriptedMessenger()
        dispatcher = make_dispatcher(store, messenger)

        await dispatcher.deliver_due()
        before = list(messenger.ids)
        await dispatcher.release()
        await dispatcher.deliver_due()

        assert (before, messenger.ids) == ([], ["a"])

    async def test_writes_no_delivery_of_an_alert_that_another_one_has_taken_over(self):
        store, clock = await store_with(make_alert("a")), ManualClock()

        class TooSlow(ScriptedMessenger):
            async def send(self, alert, begun):
                clock.wait(LEASE.total_seconds())
                await make_dispatcher(
                    store, ScriptedMessenger(), now=clock.now, owner="two"
                ).deliver_due()

        ended = await make_dispatcher(store, TooSlow(), now=clock.now).deliver_due()

        assert ended == 0
        assert await deliveries_of(store) == [("a", "sent")]


class TestTheLoop:
    def test_sends_at_once_what_it_is_nudged_for_and_by_itself_what_others_wrote(self):
        class Timing(ScriptedMessenger):
            async def send(self, alert, begun):
                sent_at.append((virtual_now() - NOON).total_seconds())

        async def scenario():
            store = MemoryStore()
            dispatcher = make_dispatcher(store, Timing())
            running = asyncio.create_task(dispatcher.run())
            await asyncio.sleep(10.25)
            await put(store, make_alert("a", 10))
            dispatcher.nudge()
            await asyncio.sleep(10)
            await put(store, make_alert("b", 20))
            await asyncio.sleep(10)
            running.cancel()
            await asyncio.wait([running])

        sent_at = []
        run_virtually(scenario())

        nudged, found = sent_at
        assert nudged == pytest.approx(10.25)
        assert 20.25 <= found <= 21.26

    def test_goes_on_after_the_store_refused_and_says_so_once(self, caplog):
        caplog.set_level(logging.INFO)

        async def scenario():
            store, messenger = FragileStore(StoreError), ScriptedMessenger()
            await put(store, make_alert("a"))
            store.refusals = 3
            running = asyncio.create_task(make_dispatcher(store, messenger).run())
            await asyncio.sleep(200)
            running.cancel()
            await asyncio.wait([running])
            return messenger.ids

        assert run_virtually(scenario()) == ["a"]
        begins, ends = caplog.messages
        assert begins.startswith("terminal: nothing is sent: ")
        assert ends == "terminal: it is sent again"

    @pytest.mark.parametrize("leaves", [False, True])
    def test_gives_back_what_it_was_sending_when_it_is_stopped_with_a_doubt_if_it_left(
        self, leaves
    ):
        class Hanging(ScriptedMessenger):
            async def send(self, alert, begun):
                if leaves:
                    await begun()
                await asyncio.Event().wait()

        async def scenario():
            store = await store_with(make_alert("a"), make_alert("b", target="terminal:2"))
            cancelled = await stopped(make_dispatcher(store, Hanging()), 5)
            return cancelled, await store.claim("terminal", "two", after(5), LEASE, 9)

        cancelled, claimed = run_virtually(scenario())

        assert cancelled
        assert [(alert.id, alert.doubts) for alert in claimed] == [("a", leaves), ("b", leaves)]

    def test_leaves_a_doubt_when_it_is_stopped_before_it_wrote_down_what_was_sent(self):
        class Full(MemoryStore):
            async def settle(self, owner, *deliveries):
                raise StoreError("the disk is full")

        async def scenario():
            store = await store_with(make_alert("a"), store=Full())
            await stopped(make_dispatcher(store, messenger), 1)
            return await store.claim("terminal", "two", after(9), LEASE, 9)

        messenger = ScriptedMessenger()
        messenger.tells_when_it_begins = True

        [again] = run_virtually(scenario())

        assert (messenger.ids, again.doubts) == (["a"], 1)

    def test_is_held_up_by_no_messenger_that_hangs(self):
        async def scenario():
            class Hanging(ScriptedMessenger):
                async def send(self, alert, begun):
                    await asyncio.Event().wait()

            targets = [f"{name}:{number}" for name in ("slow", "quick") for number in range(300)]
            store = await store_with(*(make_alert(target, target=target) for target in targets))
            quick = ScriptedMessenger("quick")
            dispatcher = make_dispatcher(store, Hanging("slow"), quick)
            running = asyncio.create_task(dispatcher.run())
            await asyncio.sleep(2)
            running.cancel()
            await asyncio.wait([running])
            return len(quick.sent)

        assert run_virtually(scenario()) == 300

    def test_sends_to_thousands_as_fast_as_the_pacer_allows_each_once(self):
        async def scenario():
            store = await store_with(*chats_alerts(2_000))
            running = asyncio.create_task(make_dispatcher(store, messenger).run())
            await asyncio.sleep(60)
            running.cancel()
            await asyncio.wait([running])
            return (await store.health())["alerts_pending"]

        messenger = Paced()
        pending = run_virtually(scenario())

        assert pending == 0
        assert sorted(messenger.ids) == sorted(f"{number}" for number in range(2_000))
        assert 2_000 / (messenger.last_at - NOON).total_seconds() >= 0.95 * 48

    def test_loses_and_repeats_none_when_it_is_stopped_in_the_middle(self):
        async def scenario():
            store = await store_with(*chats_alerts(600))
            for _ in range(4):
                running = asyncio.create_task(make_dispatcher(store, messenger).run())
                await asyncio.sleep(3)
                running.cancel()
                await asyncio.wait([running])
            return (await store.health())["alerts_pending"]

        messenger = Paced()
        pending = run_virtually(scenario())

        assert pending == 0
        assert sorted(messenger.ids) == sorted(f"{number}" for number in range(600))

    def test_sends_an_alert_before_the_digests_that_wait(self):
        async def scenario():
            digests = [replace(one, kind="digest") for one in chats_alerts(400)]
            store = await store_with(*digests)
            dispatcher = make_dispatcher(store, messenger)
            running = asyncio.create_task(dispatcher.run())
            await asyncio.sleep(1)
            await put(store, make_alert("urgent", 1, "paced:urgent"))
            dispatcher.nudge()
            await asyncio.sleep(1)
            before = messenger.ids.index("urgent")
            running.cancel()
            await asyncio.wait([running])
            return before

        messenger = Paced()

        assert run_virtually(scenario()) <= 53

    def test_goes_on_with_a_send_that_the_platform_holds_back_for_longer_than_its_lease(self):
        async def scenario():
            store = await store_with(make_alert("a"), make_alert("b"))
            await stopped(make_dispatcher(store, messenger), 300)
            return await deliveries_of(store)

        messenger = HeldBack(200)

        assert run_virtually(scenario()) == [("a", "sent"), ("b", "sent")]
        [sent] = messenger.sent
        assert (sent.card.footer, sent.doubts) == (("#a #b",), 0)

    def test_loses_nothing_that_waits_for_minutes_however_often_it_is_stopped(self):
        async def scenario():
            store = await store_with(make_alert("a"), make_alert("b"))
            for _ in range(3):
                await stopped(make_dispatcher(store, HeldBack(999)), 200)
            await stopped(make_dispatcher(store, messenger), 10)
            return await deliveries_of(store)

        messenger = HeldBack(1)

        assert run_virtually(scenario()) == [("a", "sent"), ("b", "sent")]
        assert [alert.doubts for alert in messenger.sent] == [0]

    def test_lets_what_is_on_its_way_arrive_when_it_is_told_to_stop(self):
        class Slow(ScriptedMessenger):
            async def send(self, alert, begun):
                await asyncio.sleep(4)
                await super().send(alert, begun)

        async def scenario():
            store = await store_with(make_alert("a"))
            running = asyncio.create_task(make_dispatcher(store, Slow()).run())
            await asyncio.sleep(1)
            running.cancel()
            await asyncio.wait([running])
            return await deliveries_of(store)

        assert run_virtually(scenario()) == [("a", "sent")]

    def test_ends_quietly_when_the_store_is_gone_at_the_end(self):
        async def scenario():
            store = FragileStore(StoreError)
            running = asyncio.create_task(make_dispatcher(store, ScriptedMessenger()).run())
            await asyncio.sleep(5)
            store.refusals = 1
            running.cancel()
            await asyncio.wait([running])
            return running.cancelled()

        assert run_virtually(scenario())
