"""A venue's stream of prices without its connection: what to say, and what was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.snapshot import Tick


@dataclass(frozen=True, slots=True)
class Pushed:
    """What one message of a venue held."""

    ticks: tuple[Tick, ...] = ()  # index prices; `at` is the venue's stamp, not after now
    replies: tuple[str, ...] = ()  # to send back at once


NOTHING = Pushed()


class Feed(Protocol):
    """One connection's conversation; made anew for every connection."""

    path: str  # of the stream, with its query, after scheme and host
    ping_every: float  # seconds

    def greeting(self) -> Sequence[str]:
        """What to send first. A coin that is refused must not cost the others."""
        ...

    def ping(self) -> str | None:
        """What to send every `ping_every` seconds; None when the venue wants nothing."""
        ...

    def read(self, text: str) -> Pushed:
        """What the message holds; nothing in one that cannot be read or tells no price."""
        ...
