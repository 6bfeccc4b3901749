from dataclasses import replace
from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.chats import LONGEST_ABSENCE, Chat, Quiet
from bot.core.events import Crossing, Freshness, LevelKey, Moved, RegimeChange
from bot.core.routing import alert_id, by_topic, hearers, make_alert, route
from bot.core.rules import RuleState, default_rules
from tests.service.builders import BTC, NOON, TARGET, after, make_rule, make_snapshot

HVL = LevelKey("all_expiry", "hvl")
ODTE_HVL = LevelKey("odte", "hvl")
FLIPS = (LevelKey("all_expiry", "flip", 0), LevelKey("all_expiry", "flip", 1))
SNAPSHOT = make_snapshot(hvl=80_000.0)

CROSSING = Crossing(NOON, BTC, HVL, 80_000.0, "up", 80_100.0, 79_900.0, "id", 0.0005)
MOVED = Moved(NOON, BTC, HVL, 80_000.0, 82_000.0, 0.01, {})
REGIME = RegimeChange(NOON, BTC, "negative", "positive", 80_000.0)
STALE = Freshness(NOON, BTC, True, NOON)

LINES = (
    "btc hvl cross any",
    "btc hvl cross up",
    "btc hvl cross down",
    "btc hvl cross any buffer 1%",
    "eth hvl cross any",
    "btc hvl moved 1%",
    "btc hvl moved 5%",
    "btc regime",
    "btc 80000 cross any",
)


def ring(events, *rules, states=None, now=NOON, chats=()):
    known = {chat.target: chat for chat in chats}
    return route(events, by_topic(rules), states or {}, SNAPSHOT, now, known)


def hears(rule, event):
    return hearers(event, by_topic([rule])) == [rule]


def routed(events, *rules, states=None, now=NOON):
    alerts, rang = ring(events, *rules, states=states, now=now)
    return [alert.rule for alert in alerts], rang


@pytest.mark.parametrize(
    ("line", "heard"),
    [
        ("btc hvl cross any", [CROSSING]),
        ("btc hvl cross up", [CROSSING]),
        ("btc hvl cross down", []),
        ("btc hvl cross any buffer 1%", []),
        ("eth hvl cross any", []),
        ("btc odte.hvl cross any", []),
        ("btc 80000 cross any", []),
        ("btc hvl moved 1%", [MOVED]),
        ("btc hvl moved 5%", []),
        ("eth hvl moved 1%", []),
        ("btc regime", [REGIME]),
        ("eth regime", []),
    ],
)
def test_a_rule_hears_of_its_own_event_alone(line, heard):
    events = (CROSSING, MOVED, REGIME, STALE)

    assert [event for event in events if hears(make_rule(line), event)] == heard


def test_a_rule_of_the_day_and_a_rule_of_a_price_hear_of_theirs():
    of_day = replace(CROSSING, key=ODTE_HVL)
    of_price = replace(CROSSING, key=LevelKey("price", "70000"))

    assert hears(make_rule("btc odte.hvl cross"), of_day)
    assert hears(make_rule("btc 70000 cross"), of_price)


def test_each_target_gets_its_own_alert_of_one_event():
    rules = [make_rule("btc hvl cross", target, target) for target in ("terminal:", "telegram:1")]

    alerts, rang = ring([CROSSING], *rules)

    assert [alert.target for alert in alerts] == ["terminal:", "telegram:1"]
    assert len({alert.id for alert in alerts}) == 2
    assert rang == {target: RuleState(NOON, 1) for target in ("terminal:", "telegram:1")}


def test_an_alert_names_the_snapshot_that_it_rang_on():
    alerts, _ = ring([CROSSING], make_rule("btc hvl cross"))

    assert [alert.snapshot for alert in alerts] == [SNAPSHOT.id]


def test_the_cooldown_of_one_rule_silences_that_rule_alone():
    states = {"1": RuleState(after(-60), 4)}
    rules = [make_rule("btc hvl cross", identity=identity) for identity in ("1", "2")]

    assert routed([CROSSING], *rules, states=states) == (["2"], {"2": RuleState(NOON, 1)})


def test_a_rule_rings_again_after_its_cooldown_and_counts_on():
    states = {"1": RuleState(after(-900), 4)}

    ring = routed([CROSSING], make_rule("btc hvl cross"), states=states)

    assert ring == (["1"], {"1": RuleState(NOON, 5)})


def test_the_events_of_one_moment_share_a_cooldown():
    both = [replace(CROSSING, key=key) for key in FLIPS]

    assert routed(both, make_rule("btc flip cross"))[0] == ["1"]


def test_without_a_cooldown_every_event_of_one_moment_rings():
    both = [replace(CROSSING, key=key) for key in FLIPS]
    rule = make_rule("btc flip cross cooldown 0s")

    alerts, rang = ring(both, rule)

    assert len({alert.id for alert in alerts}) == 2
    assert rang == {"1": RuleState(NOON, 2)}


@pytest.mark.parametrize(("option", "rings"), [("once", 1), ("2 times", 2), ("always", 3)])
def test_a_rule_rings_as_often_as_it_was_told(option, rings):
    rule, states, rung = make_rule(f"btc hvl cross cooldown 1m {option}"), {}, []
    for minute in range(3):
        now = after(60 * minute)
        alerts, rang = ring([replace(CROSSING, at=now)], rule, states=states, now=now)
        states |= rang
        rung += alerts

    assert len(rung) == rings
    assert len({alert.id for alert in rung}) == rings


