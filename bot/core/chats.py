"""What a chat asked for beside its rules: when to be quiet, in which zone, its feed and digest."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

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
    state: ChatState = "active"
    trouble: str = ""  # why it is not active
    since: datetime | None = None  # when that began

    @property
    def clock(self) -> ZoneInfo:
        """Its time zone."""
        return ZoneInfo(self.zone)
