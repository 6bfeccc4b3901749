"""Which sessions of a holder were ended."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from bot.core.sessions import MOST_ENDED, has_ended, name_session, with_ended

NAMES = st.builds(name_session, st.integers(0, 300), st.sampled_from(["aa", "bb"]))
MANY = st.lists(NAMES, max_size=3 * MOST_ENDED)


def end(names):
    return reduce(lambda ended, name: with_ended(name, ended), names, [])


@given(st.lists(st.integers(0, 300), min_size=MOST_ENDED // 2, max_size=3 * MOST_ENDED))
def test_what_was_ended_stays_ended_and_few_names_are_kept(times):
    names = [name_session(at, "aa") for at in times]
    ended = end(names)

    assert all(has_ended(name, ended) for name in names)
    assert len(ended) <= MOST_ENDED


@given(st.lists(NAMES, max_size=MOST_ENDED), NAMES)
def test_of_not_so_many_none_but_those_have_ended(names, name):
    assert has_ended(name, end(names[:-1])) == (name in names[:-1])


@given(MANY)
def test_one_that_was_opened_after_all_that_ended_goes_on(names):
    assert not has_ended(name_session(301, "aa"), end(names))


@given(st.lists(st.floats(0, 9e9)))
def test_names_stand_in_the_order_of_their_opening(times):
    names = [name_session(at, "") for at in sorted(times)]

    assert names == sorted(names)
