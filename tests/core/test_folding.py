from dataclasses import replace
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import Alert, Crossing, LevelKey, Moved, RegimeChange
from bot.core.folding import LATE_AFTER, LINES_SHOWN, fold_held, fold_moment, mark_late
from bot.core.reply import Reply
from bot.core.routing import by_topic, route
from tests.service.builders import BTC, NOON, after, make_rule, make_snapshot

BERLIN = ZoneInfo("Europe/Berlin")
TTL = timedelta(minutes=15)
CHAT = "telegram:1"
ROLL = NOON - timedelta(hours=4)
HVL, CALLS = LevelKey("all_expiry", "hvl"), LevelKey("all_expiry", "call_resistance")
SNAPSHOT = make_snapshot(81_900.0, hvl=82_000.0, call_resistance=82_000.0)


def make_held(identity, seconds=0.0, rule="1", symbol=BTC, doubts=0):
    at = after(seconds)
    text = f"BTC rings #{identity}"
    return Alert(identity, at, rule, "telegram:1", symbol, text, at + TTL, held=True, doubts=doubts)


def test_what_rang_is_told_in_order_with_the_chat_s_times():
    folded = fold_held([make_held("b", 60), make_held("a"), make_held("c", 3_600)], BERLIN)

    assert folded.text.splitlines() == [
        "While quiet: rang 3x",
        "13:00 CET: BTC rings #a",
        "13:01 CET: BTC rings #b",
        "14:00 CET: BTC rings #c",
    ]


def test_a_ring_of_another_day_than_the_newest_carries_its_date():
    text = fold_held([make_held("a", -86_400), make_held("b")], UTC).text

    assert "\n2026-03-01 12:00 UTC: BTC rings #a\n12:00 UTC: " in text


def test_a_single_ring_is_told_with_its_time_too():
    lines = fold_held([make_held("a")], UTC).text.splitlines()

    assert lines == ["While quiet: rang once", "12:00 UTC: BTC rings #a"]


def test_of_many_rings_the_newest_are_told_and_the_others_counted():
    folded = fold_held([make_held(f"{number}", number) for number in range(25)], UTC)

    title, earlier, *told = folded.text.splitlines()
    assert (title, earlier) == ("While quiet: rang 25x", "… and 15 earlier")
    assert [line.partition("#")[2] for line in told] == [f"{number}" for number in range(15, 25)]


def test_the_card_says_what_the_text_says():
    folded = fold_held([make_held("a"), make_held("b")], UTC)

    assert [folded.card.title, *folded.card.lines] == folded.text.splitlines()


def test_what_they_have_in_common_stays():
    folded = fold_held([make_held("a", 0, doubts=1), make_held("b", 60)], UTC)
    mixed = fold_held([make_held("a"), make_held("b", rule="2", symbol="ETHUSDT")], UTC)

    assert (folded.rule, folded.symbol, folded.target) == ("1", BTC, "telegram:1")
    assert (folded.expires_at, folded.doubts) == (after(60) + TTL, 1)
    assert (mixed.rule, mixed.symbol) == ("", "")


@given(st.permutations([make_held(f"{number}", number) for number in range(5)]))
def test_the_same_alerts_fold_to_the_same_message_in_any_order(alerts):
    assert fold_held(alerts, UTC) == fold_held(sorted(alerts, key=lambda alert: alert.at), UTC)


@given(st.integers(1, 40))
def test_one_alert_more_makes_another_id_that_fits_a_nonce_and_never_too_many_lines(count):
    alerts = [make_held(f"{number}", number) for number in range(count + 1)]

    fewer, more = fold_held(alerts[:-1], UTC), fold_held(alerts, UTC)

    assert fewer.id != more.id
    assert len(more.id) <= 25
    assert len(more.card.lines) <= LINES_SHOWN + 1


def crossed(key, price=82_000.0):
    return Crossing(NOON, BTC, key, price, "down", 81_900.0, 82_100.0, "id", 0.0005)


def moved(key, at=ROLL, to=84_000.0):
    return Moved(at, BTC, key, 82_000.0, to, 0.01, {"expiry": to - 82_000.0})


def ring(events, *lines, at=NOON):
    """What these events ring in one chat with a rule for each line."""
    rules = [make_rule(line, CHAT, f"{number}") for number, line in enumerate(lines, 1)]
    alerts, _ = route(events, by_topic(rules), {}, SNAPSHOT, at, {})
    return alerts


def ids_of(alerts):
    return " ".join(f"#{alert.id}" for alert in alerts)


def test_two_rules_for_one_fact_tell_it_once_with_both_ids():
    alerts = ring([crossed(HVL)], "btc hvl cross any", "btc hvl cross down")

    folded = fold_moment(alerts)

    assert folded.card.title == alerts[0].card.title
    assert folded.card.lines == alerts[0].card.lines
    assert folded.card.footer == (alerts[0].card.footer[0], ids_of(alerts))


