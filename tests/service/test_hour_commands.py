from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes import NOON
from tests.service.asking import Desk, field, in_channel, in_private, only_line

ME = "telegram:7"


async def snoozed(desk: Desk, line: str) -> datetime | None:
    """When the chat's snooze ends after this line."""
    await desk.ask(line, in_private())
    return (await desk.chats.of(ME)).snoozed_until


@pytest.mark.parametrize(
    ("line", "lasting"),
    [
        ("snooze", timedelta(hours=1)),
        ("snooze 30m", timedelta(minutes=30)),
        ("snooze for 2h", timedelta(hours=2)),
        ("snooze until 08:00", timedelta(hours=20)),
        ("snooze until 12:30", timedelta(minutes=30)),
    ],
)
async def test_a_snooze_lasts_as_long_as_is_said(line, lasting):
    assert await snoozed(Desk(), line) == NOON + lasting


async def test_until_means_the_next_time_on_the_chats_own_clock_across_a_change_of_it():
    desk = Desk()
    desk.now = datetime(2026, 3, 28, 22, tzinfo=UTC)  # in Berlin the night of the change
    await desk.ask("timezone Europe/Berlin", in_private())

    reply = await desk.ask("snooze until 08:00", in_private())

    assert reply.title == "Snoozed until 2026-03-29 08:00 CEST"
    assert (await desk.chats.of(ME)).snoozed_until == datetime(2026, 3, 29, 6, tzinfo=UTC)


@pytest.mark.parametrize("line", ["snooze soon", "snooze 0m", "snooze 31d", "snooze until 25:00"])
async def test_a_snooze_that_makes_no_sense_changes_nothing(line):
    desk = Desk()

    assert (await desk.ask(line, in_private())).tone == "error"
    assert await desk.store.chats() == []


async def test_a_snooze_ends_on_request():
    desk = Desk()
    reply = await desk.ask("snooze 8h", in_private())

    ended = await desk.press(reply, "Ring again", in_private())

    assert ended.lines == ("It rings from now on.",)
    assert (await desk.chats.of(ME)).snoozed_until is None


async def test_who_ends_a_snooze_within_quiet_hours_is_told_that_it_is_quiet_still():
    desk = Desk()
    await desk.ask("quiet 11:00-13:00", in_private())
    await desk.ask("snooze 8h", in_private())

    reply = await desk.ask("snooze off", in_private())

    assert only_line(reply) == "Still quiet until 13:00 UTC."


async def test_quiet_hours_are_set_shown_with_the_clock_and_ended():
    desk = Desk()
    await desk.ask("timezone Europe/Berlin", in_private())

    reply = await desk.ask("quiet 23:00-07:00", in_private())
    zone = await desk.ask("timezone new york", in_private())
    await desk.press(reply, "No quiet hours", in_private())

    assert reply.title == "Quiet 23:00-07:00 each day"
    assert field(reply, "Time zone") == "Europe/Berlin, 13:00 CET now"
    assert zone.title == "Time zone America/New_York"
    assert field(zone, "Quiet") == "23:00-07:00"
    assert (await desk.chats.of(ME)).quiet is None


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("quiet", "which hours? write it like: quiet 23:00-07:00, or quiet off"),
        ("quiet 23:00", "'23:00' are no hours; write them like 23:00-07:00"),
        ("quiet 23:00-24:30", "'24:30' is no time of day; write it like 08:00 or 22:30"),
        ("timezone", "which one? write it like: timezone Europe/Berlin"),
        ("timezone Europe/Berln", "no time zone 'Europe/Berln'; did you mean Europe/Berlin?"),
        ("timezone berln", "no time zone 'berln'; did you mean Europe/Berlin?"),
        ("timezone qqqqqq", "no time zone 'qqqqqq'; write it like Europe/Berlin"),
    ],
)
async def test_a_mistake_is_answered_with_what_to_write(line, answer):
    assert only_line(await Desk().ask(line, in_private())) == answer


@pytest.mark.parametrize("line", ["snooze 1h", "quiet 23:00-07:00", "timezone berlin"])
async def test_a_member_silences_their_own_chat_and_is_told_so(line):
    desk = Desk()

    reply = await desk.ask(line, in_channel(may_manage=False))

    assert reply.lines[-1] == (
        "This is about your own chat with me: here only who has Manage Server may decide."
    )
    assert [chat.target for chat in await desk.store.chats()] == ["discord:@7"]


async def test_a_moderator_silences_the_channel():
    desk = Desk()

    await desk.ask("snooze 1h", in_channel())

    assert [chat.target for chat in await desk.store.chats()] == ["discord:42"]
    assert desk.changed == ["discord:42"]
