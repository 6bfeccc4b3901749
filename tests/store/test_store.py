"""What every store promises, whichever it is."""

import asyncio
from dataclasses import replace
from datetime import time, timedelta
from functools import reduce
from itertools import chain

import pytest

from bot.core import minutes
from bot.core.chats import Chat, Digest, Feed, Quiet
from bot.core.crossings import Latches
from bot.core.events import Delivery, Moved, event_object
from bot.core.reply import Action, Field, File, Picture, Reply, Table
from bot.core.rules import RuleState
from bot.errors import StoreError, UserError
from tests.store.values import (
    BTC,
    CHAIN,
    DAY,
    ETH,
    HOUR,
    MINUTE,
    NOON,
    RULE,
    SECOND,
    SNAPSHOT,
    bits_of,
    journal_of,
    make_alert,
    make_candles,
    make_crossing,
    make_empty_chain,
    make_latches,
    make_minute,
    make_mixed_chain,
    make_record,
    make_ring,
    make_snapshot,
)


async def claim(store, owner="me", now=NOON, lease=MINUTE, limit=10, messenger="terminal"):
    return [alert.id for alert in await store.claim(messenger, owner, now, lease, limit)]


def sent(alert="a1", at=NOON):
    return Delivery(at, alert, "terminal:", "sent")


def ring_apart(*alerts):
    """A ring of alerts that go to a chat each: none waits for another."""
    return make_ring(*(replace(one, target=f"terminal:{n}") for n, one in enumerate(alerts)))


async def order_of(store, now=NOON, messenger="terminal"):
    """Every alert that can be sent, as one that sends them without fail gets them."""
    batches = []
    while batch := await claim(store, now=now, messenger=messenger):
        batches.append(batch)
        for identity in batch:
            await store.settle("me", sent(identity, now))
    return batches


# record


async def test_what_was_recorded_is_read_back_equal(store):
    await store.record(make_record())

    assert await store.snapshot(BTC) == SNAPSHOT
    assert bits_of(await store.chain(SNAPSHOT)) == bits_of(CHAIN)
    assert await store.latches(BTC) == make_latches()
    assert await store.rule_states() == {"1": RuleState(NOON, 3)}
    assert await store.position() == "line 7"


async def test_the_journal_takes_the_snapshot_then_the_events_then_the_alerts(store):
    events = [make_crossing(), make_crossing(direction="up", at=NOON + timedelta(microseconds=1))]
    await store.record(make_record(events=events, alerts=[make_alert("a1"), make_alert("a2")]))

    entries = await journal_of(store)

    assert [entry.snapshot for entry in entries] == [SNAPSHOT, None, None, None, None]
    expected = [event_object(one) for one in (*events, make_alert("a1"), make_alert("a2"))]
    assert [entry.body for entry in entries] == [None, *expected]
    assert [entry.seq for entry in entries] == sorted({entry.seq for entry in entries})


async def test_the_cause_of_a_move_comes_back_as_it_was(store):
    key = make_crossing().key
    cause = {"kind": "expiry roll", "parts": {"oi": 120.5, "rows": 3}, "venues": ["deribit"]}
    moved = Moved(NOON, BTC, key, 80_000.0, 81_000.0, 0.01, cause)
    await store.record(make_ring(events=[moved]))

    assert [entry.body for entry in await journal_of(store)] == [event_object(moved)]


@pytest.mark.parametrize(
    "broken",
    [
        {"snapshot": SNAPSHOT},
        {"alerts": [make_alert("a2"), make_alert("a3", at=NOON.replace(tzinfo=None))]},
        {"rule_states": {"2": RuleState(NOON.replace(tzinfo=None), 1)}},
        {"events": [make_crossing(), make_crossing(at=NOON.replace(tzinfo=None))]},
        {"events": [Moved(NOON, BTC, make_crossing().key, 1.0, 2.0, 0.01, {"not": object()})]},
    ],
    ids=["a snapshot known already", "an alert", "a state", "an event", "a cause"],
)
async def test_a_record_that_fails_in_one_part_writes_nothing(store, broken):
    await store.record(make_record(alerts=[make_alert()]))
    health, journal = await store.health(), await journal_of(store)
    later = {
        "latches": make_latches(1.0),
        "snapshot": make_snapshot(at=NOON + HOUR),
        "chain": make_mixed_chain(),
        "alerts": [make_alert("a2")],
        "rule_states": {"2": RuleState(NOON, 1)},
        "position": "line 8",
    }

    with pytest.raises(Exception, match=r"recorded already|no time zone|object"):
        await store.record(make_record(**(later | broken)))

    assert await store.health() == health
    assert await store.snapshot(BTC) == SNAPSHOT
    assert await store.latches(BTC) == make_latches()
    assert await store.rule_states() == {"1": RuleState(NOON, 3)}
    assert await store.position() == "line 7"
    assert await claim(store) == ["a1"]
    assert await journal_of(store) == []
    assert await journal_of(store, "a new reader") == journal


async def test_the_second_snapshot_of_a_moment_is_refused_in_one_line(store):
    await store.record(make_record())

    with pytest.raises(StoreError, match=f"^snapshot {SNAPSHOT.id} is recorded already$"):
        await store.record(make_record())


async def test_a_known_alert_is_left_as_it_is_and_makes_no_journal_line(store):
    await store.record(make_ring(make_alert("a1", text="first")))
    await store.record(make_ring(make_alert("a1", text="second"), make_alert("a2")))

    lines = [entry.body["id"] for entry in await journal_of(store)]
    claimed = await store.claim("terminal", "me", NOON, MINUTE, 10)
    await store.settle("me", sent())
    claimed = [*claimed, *await store.claim("terminal", "me", NOON, MINUTE, 10)]

    assert lines == ["a1", "a2"]
    assert [alert.text for alert in claimed] == ["first", make_alert().text]


async def test_an_alert_twice_in_one_record_is_one(store):
    await store.record(make_ring(make_alert("a1", text="first"), make_alert("a1", text="second")))

    assert [entry.body["text"] for entry in await journal_of(store)] == ["first"]
    assert await claim(store) == ["a1"]


async def test_an_alert_that_was_delivered_does_not_ring_again(store):
    await store.record(make_ring(make_alert()))
    await claim(store)
    await store.settle("me", sent())

    await store.record(make_ring(make_alert()))

    assert await claim(store) == []


