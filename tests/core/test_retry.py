from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.retry import retry_delay


def test_the_delay_doubles_up_to_five_minutes():
    seconds = [retry_delay(attempts).total_seconds() for attempts in (0, 1, 2, 3, 8, 9, 1_000)]

    assert seconds == [1, 2, 4, 8, 256, 300, 300]


@given(attempts=st.integers(0, 10**6), asked=st.floats(0, 10**6))
def test_the_platforms_own_delay_is_never_undercut(attempts, asked):
    assert retry_delay(attempts, asked) >= timedelta(seconds=asked)


@given(attempts=st.integers(0, 10**6), asked=st.floats(0, 300) | st.none())
def test_the_delay_never_shrinks_from_one_attempt_to_the_next(attempts, asked):
    assert retry_delay(attempts, asked) <= retry_delay(attempts + 1, asked)
