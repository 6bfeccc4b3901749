import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.chats import (
    Chat,
    Digest,
    Quiet,
    digest_due,
    moment_of,
    parse_quiet,
    quiet_text,
    quiet_until,
)
from bot.errors import UserError
from tests.core.test_clocks import MOMENTS, TIMES, ZONES

NIGHT = Quiet(time(23), time(7))
HOUR = timedelta(hours=1)
SPANS = st.integers(0, 3 * 86_400).map(lambda count: timedelta(seconds=count))
QUIETS = st.builds(Quiet, TIMES, TIMES)


def utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)


def make_chat(zone: ZoneInfo = ZoneInfo("Europe/Berlin"), **fields) -> Chat:  # noqa: B008 - frozen
    return Chat("telegram:7", zone=zone.key, **fields)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (utc(2026, 3, 2, 21, 59), None),
        (utc(2026, 3, 2, 22, 0), utc(2026, 3, 3, 6, 0)),
        (utc(2026, 3, 3, 5, 59), utc(2026, 3, 3, 6, 0)),
        (utc(2026, 3, 3, 6, 0), None),
        (utc(2026, 3, 28, 23, 0), utc(2026, 3, 29, 5, 0)),
        (utc(2026, 10, 24, 22, 0), utc(2026, 10, 25, 6, 0)),
    ],
    ids=["before", "from the minute", "to the minute", "after", "a short night", "a long night"],
)
def test_quiet_hours_pass_midnight_and_follow_the_clock(now, until):
    assert quiet_until(make_chat(quiet=NIGHT), now) == until


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (Quiet(time(1), time(2, 30)), utc(2026, 3, 29, 0, 30), utc(2026, 3, 29, 1, 0)),
        (Quiet(time(2, 10), time(2, 50)), utc(2026, 3, 29, 1, 0), None),
        (Quiet(time(1), time(2, 30)), utc(2026, 10, 25, 0, 15), utc(2026, 10, 25, 0, 30)),
        (Quiet(time(1), time(2, 30)), utc(2026, 10, 25, 1, 15), None),
        (Quiet(time(2, 30), time(7)), utc(2026, 10, 25, 1, 15), utc(2026, 10, 25, 6, 0)),
    ],
    ids=["end jumped over", "all jumped over", "first time", "not a second time", "once begun"],
)
def test_hours_that_the_clock_skips_or_repeats_are_quiet_once(quiet, now, until):
    assert quiet_until(make_chat(quiet=quiet), now) == until


def test_a_snooze_into_quiet_hours_ends_with_these():
    chat = make_chat(quiet=NIGHT, snoozed_until=utc(2026, 3, 2, 23))

    assert quiet_until(chat, utc(2026, 3, 2, 12)) == utc(2026, 3, 3, 6)


def test_a_snooze_out_of_quiet_hours_ends_by_itself():
    chat = make_chat(quiet=NIGHT, snoozed_until=utc(2026, 3, 3, 12))

    assert quiet_until(chat, utc(2026, 3, 3, 0)) == utc(2026, 3, 3, 12)


def test_a_snooze_that_is_over_holds_nothing():
    now = utc(2026, 3, 2, 12)

    assert quiet_until(make_chat(snoozed_until=now), now) is None
    assert quiet_until(make_chat(), now) is None


@given(ZONES, QUIETS | st.none(), MOMENTS, SPANS | st.none(), st.integers(0, 99))
def test_it_is_quiet_up_to_that_moment_and_no_longer(zone, quiet, now, snooze, percent):
    end = None if snooze is None else now + snooze
    chat = make_chat(zone, quiet=quiet, snoozed_until=end)

    until = quiet_until(chat, now)

    if until is not None:
        assert until > now
        assert quiet_until(chat, until) is None
        assert quiet_until(chat, now + (until - now) * percent / 100) == until


def covers(quiet: Quiet, at: time) -> bool:
    if quiet.start <= quiet.end:
        return quiet.start <= at < quiet.end
    return at >= quiet.start or at < quiet.end