async def test_latches_are_kept_by_symbol_and_the_last_ones_count(store):
    await store.record(make_record())
    await store.record(make_record(snapshot=None, latches=make_latches(3.0)))
    await store.record(make_record(symbol=ETH, snapshot=None, latches=make_latches(4.0, ETH)))

    assert await store.latches(BTC) == make_latches(3.0)
    assert await store.latches(ETH) == make_latches(4.0, ETH)
    assert await store.latches("SOLUSDT") == Latches()


async def test_states_that_a_record_does_not_name_stay(store):
    await store.record(make_record())
    later = {"1": RuleState(NOON + HOUR, 4), "default: btc regime": RuleState(NOON, 1)}
    await store.record(make_ring(rule_states={"default: btc regime": later["default: btc regime"]}))
    assert (await store.rule_states())["1"] == RuleState(NOON, 3)

    await store.record(make_ring(rule_states=later))
    assert await store.rule_states() == later


async def test_a_record_without_a_position_leaves_the_last_one(store):
    assert await store.position() is None
    await store.record(make_ring(position="line 1"))
    await store.record(make_ring(position="line 2"))
    await store.record(make_ring())

    assert await store.position() == "line 2"


# snapshots and chains


async def test_the_snapshot_of_a_time_is_the_newest_not_after_it(store):
    times = [NOON, NOON + timedelta(microseconds=1), NOON + HOUR]
    for at in (times[2], times[0], times[1]):
        await store.record(make_record(snapshot=make_snapshot(at=at)))
    await store.record(make_record(symbol=ETH, snapshot=make_snapshot(ETH, NOON + DAY)))

    async def time_at(at):
        snapshot = await store.snapshot(BTC, at)
        return snapshot and snapshot.at

    assert await time_at(None) == times[2]
    assert [await time_at(at) for at in times] == times
    assert await time_at(NOON + 59 * MINUTE) == times[1]
    assert await time_at(NOON - timedelta(microseconds=1)) is None
    assert await store.snapshot("SOLUSDT") is None


@pytest.mark.parametrize("count", [0, 1, 2, 96])
async def test_candles_come_back_with_their_snapshot(store, count):
    shown = [make_snapshot(at=NOON + n * SECOND, candles=make_candles(count)) for n in range(2)]
    for snapshot in shown:
        await store.record(make_record(snapshot=snapshot))

    assert [await store.snapshot(BTC, one.at) for one in shown] == shown
    assert [entry.snapshot for entry in await journal_of(store) if entry.snapshot] == shown


@pytest.mark.parametrize("make", [make_mixed_chain, make_empty_chain, lambda: CHAIN])
async def test_a_chain_comes_back_to_the_bit(store, make):
    await store.record(make_record(chain=make()))

    assert bits_of(await store.chain(SNAPSHOT)) == bits_of(make())


async def test_snapshots_that_rest_on_the_same_answers_share_them(store):
    changed = replace(CHAIN, oi=CHAIN.oi + (CHAIN.venue == 1))
    again = make_snapshot(at=NOON + MINUTE)
    third = make_snapshot(at=NOON + HOUR)
    await store.record(make_record())
    await store.record(make_record(snapshot=again))
    assert (await store.health())["chains"] == 2

    await store.record(make_record(snapshot=third, chain=changed))

    assert (await store.health())["chains"] == 3
    assert bits_of(await store.chain(again)) == bits_of(CHAIN)
    assert bits_of(await store.chain(third)) == bits_of(changed)


async def test_a_snapshot_that_came_without_a_chain_has_none(store):
    await store.record(make_record(chain=None))

    assert await store.chain(SNAPSHOT) is None
    assert await store.chain(make_snapshot(at=NOON + DAY)) is None


# rules


async def test_rules_come_back_oldest_first_with_their_ids(store):
    first = await store.add_rule(RULE)
    second = await store.add_rule(replace(RULE, id="ignored", level="70000", times=1))

    assert first == replace(RULE, id=first.id)
    assert first.id != second.id
    assert await store.rules() == [first, second]


async def test_a_rule_is_deleted_by_its_own_target_alone_and_once(store):
    rule = await store.add_rule(RULE)

    assert not await store.delete_rule(rule.id, "discord:1")
    assert await store.rules() == [rule]
    assert await store.delete_rule(rule.id, RULE.target)
    assert not await store.delete_rule(rule.id, RULE.target)
    assert await store.rules() == []


@pytest.mark.parametrize(
    "nonsense", ["", "x", "1.0", "01", "-1", "\u0661", "1" * 40, "\0", "\udcff"]
)
async def test_an_id_that_is_none_deletes_nothing(store, nonsense):
    rule = await store.add_rule(RULE)

    assert not await store.delete_rule(nonsense, RULE.target)
    assert await store.rules() == [rule]


async def test_the_id_of_a_deleted_rule_is_never_used_again(store):
    first = await store.add_rule(RULE)
    await store.record(make_ring(rule_states={first.id: RuleState(NOON, 1)}))
    await store.delete_rule(first.id, RULE.target)

    second = await store.add_rule(RULE)

    assert second.id != first.id
    assert await store.rule_states() == {}


async def test_a_rule_is_changed_in_its_place_by_its_own_target_alone(store):
    first, second = await store.add_rule(RULE), await store.add_rule(RULE)
    await store.record(make_ring(rule_states={first.id: RuleState(NOON, 1)}))
    paused = replace(first, paused=True, level="70000")

    assert not await store.change_rule(replace(paused, target="discord:1"))
    assert await store.rules() == [first, second]
    assert await store.change_rule(paused)
    assert await store.rules() == [paused, second]
    assert await store.rule_states() == {first.id: RuleState(NOON, 1)}


@pytest.mark.parametrize("nonsense", ["", "x", "99", "\0", "\udcff"])
async def test_a_rule_that_is_not_there_is_not_changed(store, nonsense):
    rule = await store.add_rule(RULE)

    assert not await store.change_rule(replace(rule, id=nonsense))
    assert await store.rules() == [rule]


# outbox


async def test_claims_are_oldest_first_and_at_most_the_limit(store):
    late, early = make_alert("late", NOON + SECOND), make_alert("early", NOON - SECOND)
    await store.record(ring_apart(late, make_alert("b"), make_alert("a"), early))
    now = NOON + MINUTE

    assert await claim(store, now=now, limit=3) == ["early", "b", "a"]
    assert await claim(store, now=now, limit=3) == ["late"]
    assert await claim(store, now=now, limit=3) == []


