from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.events import Alert
from bot.core.retry import doubted, is_spent, retry_delay
from tests.service.builders import BTC, NOON, after

RING = Alert("a", NOON, "1", "telegram:1", BTC, "BTC rings", after(900))
TWO_MINUTES = timedelta(minutes=2)


def test_the_delay_doubles_up_to_five_minutes():
    seconds = [retry_delay(attempts).total_seconds() for attempts in (0, 1, 2, 3, 8, 9, 1_000)]

    assert seconds == [1, 2, 4, 8, 256, 300, 300]


@given(attempts=st.integers(0, 10**6), asked=st.floats(0, 10**6))
def test_the_platforms_own_delay_is_never_undercut(attempts, asked):
    assert retry_delay(attempts, asked) >= timedelta(seconds=asked)


@given(attempts=st.integers(0, 10**6), asked=st.floats(0, 300) | st.none())
def test_the_delay_never_shrinks_from_one_attempt_to_the_next(attempts, asked):
    assert retry_delay(attempts, asked) <= retry_delay(attempts + 1, asked)


def doubted_at(seconds, known_for):
    """The ring after doubtful sends at these times, as far as it is sent at all."""
    ring, sends = RING, 0
    for second in seconds:
        if not is_spent(ring, after(second), known_for):
            ring, sends = doubted(ring, after(second), known_for), sends + 1
    return sends, ring.doubts


def test_what_perhaps_arrived_is_sent_once_more_where_nothing_tells_a_repeat():
    assert doubted_at((0, 1, 2, 4), timedelta()) == (2, 2)


def test_what_the_platform_knows_again_is_sent_as_often_as_it_takes_while_it_does():
    assert doubted_at((0, 1, 3, 7, 15, 119), TWO_MINUTES) == (6, 1)
    assert doubted_at((0, 119, 121, 130, 240), TWO_MINUTES) == (5, 2)
    assert doubted_at((0, 300, 600), TWO_MINUTES) == (2, 2)


@given(seconds=st.lists(st.floats(0, 2_000)).map(sorted))
def test_never_more_than_two_messages_can_have_been_made(seconds):
    ring, made = RING, []
    for second in seconds:
        if is_spent(ring, after(second), TWO_MINUTES):
            continue
        ring = doubted(ring, after(second), TWO_MINUTES)
        if not made or after(second) - made[-1] >= TWO_MINUTES:
            made.append(after(second))  # the platform had forgotten the one before

    assert len(made) <= 2
