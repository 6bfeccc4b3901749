"""The daemon before a simulator over real sockets, on a clock that jumps, and what it does."""

import asyncio
import logging
import random
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.app import LIVE_LATE_AFTER
from bot.config import Config
from bot.exchanges.http import open_session
from bot.markets import SEED, VENUES, networked_market
from bot.service.chats import Chats
from bot.service.daemon import Daemon
from bot.service.desk import Desk
from bot.service.dispatcher import Dispatcher
from bot.service.rulebook import Rulebook
from bot.service.ticker import Ticker
from bot.sim.server import Simulator
from bot.store.memory import MemoryStore
from bot.tasks import Silent
from tests.faults.cases import CYCLE, STALE_AFTER
from tests.faults.loop import LoopClock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PUSH_SECONDS = 2.0  # between the prices that the simulator pushes


class Ledger(MemoryStore):
    """Remembers every record besides."""

    def __init__(self):
        super().__init__()
        self.records = []

    async def record(self, record):
        await super().record(record)
        self.records.append(record)


class HeardStream:
    """A stream, and when it told a price."""

    def __init__(self, stream, now):
        self.name = stream.name
        self.stream = stream
        self.times = []
        self._now = now

    async def run(self, coins, take):
        def note(tick):
            self.times.append(self._now())
            take(tick)

        await self.stream.run(coins, note)


class HeardSource:
    """A source of spot prices, and when it answered."""

    def __init__(self, source, now):
        self.name = source.name
        self.times = []
        self._source = source
        self._now = now

    async def fetch_spot(self, underlying):
        tick = await self._source.fetch_spot(underlying)
        self.times.append(self._now())
        return tick


@dataclass
class Bench:
    """A running daemon and everything that is known of it."""

    simulator: Simulator
    clock: LoopClock
    store: Ledger
    streams: dict[str, HeardStream]  # by venue
    sources: dict[str, HeardSource]
    log: list[logging.LogRecord]
    ticks: list = field(default_factory=list)  # every spot price that was judged

    async def until(self, moment):
        await asyncio.sleep((moment - self.clock.now()).total_seconds())

    async def until_true(self, holds, moment):
        """Until it holds, looking every second; when it did, None if it does not by then."""
        while self.clock.now() <= moment:
            if holds():
                return self.clock.now()
            await asyncio.sleep(1)
        return None


@asynccontextmanager
async def running(*symbols, every=CYCLE, push_every=PUSH_SECONDS):
    """A daemon at noon, with these symbols and every venue."""
    random.seed(SEED)  # of the streams' pauses
    clock = LoopClock(NOON)
    server = Simulator(SEED, clock.now, push_every=push_every)
    with kept_log() as log:
        async with server as simulator, open_session() as session:
            market = networked_market("sim", Config(), session, addresses(simulator), clock)
            streams = {one.name: HeardStream(one, clock.now) for one in market.streams}
            sources = {name: HeardSource(one, clock.now) for name, one in market.venues.items()}
            bench = Bench(simulator, clock, Ledger(), streams, sources, log)
            chats = Chats(bench.store, clock.now, Rulebook(bench.store, None).changed)
            dispatcher = Dispatcher(bench.store, [Silent()], clock.now, "bench", chats, clock)
            daemon = daemon_of(bench, market, dispatcher, symbols, every)
            await daemon.open()
            async with running_together([*daemon.loops(), dispatcher.run()]):
                yield bench


def addresses(simulator):
    """The simulator's own for every venue."""
    return {
        name: dict.fromkeys(venue.hosts.values(), simulator.base_url) | {"ws_url": simulator.ws_url}
        for name, venue in VENUES.items()
    }


def daemon_of(bench, market, dispatcher, symbols, every):
    """The daemon as the program joins it, but for what is remembered on the way."""
    clock, store, rulebook = bench.clock, bench.store, Rulebook(bench.store, "terminal:")
    return Daemon(
        [Desk(symbol, store, rulebook, STALE_AFTER, LIVE_LATE_AFTER) for symbol in symbols],
        market.collector(),
        Ticker(
            list(bench.streams.values()),
            list(bench.sources.values()),
            clock.now,
            clock,
            [bench.ticks.append],
        ),
        dispatcher,
        store,
        clock.now,
        clock,
        every,
    )


@asynccontextmanager
async def running_together(loops):
    """All of them, for as long as it is entered; one that ends by an error ends all."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop) for loop in loops]
        yield
        for task in tasks:
            task.cancel()


class Keeper(logging.Handler):
    """Keeps what is logged."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.records = []

    def emit(self, record):
        self.records.append(record)


@contextmanager
def kept_log():
    """What is said at the program's usual level, by whomever."""
    keeper = Keeper()
    logging.getLogger().addHandler(keeper)
    try:
        yield keeper.records
    finally:
        logging.getLogger().removeHandler(keeper)


def after(seconds):
    """That long after the daemon was started."""
    return NOON + timedelta(seconds=seconds)
