from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import Alert
from bot.core.folding import LINES_SHOWN, fold
from tests.service.builders import BTC, after

BERLIN = ZoneInfo("Europe/Berlin")
TTL = timedelta(minutes=15)


def make_held(identity, seconds=0.0, rule="1", symbol=BTC, doubts=0):
    at = after(seconds)
    text = f"BTC rings #{identity}"
    return Alert(identity, at, rule, "telegram:1", symbol, text, at + TTL, held=True, doubts=doubts)


def test_what_rang_is_told_in_order_with_the_chat_s_times():
    folded = fold([make_held("b", 60), make_held("a"), make_held("c", 3_600)], BERLIN)

    assert folded.text.splitlines() == [
        "While quiet: rang 3x",
        "13:00 CET: BTC rings #a",
        "13:01 CET: BTC rings #b",
        "14:00 CET: BTC rings #c",
    ]


def test_a_ring_of_another_day_than_the_newest_carries_its_date():
    text = fold([make_held("a", -86_400), make_held("b")], UTC).text

    assert "\n2026-03-01 12:00 UTC: BTC rings #a\n12:00 UTC: " in text


def test_a_single_ring_is_told_with_its_time_too():
    lines = fold([make_held("a")], UTC).text.splitlines()

    assert lines == ["While quiet: rang once", "12:00 UTC: BTC rings #a"]


def test_of_many_rings_the_newest_are_told_and_the_others_counted():
    folded = fold([make_held(f"{number}", number) for number in range(25)], UTC)

    title, earlier, *told = folded.text.splitlines()
    assert (title, earlier) == ("While quiet: rang 25x", "… and 15 earlier")
    assert [line.partition("#")[2] for line in told] == [f"{number}" for number in range(15, 25)]


def test_the_card_says_what_the_text_says():
    folded = fold([make_held("a"), make_held("b")], UTC)

    assert [folded.card.title, *folded.card.lines] == folded.text.splitlines()


def test_what_they_have_in_common_stays():
    folded = fold([make_held("a", 0, doubts=1), make_held("b", 60)], UTC)
    mixed = fold([make_held("a"), make_held("b", rule="2", symbol="ETHUSDT")], UTC)

    assert (folded.rule, folded.symbol, folded.target) == ("1", BTC, "telegram:1")
    assert (folded.expires_at, folded.doubts) == (after(60) + TTL, 1)
    assert (mixed.rule, mixed.symbol) == ("", "")


@given(st.permutations([make_held(f"{number}", number) for number in range(5)]))
def test_the_same_alerts_fold_to_the_same_message_in_any_order(alerts):
    assert fold(alerts, UTC) == fold(sorted(alerts, key=lambda alert: alert.at), UTC)


@given(st.integers(1, 40))
def test_one_alert_more_makes_another_id_that_fits_a_nonce_and_never_too_many_lines(count):
    alerts = [make_held(f"{number}", number) for number in range(count + 1)]

    fewer, more = fold(alerts[:-1], UTC), fold(alerts, UTC)

    assert fewer.id != more.id
    assert len(more.id) <= 25
    assert len(more.card.lines) <= LINES_SHOWN + 1
