import asyncio
import math
from datetime import timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import NotListed, SourceError
from bot.exchanges.parts import Parts
from bot.exchanges.rows import (
    Listings,
    decode_named,
    decode_rows,
    num,
    past,
    positive,
    prices,
    stamps,
    to_candles,
    told_expiry,
    told_strike,
)
from tests.exchanges.test_any_body import ANYTHING
from tests.exchanges.wires import NOW, NOW_MS, as_body

HALF_HOUR_MS = 1_800_000
SPAN_MS = 48 * 3_600_000
NO_NUMBERS = [None, "", "none", True, [], {}, "1_0"]


class Part(msgspec.Struct):
    number: float = math.nan


class Line(msgspec.Struct, rename="camel"):
    name: str
    open_interest: float = math.nan
    part: Part = msgspec.field(default_factory=Part)


def rows_of(*rows):
    return decode_rows("venue", msgspec.Raw(as_body(rows)), Line)


def candle(at, close="1.5"):
    return [at, "1", "2", "0.5", close, "7"]


VALUES = ANYTHING | st.floats().map(repr) | st.decimals().map(str) | st.integers().map(str)


@settings(max_examples=500)
@given(value=VALUES)
def test_a_number_of_a_row_is_read_as_any_number_is(value):
    [row] = rows_of({"name": "x", "openInterest": value})

    read = msgspec.json.decode(as_body(value))
    np.testing.assert_equal(row.open_interest + 0.0, num(read) + 0.0)  # zero has no sign here


@settings(max_examples=200)
@given(value=VALUES)
def test_a_number_in_a_part_of_a_row_too(value):
    [row] = rows_of({"name": "x", "part": {"number": value}})

    read = msgspec.json.decode(as_body(value))
    np.testing.assert_equal(row.part.number + 0.0, num(read) + 0.0)


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number_costs_neither_its_row_nor_the_others_anything_else(value):
    odd = {"name": "x", "openInterest": value, "part": {"number": "2.5"}}

    rows = rows_of(odd, {"name": "y", "openInterest": "3.5"})

    assert (rows[0].name, rows[0].part.number) == ("x", 2.5)
    assert math.isnan(rows[0].open_interest)
    assert rows[1].open_interest == 3.5


@pytest.mark.parametrize("row", [None, 5, "x", [], {}, {"name": None}, {"name": 5}])
def test_a_row_of_another_shape_is_none_in_its_place(row):
    rows = rows_of({"name": "x", "openInterest": "1.5"}, row)

    assert rows[0].open_interest == 1.5
    assert rows[1] is None


@pytest.mark.parametrize("part", ["none", [], 0, True])
def test_a_part_of_another_shape_costs_its_row(part):
    assert rows_of({"name": "x", "part": part}) == [None]


def test_a_part_that_is_null_has_no_numbers():
    [row] = rows_of({"name": "x", "openInterest": "1.5", "part": None})

    assert row.open_interest == 1.5
    assert math.isnan(row.part.number)


def test_what_nobody_reads_costs_an_odd_row_nothing():
    body = b'[{"name": "x", "openInterest": "", "other": 1e999}]'

    [row] = decode_rows("venue", msgspec.Raw(body), Line)

    assert row.name == "x"


def test_rows_by_name_are_read_alike():
    body = as_body({"a": {"name": "x", "openInterest": "1.5"}, "b": {"name": "y", "part": None}})

    rows = decode_named("venue", msgspec.Raw(body), Line)

    assert rows["a"].open_interest == 1.5
    assert math.isnan(rows["b"].open_interest)


@pytest.mark.parametrize("body", [b"{}", b"null", b"5", b'[{"name": "x"}', b""])
def test_what_is_no_list_is_a_source_error(body):
    with pytest.raises(SourceError, match=r"^venue: unreadable answer"):
        decode_rows("venue", msgspec.Raw(body), Line)


@given(values=st.lists(st.floats()))
def test_columns_are_cleaned_as_single_values_are(values):
    cleaned, stamped = prices(values), stamps(values, NOW_MS)

    np.testing.assert_array_equal(cleaned, [positive(value) for value in values])
    assert stamped.tolist() == [int(past(value, NOW_MS)) for value in values]


def test_candles_are_those_of_48_hours_ascending():
    times = [NOW_MS + HALF_HOUR_MS, NOW_MS, NOW_MS - SPAN_MS + 1, NOW_MS - SPAN_MS]

    candles = to_candles("venue", map(candle, times), NOW)

    opened = [one.datetime - NOW for one in candles]
    assert opened == [timedelta(milliseconds=1) - timedelta(hours=48), timedelta(0)]


@pytest.mark.parametrize("close", ["", "nan", None, "inf"])
def test_an_unreadable_candle_of_another_time_costs_nothing(close):
    lines = [candle(NOW_MS - SPAN_MS, close), candle(NOW_MS)]

    assert [one.close for one in to_candles("venue", lines, NOW)] == [1.5]


