"""What a command is to the command layer, and what all of them are made of."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.menu import Argument, Entry
from bot.core.reply import Command, Field, Reply
from bot.core.snapshot import Snapshot
from bot.core.symbols import coin_of
from bot.core.view import View
from bot.core.words import fitting_list
from bot.ports import Store
from bot.service.access import Access
from bot.service.chats import Chats
from bot.service.newest import Newest

Handler = Callable[[Command, View], Awaitable[Reply]]
Complete = Callable[[str, Command], Awaitable[Sequence[str]]]
Pictures = Callable[[Snapshot, str, str, bool], Awaitable[bytes | None]]  # kind, theme, stale
Envelope = Callable[[Snapshot, datetime], bytes]  # the API's answer at that time, with marks

SYMBOL = Argument("symbol", "BTC, ETH, ...", open=True, label="Which coin")
SYMBOLS = Argument("symbols", "several of them, or all", open=True, label="Which coins")


@dataclass(frozen=True, slots=True)
class Handled:
    """A command as menus show it, and what answers it.

    `samples`, `complete` and `labels` are by argument: values that are often meant; where those
    depend on more than the letters typed so far, what finds them; values in words for people.
    """

    entry: Entry
    answer: Handler
    samples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    complete: Mapping[str, Complete] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the commands work with."""

    store: Store
    chats: Chats
    newest: Newest
    symbols: Sequence[str]  # the first is meant where none is named
    pictures: Pictures
    status: Callable[[], Sequence[Field]]
    rules_changed: Callable[[str], Awaitable[None]]  # a target's
    envelope: Envelope
    simulated: bool = False  # whether everything that is taken away must say so
    access: Access | None = None  # to the dashboard, where there is one

    @property
    def coins(self) -> tuple[str, ...]:
        """What people call the symbols."""
        return tuple(map(coin_of, self.symbols))


def of_list(words: Sequence[str]) -> Complete:
    """Completes the last of several words."""

    async def complete(text: str, command: Command) -> Sequence[str]:
        del command
        return fitting_list(text, words)

    return complete