def test_an_event_that_nobody_asked_for_rings_nowhere():
    assert routed([STALE, MOVED], make_rule("btc hvl cross")) == ([], {})


def test_the_default_pack_rings_for_what_it_lists():
    events = [CROSSING, MOVED, REGIME, replace(CROSSING, key=FLIPS[0])]

    assert len(routed(events, *default_rules(BTC, TARGET))[0]) == 4


def test_an_alert_keeps_its_id_however_often_it_is_made():
    rule = make_rule("btc hvl cross")
    late = make_alert(rule, CROSSING, "other words", after(5))

    assert late.id == make_alert(rule, CROSSING, "words", NOON).id == alert_id(rule, CROSSING)


def test_the_id_tells_rule_target_event_level_direction_and_time_apart():
    rule = make_rule("btc hvl cross")
    ids = [
        alert_id(rule, CROSSING),
        alert_id(make_rule("btc hvl cross", identity="2"), CROSSING),
        alert_id(make_rule("btc hvl cross", "telegram:1"), CROSSING),
        alert_id(rule, replace(CROSSING, direction="down")),
        alert_id(rule, replace(CROSSING, at=NOON + timedelta(microseconds=1))),
        alert_id(rule, replace(CROSSING, symbol="ETHUSDT")),
        *(alert_id(rule, replace(CROSSING, key=key)) for key in (ODTE_HVL, *FLIPS)),
        alert_id(rule, MOVED),
        alert_id(rule, REGIME),
    ]

    assert len(set(ids)) == len(ids)


def test_the_id_fits_a_discord_nonce_and_stands_in_the_text():
    alert = make_alert(make_rule("btc hvl cross"), CROSSING, "words", NOON)

    assert len(alert.id) <= 25
    assert alert.text.endswith(f"#{alert.id}")


def test_the_card_of_a_ring_carries_the_id_as_its_text_does():
    (alert,), _ = ring([CROSSING], make_rule("btc hvl cross"))

    assert alert.card.title == "🔔 BTC crossed HVL $80,000 ↑"
    assert alert.card.footer[-1] == f"#{alert.id}"
    assert alert.text.endswith(f"#{alert.id}")


def test_an_alert_is_worth_sending_until_its_time_to_live_is_over():
    alerts = [
        make_alert(make_rule(f"btc hvl cross {option}"), CROSSING, "words", NOON)
        for option in ("", "ttl 1h")
    ]

    assert [alert.expires_at for alert in alerts] == [after(900), after(3_600)]


BERLIN = Chat("telegram:1", zone="Europe/Berlin", quiet=Quiet(time(13), time(14)))  # 12-13 UTC
ONE = make_rule("btc hvl cross", "telegram:1")


def test_what_rings_in_quiet_hours_is_held_until_they_end_and_kept_as_long_after():
    [alert], rang = ring([CROSSING], ONE, chats=[BERLIN])

    assert (alert.held, alert.due_at, alert.expires_at) == (True, after(3_600), after(4_500))
    assert rang == {"1": RuleState(NOON, 1)}


def test_what_rings_outside_quiet_hours_is_due_at_once():
    [alert], _ = ring([CROSSING], ONE, now=after(3_600), chats=[BERLIN])

    assert (alert.held, alert.due_at, alert.expires_at) == (False, None, after(4_500))


def test_a_snoozed_chat_is_told_afterwards_and_no_other_chat_waits_with_it():
    snoozed = Chat("telegram:1", snoozed_until=after(60))

    alerts, _ = ring([CROSSING], ONE, make_rule("btc hvl cross", identity="2"), chats=[snoozed])

    assert [(alert.held, alert.due_at) for alert in alerts] == [(True, after(60)), (False, None)]


@pytest.mark.parametrize(
    ("absence", "rings"), [(LONGEST_ABSENCE - timedelta(seconds=1), 1), (LONGEST_ABSENCE, 0)]
)
def test_nothing_rings_for_those_who_have_not_been_there_for_long(absence, rings):
    empty = Chat(ONE.target, away_since=NOON - absence)

    alerts, rang = ring([CROSSING], ONE, chats=[empty])

    assert (len(alerts), len(rang)) == (rings, rings)


def test_a_paused_rule_and_a_chat_that_is_gone_hear_nothing_and_use_up_no_ring():
    gone = Chat("telegram:1", state="gone")

    assert ring([CROSSING], replace(ONE, paused=True)) == ([], {})
    assert ring([CROSSING], ONE, chats=[gone]) == ([], {})


def test_a_suspended_chat_is_still_rung_for_it_may_be_back():
    assert len(ring([CROSSING], ONE, chats=[Chat("telegram:1", state="suspended")])[0]) == 1


def test_the_times_in_a_text_are_the_chat_s():
    [alert], _ = ring([replace(CROSSING, late=True)], ONE, chats=[replace(BERLIN, quiet=None)])

    assert "seen at 13:00 CET" in alert.text


@given(st.lists(st.sampled_from(LINES), max_size=12), st.sampled_from([CROSSING, MOVED, REGIME]))
def test_among_many_rules_an_event_meets_those_that_it_meets_alone_in_their_order(lines, event):
    rules = [make_rule(line, identity=str(number)) for number, line in enumerate(lines)]

    assert hearers(event, by_topic(rules)) == [rule for rule in rules if hears(rule, event)]
