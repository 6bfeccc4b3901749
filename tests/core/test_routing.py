from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.events import Crossing, Freshness, LevelKey, Moved, RegimeChange
from bot.core.routing import alert_id, make_alert, matches, route
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


def routed(events, *rules, states=None, now=NOON):
    alerts, rang = route(events, rules, states or {}, SNAPSHOT, now)
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

    assert [event for event in events if matches(make_rule(line), event)] == heard


def test_a_rule_of_the_day_and_a_rule_of_a_price_hear_of_theirs():
    of_day = replace(CROSSING, key=ODTE_HVL)
    of_price = replace(CROSSING, key=LevelKey("price", "70000"))

    assert matches(make_rule("btc odte.hvl cross"), of_day)
    assert matches(make_rule("btc 70000 cross"), of_price)


def test_each_target_gets_its_own_alert_of_one_event():
    rules = [make_rule("btc hvl cross", target, target) for target in ("terminal:", "telegram:1")]

    alerts, rang = route([CROSSING], rules, {}, SNAPSHOT, NOON)

    assert [alert.target for alert in alerts] == ["terminal:", "telegram:1"]
    assert len({alert.id for alert in alerts}) == 2
    assert rang == {target: RuleState(NOON, 1) for target in ("terminal:", "telegram:1")}


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

    alerts, rang = route(both, [rule], {}, SNAPSHOT, NOON)

    assert len({alert.id for alert in alerts}) == 2
    assert rang == {"1": RuleState(NOON, 2)}


@pytest.mark.parametrize(("option", "rings"), [("once", 1), ("2 times", 2), ("always", 3)])
def test_a_rule_rings_as_often_as_it_was_told(option, rings):
    rule, states, rung = make_rule(f"btc hvl cross cooldown 1m {option}"), {}, []
    for minute in range(3):
        now = after(60 * minute)
        alerts, rang = route([replace(CROSSING, at=now)], [rule], states, SNAPSHOT, now)
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
    late = make_alert(rule, CROSSING, make_snapshot(1.0, 5, hvl=1.0), after(5))

    assert late.id == make_alert(rule, CROSSING, SNAPSHOT, NOON).id == alert_id(rule, CROSSING)


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
    alert = make_alert(make_rule("btc hvl cross"), CROSSING, SNAPSHOT, NOON)

    assert len(alert.id) <= 25
    assert alert.text.endswith(f"#{alert.id}")


def test_an_alert_is_worth_sending_until_its_time_to_live_is_over():
    alerts = [
        make_alert(make_rule(f"btc hvl cross {option}"), CROSSING, SNAPSHOT, NOON)
        for option in ("", "ttl 1h")
    ]

    assert [alert.expires_at for alert in alerts] == [after(900), after(3_600)]