async def test_a_claim_gives_the_whole_alert(store):
    await store.record(make_ring(make_alert(text="fell – 5 σ ♞")))

    assert list(await store.claim("terminal", "me", NOON, MINUTE, 1)) == [
        make_alert(text="fell – 5 σ ♞")
    ]


async def test_a_messenger_gets_its_own_targets_alone(store):
    await store.record(make_ring(make_alert("a1"), make_alert("a2", target="discord:7:9")))

    assert await claim(store, messenger="disc") == []
    assert await claim(store, messenger="discord") == ["a2"]
    assert await claim(store) == ["a1"]


async def test_an_alert_is_not_due_before_its_time(store):
    await store.record(make_ring(make_alert(at=NOON)))

    assert await claim(store, now=NOON - timedelta(microseconds=1)) == []
    assert await claim(store, now=NOON) == ["a1"]


async def test_a_leased_alert_is_due_again_only_when_its_lease_runs_out(store):
    await store.record(make_ring(make_alert()))
    await claim(store, "crashed", lease=MINUTE)

    assert await claim(store, now=NOON + MINUTE - timedelta(microseconds=1)) == []
    assert await claim(store, now=NOON + MINUTE) == ["a1"]


async def test_two_claimers_at_once_never_share_an_alert(store, other):
    alerts = [make_alert(f"a{n:02}") for n in range(40)]
    await store.record(ring_apart(*alerts))

    async def take(way, owner):
        taken = []
        while batch := await claim(way, owner, limit=3):
            taken += batch
        return taken

    shares = await asyncio.gather(*(take(way, f"o{n}") for n, way in enumerate([store, other] * 3)))

    assert sorted(chain.from_iterable(shares)) == [alert.id for alert in alerts]


async def test_settling_ends_the_alert_and_writes_its_delivery_once(store):
    await store.record(make_ring(make_alert()))
    await claim(store)
    await journal_of(store)
    delivery = Delivery(NOON + SECOND, "a1", "terminal:", "expired")

    assert await store.settle("me", delivery)
    assert not await store.settle("me", delivery)

    assert await claim(store, now=NOON + DAY) == []
    assert [entry.body for entry in await journal_of(store)] == [event_object(delivery)]


async def test_settling_a_lost_lease_changes_nothing(store):
    await store.record(make_ring(make_alert(), make_alert("free")))
    await claim(store, "slow", limit=1)
    await claim(store, "quick", now=NOON + MINUTE, limit=1)
    await journal_of(store)

    assert not await store.settle("slow", sent())
    assert not await store.settle("slow", sent("free"))
    assert not await store.settle("slow", sent("unknown"))
    assert await journal_of(store) == []
    assert await store.settle("quick", sent())


async def test_a_lease_that_ran_out_still_settles_while_nobody_else_took_it(store):
    await store.record(make_ring(make_alert()))
    await claim(store)

    assert await store.settle("me", sent(at=NOON + DAY))


async def test_a_retried_alert_is_due_again_at_the_time_given(store):
    await store.record(make_ring(make_alert()))
    await claim(store)

    await store.retry("me", make_alert(), NOON + HOUR)

    assert not await store.settle("me", sent())
    assert await claim(store, now=NOON + HOUR - SECOND) == []
    assert await claim(store, now=NOON + HOUR) == ["a1"]


async def test_only_the_owner_can_give_an_alert_back(store):
    await store.record(make_ring(make_alert()))
    await claim(store)

    await store.retry("another", make_alert(), NOON)
    await store.release("another")

    assert await claim(store) == []
    assert await store.settle("me", sent())


async def test_releasing_gives_everything_of_the_owner_back_at_once(store):
    await store.record(ring_apart(*(make_alert(f"a{n}") for n in range(4))))
    await claim(store, limit=2)
    await claim(store, "another", limit=1)
    await store.settle("me", sent("a0"))

    await store.release("me")

    assert await claim(store, "third") == ["a1", "a3"]


# a chat's queue


async def test_a_chat_gets_one_message_after_the_other_and_waits_for_no_other_chat(store):
    await store.record(
        make_ring(
            make_alert("a1", NOON, "terminal:1"),
            make_alert("b1", NOON + SECOND, "terminal:2"),
            make_alert("a2", NOON + 2 * SECOND, "terminal:1"),
            make_alert("a3", NOON + 3 * SECOND, "terminal:1"),
            make_alert("b2", NOON + 4 * SECOND, "terminal:2"),
        )
    )

    assert await order_of(store, NOON + MINUTE) == [["a1", "b1"], ["a2", "b2"], ["a3"]]


async def test_the_most_urgent_goes_first_within_a_chat_and_among_chats(store):
    digest = make_alert("digest", NOON - HOUR, "terminal:1", kind="digest")
    notice = make_alert("notice", NOON - MINUTE, "terminal:2", kind="notice")
    alert, other = make_alert("alert", NOON, "terminal:1"), make_alert("b", NOON, "terminal:2")
    last = make_alert("last", NOON - DAY, "terminal:3", kind="digest")
    await store.record(make_ring(digest, notice, alert, other, last))

    assert await order_of(store) == [["alert", "b", "last"], ["notice", "digest"]]


async def test_alerts_of_one_moment_go_in_the_order_they_were_made(store):
    await store.record(make_ring(*(make_alert(name) for name in "cab")))

    assert await order_of(store) == [["c"], ["a"], ["b"]]


async def test_nothing_overtakes_a_message_that_is_on_its_way(store):
    await store.record(make_ring(make_alert("a1", kind="notice")))
    await claim(store, "slow")
    await store.record(make_ring(make_alert("a2")))

    assert await claim(store, "quick") == []
    assert await claim(store, "quick", now=NOON + MINUTE) == ["a2"]
    await store.settle("quick", sent("a2"))
    assert await claim(store, "quick", now=NOON + MINUTE) == ["a1"]


async def test_what_is_due_later_holds_up_what_follows_it_but_not_what_is_more_urgent(store):
    await store.record(make_ring(make_alert("a1", kind="notice", due_at=NOON + HOUR)))
    await store.record(make_ring(make_alert("a2", NOON + SECOND, kind="notice")))
    now = NOON + MINUTE

    assert await claim(store, now=now) == []
    await store.record(make_ring(make_alert("a3", NOON + 2 * SECOND)))
    assert await claim(store, now=now) == ["a3"]
    await store.settle("me", sent("a3"))
    assert await order_of(store, NOON + HOUR) == [["a1"], ["a2"]]


