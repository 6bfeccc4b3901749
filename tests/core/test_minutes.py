from datetime import UTC, datetime, timedelta
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from bot.core.minutes import Minute, merge, minute_of
from bot.core.snapshot import Tick

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SPOTS = st.lists(st.floats(0.01, 1e6), min_size=1)


def tick(spot, seconds=0.0, symbol="BTCUSDT"):
    return Tick(symbol, NOON + timedelta(seconds=seconds), spot, "deribit index")


def fold(spots):
    return reduce(merge, (minute_of(tick(spot)) for spot in spots), None)


def test_a_minute_begins_with_its_first_microsecond_and_ends_with_its_last():
    starts = [minute_of(tick(1.0, seconds)).at for seconds in (0, 59.999999, 60, -0.000001)]

    minute = timedelta(minutes=1)
    assert starts == [NOON, NOON, NOON + minute, NOON - minute]


def test_one_tick_is_all_four_prices():
    assert minute_of(tick(80_000.5, 7)) == Minute(
        "BTCUSDT", NOON, 80_000.5, 80_000.5, 80_000.5, 80_000.5, 1
    )


@given(spots=SPOTS)
def test_a_minute_tells_the_first_the_highest_the_lowest_and_the_last_of_its_ticks(spots):
    minute = fold(spots)

    prices = (minute.open, minute.high, minute.low, minute.close)
    assert prices == (spots[0], max(spots), min(spots), spots[-1])
    assert minute.ticks == len(spots)


@given(first=SPOTS, second=SPOTS, third=SPOTS)
def test_parts_of_a_minute_may_be_merged_in_any_grouping(first, second, third):
    parts = [fold(spots) for spots in (first, second, third)]

    whole = fold([*first, *second, *third])

    assert merge(merge(parts[0], parts[1]), parts[2]) == whole
    assert merge(parts[0], merge(parts[1], parts[2])) == whole
