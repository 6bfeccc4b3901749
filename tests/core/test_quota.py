"""Numbers drawn from the count of a minute."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.quota import PARTS, Count, Drawn, allowed, draw, enough, reset_at, start_of
from tests.fakes import NOON

wishes = st.lists(st.integers(1, 9), max_size=30)


@given(wanted=wishes, limit=st.integers(1, 50))
def test_a_minute_gives_its_limit_and_no_more(wanted, limit):
    totals = accumulate(wanted)

    given_out = [allowed(drawn, one, limit) for drawn, one in zip(totals, wanted, strict=True)]

    left = limit
    for one, drawn in zip(wanted, given_out, strict=True):
        assert drawn.taken == min(one, left)
        left -= drawn.taken
        assert drawn.left == left


@given(st.lists(st.tuples(st.integers(10, 11), st.integers(1, 9)), max_size=30))
def test_clocks_a_minute_apart_never_give_a_minute_back(draws):
    count, seen = None, []
    for minute, wanted in draws:
        count = draw(count, minute, wanted)
        seen.append(count)

    minutes = [one.minute for one in seen]
    assert minutes == sorted(minutes)
    for minute in (10, 11):
        drawn = [one.drawn for one in seen if one.minute == minute]
        assert drawn == sorted(set(drawn))


@pytest.mark.parametrize(
    ("minute", "then"),
    [
        (9, Count(9, 2)),  # a clock far behind, or what is stored is of one far ahead
        (10, Count(11, 7)),
        (11, Count(11, 7)),
        (12, Count(12, 2)),
        (99, Count(99, 2)),
    ],
)
def test_a_minute_goes_on_for_whoever_is_a_little_behind(minute, then):
    assert draw(Count(11, 5), minute, 2) == then


def test_what_is_above_the_limit_is_nobodys():
    assert allowed(drawn=7, wanted=4, limit=5) == Drawn(2, 0)
    assert allowed(drawn=11, wanted=4, limit=5) == Drawn(0, 0)


@given(waiting=st.integers(1, 300), left=st.integers(1, 100_000))
def test_enough_serves_who_waits_and_holds_back_little(waiting, left):
    drawn = enough(waiting, left)

    assert 1 <= drawn <= left
    assert drawn >= min(waiting, left)
    assert drawn - waiting <= max(0, left // PARTS - 1)


def test_minutes_begin_and_end_with_the_clocks():
    assert start_of(int(NOON.timestamp()) // 60) == NOON
    assert reset_at(NOON.timestamp()) == NOON.timestamp() + 60
    assert reset_at(NOON.timestamp() + 59.999) == NOON.timestamp() + 60
