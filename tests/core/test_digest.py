from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.core.digest import digest_card, digest_text, rings_of_day
from bot.core.reply import plain_lines
from bot.core.rules import RuleState
from bot.core.view import View
from tests.service.builders import BTC, after, make_rule, make_snapshot

ETH = "ETHUSDT"
VIEW = View(after(12), timedelta(minutes=3), ZoneInfo("Europe/Berlin"))
SNAPSHOT = make_snapshot(
    80_000.0, hvl=78_000.0, call_resistance=85_000.0, put_support=None, one_day=1_600.0
)


def test_a_digest_says_where_each_symbol_stands_and_how_old_that_is():
    card = digest_card({BTC: SNAPSHOT}, (), VIEW)

    assert card.title == "Daily digest, 13:00 CET"
    assert card.tables[0].title == "BTC $80,000, positive, 12 s old"
    assert card.tables[0].rows == (
        ("HVL", "$78,000", "-2.50%"),
        ("Call Resistance", "$85,000", "+6.25%"),
        ("Put Support", "none", ""),
        ("1D Max", "$81,600", "+2.00%"),
        ("1D Min", "$78,400", "-2.00%"),
    )


def test_old_data_is_marked_and_missing_data_named():
    late = View(after(600), VIEW.stale_after, VIEW.zone)

    card = digest_card({BTC: SNAPSHOT, ETH: None}, (), late)

    assert card.tables[0].title == "BTC $80,000, positive, STALE, 10 min old"
    assert card.tone == "stale"
    assert "ETH: no data yet" in card.lines


def test_a_digest_fits_a_phone():
    lines = plain_lines(digest_card({BTC: SNAPSHOT, ETH: None}, ("rang",), VIEW))

    assert max(map(len, lines)) <= 34


def test_a_digest_leads_to_the_levels():
    card = digest_card({BTC: SNAPSHOT, ETH: None}, (), VIEW)

    assert [action.line for action in card.actions] == ["levels btc", "levels eth"]


def test_in_one_line_it_still_says_the_most():
    assert digest_text({BTC: SNAPSHOT, ETH: None}) == "Daily digest: BTC $80,000 positive"
    assert digest_text({BTC: None}) == "Daily digest: no data yet"


def test_what_rang_in_the_last_day_is_told_the_latest_first():
    rules = [make_rule("btc hvl cross", identity=identity) for identity in "123"]
    states = {"1": RuleState(after(-7_200), 4), "2": RuleState(after(-60), 1)}
    states["3"] = RuleState(after(-90_000), 9)

    lines = rings_of_day(rules, states, VIEW)

    assert lines == ("rang 12:59 CET: btc hvl cross any", "rang 11:00 CET: btc hvl cross any")


def test_of_many_rules_that_rang_the_latest_are_told_and_the_others_counted():
    rules = [make_rule("btc hvl cross", identity=str(number)) for number in range(9)]
    states = {str(number): RuleState(after(-number), 1) for number in range(9)}

    lines = rings_of_day(rules, states, VIEW)

    assert (len(lines), lines[-1]) == (6, "… and 4 more rules")