def test_two_levels_at_one_price_are_named_both_and_spot_once():
    events = [crossed(HVL), crossed(CALLS)]
    alerts = ring(
        events, "btc hvl cross any", "btc hvl cross down", "btc call_resistance cross any"
    )

    card = fold_moment(alerts).card

    assert card.title == "🔔 BTC crossed HVL $82,000 ↓ and 1 more"
    assert card.lines == ("BTC crossed Call Resistance $82,000 ↓", *alerts[0].card.lines)
    assert card.footer[-1] == ids_of(alerts)
    assert card.tone == alerts[0].card.tone


def test_levels_at_two_prices_keep_their_distances():
    alerts = ring(
        [crossed(HVL), crossed(CALLS, 81_950.0)], "btc hvl cross", "btc call_resistance cross"
    )

    card = fold_moment(alerts).card

    first, second = (alert.card for alert in alerts)
    assert card.lines == (*first.lines, second.title.removeprefix("🔔 "), *second.lines)


def test_the_moves_at_the_expiry_roll_become_one_report():
    events = [
        moved(HVL),
        moved(CALLS, to=85_000.0),
        RegimeChange(ROLL, BTC, "negative", "positive", 81_900.0),
    ]
    alerts = ring(events, "btc hvl moved 1%", "btc call_resistance moved 1%", "btc regime", at=ROLL)

    card = fold_moment(alerts).card

    assert card.title == "🔔 BTC expiry roll, 08:00 UTC"
    told = [alert.card.title.removeprefix("🔔 ") for alert in alerts]
    assert [line for line in card.lines if line in told] == told
    assert card.footer[-1] == ids_of(alerts)


def test_what_moves_at_another_time_or_crosses_is_no_roll():
    lines = ("btc hvl moved 1%", "btc call_resistance moved 1%")
    late = ROLL + timedelta(minutes=5)
    for at, events in (
        (NOON, [moved(HVL), moved(CALLS)]),
        (late, [moved(HVL), moved(CALLS)]),
        (ROLL, [moved(HVL), crossed(CALLS)]),
    ):
        alerts = ring(events, *lines, "btc call_resistance cross any", at=at)

        assert fold_moment(alerts).card.title == f"{alerts[0].card.title} and 1 more"


def test_a_single_move_at_the_roll_speaks_for_itself():
    (alert,) = ring([moved(HVL)], "btc hvl moved 1%", at=ROLL)
    twice = ring([moved(HVL)], "btc hvl moved 1%", "btc hvl moved 1%", at=ROLL)

    assert fold_moment([alert]) is alert
    assert fold_moment(twice).card.title == alert.card.title


def test_a_ring_without_a_card_is_told_by_its_text():
    folded = fold_moment([make_held("a"), make_held("b"), make_held("c", symbol=BTC)])

    assert folded.text.splitlines() == ["🔔 BTC", "BTC rings", "#a #b #c"]


def test_what_was_one_fact_while_quiet_is_one_line_by_its_title():
    alerts = ring([crossed(HVL)], "btc hvl cross any", "btc hvl cross down")

    folded = fold_held(alerts, BERLIN)

    assert folded.card.title == "While quiet: rang 2x"
    assert folded.card.lines == (f"13:00 CET: BTC crossed HVL $82,000 ↓ {ids_of(alerts)}",)


@given(st.sets(st.integers(0, 30), min_size=1), st.sets(st.integers(0, 30), min_size=1))
def test_two_sets_of_rings_have_one_id_only_if_they_are_the_same(one, other):
    first, second = ([make_held(f"{n}") for n in numbers] for numbers in (one, other))

    assert (fold_moment(first).id == fold_moment(second).id) == (one == other)


@given(st.lists(st.sampled_from([HVL, CALLS]), min_size=1, max_size=6))
def test_every_id_is_told_once_and_no_line_twice_in_a_row(keys):
    alerts = [
        replace(one, id=f"{number}", card=replace(one.card, footer=("data", f"#{number}")))
        for number, key in enumerate(keys)
        for one in ring([crossed(key)], f"btc {key.name} cross any")
    ]

    card = fold_moment(alerts).card

    assert " ".join(card.footer).count("#") == len(alerts)
    assert len(set(card.lines)) == len(card.lines)


def test_a_ring_that_could_not_be_sent_at_once_says_when_it_was():
    ring = replace(make_held("a1"), held=False, card=Reply("🔔 BTC crossed HVL", lines=("Spot",)))

    late = mark_late(ring, NOON + timedelta(minutes=3), ZoneInfo("Europe/Berlin"))

    assert late.card.lines == ("LATE: this was at 13:00 CET, 3 min ago", "Spot")


def test_a_ring_in_time_and_a_notice_are_left_as_they_are():
    ring = replace(make_held("a1"), held=False, card=Reply("🔔"))
    notice = replace(ring, kind="notice")

    assert mark_late(ring, NOON + LATE_AFTER / 2, UTC) == ring
    assert mark_late(notice, NOON + 3 * LATE_AFTER, UTC) == notice