async def test_a_retried_alert_holds_up_those_after_it(store):
    await store.record(make_ring(make_alert("a1"), make_alert("a2")))
    await claim(store)
    await store.retry("me", make_alert("a1"), NOON + MINUTE)

    assert await claim(store, now=NOON + SECOND) == []
    assert await claim(store, now=NOON + MINUTE) == ["a1"]


async def test_an_alert_with_a_time_of_its_own_is_due_then(store):
    await store.record(make_ring(make_alert("a1", due_at=NOON + HOUR)))

    assert await claim(store, now=NOON + HOUR - SECOND) == []
    assert await claim(store, now=NOON + HOUR) == ["a1"]


async def test_a_request_that_had_begun_when_its_lease_ran_out_is_a_doubt(store):
    await store.record(make_ring(make_alert()))

    async def doubts(minutes):
        (alert,) = await store.claim("terminal", "me", NOON + minutes * MINUTE, MINUTE, 1)
        return alert.doubts

    before = [await doubts(0), await doubts(1)]
    await store.begin("me", ["a1", "unknown"])
    after = [await doubts(2), await doubts(3)]
    await store.begin("you", ["a1"])
    await store.release("me")

    assert (before, after, await doubts(4)) == ([0, 0], [1, 1], 1)


async def test_what_is_held_after_all_waits_for_the_silence_to_end_and_lives_as_long(store):
    await store.record(ring_apart(make_alert("a0"), make_alert("a1")))
    await claim(store)

    await store.hold("me", ["a0", "unknown"], NOON + HOUR)
    await store.hold("you", ["a1"], NOON + HOUR)

    assert await claim(store, now=NOON + HOUR - SECOND) == ["a1"]
    (held,) = await store.claim("terminal", "you", NOON + HOUR, MINUTE, 1)
    assert (held.id, held.held, held.expires_at) == ("a0", True, NOON + HOUR + 15 * MINUTE)


async def test_a_renewed_lease_goes_on(store):
    await store.record(ring_apart(make_alert("a0"), make_alert("a1"), make_alert("a2")))
    await claim(store)

    await store.renew("me", ["a0", "a1", "unknown"], NOON + HOUR)

    late = await store.claim("terminal", "you", NOON + HOUR - SECOND, DAY, 9)
    later = await store.claim("terminal", "you", NOON + HOUR, DAY, 9)
    assert [one.id for one in late] == ["a2"]
    assert [one.id for one in later] == ["a0", "a1"]


async def test_a_lease_that_ran_out_can_be_renewed_while_nobody_else_took_it(store):
    await store.record(make_ring(make_alert()))
    await claim(store)

    await store.renew("me", ["a1"], NOON + HOUR)

    assert await claim(store, "you", now=NOON + HOUR - SECOND) == []


async def test_only_what_is_leased_to_the_owner_is_renewed(store):
    await store.record(ring_apart(make_alert("mine"), make_alert("ended"), make_alert("free")))
    await claim(store, limit=2)
    await store.settle("me", sent("ended"))

    await store.renew("you", ["mine"], NOON + DAY)
    await store.renew("me", ["ended", "free"], NOON + DAY)

    assert await claim(store, "you", now=NOON + MINUTE) == ["mine", "free"]


async def test_thousands_of_leases_are_renewed_at_once(store):
    alerts = [make_alert(f"a{n:04}", held=True) for n in range(2_500)]
    await store.post(alerts)
    await store.claim_companions(make_alert(held=True), "me", NOON, MINUTE)

    await store.renew("me", [alert.id for alert in alerts], NOON + HOUR)

    assert await claim(store, "you", now=NOON + HOUR - SECOND) == []


async def test_a_retry_keeps_the_doubts_that_it_is_told_and_counts_one_attempt(store):
    await store.record(make_ring(make_alert()))
    (alert,) = await store.claim("terminal", "me", NOON, MINUTE, 1)
    doubts = {"doubts": 1, "doubted_at": NOON}
    await store.retry("me", replace(alert, text="not stored", **doubts), NOON + SECOND)

    again = await store.claim("terminal", "me", NOON + SECOND, MINUTE, 1)

    assert list(again) == [make_alert(attempts=1, **doubts)]


async def test_a_retry_leaves_an_alert_that_moved_meanwhile_at_its_new_address(store):
    await store.record(make_ring(make_alert()))
    (alert,) = await store.claim("terminal", "me", NOON, MINUTE, 1)
    await store.move_target("terminal:", "terminal:2")

    await store.retry("me", alert, NOON)

    (again,) = await store.claim("terminal", "me", NOON, MINUTE, 1)
    assert again.target == "terminal:2"


async def test_two_claimers_at_once_never_have_two_messages_of_one_chat(store, other):
    alerts = [make_alert(f"a{n:02}", target=f"terminal:{n % 5}") for n in range(30)]
    await store.record(make_ring(*alerts))
    under_way, ended = set(), []

    async def deliver(way, owner):
        while len(ended) < len(alerts):
            for alert in await way.claim("terminal", owner, NOON, MINUTE, 2):
                assert alert.target not in under_way
                under_way.add(alert.target)
                await asyncio.sleep(0)
                under_way.remove(alert.target)
                assert await way.settle(owner, sent(alert.id))
                ended.append(alert.id)
            await asyncio.sleep(0)  # the memory never waits

    await asyncio.gather(*(deliver(way, f"o{n}") for n, way in enumerate([store, other] * 3)))

    assert sorted(ended) == [alert.id for alert in alerts]
    chats = [[one for one in ended if int(one[1:]) % 5 == n] for n in range(5)]
    assert chats == [sorted(chat) for chat in chats]


# messages that wait for the end of quiet hours


async def test_what_was_held_is_claimed_together(store):
    held = {"held": True, "due_at": NOON + HOUR}
    await store.record(
        make_ring(
            make_alert("a1", **held),
            make_alert("a3", NOON + 2 * SECOND, **held),
            make_alert("a2", NOON + SECOND, **held),
            make_alert("plain", NOON + HOUR),
            make_alert("later", NOON + 3 * SECOND, held=True, due_at=NOON + 2 * HOUR),
            make_alert("elsewhere", NOON, "terminal:1", **held),
        )
    )
    first = await claim(store, now=NOON + HOUR, limit=1)

    others = await store.claim_companions(make_alert(held=True), "me", NOON + HOUR, MINUTE)
    again = await store.claim_companions(make_alert(held=True), "you", NOON + HOUR, MINUTE)

    assert first == ["a1"]
    assert [alert.id for alert in others] == ["a2", "a3"]
    assert list(again) == []
    assert await claim(store, now=NOON + HOUR) == ["elsewhere"]
    for identity in ("a1", "a2", "a3"):
        assert await store.settle("me", sent(identity))


