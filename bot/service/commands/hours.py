"""snooze, quiet and timezone: when a chat wants to hear nothing, on its own clock."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.chats import Chat, parse_quiet, quiet_text, quiet_until
from bot.core.clocks import (
    COMMON_ZONES,
    find_zone,
    fitting_zones,
    minute_text,
    next_moment,
    parse_time,
    until_text,
)
from bot.core.menu import Argument, Entry
from bot.core.reply import Action, Command, Field, Reply
from bot.core.rules import parse_duration
from bot.core.view import View
from bot.errors import UserError
from bot.service.commands.homes import whose_lines
from bot.service.commands.table import Handled, Parts

LONGEST_SNOOZE = timedelta(days=30)
SNOOZES = ("30m", "1h", "4h", "8h", "until 08:00", "1d", "off")
HOURS = ("23:00-07:00", "22:00-08:00", "00:00-06:00", "off")
HELD = "What rings meanwhile comes then, in one message."


def hour_commands(parts: Parts) -> Sequence[Handled]:
    """Every command about silence."""
    hours = HourCommands(parts)
    how_long = Argument("duration", "1h, until 08:00 or off", open=True)
    when = Argument(
        "hours", "23:00-07:00 or off", required=True, open=True, label="Which hours of each day"
    )
    zone = Argument(
        "zone", "Europe/Berlin, New York, ...", required=True, open=True, label="Which city's clock"
    )
    return (
        Handled(
            Entry("snooze", "no rings for a while", (how_long,), True, True),
            hours.snooze,
            {"duration": SNOOZES},
        ),
        Handled(
            Entry("quiet", "hours without rings, each day", (when,), True, True, "Set quiet hours"),
            hours.quiet,
            {"hours": HOURS},
        ),
        Handled(
            Entry(
                "timezone",
                "your clock, for quiet hours and digests",
                (zone,),
                True,
                True,
                "Set the time zone",
            ),
            hours.timezone,
            {"zone": COMMON_ZONES},
            {"zone": _complete_zone},
        ),
    )


async def _complete_zone(text: str, command: Command) -> Sequence[str]:
    del command
    return fitting_zones(text)


class HourCommands:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._chats = parts.chats

    async def snooze(self, command: Command, view: View) -> Reply:
        """Nothing rings until then."""
        chat = await self._chats.of(command.home)
        until = _snooze_end(" ".join(command.arguments).lower() or "1h", chat, view.now)
        chat = await self._chats.change(
            command.home, lambda chat: replace(chat, snoozed_until=until)
        )
        if until is None:
            return Reply("Not snoozed", lines=_quiet_lines(chat, command, view), private=True)
        return Reply(
            f"Snoozed until {until_text(until, chat.clock, view.now)}",
            lines=(HELD, *whose_lines(command)),
            actions=(Action("Ring again", "snooze off"), Action("8 h", "snooze 8h")),
            private=True,
        )

    async def quiet(self, command: Command, view: View) -> Reply:
        """Nothing rings within these hours, any day."""
        words = " ".join(command.arguments)
        if not words:
            raise UserError("which hours? write it like: quiet 23:00-07:00, or quiet off")
        quiet = None if words.lower() == "off" else parse_quiet(words)
        chat = await self._chats.change(command.home, lambda chat: replace(chat, quiet=quiet))
        if quiet is None:
            return Reply("No quiet hours", lines=_quiet_lines(chat, command, view), private=True)
        now = minute_text(view.now, chat.clock)
        return Reply(
            f"Quiet {quiet_text(quiet)} each day",
            fields=(Field("Time zone", f"{chat.zone}, {now} now"),),
            lines=(HELD, *whose_lines(command)),
            actions=(Action("No quiet hours", "quiet off"), Action("Other time zone", "timezone")),
            private=True,
        )

    async def timezone(self, command: Command, view: View) -> Reply:
        """The clock that all of it goes by."""
        words = " ".join(command.arguments)
        if not words:
            raise UserError("which one? write it like: timezone Europe/Berlin")
        zone = find_zone(words)
        chat = await self._chats.change(command.home, lambda chat: replace(chat, zone=zone))
        quiet = (Field("Quiet", quiet_text(chat.quiet)),) if chat.quiet else ()
        return Reply(
            f"Time zone {chat.zone}",
            fields=(Field("Now", minute_text(view.now, chat.clock)), *quiet),
            lines=whose_lines(command),
            private=True,
        )


def _snooze_end(words: str, chat: Chat, now: datetime) -> datetime | None:
    """The end of the snooze that is asked for; None for off. Raises UserError."""
    if words == "off":
        return None
    if words.startswith("until "):
        return next_moment(parse_time(words.removeprefix("until ")), chat.clock, now)
    try:
        duration = parse_duration(words.removeprefix("for ").replace(" ", ""))
    except ValueError as error:
        raise UserError(f"{words!r} is not understood; write 1h, until 08:00 or off") from error
    if not timedelta(0) < duration <= LONGEST_SNOOZE:
        raise UserError(f"a snooze lasts {LONGEST_SNOOZE.days}d at most; alert pause has no end")
    return now + duration


def _quiet_lines(chat: Chat, command: Command, view: View) -> tuple[str, ...]:
    """Whether it really rings now."""
    until = quiet_until(chat, view.now)
    still = f"Still quiet until {until_text(until, chat.clock, view.now)}." if until else ""
    return (still or "It rings from now on.", *whose_lines(command))