@given(ZONES, QUIETS, MOMENTS)
def test_outside_quiet_hours_the_clock_on_the_wall_shows_no_time_within_them(zone, quiet, now):
    chat = make_chat(zone, quiet=quiet)
    shown = now.astimezone(zone)
    repeated = shown.fold or shown.replace(fold=1).utcoffset() != shown.replace(fold=0).utcoffset()

    if not repeated:
        assert (quiet_until(chat, now) is not None) is covers(quiet, shown.time())


@pytest.mark.parametrize(
    ("now", "last", "due"),
    [
        (utc(2026, 3, 2, 6, 59), None, None),
        (utc(2026, 3, 2, 7, 0), None, utc(2026, 3, 2, 7, 0)),
        (utc(2026, 3, 2, 7, 30), utc(2026, 3, 2, 7, 0), None),
        (utc(2026, 3, 2, 7, 30), utc(2026, 3, 1, 7, 0), utc(2026, 3, 2, 7, 0)),
        (utc(2026, 3, 2, 8, 1), None, None),
        (utc(2026, 3, 29, 6, 0), utc(2026, 3, 28, 7, 0), utc(2026, 3, 29, 6, 0)),
    ],
    ids=["early", "due", "sent", "late", "missed", "summer time"],
)
def test_a_digest_is_due_once_a_day_and_not_when_it_was_missed_by_far(now, last, due):
    chat = make_chat(digest=Digest(time(8), ("BTCUSDT",)))

    assert digest_due(chat, last, now) == due


def test_a_digest_at_a_time_that_the_clock_skips_comes_just_after():
    chat = make_chat(digest=Digest(time(2, 30), ("BTCUSDT",)))

    assert digest_due(chat, None, utc(2026, 3, 29, 1, 5)) == utc(2026, 3, 29, 1, 0)


def test_a_digest_just_before_midnight_is_due_just_after_it():
    chat = make_chat(ZoneInfo("UTC"), digest=Digest(time(23, 50), ("BTCUSDT",)))

    assert digest_due(chat, None, utc(2026, 3, 3, 0, 20)) == utc(2026, 3, 2, 23, 50)


def test_nothing_is_due_where_no_digest_was_asked_for():
    assert digest_due(make_chat(), None, utc(2026, 3, 2, 8)) is None


@given(ZONES, TIMES, MOMENTS)
def test_looking_every_half_hour_for_a_week_sends_one_digest_a_day(zone, at, start):
    chat = make_chat(zone, digest=Digest(at, ("BTCUSDT",)))
    sent: list[datetime] = []

    for step in range(2 * 24 * 7):
        due = digest_due(chat, sent[-1] if sent else None, start + step * HOUR / 2)
        sent += [due] if due else []

    days = [moment.astimezone(zone).date() for moment in sent]
    assert sent == [moment_of(day, at, zone) for day in days]
    assert len(set(days)) == len(days)
    assert 6 <= len(days) <= 9


@pytest.mark.parametrize("text", ["23:00-07:00", "23:00 – 7", " 23 - 7:00", "23:00 to 07:00"])
def test_quiet_hours_are_read_however_they_are_joined(text):
    assert parse_quiet(text) == NIGHT


@given(QUIETS.filter(lambda quiet: quiet.start != quiet.end))
def test_quiet_hours_are_written_as_they_are_read(quiet):
    assert parse_quiet(quiet_text(quiet)) == quiet


@given(st.text(max_size=14) | st.sampled_from(["08:00-08:00", "-", "1-2-3", "22:00"]))
def test_any_text_is_quiet_hours_or_a_users_error(text):
    try:
        answer = quiet_text(parse_quiet(text))
    except UserError as error:
        answer = str(error)

    assert re.fullmatch(r"\d\d:\d\d-\d\d:\d\d|.* (no|different) .*", answer, re.DOTALL)


def test_a_chat_that_moved_keeps_the_key_of_its_first_address():
    stayed, moved = Chat("telegram:-1"), Chat("telegram:-1001", origin="telegram:-1")

    assert stayed.key == moved.key == "telegram:-1"


def test_a_day_that_a_zone_left_out_is_quiet_like_any_other():
    apia = ZoneInfo("Pacific/Apia")  # had no 30 December 2011
    chat = make_chat(apia, quiet=Quiet(time(23), time(7)))

    until = quiet_until(chat, moment_of(date(2011, 12, 29), time(23, 30), apia))

    assert until == moment_of(date(2011, 12, 31), time(7), apia)
