import pytest

from bot.core.chats import Feed
from bot.core.packs import PACKS, feed_rules, pack_text
from bot.core.rules import default_rules, rule_text

SYMBOLS = ("BTCUSDT", "ETHUSDT")


def test_the_default_pack_is_what_rings_where_nobody_asked_for_anything():
    rules = feed_rules(Feed(("BTCUSDT",), "default"), "discord:42")

    wanted = [rule_text(rule) for rule in default_rules("BTCUSDT", "")]
    assert [rule_text(rule) for rule in rules] == wanted
    assert {rule.target for rule in rules} == {"discord:42"}


def test_the_pack_of_crossings_has_nothing_else():
    rules = feed_rules(Feed(SYMBOLS, "crossings"), "discord:42")

    assert {rule.kind for rule in rules} == {"cross"}
    assert {rule.symbol for rule in rules} == set(SYMBOLS)


@pytest.mark.parametrize("pack", PACKS)
def test_each_rule_of_each_feed_has_an_id_that_stays(pack):
    feeds = [feed_rules(Feed(SYMBOLS, pack), target) for target in ("discord:42", "discord:43")]

    ids = [rule.id for rules in feeds for rule in rules]
    assert len(set(ids)) == len(ids)
    assert ids[0] == "feed:discord:42:btc hvl cross any"
    assert not any(one.isdigit() for one in ids)  # as those of rules that people made


def test_a_pack_of_another_version_is_taken_for_the_default_one():
    unknown = feed_rules(Feed(("BTCUSDT",), "deluxe"), "discord:42")

    assert unknown == feed_rules(Feed(("BTCUSDT",), "default"), "discord:42")


def test_a_pack_is_told_in_the_words_of_the_trade():
    assert pack_text("default") == (
        "crossings of HVL, Call Resistance, Put Support, HVL 0DTE, Call Resistance 0DTE, "
        "Put Support 0DTE, Flip; regime changes; moves by 1 % of HVL, Call Resistance, Put Support"
    )