async def test_what_rang_in_a_chat_at_one_moment_is_claimed_together(store):
    later, held = make_alert("later", NOON + SECOND), make_alert("held", held=True)
    await store.record(
        make_ring(
            make_alert("a1"),
            make_alert("a2"),
            make_alert("eth", symbol="ETHUSDT"),
            make_alert("elsewhere", target="terminal:1"),
            make_alert("waits", due_at=NOON + HOUR),
            replace(make_alert("notice"), kind="notice"),
            later,
            held,
        )
    )
    now = NOON + MINUTE
    (head,) = await store.claim("terminal", "me", now, MINUTE, 1)

    others = await store.claim_companions(head, "me", now, MINUTE)
    again = await store.claim_companions(head, "you", now, MINUTE)

    assert [head.id, *(alert.id for alert in others)] == ["a1", "a2"]
    assert list(again) == []


async def test_alerts_that_were_told_together_end_together(store):
    await store.record(make_ring(*(make_alert(f"a{n}") for n in range(4))))
    (head,) = await store.claim("terminal", "me", NOON, MINUTE, 1)
    await store.claim_companions(head, "me", NOON, MINUTE)
    await store.retry("me", make_alert("a2"), NOON + HOUR)

    ended = await store.settle("me", sent("a0"), sent("a1"), sent("a2"), sent("unknown"))

    assert ended == 2
    lines = [entry.body for entry in await journal_of(store)]
    assert [line["alert"] for line in lines if line["event"] == "delivery"] == ["a0", "a1"]
    assert await store.settle("me", sent("a3")) == 1


async def test_what_waits_for_a_chat_is_due_at_once_when_it_is_hastened_but_for_what_is_held(store):
    later, held = {"due_at": NOON + HOUR}, make_alert("held", held=True, due_at=NOON + HOUR)
    away = make_alert("elsewhere", NOON, "terminal:1", **later)
    await store.record(make_ring(make_alert("a1", **later), held, away))

    await store.hasten("terminal:", NOON)

    assert await order_of(store, NOON) == [["a1"]]


@pytest.mark.parametrize("due_at", [NOON, NOON + 6 * HOUR])
async def test_what_is_held_for_a_chat_can_be_held_for_less_or_for_longer(store, due_at):
    held = {"held": True, "due_at": NOON + HOUR, "expires_at": NOON + 3 * HOUR}
    mine = [make_alert("a1", **held), make_alert("a2", NOON + SECOND, **held)]
    elsewhere = make_alert("elsewhere", NOON, "terminal:1", **held)
    await store.record(make_ring(*mine, elsewhere))

    await store.redate_held("terminal:", due_at)

    early = [
        *await store.claim_companions(mine[0], "me", due_at - SECOND, MINUTE),
        *await store.claim_companions(elsewhere, "me", NOON + HOUR - SECOND, MINUTE),
    ]
    claimed = await store.claim_companions(mine[0], "me", due_at, MINUTE)
    others = await store.claim_companions(elsewhere, "me", NOON + HOUR, MINUTE)
    life = {"due_at": due_at, "expires_at": due_at + 2 * HOUR}
    assert early == []
    assert list(claimed) == [replace(one, **life) for one in mine]
    assert list(others) == [elsewhere]


async def test_what_is_held_and_being_sent_is_not_held_again(store):
    held = make_alert("a1", held=True)
    await store.record(make_ring(held))
    await claim(store)

    await store.redate_held("terminal:", NOON + HOUR)

    assert await store.settle("me", sent())


async def test_what_is_being_sent_is_not_hastened(store):
    await store.record(make_ring(make_alert("a1")))
    await claim(store, now=NOON)

    await store.hasten("terminal:", NOON)

    assert await claim(store, now=NOON) == []


async def test_held_alerts_whose_lease_ran_out_are_claimed_again(store):
    await store.record(make_ring(make_alert("a1", held=True)))
    await store.claim_companions(make_alert(held=True), "crashed", NOON, MINUTE)

    assert [
        one.doubts
        for one in await store.claim_companions(make_alert(held=True), "me", NOON, MINUTE)
    ] == []
    later = await store.claim_companions(make_alert(held=True), "me", NOON + MINUTE, MINUTE)
    assert [one.id for one in later] == ["a1"]


# messages that no market event caused


async def test_posted_messages_are_sent_and_stand_in_the_journal_once(store):
    notice = make_alert("n1", kind="notice", rule="", symbol="", text="I cannot write there")
    await store.record(make_ring(make_alert("a1", text="first")))
    known = make_alert("a1", text="second")

    assert list(await store.post([known, notice, notice])) == [notice]
    assert list(await store.post([notice])) == []
    assert list(await store.post([])) == []

    told = [event_object(make_alert("a1", text="first")), event_object(notice)]
    assert [entry.body for entry in await journal_of(store)] == told
    assert await order_of(store) == [["a1"], ["n1"]]


async def test_a_message_comes_back_with_its_card_and_all_it_says(store):
    card = Reply(
        "Good morning",
        fields=(Field("Spot", "80,000 $"),),
        tables=(Table("", ("Level", "Price"), (("HVL", "79,000"),)),),
        actions=(Action("Levels", "levels btc"),),
        tone="positive",
    )
    message = make_alert("d1", kind="digest", card=card, mention="discord:@7", due_at=NOON)
    await store.post([message])

    assert list(await store.claim("terminal", "me", NOON, MINUTE, 1)) == [message]


async def draw():
    return None


@pytest.mark.parametrize(
    "more",
    [
        {"picture": Picture("a.png", b"png")},
        {"draw": draw},
        {"file": File("a.csv", b"a", "text/csv")},
    ],
)
async def test_a_card_with_a_picture_or_a_file_is_refused_and_nothing_is_stored(store, more):
    message = make_alert("d1", card=Reply("Good morning", **more))

    for put in (store.post([make_alert(), message]), store.record(make_ring(message))):
        with pytest.raises(ValueError, match="the card of message 'd1' has a picture"):
            await put

    assert await journal_of(store) == []
    assert await claim(store) == []


