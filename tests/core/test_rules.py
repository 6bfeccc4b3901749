from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.crossings import BUFFER, MOVE
from bot.core.rules import (
    LEVEL_NAMES,
    Rule,
    RuleState,
    default_rules,
    duration_text,
    is_due,
    parse_duration,
    parse_rule,
    rule_text,
    watches_of,
)
from bot.errors import UserError
from tests.service.builders import NOON, SYMBOLS, TARGET, after, make_rule

MINUTE = timedelta(minutes=1)


def parse(line):
    return parse_rule(line, SYMBOLS, TARGET)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (
            "btc hvl cross down buffer 0.1% cooldown 30m",
            Rule("", TARGET, "BTCUSDT", "cross", "hvl", "down", 0.001, 30 * MINUTE),
        ),
        ("btc 70000 cross any once", Rule("", TARGET, "BTCUSDT", "cross", "70000", times=1)),
        ("BTCUSDT HVL CROSS", Rule("", TARGET, "BTCUSDT", "cross", "hvl")),
        ("btc hvl", Rule("", TARGET, "BTCUSDT", "cross", "hvl")),
        ("btc hvl once", Rule("", TARGET, "BTCUSDT", "cross", "hvl", times=1)),
        ("btc hvl 3 times", Rule("", TARGET, "BTCUSDT", "cross", "hvl", times=3)),
        (
            "btc hvl moved 3 times",
            Rule("", TARGET, "BTCUSDT", "moved", "hvl", threshold=MOVE, times=3),
        ),
        ("eth 0dte.hvl cross up", Rule("", TARGET, "ETHUSDT", "cross", "odte.hvl", "up")),
        ("btc $70,000.50 cross", Rule("", TARGET, "BTCUSDT", "cross", "70000.5")),
        ("btc 70.5k cross", Rule("", TARGET, "BTCUSDT", "cross", "70500")),
        ("sol flip moved", Rule("", TARGET, "SOLUSDT", "moved", "flip", threshold=MOVE)),
        ("sol flip moved 2", Rule("", TARGET, "SOLUSDT", "moved", "flip", threshold=0.02)),
        ("hype regime 3 times", Rule("", TARGET, "HYPEUSDT", "regime", times=3)),
        (
            "btc hvl cross once always ttl 2h",
            Rule("", TARGET, "BTCUSDT", "cross", "hvl", time_to_live=120 * MINUTE),
        ),
    ],
)
def test_one_line_says_it_all(line, rule):
    assert parse(line) == rule


def test_the_default_sizes_said_aloud_are_the_default_sizes():
    spoken = [parse("btc hvl cross buffer 0.05%"), parse("btc hvl moved 1%")]

    assert [rule.threshold for rule in spoken] == [BUFFER, MOVE]
    assert spoken[0] == parse("btc hvl cross")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "a rule needs a symbol and a level"),
        ("btc", "a rule needs a symbol and a level"),
        ("bct hvl cross", "did you mean BTC"),
        ("btc hvll cross", "did you mean hvl"),
        ("btc call_resistence cross", "did you mean call_resistance"),
        ("btc odte.hv cross", "did you mean odte.hvl"),
        ("btc xyzzy cross", "levels: hvl, call_resistance"),
        ("btc hvl crosses", "'crosses' is no event; did you mean cross?"),
        ("btc regime cross any", "regime has no event; write it like: btc regime"),
        ("btc 0 cross", "a price is above 0"),
        ("btc 70000 moved", "a price does not move"),
        ("btc hvl cross sideways", "'sideways' is not understood"),
        ("btc hvl cross buffer", "'buffer' is not understood"),
        ("btc hvl cross buffer 51%", "no percentage from 0% to 50%"),
        ("btc hvl cross buffer -1%", "no percentage"),
        ("btc hvl cross buffer nan%", "no percentage"),
        ("btc hvl moved 0%", "no percentage from 0.01% to 50%"),
        ("btc hvl moved 1% buffer 1%", "moved has no buffer"),
        ("btc regime buffer 1%", "regime has no buffer"),
        ("btc hvl cross cooldown soon", "'soon' is no duration"),
        ("btc hvl cross ttl 7.1d", "a ring waits 7d at most"),
        ("btc hvl cross 0 times", "'0' is not understood"),
        ("btc hvl cross 3 thrice", "'3' is not understood"),
    ],
)
def test_a_wrong_line_is_answered_with_what_is_wrong(line, complaint):
    with pytest.raises(UserError, match=complaint):
        parse(line)


SYMBOL_WORDS = ("btc", "eth", "doge", "regime", "$", "İ")
LEVEL_WORDS = ("hvl", "flip", "odte.hvl", "70000", "70k", "$1,5", "1e9", "-1", ".", "k")
OPTION_WORDS = ("cross", "moved", "any", "up", "down", "buffer", "cooldown", "ttl", "once", "times")
VALUE_WORDS = ("3", "0.1%", "1%", "99%", "%", "30m", "2h", "999999999d", "٣", "²", "½")
WORDS = st.sampled_from((*SYMBOL_WORDS, *LEVEL_WORDS, *OPTION_WORDS, *VALUE_WORDS))


@given(st.lists(WORDS | st.text(max_size=8), max_size=9).map(" ".join))
def test_any_line_is_a_rule_or_a_users_error_of_one_line(line):
    try:
        answer = parse(line).symbol
    except UserError as error:
        answer = str(error)

    assert answer in SYMBOLS or answer.isprintable()