@pytest.mark.parametrize("line", [candle(NOW_MS, ""), candle("soon"), candle(NOW_MS)[:5], []])
def test_an_unreadable_candle_of_these_hours_or_of_no_time_is_a_source_error(line):
    with pytest.raises(SourceError, match=r"^venue: unreadable candle"):
        to_candles("venue", [candle(NOW_MS - HALF_HOUR_MS), line], NOW)


DAY_MS = 86_400_000


@given(told=st.floats() | st.floats(NOW_MS - 2 * DAY_MS, NOW_MS + 2 * DAY_MS))
def test_an_expiry_is_within_a_day_of_the_one_in_the_name(told):
    expiry = told_expiry(told, NOW_MS)

    assert expiry == (int(told) if abs(told - NOW_MS) < DAY_MS else NOW_MS)
    assert abs(expiry - NOW_MS) < DAY_MS


@pytest.mark.parametrize("told", [0.0, -5.0, math.nan, math.inf, 1e16])
def test_a_strike_that_can_be_none_is_that_of_the_name(told):
    assert told_strike(told, 77.5) == 77.5
    assert told_strike(78.0, 77.5) == 78.0


class Venue:
    """Lists what it is given, when it is told to, at a time that the test moves."""

    def __init__(self, keep=timedelta(minutes=5)):
        self.time = NOW
        self.asked = 0
        self.listed = {"a": 1}
        self.told = asyncio.Event()
        self.told.set()
        parts = Parts("venue", self.now, keep)
        self.listings = Listings(parts, self.now, keep)

    def now(self):
        return self.time

    async def get(self, **later):
        self.time += timedelta(**later)
        return await self.listings.get("key", self.fetch)

    async def fetch(self):
        self.asked += 1
        listed = self.listed
        await self.told.wait()
        if isinstance(listed, Exception):
            raise listed
        return listed


FAILURES = [SourceError("venue", "down"), NotListed("venue", "not in this recording")]


async def settle():
    """Let every call go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_list_is_asked_for_once_an_hour():
    venue = Venue()

    listed = [await venue.get(minutes=minutes) for minutes in (0, 30, 29)]
    asked = venue.asked
    venue.listed = {"a": 2}
    listed.append(await venue.get(minutes=1))
    await settle()
    listed.append(await venue.get())

    assert (asked, venue.asked) == (1, 2)
    assert listed[:3] == [{"a": 1}] * 3
    assert listed[-1] == {"a": 2}


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_list_that_was_never_heard_is_empty_and_asked_for_once_a_minute(failure):
    venue = Venue()
    venue.listed = failure

    empty = [await venue.get(seconds=seconds) for seconds in (0, 30, 29)]
    asked = venue.asked
    venue.listed = {"a": 1}
    await venue.get(seconds=1)
    await settle()

    assert empty == [{}, {}, {}]
    assert asked == 1
    assert await venue.get() == {"a": 1}


async def test_a_list_serves_for_a_day_while_it_cannot_be_had():
    venue = Venue()
    await venue.get()
    venue.listed = SourceError("venue", "down")

    await venue.get(days=1)
    await settle()
    kept = await venue.get()
    await venue.get(minutes=1)
    await settle()

    assert kept == {"a": 1}
    assert await venue.get() == {}


async def test_a_slow_list_is_waited_for_the_first_time_alone():
    venue = Venue()
    venue.told.clear()
    first, second = asyncio.create_task(venue.get()), asyncio.create_task(venue.get())
    await settle()
    waited = not first.done() and not second.done()
    venue.told.set()
    heard = await asyncio.gather(first, second)
    venue.told.clear()
    venue.listed = {"a": 2}

    meanwhile = [await venue.get(hours=1), await venue.get(minutes=5)]
    venue.told.set()
    await settle()

    assert waited
    assert heard == meanwhile == [{"a": 1}] * 2
    assert venue.asked == 2
    assert await venue.get() == {"a": 2}


async def test_who_gives_up_waiting_for_a_list_takes_it_from_nobody():
    venue = Venue()
    venue.told.clear()
    impatient, patient = asyncio.create_task(venue.get()), asyncio.create_task(venue.get())
    await settle()

    impatient.cancel()
    await settle()
    venue.told.set()

    assert await patient == {"a": 1}
    assert impatient.cancelled()


async def test_a_replay_finds_every_list_as_of_its_time():
    venue = Venue(keep=timedelta(0))

    first = await venue.get()
    venue.listed = {"a": 2}
    second = await venue.get()
    venue.listed = NotListed("venue", "not in this recording")
    third = await venue.get()

    assert [first, second, third] == [{"a": 1}, {"a": 2}, {}]


async def test_a_clock_that_was_set_back_asks_again():
    venue = Venue()
    await venue.get()

    await venue.get(days=-2)
    await settle()

    assert venue.asked == 2


async def test_a_bug_in_reading_a_list_comes_to_light():
    venue = Venue()
    await venue.get()
    venue.listed = LookupError("a bug")

    await venue.get(hours=1)
    await settle()

    with pytest.raises(LookupError, match="a bug"):
        await venue.get()
