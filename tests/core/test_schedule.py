from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.chain import milliseconds
from bot.core.schedule import next_collect
from tests.service.builders import NOON, after

QUARTER = timedelta(minutes=15)
FAR = (NOON - timedelta(days=1), NOON + timedelta(days=1))
MOMENTS = st.datetimes(*(moment.replace(tzinfo=None) for moment in FAR), timezones=st.just(UTC))


def milliseconds_of(*moments):
    return [int(milliseconds(moment)) for moment in moments]


def test_a_symbol_is_due_at_each_multiple_of_the_interval_on_the_clock():
    assert next_collect(after(61.5), [], QUARTER) == after(900)


def test_a_symbol_that_was_collected_on_time_is_due_one_interval_later():
    assert next_collect(after(900), [], QUARTER) == after(1_800)


def test_an_expiry_in_between_comes_first():
    expiries = milliseconds_of(NOON, after(400), after(300.5), after(5_000))

    assert next_collect(after(0), expiries, QUARTER) == after(300.5)


def test_an_expiry_is_collected_once():
    assert next_collect(after(300), milliseconds_of(after(300)), QUARTER) == after(900)


@given(
    start=MOMENTS,
    expiries=st.lists(MOMENTS.map(lambda moment: moment.replace(microsecond=0)), max_size=5),
    every=st.integers(30, 7_200).map(lambda seconds: timedelta(seconds=seconds)),
)
def test_going_from_one_due_time_to_the_next_meets_every_expiry_and_every_turn(
    start, expiries, every
):
    ends, met, now = start + timedelta(hours=2), set(), start

    while now <= ends:
        now = next_collect(now, milliseconds_of(*expiries), every)
        met.add(now)

    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    turns = {moment for moment in met if (moment - epoch) % every == timedelta(0)}
    assert {moment for moment in expiries if start < moment <= ends} <= met
    assert met <= turns | set(expiries)
    assert len(turns) >= timedelta(hours=2) // every
