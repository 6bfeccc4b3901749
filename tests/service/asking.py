"""Commands over a store, and a way to type into them."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.api.schema import envelope
from bot.core.crossings import Latches
from bot.core.reply import Command, Field, Reply, parse_command
from bot.ports import Record
from bot.service.access import Access
from bot.service.chats import Chats
from bot.service.commands import Commands, Parts, every_command
from bot.service.limits import Limits
from bot.service.newest import Newest
from bot.store.memory import MemoryStore
from tests.fakes import NOON, make_chain, make_snapshot

HERE = "terminal:"
SYMBOLS = ["BTCUSDT", "ETHUSDT"]


def in_private(person: str = "telegram:7") -> Command:
    """A chat with the bot alone."""
    return Command("", (), person, person)


def in_channel(*lacks: str, may_manage: bool = True) -> Command:
    """A shared channel."""
    return Command("", (), "discord:42", "discord:@7", may_manage, "#alerts in Traders", lacks)


class Desk:
    """Commands about BTC and ETH; every question comes a second after the one before."""

    def __init__(
        self, store: MemoryStore | None = None, *, simulated: bool = False, access_url: str = ""
    ) -> None:
        self.store = store or MemoryStore()
        self.now = NOON
        self.png: bytes | None = b"png"
        self.drawn: list[tuple[str, str, bool]] = []
        self.changed: list[str] = []  # whose rules or settings
        self._seconds = 0.0
        self.access = Access(self.store, lambda: self._seconds, access_url)
        self.chats = Chats(self.store, lambda: self.now, self._changed)
        parts = Parts(
            self.store,
            self.chats,
            Newest(self.store.snapshot, lambda: self._seconds),
            SYMBOLS,
            self._picture,
            lambda: [Field("deribit", "ok")],
            self._changed,
            lambda snapshot, now: envelope(snapshot, now, "r", None, simulated=simulated),
            simulated,
            self.access,
        )
        self.commands = Commands(
            every_command(parts),
            self.chats,
            Limits(lambda: self._seconds),
            lambda: self.now,
            timedelta(minutes=3),
            simulated=simulated,
        )

    async def ask(self, line: str, where: Command | str = HERE) -> Reply:
        self._seconds += 1
        typed = parse_command(line, "")
        place = Command("", (), where, may_manage=True) if isinstance(where, str) else where
        return await self.commands.answer(
            replace(place, name=typed.name, arguments=typed.arguments)
        )

    async def press(self, reply: Reply, label: str, where: Command | str = HERE) -> Reply:
        """What the button with this label answers."""
        (action,) = [action for action in reply.actions if action.label == label]
        return await self.ask(action.line, where)

    async def record(self, symbol: str, at: datetime = NOON, **fields) -> None:
        await self.store.record(Record(symbol, at, Latches(), **fields))

    async def _picture(self, snapshot, kind, theme, stale):
        self.drawn.append((kind, theme, stale))
        return self.png

    async def _changed(self, target: str) -> None:
        self.changed.append(target)


async def open_desk(*, simulated: bool = False, access_url: str = "", **fields) -> Desk:
    """A desk that shows BTC on two venues."""
    desk = Desk(simulated=simulated, access_url=access_url)
    chain = make_chain(("deribit", "derive"))
    await desk.record("BTCUSDT", snapshot=make_snapshot(chain, **fields), chain=chain)
    return desk


def only_line(reply: Reply) -> str:
    (line,) = reply.lines
    return line


def field(reply: Reply, name: str) -> str:
    """The value of the field with this name."""
    return next(field.value for field in reply.fields if field.name == name)