async def test_messages_that_fail_in_one_part_are_not_stored(store):
    naive = make_alert("a2", due_at=NOON.replace(tzinfo=None))

    with pytest.raises(Exception, match="no time zone"):
        await store.post([make_alert(), naive])

    assert await claim(store) == []


# chats

FEED = Feed((BTC, ETH), "default")
CHAT = Chat(
    "discord:42",
    title="#alerts <in> *Traders*",
    zone="Europe/Berlin",
    quiet=Quiet(time(23), time(7, 30)),
    snoozed_until=NOON,
    digest=Digest(time(8), (BTC,)),
    feed=FEED,
    owner="discord:@7",
    fallback="discord:42",
    state="suspended",
    trouble="Send Messages is missing",
    since=NOON,
)


async def test_a_chat_comes_back_as_it_was_stored_last(store, other):
    assert await store.chat(CHAT.target) is None
    await store.put_chat(CHAT)
    assert await other.chat(CHAT.target) == CHAT

    await store.put_chat(Chat(CHAT.target))

    assert await other.chat(CHAT.target) == Chat(CHAT.target)
    assert await store.chats() == [Chat(CHAT.target)]


async def test_a_chat_is_changed_from_what_it_is_and_the_change_tells_both(store, other):
    at_first = await store.change_chat(CHAT.target, lambda _: CHAT)
    then = await other.change_chat(CHAT.target, lambda chat: replace(chat, zone="Asia/Tokyo"))

    assert at_first == (Chat(CHAT.target), CHAT)
    assert then == (CHAT, replace(CHAT, zone="Asia/Tokyo"))
    assert await store.chat(CHAT.target) == then[1]


async def test_a_change_that_changes_nothing_or_is_refused_stores_nothing(store):
    def refuse(chat):
        raise UserError(f"not {chat.target}")

    assert await store.change_chat("discord:1", lambda chat: chat) == (Chat("discord:1"),) * 2
    with pytest.raises(UserError, match="not discord:1"):
        await store.change_chat("discord:1", refuse)

    assert await store.chats() == []


async def test_changes_of_one_chat_at_the_same_time_are_all_kept(store, other):
    def add(name):
        return lambda chat: replace(chat, title=" ".join(sorted([*chat.title.split(), name])))

    ways = [store, other] * 6
    await asyncio.gather(
        *(one.change_chat("discord:1", add(f"{n:02}")) for n, one in enumerate(ways))
    )

    chat = await store.chat("discord:1")
    assert chat.title.split() == [f"{n:02}" for n in range(len(ways))]


async def test_chats_come_by_target(store):
    for target in ("telegram:-1", "discord:b", "discord:B", "discord:@7"):
        await store.put_chat(Chat(target))

    targets = [chat.target for chat in await store.chats()]

    assert targets == ["discord:@7", "discord:B", "discord:b", "telegram:-1"]


OLD, NEW = "telegram:-1", "telegram:-1002"


async def test_a_chat_that_moves_takes_its_rules_and_topics_along(store):
    targets = [OLD, f"{OLD}/7", "telegram:-12", "telegram:-1_7", NEW, f"{NEW}/7"]
    before = [await store.add_rule(replace(RULE, target=target)) for target in targets]

    await store.move_target(OLD, NEW)

    moved = [NEW, f"{NEW}/7", *targets[2:]]
    assert await store.rules() == [
        replace(rule, target=target) for rule, target in zip(before, moved, strict=True)
    ]
    assert await store.delete_rule(before[0].id, NEW)


async def test_a_chat_that_moves_takes_along_what_has_not_been_sent(store):
    await store.record(
        make_ring(
            make_alert("ended", NOON - HOUR, OLD),
            make_alert("leased", NOON - MINUTE, OLD),
            make_alert("waiting", NOON, OLD, held=True),
            make_alert("topic", NOON, f"{OLD}/7"),
            make_alert("new", NOON + SECOND, NEW),
        )
    )
    now = NOON + SECOND
    await claim(store, limit=1, messenger="telegram")
    await store.settle("me", sent("ended"))
    await claim(store, limit=1, messenger="telegram")

    await store.move_target(OLD, NEW)

    topic = await store.claim("telegram", "you", now, MINUTE, 9)
    assert list(topic) == [make_alert("topic", NOON, f"{NEW}/7")]
    assert await store.settle("me", sent("leased"))
    (waiting,) = await store.claim("telegram", "me", now, MINUTE, 9)
    assert waiting == make_alert("waiting", NOON, NEW, held=True)
    await store.settle("me", sent("waiting"))
    assert await claim(store, now=now, messenger="telegram") == ["new"]
    assert list(await store.post([make_alert("waiting", NOON, NEW)])) == []


async def test_a_chat_comes_with_its_topics_and_no_other(store):
    for target in (OLD, f"{OLD}/7", f"{OLD}2", NEW):
        await store.put_chat(Chat(target))

    found = await store.chats(within=OLD)

    assert [chat.target for chat in found] == [OLD, f"{OLD}/7"]


async def test_a_chat_that_moves_takes_its_settings_and_whoever_names_it_along(store):
    old = replace(CHAT, target=OLD, fallback=f"{OLD}/7")
    person = Chat("telegram:7", fallback=f"{OLD}/9")
    owned = Chat("telegram:8", owner=OLD)
    for chat in (old, replace(old, target=f"{OLD}/7"), person, owned, CHAT):
        await store.put_chat(chat)

    await store.move_target(OLD, NEW)

    moved = replace(old, target=NEW, fallback=f"{NEW}/7")
    assert await store.chats() == [
        CHAT,
        moved,
        replace(moved, target=f"{NEW}/7"),
        replace(person, fallback=f"{NEW}/9"),
        replace(owned, owner=NEW),
    ]
    assert (await store.health())["chats_suspended"] == 3


async def test_settings_of_the_new_address_win(store):
    new = Chat(NEW, title="new", owner=OLD)
    await store.put_chat(replace(CHAT, target=OLD))
    await store.put_chat(new)

    await store.move_target(OLD, NEW)

    assert await store.chats() == [replace(new, owner=NEW)]


async def test_moving_to_where_it_is_or_what_is_not_there_changes_nothing(store):
    rule = await store.add_rule(replace(RULE, target=OLD))
    await store.put_chat(replace(CHAT, target=OLD))
    await store.record(make_ring(make_alert(target=OLD)))

    for target, to in ((OLD, OLD), ("telegram:9", NEW), ("telegram:-", NEW)):
        await store.move_target(target, to)

    assert await store.rules() == [rule]
    assert await store.chats() == [replace(CHAT, target=OLD)]
    assert list(await store.claim("telegram", "me", NOON, MINUTE, 9)) == [make_alert(target=OLD)]


