"""A listener on a made-up Telegram, and the program behind it in a few lines."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO

from PIL import Image

from bot.chat.buttons import Signer
from bot.chat.connection import Connection
from bot.chat.telegram.listener import Account, Backing, TelegramListener
from bot.core.menu import Argument, Entry, Form, Question
from bot.core.reply import Action, Picture, Reply, Table
from bot.core.secret import Secret
from bot.service.pacer import Pacer
from tests.exchanges.timers import ManualTimer

SYMBOL = Argument("symbol", "which coin", open=True)
MENU = {
    entry.name: entry
    for entry in (
        Entry("levels", "every level", (SYMBOL,)),
        Entry("chart", "a picture", (SYMBOL,)),
        Entry(
            "alert add",
            "ring on",
            (
                Argument("symbol", "which coin", required=True, choices=("btc", "eth")),
                Argument("level", "which level", required=True, choices=("hvl", "flip")),
                Argument("event", "what happens"),
            ),
            private=True,
            asks_rights=True,
        ),
        Entry("alert list", "what rings", private=True, asks_rights=True),
        Entry("feed on", "ring here", asks_rights=True),
        Entry("setup", "what is missing", private=True, asks_rights=True),
        Entry("help", "this list", private=True),
    )
}


def png(colour="red"):
    data = BytesIO()
    Image.new("RGB", (40, 30), colour).save(data, "PNG")
    return data.getvalue()


def picture(colour="red"):
    return Picture("gex.png", png(colour))


class FakeCommands:
    """Answers with what a test wants, by the command's name; else with what was asked."""

    def __init__(self, **replies):
        self.menu = dict(MENU)
        self.replies = {name.replace("_", " "): reply for name, reply in replies.items()}
        self.asked = []

    def entry(self, command):
        return self.menu.get(self._whole(command).name)

    async def answer(self, command):
        meant = self._whole(command)
        self.asked.append(meant)
        reply = self.replies.get(meant.name, echo)
        reply = reply(meant) if callable(reply) else reply
        return reply if isinstance(reply, Reply) else await reply

    def form(self, command):
        meant = self._whole(command)
        entry = self.menu.get(meant.name)
        required = sum(a.required for a in entry.arguments) if entry else 0
        if len(meant.arguments) >= required:
            return None
        values = [*meant.arguments, "", "", ""]
        questions = (
            Question(a.name, a.help, a.required, a.choices, value)
            for a, value in zip(entry.arguments, values, strict=False)
        )
        return Form(meant.name, meant.name, tuple(questions))

    async def complete(self, name, argument, text, command):
        return [coin for coin in ("btc", "eth", "sol", "hype") if coin.startswith(text)]

    def _whole(self, command):
        first, *rest = command.arguments or ("",)
        name = f"{command.name} {first}"
        return replace(command, name=name, arguments=tuple(rest)) if name in self.menu else command


def echo(command):
    line = " ".join([command.name, *command.arguments])
    entry = MENU.get(command.name)
    return Reply(f"you asked {line}", private=bool(entry and entry.private))


def levels(coin="BTC", **more):
    """A card with a table and the buttons that one has."""
    card = Reply(
        f"{coin} levels",
        tables=(Table("", ("Level", "Price"), (("HVL", "$80,000"),)),),
        footer=("as of 12:00",),
        actions=(
            Action("Refresh", f"levels {coin.lower()}"),
            Action("Profile", f"chart {coin.lower()}"),
            Action("Alert me", f"alert add {coin.lower()} hvl cross any"),
        ),
    )
    return replace(card, **more)


def drawn(made, gate=None):
    """A coroutine function that draws; with a gate not before it is opened."""

    async def draw():
        if gate:
            await gate.wait()
        return made

    return draw


class FakeChats:
    """Remembers what became of chats."""

    def __init__(self):
        self.noted = []

    async def revive(self, target):
        self.noted.append(("revive", target))

    async def lose(self, target, trouble):
        self.noted.append(("lose", target))

    async def bar(self, target, trouble):
        self.noted.append(("bar", target, trouble))

    async def move(self, target, to):
        self.noted.append(("move", target, to))


class FakeFacts:
    def __init__(self):
        self.known = {}

    async def fact(self, name):
        return self.known.get(name)

    async def put_fact(self, name, value):
        self.known[name] = value

    async def first_fact(self, name, value):
        return self.known.setdefault(name, value)


class FreePace:
    """Lets everyone start at once; remembers who, and who was to wait."""

    def __init__(self):
        self.turns = []
        self.holds = []

    @asynccontextmanager
    async def turn(self, place, urgency):
        self.turns.append((place, urgency))
        yield

    def hold(self, seconds, place=None):
        self.holds.append((seconds, place))

    def refused(self):
        raise AssertionError("Telegram knows no such ban")


class RealTimer:
    def time(self):
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


def now():
    return datetime.now(UTC)


@dataclass
class House:
    """The program behind one or more listeners, which come and go."""

    fake: object
    commands: FakeCommands = field(default_factory=FakeCommands)
    chats: FakeChats = field(default_factory=FakeChats)
    facts: FakeFacts = field(default_factory=FakeFacts)
    pace: object = field(default_factory=FreePace)
    signer: Signer = field(default_factory=lambda: Signer("key"))
    timer: ManualTimer = field(default_factory=ManualTimer)
    token: str = ""
    webhook: object = None
    now: object = now

    def __post_init__(self):
        self.connection = Connection("telegram", self.now)

    def listener(self):
        token = Secret(self.token or self.fake.token)
        return TelegramListener(
            Account(token, self.fake.api_base, self.webhook),
            Backing(self.commands, self.chats, self.facts, self.pace, self.signer, self.now),
            self.connection,
            self.timer,
        )

    @asynccontextmanager
    async def open(self):
        """The listener at work; it is stopped at the end."""
        task = asyncio.create_task(self.listener().run())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def pacer():
    """The program's own, with Telegram's limits a hundred times quicker."""
    return Pacer(2_900, lambda place: 0.03 if place.startswith("-") else 0.01, RealTimer())
