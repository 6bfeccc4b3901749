from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.api.parameters import (
    MOST_UNKNOWN,
    expiry,
    names,
    one_of,
    parse_query,
    some_of,
    whole,
)

WORDS = ("candles", "ranked", "spot")
TABLE = (
    one_of("symbol", "whose", ("BTCUSDT", "ETHUSDT"), "BTCUSDT"),
    some_of("include", "what", WORDS),
    names("symbols", "which", 3, ("A",)),
    whole("days", "how many", 1, 30, 7),
    expiry("expiry", "which"),
)
GOOD = "symbols=A"
PROBLEMS = {"unknown", "missing", "repeated", "value"}


def kinds(query):
    return [problem.type for problem in query.problems]


def test_what_is_left_out_has_its_default():
    query = parse_query(GOOD, TABLE)

    assert query.problems == []
    assert query.values == {
        "symbol": "BTCUSDT",
        "include": (),
        "symbols": ("A",),
        "days": 7,
        "expiry": "all",
    }


@given(st.lists(st.sampled_from(WORDS), min_size=1))
def test_the_same_words_in_any_order_and_number_are_one_query(words):
    query = parse_query(urlencode({"include": ",".join(words), "symbols": "A"}), TABLE)

    assert query.values["include"] == tuple(word for word in WORDS if word in words)


@given(st.lists(st.from_regex("[A-Z0-9]{1,12}", fullmatch=True), min_size=1, max_size=3))
def test_names_are_kept_in_their_order_each_once(words):
    query = parse_query(f"symbols={','.join(words)}", TABLE)

    assert query.values["symbols"] == tuple(dict.fromkeys(words))


@given(st.text())
def test_no_query_string_is_too_odd(text):
    query = parse_query(text, TABLE)

    assert set(kinds(query)) <= PROBLEMS
    for problem in query.problems:
        problem.msg.encode()
        assert len(problem.msg) < 500


def test_of_a_thousand_unknown_names_few_are_told():
    query = parse_query("&".join([GOOD, *(f"a{number}" for number in range(1_000))]), TABLE)

    assert kinds(query) == ["unknown"] * MOST_UNKNOWN


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_each_parameter_is_either_read_or_told_as_a_problem(given_values):
    query = parse_query(urlencode(given_values), TABLE)

    told = {problem.loc[1] for problem in query.problems}
    assert query.values.keys() | told >= {parameter.name for parameter in TABLE}
    assert not query.values.keys() & told


@pytest.mark.parametrize("parameter", TABLE, ids=lambda one: one.name)
@given(value=st.text())
def test_a_value_is_read_or_refused_with_a_reason(parameter, value):
    query = parse_query(urlencode({parameter.name: value}), [parameter])

    assert query.values or [problem.msg for problem in query.problems if problem.msg]


@pytest.mark.parametrize("name", [parameter.name for parameter in TABLE])
def test_a_repeated_parameter_is_refused_even_with_the_same_value(name):
    query = parse_query(f"{GOOD}&{name}=x&{name}=x", TABLE)

    assert "repeated" in kinds(query)


def test_a_slip_of_the_pen_gets_the_word_that_was_meant():
    query = parse_query(f"{GOOD}&symbl=BTCUSDT&include=candels", TABLE)

    assert [problem.msg for problem in query.problems] == [
        "no parameter 'symbl'; did you mean symbol?",
        "no 'candels'; did you mean candles?",
    ]


@pytest.mark.parametrize(
    "value", ["all", "0dte", "2026-03-27", "27MAR26", "27mar26", "7MAR26", "07MAR26"]
)
def test_an_expiry_in_each_way_it_is_written(value):
    assert parse_query(f"{GOOD}&expiry={value}", TABLE).values["expiry"] == value


@pytest.mark.parametrize(
    "value",
    ["", "32MAR26", "27FOO26", "2026-3-27", "2026-13-01", "2026-03-32", "0DTE", "27MAR2026", "ALL"],
)
def test_what_is_no_expiry(value):
    assert kinds(parse_query(f"{GOOD}&expiry={value}", TABLE)) == ["value"]


@pytest.mark.parametrize("value", ["", "+1", "1.0", "1e1", "٣", "0x1", " 1", "1 ", "9" * 50])
def test_what_is_no_whole_number(value):
    assert kinds(parse_query(urlencode({"symbols": "A", "days": value}), TABLE)) == ["value"]
