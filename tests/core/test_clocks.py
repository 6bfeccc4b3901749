from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.clocks import (
    date_text,
    find_zone,
    fitting_zones,
    minute_text,
    moment_of,
    next_moment,
    parse_time,
    until_text,
    zone_names,
    zone_of,
    zone_text,
)
from bot.errors import UserError

BERLIN = ZoneInfo("Europe/Berlin")
# Clocks that jump by an hour, by half an hour, at midnight, over a whole day, and never.
ZONES = st.sampled_from(
    [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Havana",
        "Africa/Cairo",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "UTC",
    ]
).map(ZoneInfo)
DAYS = st.dates(date(2010, 1, 2), date(2035, 12, 30))
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
MOMENTS = st.integers(0, 26 * 365 * 86_400).map(
    lambda seconds: datetime(2010, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)
)


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows."""
    return moment.astimezone(zone).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("day", "at", "moment"),
    [
        (date(2026, 3, 28), time(2, 30), datetime(2026, 3, 28, 1, 30, tzinfo=UTC)),
        (date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (date(2026, 3, 29), time(3, 0), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (date(2026, 10, 25), time(3, 0), datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
    ],
    ids=["every day", "jumped over", "just after the jump", "twice", "after the second time"],
)
def test_a_time_of_day_is_found_where_the_clock_jumps(day, at, moment):
    assert moment_of(day, at, BERLIN) == moment


@given(DAYS, TIMES, ZONES)
def test_the_clock_shows_that_time_then_and_an_earlier_one_just_before(day, at, zone):
    moment, wanted = moment_of(day, at, zone), datetime.combine(day, at)

    assert shown(moment, zone) >= wanted
    assert shown(moment - timedelta(seconds=1), zone) < wanted


@given(TIMES, ZONES, MOMENTS)
def test_the_next_time_is_ahead_and_within_a_day_or_so(at, zone, now):
    found = next_moment(at, zone, now)

    assert now < found <= now + timedelta(hours=50)


@pytest.mark.parametrize(
    ("text", "at"),
    [("08:00", time(8)), ("8", time(8)), (" 22:30 ", time(22, 30)), ("0:05", time(0, 5))],
)
def test_a_time_of_day_is_read(text, at):
    assert parse_time(text) == at


@given(st.text(max_size=6) | st.sampled_from(["24:00", "8:60", "8:5", "٨:٣", "-1", "08:00:00"]))
def test_any_text_is_a_time_of_day_or_a_users_error(text):
    try:
        answer = f"at {parse_time(text)}"
    except UserError as error:
        answer = str(error)

    assert answer.startswith("at ") or answer.endswith("write it like 08:00 or 22:30")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("utc", "UTC"),
    ],
)
def test_a_zone_is_found_by_its_name_or_its_city(text, name):
    assert find_zone(text) == name


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("istanbul", "did you mean Asia/Istanbul or Europe/Istanbul?"),
        ("", "write it like Europe/Berlin"),
    ],
)
def test_a_zone_that_is_not_clear_is_asked_back(text, hint):
    with pytest.raises(UserError) as refused:
        find_zone(text)

    assert str(refused.value).endswith(hint)


@given(st.sampled_from(zone_names()))
def test_every_zone_is_found_by_its_own_name_and_known(name):
    assert find_zone(name.lower()) == name
    assert zone_of(name) == ZoneInfo(name)


@given(st.text(max_size=20))
def test_any_text_is_a_zone_or_a_users_error(text):
    try:
        answer = find_zone(text)
    except UserError as error:
        answer = str(error)

    assert answer in zone_names() or answer.startswith("no time zone ")


def test_a_zone_that_this_machine_does_not_know_is_utc():
    assert zone_of("Europe/Atlantis") is UTC
    assert zone_of("../etc") is UTC


def test_zones_are_offered_by_city_before_others():
    found = fitting_zones("new")

    assert found[0] == "America/New_York"
    assert fitting_zones("")[0] == "UTC"


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "2026-03-02 12:00:05 UTC"),
        ("Europe/Berlin", "2026-03-02 13:00:05 CET"),
        ("America/Sao_Paulo", "2026-03-02 09:00:05 UTC-03"),
        ("Asia/Tokyo", "2026-03-02 21:00:05 JST"),
    ],
)
def test_a_moment_is_told_on_that_clock_with_its_abbreviation(zone, text):
    moment = datetime(2026, 3, 2, 12, 0, 5, tzinfo=UTC)
    clock = ZoneInfo(zone)

    assert date_text(moment, clock) == text
    assert minute_text(moment, clock).endswith(zone_text(moment, clock))


def test_the_date_is_told_where_it_is_not_todays():
    now = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)

    assert until_text(now + timedelta(minutes=15), BERLIN, now) == "23:45 CET"
    assert until_text(now + timedelta(hours=1), BERLIN, now) == "2026-03-03 00:30 CET"
