import pytest

from bot.core.chats import Chat, Feed
from bot.core.packs import PACKS, feed_rules, pack_text
from bot.core.rules import default_rules, rule_text

SYMBOLS = ("BTCUSDT", "ETHUSDT")


def fed(symbols=SYMBOLS, pack="default", target="discord:42", **fields):
    """A chat with that feed."""
    return Chat(target, feed=Feed(symbols, pack), **fields)


def test_the_default_pack_is_what_rings_where_nobody_asked_for_anything():
    rules = feed_rules(fed(("BTCUSDT",)))

    wanted = [rule_text(rule) for rule in default_rules("BTCUSDT", "")]
    assert [rule_text(rule) for rule in rules] == wanted
    assert {rule.target for rule in rules} == {"discord:42"}


def test_the_pack_of_crossings_has_nothing_else():
    rules = feed_rules(fed(pack="crossings"))

    assert {rule.kind for rule in rules} == {"cross"}
    assert {rule.symbol for rule in rules} == set(SYMBOLS)


@pytest.mark.parametrize("pack", PACKS)
def test_each_rule_of_each_feed_has_an_id_that_stays(pack):
    feeds = [feed_rules(fed(pack=pack, target=one)) for one in ("discord:42", "discord:43")]

    ids = [rule.id for rules in feeds for rule in rules]
    assert len(set(ids)) == len(ids)
    assert ids[0] == "feed:discord:42:btc hvl cross any"
    assert not any(one.isdigit() for one in ids)  # as those of rules that people made


def test_a_pack_of_another_version_is_taken_for_the_default_one():
    unknown = feed_rules(fed(("BTCUSDT",), "deluxe"))

    assert unknown == feed_rules(fed(("BTCUSDT",)))


def test_a_feed_keeps_its_ids_when_its_chat_moves():
    before = feed_rules(fed(target="telegram:-1"))
    after = feed_rules(fed(target="telegram:-1001", origin="telegram:-1"))

    assert [rule.id for rule in after] == [rule.id for rule in before]
    assert {rule.target for rule in after} == {"telegram:-1001"}


def test_a_chat_without_a_feed_and_one_that_is_gone_have_no_rules_of_it():
    assert feed_rules(Chat("discord:42")) == feed_rules(fed(state="gone")) == []


def test_a_pack_is_told_in_the_words_of_the_trade():
    assert pack_text("default") == (
        "crossings of HVL, Call Resistance, Put Support, HVL 0DTE, Call Resistance 0DTE, "
        "Put Support 0DTE, Flip; regime changes; moves by 1 % of HVL, Call Resistance, Put Support"
    )