async def test_chats_that_move_while_others_send_lose_no_message(store, other):
    alerts = [make_alert(f"a{n:02}", target=f"{OLD}{n % 4}") for n in range(24)]
    await store.record(make_ring(*alerts))
    ended = []

    async def deliver(owner):
        while len(ended) < len(alerts):
            for alert in await store.claim("telegram", owner, NOON, MINUTE, 2):
                assert await store.settle(owner, sent(alert.id))
                ended.append(alert.id)
            await asyncio.sleep(0)

    async def move():
        for n in range(4):
            await other.move_target(f"{OLD}{n}", f"{NEW}{n}")

    await asyncio.gather(deliver("me"), deliver("you"), move())

    assert sorted(ended) == [alert.id for alert in alerts]


# facts


async def test_a_fact_is_what_was_stored_last_under_its_name(store, other):
    assert await store.fact("commands of discord") is None
    await store.put_fact("commands of discord", "1")
    await store.put_fact("commands of discord", "2")
    await store.put_fact("offset", "3")

    assert await other.fact("commands of discord") == "2"
    assert await other.fact("offset") == "3"


async def test_the_first_fact_stays_whoever_comes_first(store, other):
    ways = [store, other] * 5
    found = await asyncio.gather(*(way.first_fact("key", f"key {n}") for n, way in enumerate(ways)))

    assert set(found) == {await store.fact("key")}


async def test_a_fact_is_swapped_by_who_knows_it(store, other):
    unknown = await store.swap_fact("pass", "", "x")
    await store.put_fact("pass", "a")
    wrong = await store.swap_fact("pass", "b", "x")
    right = await store.swap_fact("pass", "a", "")

    assert (unknown, wrong, right) == (False, False, True)
    assert await other.fact("pass") == ""


async def test_of_many_who_swap_a_fact_one_is_first(store, other):
    await store.put_fact("pass", "a")
    ways = [store, other] * 5
    swaps = [way.swap_fact("pass", "a", f"by {n}") for n, way in enumerate(ways)]
    swapped = await asyncio.gather(*swaps)

    assert swapped.count(True) == 1
    assert await store.fact("pass") == f"by {swapped.index(True)}"


async def test_facts_are_not_what_the_store_notes_of_itself(store):
    await store.open_market("sim")
    for name in ("market", "position", "identity"):
        await store.put_fact(name, "mine")

    assert await store.market() == "sim"
    assert await store.position() is None
    assert await store.fact("market") == "mine"


# journal


async def test_a_reader_goes_on_where_it_stopped(store):
    await store.record(make_ring(*(make_alert(f"a{n}") for n in range(5))))

    pages, seen = [], 0
    for _ in range(4):
        pages.append(await store.journal(seen, 2))
        seen = pages[-1][-1].seq if pages[-1] else seen

    ids = [[entry.body["id"] for entry in page] for page in pages]
    assert ids == [["a0", "a1"], ["a2", "a3"], ["a4"], []]


async def test_writers_at_once_hide_no_line_from_a_reader(store, other):
    async def write(way, name):
        for n in range(25):
            await way.record(make_ring(make_alert(f"{name}{n}"), symbol=name))

    async def read():
        seen = []
        while len(seen) < 50:
            seen += await store.journal(seen[-1].seq if seen else 0, 3)
            await asyncio.sleep(0)  # the memory never waits
        return [entry.body["id"] for entry in seen]

    seen, *_ = await asyncio.gather(read(), write(store, "x"), write(other, "y"))

    assert sorted(seen) == sorted(f"{name}{n}" for name in "xy" for n in range(25))
    assert [one for one in seen if one[0] == "x"] == [f"x{n}" for n in range(25)]


# minutes


async def minutes_of(store, symbol=BTC):
    return list(await store.minutes(symbol, NOON - DAY, NOON + DAY))


async def test_minutes_are_read_back_equal_and_ascending(store):
    kept = [make_minute(NOON + n * MINUTE, open=80_000.1 + n / 7) for n in range(3)]
    await store.add_minutes([kept[2], make_minute(symbol=ETH), kept[0], kept[1]])

    assert await minutes_of(store) == kept
    assert await minutes_of(store, ETH) == [make_minute(symbol=ETH)]
    assert await minutes_of(store, "SOLUSDT") == []


async def test_minutes_are_those_that_began_since_then_and_before_the_end(store):
    kept = [make_minute(NOON + n * MINUTE) for n in range(4)]
    await store.add_minutes(kept)

    assert list(await store.minutes(BTC, NOON + MINUTE, NOON + 3 * MINUTE)) == kept[1:3]
    assert list(await store.minutes(BTC, NOON + SECOND, NOON + MINUTE)) == []


@pytest.mark.parametrize("at_once", [True, False])
async def test_parts_of_a_minute_are_merged_in_the_order_they_come(store, at_once):
    parts = [
        make_minute(open=5.0, high=7.0, low=4.0, close=6.0, ticks=3),
        make_minute(open=1.0, high=6.5, low=0.5, close=2.0, ticks=10),
        make_minute(open=8.0, high=9.0, low=8.0, close=8.5, ticks=1),
    ]

    for group in [parts] if at_once else [[part] for part in parts]:
        await store.add_minutes(group)

    assert await minutes_of(store) == [reduce(minutes.merge, parts)]


async def test_no_minutes_are_no_trouble(store):
    await store.add_minutes([])

    assert await minutes_of(store) == []


async def test_minutes_that_fail_in_one_part_write_nothing(store):
    naive = make_minute(NOON.replace(tzinfo=None), symbol=ETH)

    with pytest.raises(Exception, match="no time zone"):
        await store.add_minutes([make_minute(), naive])

    assert await minutes_of(store) == []


async def test_writers_of_the_same_minutes_at_once_lose_no_tick(store, other):
    kept = [make_minute(NOON + n * MINUTE, ticks=1) for n in range(20)]

    await asyncio.gather(
        *(way.add_minutes(order) for way in (store, other) for order in (kept, kept[::-1]))
    )

    assert [one.ticks for one in await minutes_of(store)] == [4] * 20


