"""The Discord adapter at work against the fake Discord, over the real command layer."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.chat.buttons import Signer
from bot.chat.connection import Connection
from bot.chat.discord.addresses import use_addresses
from bot.chat.discord.gateway import DiscordGateway
from bot.chat.discord.sender import DiscordSender
from bot.core.events import Alert
from bot.core.secret import Secret
from bot.store.memory import MemoryStore
from tests.fakes import NOON
from tests.fakes.discord_server import FakeDiscord
from tests.service.asking import open_desk
from tests.service.builders import ManualClock, after

HURRY = 500.0  # times faster than real: nobody waits a second for a retry


class HurriedTimer:
    """Waits that are over soon."""

    def __init__(self):
        self.slept = []

    def time(self):
        return asyncio.get_running_loop().time() * HURRY

    async def sleep(self, seconds):
        self.slept.append(seconds)
        await asyncio.sleep(seconds / HURRY)


class FreePace:
    """Everything may go at once; remembers what it was told."""

    def __init__(self):
        self.turns = []
        self.holds = []
        self.refusals = 0

    @asynccontextmanager
    async def turn(self, place, urgency):
        self.turns.append((place, urgency))
        yield

    def hold(self, seconds, place=None):
        self.holds.append((seconds, place))

    def refused(self):
        self.refusals += 1


class NotedChats:
    """Remembers what became of chats."""

    def __init__(self):
        self.noted = []

    async def revive(self, target):
        self.noted.append(("revived", target))

    async def lose(self, target, trouble):
        self.noted.append(("lost", target, trouble))

    async def move(self, target, to):
        self.noted.append(("moved", target, to))


async def eventually(predicate):
    """Wait until it is true; for what tells nobody that it has changed."""
    async with asyncio.timeout(5):
        while not predicate():  # noqa: ASYNC110 - the adapter has no event for tests
            await asyncio.sleep(0.005)


@dataclass
class Running:
    """The gateway client at work, and what a test looks at."""

    fake: FakeDiscord
    desk: object
    chats: NotedChats
    connection: Connection
    timer: HurriedTimer
    task: asyncio.Task = None
    facts: MemoryStore = field(default_factory=MemoryStore)

    async def up(self, count=1):
        """Wait until so many shards are connected and the commands are known."""
        await self.fake.until(lambda: self.fake.world.commands[None] and self.shards == count)

    @property
    def shards(self):
        return sum(session.connection is not None for session in self.fake.gateway.sessions)


@asynccontextmanager
async def running(
    fake,
    commands=None,
    *,
    facts=None,
    token=None,
    shards=None,
    waits=True,
    gateway_url=None,
    **more,
):
    """The adapter, connected, until the block ends."""
    use_addresses(fake.api_base, fake.gateway_url if gateway_url is None else gateway_url)
    desk = None if commands else await open_desk()
    chats, timer = NotedChats(), HurriedTimer()
    connection = Connection("discord", lambda: NOON)
    store = facts or MemoryStore()
    gateway = DiscordGateway(
        Secret(token or fake.token),
        commands or desk.commands,
        chats,
        store,
        Signer("key"),
        connection,
        timer,
        shards=shards,
        guild_ready_seconds=0.05,
        **more,
    )
    at_work = Running(fake, desk, chats, connection, timer, facts=store)
    at_work.task = asyncio.create_task(gateway.run())
    try:
        if waits:
            await at_work.up(shards or fake.shards)
        yield at_work
    finally:
        at_work.task.cancel()
        await asyncio.gather(at_work.task, return_exceptions=True)


@dataclass
class Sending:
    sender: DiscordSender
    pace: FreePace
    facts: MemoryStore
    clock: ManualClock

    async def send(self, target, **fields):
        await self.sender.send(make_alert(target, **fields))


@asynccontextmanager
async def sending(fake, *, token=None, facts=None, **options):
    """A sender alone, without a gateway."""
    use_addresses(fake.api_base, fake.gateway_url)
    pace, store, clock = FreePace(), facts or MemoryStore(), ManualClock()
    sender = DiscordSender(
        Secret(token or fake.token),
        pace,
        store,
        Signer("key"),
        clock.now,
        simulated=False,
        **options,
    )
    try:
        yield Sending(sender, pace, store, clock)
    finally:
        await sender.close()


def make_alert(target, text="BTC crossed HVL", **fields):
    filled = {"id": "a1b2c3", "rule": "7", "symbol": "BTCUSDT", **fields}
    return Alert(at=NOON, target=target, text=text, expires_at=after(900), **filled)


def town(fake, kind=0):
    """anna, and a server with a channel."""
    anna = fake.add_user("anna")
    guild = fake.add_guild("Traders", members=[anna])
    return anna, guild, fake.add_channel(guild, "alerts", kind)
