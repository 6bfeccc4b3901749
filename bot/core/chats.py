"""What a chat asked for beside its rules: when to be quiet, in which zone, its feed and digest."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Literal

from bot.core.clocks import moment_of, parse_time, zone_of
from bot.core.places import PASSING
from bot.core.symbols import coin_of
from bot.errors import UserError

DIGEST_LATE = timedelta(hours=1)  # a digest that comes later is old news
LONGEST_ABSENCE = timedelta(hours=1)  # of whoever hears only while they are there

ChatState = Literal["active", "suspended", "gone"]


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of each day without rings, on the chat's clock; may pass midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Digest:
    """A summary a day, on the chat's clock."""

    at: time
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """A ready-made set of rules for a shared channel."""

    symbols: tuple[str, ...]
    pack: str


@dataclass(frozen=True, slots=True)
class Chat:
    """One target: what it wants, and whether it can be reached. Never deleted by an error."""

    target: str
    title: str = ""  # its name for people
    zone: str = "UTC"  # of the IANA database
    quiet: Quiet | None = None
    snoozed_until: datetime | None = None
    digest: Digest | None = None
    feed: Feed | None = None
    owner: str = ""  # the person who is told when it can no longer be reached
    fallback: str = ""  # of a person: the chat to call them in when their own is closed
    called: tuple[str, ...] | None = ()  # the people whose fallback it is; None: it wants none
    state: ChatState = "active"
    trouble: str = ""  # why it is not active
    since: datetime | None = None  # when that began
    origin: str = ""  # its first address, where it has moved since
    away_since: datetime | None = None  # since when nobody is there to hear anything

    @property
    def clock(self) -> tzinfo:
        """Its time zone."""
        return zone_of(self.zone)

    @property
    def key(self) -> str:
        """What stays the same when it moves: ids are made of it."""
        return self.origin or self.target


def is_awaited(chat: Chat, now: datetime) -> bool:
    """Whether what rings may yet be heard: neither is the chat gone, nor has nobody come for long.

    Else what those who never come again once asked for would ring, and be kept, for ever.
    """
    absent = chat.away_since is not None and now - chat.away_since >= LONGEST_ABSENCE
    return chat.state != "gone" and not absent


def is_forgotten(chat: Chat, before: datetime) -> bool:
    """Whether it is a page's that no bot let in, and that nobody has opened since then."""
    absent = chat.away_since is not None and chat.away_since < before
    return absent and chat.target.startswith(PASSING)


def quiet_until(chat: Chat, now: datetime) -> datetime | None:
    """When the chat may ring again; None when it may now.

    The end of its snooze or of its quiet hours, whichever is later; right where clocks jump.
    """
    end = max(now, chat.snoozed_until or now)
    while later := _quiet_end(chat, end):
        end = later
    return end if end > now else None


def _quiet_end(chat: Chat, moment: datetime) -> datetime | None:
    """The end of the quiet hours that the moment lies in."""
    quiet, zone = chat.quiet, chat.clock
    if quiet is None or quiet.start == quiet.end:
        return None
    today = moment.astimezone(zone).date()
    over_night = timedelta(days=quiet.start > quiet.end)
    for day in (today - timedelta(days=1), today):
        end = moment_of(day + over_night, quiet.end, zone)
        if moment_of(day, quiet.start, zone) <= moment < end:
            return end
    return None


def digest_due(chat: Chat, last: datetime | None, now: datetime) -> datetime | None:
    """The moment that the digest is for, when it is to be sent now; `last` is that of the last one.

    One that was missed by more than an hour is left out.
    """
    if chat.digest is None:
        return None
    today = now.astimezone(chat.clock).date()
    for day in (today, today - timedelta(days=1)):
        due = moment_of(day, chat.digest.at, chat.clock)
        if due <= now <= due + DIGEST_LATE and (last is None or last < due):
            return due
    return None


def parse_quiet(text: str) -> Quiet:
    """The hours that "23:00-07:00" means. Raises UserError."""
    ends = re.split(r"\s*(?:-|–|\bto\b)\s*", text.strip())
    if len(ends) != 2:
        raise UserError(f"{text.strip()!r} are no hours; write them like 23:00-07:00")
    quiet = Quiet(*map(parse_time, ends))
    if quiet.start == quiet.end:
        raise UserError("quiet hours begin and end at different times; to end them: quiet off")
    return quiet


def quiet_text(quiet: Quiet) -> str:
    """23:00-07:00."""
    return f"{quiet.start:%H:%M}-{quiet.end:%H:%M}"


def feed_text(feed: Feed) -> str:
    """default pack of BTC, ETH."""
    return f"{feed.pack} pack of {coins_text(feed.symbols)}"


def digest_text(digest: Digest) -> str:
    """08:00 on BTC, ETH."""
    return f"{digest.at:%H:%M} on {coins_text(digest.symbols)}"


def coins_text(symbols: Iterable[str]) -> str:
    """BTC, ETH."""
    return ", ".join(map(coin_of, symbols))