def test_a_duration_without_end_is_a_users_error():
    with pytest.raises(UserError):
        parse("btc hvl cross cooldown 999999999.99999999d")


def test_a_time_to_live_beyond_the_calendar_is_a_users_error():
    with pytest.raises(UserError):
        parse("btc hvl cross ttl 9999999d")


PERCENTS = st.decimals("0.01", "50", places=4)
DURATIONS = st.builds(
    timedelta,
    days=st.integers(0, 90),
    seconds=st.integers(0, 86_399),
    milliseconds=st.integers(0, 999),
)
LIVES = DURATIONS.map(lambda duration: min(duration, timedelta(days=7)))
ASKED_PRICES = st.decimals("0.0001", "9999999", places=4).map(lambda price: f"{price:f}")
RULES = st.one_of(
    st.builds(
        "{} {} cross {} buffer {}%".format,
        st.sampled_from(SYMBOLS),
        st.sampled_from(LEVEL_NAMES) | ASKED_PRICES,
        st.sampled_from(("any", "up", "down")),
        PERCENTS,
    ),
    st.builds(
        "{} {} moved {}%".format, st.sampled_from(SYMBOLS), st.sampled_from(LEVEL_NAMES), PERCENTS
    ),
    st.builds("{} regime".format, st.sampled_from(SYMBOLS)),
).map(parse)


@given(rule=RULES, times=st.integers(0, 10**5), cooldown=DURATIONS, time_to_live=LIVES)
def test_a_rules_line_makes_the_same_rule(rule, times, cooldown, time_to_live):
    rule = replace(rule, times=times, cooldown=cooldown, time_to_live=time_to_live)

    assert parse(rule_text(rule)) == rule


@pytest.mark.parametrize("line", ["btc 0.00001 cross", "btc hvl cross cooldown 0.00001s"])
def test_the_line_of_a_rule_with_a_very_small_number_makes_the_same_rule(line):
    assert parse(rule_text(parse(line))) == parse(line)


@given(DURATIONS)
def test_a_durations_text_means_the_same_duration(duration):
    assert parse_duration(duration_text(duration)) == duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [("30s", MINUTE / 2), ("15m", 15 * MINUTE), ("1.5h", 90 * MINUTE), ("1d", 1_440 * MINUTE)],
)
def test_a_duration_is_a_number_and_its_unit(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "30", "m", "-5m", "5 m", "1e3s", "five m", "1w"])
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="write it like"):
        parse_duration(text)


def test_a_duration_is_written_in_its_largest_whole_unit():
    durations = (timedelta(seconds=90), 90 * MINUTE, timedelta(hours=48))

    assert [duration_text(one) for one in durations] == ["90s", "90m", "2d"]


def test_the_default_pack_is_the_documented_one():
    lines = [rule_text(rule) for rule in default_rules("BTCUSDT", TARGET)]

    assert lines == [
        "btc hvl cross any",
        "btc call_resistance cross any",
        "btc put_support cross any",
        "btc odte.hvl cross any",
        "btc odte.call_resistance cross any",
        "btc odte.put_support cross any",
        "btc flip cross any",
        "btc regime",
        "btc hvl moved 1%",
        "btc call_resistance moved 1%",
        "btc put_support moved 1%",
    ]


def test_the_rules_of_the_default_packs_have_ids_of_their_own():
    rules = [rule for symbol in SYMBOLS for rule in default_rules(symbol, TARGET)]

    assert len({rule.id for rule in rules}) == len(rules)
    assert default_rules("BTCUSDT", TARGET) == default_rules("BTCUSDT", TARGET)


def test_rules_are_watched_with_their_own_sizes_and_prices():
    lines = (
        "btc hvl cross buffer 1%",
        "btc hvl cross",
        "btc 70000 cross",
        "btc flip moved 2%",
        "btc regime",
    )

    watches = watches_of(map(make_rule, lines))

    assert watches.buffers == {"hvl": {BUFFER, 0.01}, "70000": {BUFFER}}
    assert watches.moves == {"flip": {0.02}}
    assert watches.prices == {70_000.0}


def test_a_rule_that_never_rang_is_due():
    assert is_due(make_rule("btc hvl cross"), None, NOON)


@pytest.mark.parametrize(("seconds", "due"), [(0, False), (899, False), (900, True), (5_000, True)])
def test_a_rule_rests_for_its_cooldown(seconds, due):
    state = RuleState(NOON, 7)

    assert is_due(make_rule("btc hvl cross"), state, after(seconds)) is due


@pytest.mark.parametrize(
    ("option", "due"), [("once", [True, False]), ("3 times", [True] * 3 + [False])]
)
def test_a_rule_with_a_number_of_times_is_done_after_them(option, due):
    rule = make_rule(f"btc hvl cross cooldown 0s {option}")
    states = [RuleState(NOON, rings) if rings else None for rings in range(len(due))]

    assert [is_due(rule, state, after(9_999)) for state in states] == due


@example(17)
@given(st.integers(0, 10_000))
def test_a_due_rule_stays_due_until_it_rings(seconds):
    rule, state = make_rule("btc hvl cross cooldown 10m"), RuleState(NOON, 1)

    assert is_due(rule, state, after(seconds)) is (seconds >= 600)