async def test_pruning_deletes_the_minutes_that_are_older_of_every_symbol(store):
    kept = [make_minute(NOON + n * MINUTE) for n in range(600)]
    await store.add_minutes([*kept, make_minute(symbol=ETH), make_minute(NOON + DAY, ETH)])

    assert await store.prune(NOON + 9 * DAY, NOON + 598 * MINUTE) == 598 + 1

    assert await minutes_of(store) == kept[598:]
    assert list(await store.minutes(ETH, NOON, NOON + 2 * DAY)) == [make_minute(NOON + DAY, ETH)]


# the rest


async def test_a_store_belongs_to_the_first_market_that_opened_it(store, other):
    names = {await store.open_market("sim"), await other.open_market("sim")}

    assert len(names) == 1
    assert await other.market() == "sim"
    with pytest.raises(StoreError, match="holds sim data, not live"):
        await other.open_market("live")
    await store.open_market("sim")


async def fill(store):
    """A BTC snapshot each day for three days, the newest with another chain, and an ETH one."""
    for day in range(3):
        at = NOON + day * DAY
        record = make_record(
            at=at,
            snapshot=make_snapshot(at=at, candles=make_candles(3, at)),
            chain=make_mixed_chain() if day == 2 else replace(CHAIN, oi=CHAIN.oi + day),
            events=[make_crossing(at=at)],
            alerts=[
                make_alert(f"sent{day}", at),
                make_alert(f"waiting{day}", at, f"terminal:{day}"),
            ],
        )
        await store.record(record)
        await store.claim("terminal", "me", at, MINUTE, 100)
        await store.settle("me", sent(f"sent{day}", at))
    await store.record(make_record(symbol=ETH, snapshot=make_snapshot(ETH, NOON), events=[]))


async def test_pruning_chains_leaves_everything_else(store):
    await fill(store)
    before = await store.health()

    deleted = await store.prune(NOON + 5 * DAY, NOON - DAY)

    assert deleted == 2  # of day 1, on two venues; ETH's newest rests on what day 0 does
    assert await store.health() == {**before, "chains": before["chains"] - 2}
    assert await store.chain(make_snapshot(at=NOON)) is None
    assert await store.chain(make_snapshot(at=NOON + DAY)) is None
    assert bits_of(await store.chain(make_snapshot(at=NOON + 2 * DAY))) == bits_of(
        make_mixed_chain()
    )
    assert bits_of(await store.chain(make_snapshot(ETH))) == bits_of(CHAIN)
    assert await store.prune(NOON + 5 * DAY, NOON - DAY) == 0


async def test_pruning_all_keeps_the_newest_snapshots_and_what_is_undelivered(store):
    await fill(store)
    shown = await store.snapshot(BTC)

    await store.prune(NOON + 5 * DAY, NOON + 5 * DAY)

    assert await journal_of(store) == []
    assert await store.snapshot(BTC) == shown
    assert await store.snapshot(BTC, NOON + DAY) is None
    assert bits_of(await store.chain(shown)) == bits_of(make_mixed_chain())
    assert bits_of(await store.chain(await store.snapshot(ETH))) == bits_of(CHAIN)
    assert await store.latches(BTC) == make_latches()
    assert await claim(store, now=NOON + 9 * DAY) == ["waiting0", "waiting1", "waiting2"]


async def test_pruning_keeps_what_is_not_older(store):
    await fill(store)

    await store.prune(NOON + DAY, NOON + DAY)

    kept = [entry.body or entry.snapshot for entry in await journal_of(store)]
    assert (
        min(
            one.at if one is shown else one["at"]
            for one in kept
            for shown in [one]
            if not isinstance(one, dict)
        )
        == NOON + DAY
    )
    assert await store.snapshot(BTC, NOON + DAY) == make_snapshot(
        at=NOON + DAY, candles=make_candles(3, NOON + DAY)
    )
    assert await store.snapshot(BTC, NOON) is None


async def test_pruning_deletes_as_many_rows_as_it_says(store):
    await fill(store)

    # BTC: 2 snapshots on 2 chains of 2 venues each, 1 shared with ETH's newest; 3 days of
    # 5 journal lines and ETH's 1; the alerts that were sent.
    assert await store.prune(NOON + 5 * DAY, NOON + 5 * DAY) == 2 + 2 + 16 + 3


async def test_pruning_ends_only_when_all_is_deleted(store):
    await store.record(make_ring(events=[make_crossing()] * 1_200))

    assert await store.prune(NOON, NOON + SECOND) == 1_200


async def test_pruning_at_the_same_time_takes_nothing_that_is_being_recorded(store, other):
    async def record():
        for n in range(20):
            snapshot, chain = (
                make_snapshot(at=NOON + n * SECOND),
                (CHAIN, make_mixed_chain())[n % 2],
            )
            await store.record(make_record(snapshot=snapshot, chain=chain))
            assert bits_of(await store.chain(snapshot)) == bits_of(chain)

    recording = asyncio.create_task(record())
    while not recording.done():
        await other.prune(NOON + DAY, NOON - DAY)
        await asyncio.sleep(0)
    await recording


async def test_journal_numbers_go_on_after_pruning(store):
    await store.record(make_ring(make_alert("a1")))
    (first,) = await journal_of(store)
    await claim(store)
    await store.settle("me", sent())
    await store.prune(NOON + DAY, NOON + DAY)

    await store.record(make_ring(make_alert("a2")))

    (second,) = [entry for entry in await journal_of(store) if entry.body["event"] == "alert"]
    assert second.seq > first.seq


async def test_health_counts_what_is_there(store):
    nothing = {
        "snapshots": 0,
        "chains": 0,
        "rules": 0,
        "chats": 0,
        "chats_suspended": 0,
        "chats_gone": 0,
        "feeds": 0,
        "alerts_pending": 0,
        "journal_at": None,
    }
    assert await store.health() == nothing
    await store.add_rule(RULE)
    await store.record(make_record(alerts=[make_alert("a1"), make_alert("a2", NOON + HOUR)]))
    await claim(store, limit=1)
    for n, state in enumerate(["active", "suspended", "gone", "gone"]):
        await store.put_chat(Chat(f"discord:{n}", state=state, feed=FEED if n else None))

    assert await store.health() == {
        "snapshots": 1,
        "chains": 2,
        "rules": 1,
        "chats": 4,
        "chats_suspended": 1,
        "chats_gone": 2,
        "feeds": 3,
        "alerts_pending": 2,
        "journal_at": NOON + HOUR,
    }
