"""The daemon from its start to its end: what runs in which role, and how it stops."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bot.api.addresses import Addresses
from bot.api.journal import journal_line
from bot.api.live import Live
from bot.api.printer import Printer
from bot.api.server import serving
from bot.chat.terminal import TARGET, Terminal
from bot.config import Config, duration
from bot.core.reply import Reply, mark_simulated
from bot.errors import BotError, UsageError
from bot.eventfile import event_file, write_events
from bot.markets import (
    Market,
    Tap,
    live_market,
    now_utc,
    recorded_market,
    simulated_market,
    untapped,
)
from bot.platforms import DELIVER, PLATFORMS
from bot.ports import Store
from bot.program import Program, make_api_parts, make_commands, make_digests, make_program
from bot.recording.format import Recording, read_recording
from bot.recording.replay import VirtualClock, moments_of, stale_after
from bot.service.commands import Commands
from bot.service.daemon import Daemon, poll
from bot.service.desk import Desk
from bot.service.dispatcher import Dispatcher
from bot.service.replay import Replay
from bot.service.rulebook import Rulebook
from bot.service.ticks import TickReader
from bot.store.migrate import open_store

logger = logging.getLogger(__name__)

ROLES = ("collect", DELIVER, *PLATFORMS, "api")
LIVE_LATE_AFTER = timedelta(minutes=2)  # a longer pause before a start makes a crossing LATE
REPLAY_EVERY = timedelta(minutes=15)
RELOAD_SECONDS = 30.0  # for rules that another process changed
EVENTS_SECONDS = 1.0
LIVE_SECONDS = 1.0  # between two looks for what pages are told
TICK_SECONDS = 1.0  # between two notes of the newest prices, and two looks at these notes

Work = Coroutine[object, object, object]


@asynccontextmanager
async def opened_store(config: Config) -> AsyncIterator[Store]:
    """The configured database, migrated."""
    store = await open_store(config.store.url)
    try:
        yield store
    finally:
        await store.close()


async def make_replay(
    recording: Recording,
    clock: VirtualClock,
    market: Market,
    store: Store,
    dispatcher: Dispatcher,
    every: timedelta,
) -> Replay:
    """The recording and the desks that it drives."""
    rulebook = Rulebook(store, TARGET)
    await rulebook.reload()
    desks = {
        symbol: Desk(symbol, store, rulebook, stale_after(recording, symbol))
        for symbol in recording.symbols
    }
    moments = moments_of(recording)
    return Replay(moments, clock, desks, market.collector(), dispatcher, store, every)


def pace(speed: float | None) -> Callable[[datetime], Awaitable[None]]:
    """Waits until a recorded time comes, `speed` times as fast as it did; None never waits."""
    started: list[tuple[datetime, float]] = []

    async def wait_until(time: datetime) -> None:
        loop = asyncio.get_running_loop()
        if speed is None:
            await asyncio.sleep(0)
            return
        if not started:
            started.append((time, loop.time()))
        first, began = started[0]
        await asyncio.sleep(began + (time - first).total_seconds() / speed - loop.time())

    return wait_until


async def run_daemon(
    config: Config,
    source: str,
    roles: Collection[str],
    speed: float | None,
    events: Path | None,
) -> None:
    """The daemon until it is told to stop: SIGTERM, Ctrl-C, or `quit` typed in its terminal."""
    recording = None if source in ("live", "sim") else read_recording(Path(source))
    async with AsyncExitStack() as stack:
        output = stack.enter_context(event_file(events)) if events else None
        clock = VirtualClock(recording.starts if recording else now_utc())
        if recording:
            market = recorded_market(recording, clock)
        else:
            market = await stack.enter_async_context(networked(config, source, speed))
        stack.push_async_callback(end_stragglers, asyncio.all_tasks())
        store = await stack.enter_async_context(opened_store(config))
        identity = await store.open_market(market.name)
        terminal = Terminal(sys.stdin, sys.stdout, Path(), simulated=market.simulated)
        program = await make_program(config, market, store, recording, terminal, roles, stack)
        commands = make_commands(program)
        dashboard, work = None, list[Work]()
        if "api" in roles:
            dashboard, work = await telling_pages(program, commands, stack, roles)
        work.append(poll(RELOAD_SECONDS, program.rulebook.reload))
        work += [
            platform.listener(commands, program.chats)
            for platform in program.platforms
            if platform.name in roles
        ]
        if recording and "collect" in roles:
            work.append(await replaying(program, recording, clock, speed))
        elif "collect" in roles:
            work += await collecting(program, stack)
        if not (recording and "collect" in roles):  # a replay delivers within its steps
            work.append(program.dispatcher.run())
        if DELIVER in roles:
            work.append(make_digests(program).run())
        if events and output is not None:
            cursor = Path(f"{events}.cursor")
            printer = stack.enter_context(Printer(store, identity, cursor, journal_line, output))
            work.append(poll(EVENTS_SECONDS, partial(write_events, printer, events)))
            stack.push_async_callback(write_events, printer, events)  # what the end still told
        if sys.stdin and sys.stdin.isatty():
            terminal.show(greeting(market, config.api.public_url or dashboard))
        gc.freeze()  # what was imported stays: a collection would look through all of it in vain
        await until_stopped(terminal.run(commands.answer), work)


async def telling_pages(
    program: Program, commands: Commands, stack: AsyncExitStack, roles: Collection[str]
) -> tuple[str | None, list[Work]]:
    """Where the API listens, and the loops that look for what its pages are told."""
    store, market, collects = program.store, program.market, "collect" in roles
    elsewhere = TickReader(store, market.now)  # what the process that collects has heard
    newest = program.ticker.newest if collects else elsewhere.newest
    address_of = Addresses(program.config.api.trusted_proxies).of
    live = Live(store.journal, newest, market.symbols, address_of)
    address = await open_api(program, commands, live, stack, roles)
    telling = poll(LIVE_SECONDS, live.catch_up)
    return address, [telling] if collects else [poll(TICK_SECONDS, elsewhere.read), telling]


async def open_api(
    program: Program,
    commands: Commands,
    live: Live,
    stack: AsyncExitStack,
    roles: Collection[str],
) -> str | None:
    """The API listens until the stack is closed: where. A port that is taken ends no bell.

    Raises BotError where the API was asked for by name.
    """
    try:
        return await stack.enter_async_context(serving_api(program, commands, live))
    except UsageError:
        raise
    except BotError as error:
        if set(roles) < set(ROLES):
            raise
        logger.error("%s; going on without the API", error)
        return None


@asynccontextmanager
async def serving_api(program: Program, commands: Commands, live: Live) -> AsyncIterator[str]:
    """The HTTP API; its address.

    Raises ConfigError where it may not listen, BotError where it cannot.
    """
    config = program.config.api
    async with serving(
        make_api_parts(program, commands, live), config.host, config.port
    ) as address:
        logger.info("api: listening on %s", address)
        yield address


async def replaying(
    program: Program, recording: Recording, clock: VirtualClock, speed: float | None
) -> Work:
    """The loop of a replay that rings in the terminal."""
    market, store, dispatcher = program.market, program.store, program.dispatcher
    replay = await make_replay(recording, clock, market, store, dispatcher, REPLAY_EVERY)
    return replay.run(written_nowhere, pace(speed))


async def collecting(program: Program, stack: AsyncExitStack) -> list[Work]:
    """The loops of the live collector, its desks as the last run left them."""
    config, market, store = program.config, program.market, program.store
    stack.push_async_callback(program.minutes.flush)
    desks = [
        Desk(symbol, store, program.rulebook, program.stale_after, LIVE_LATE_AFTER)
        for symbol in market.symbols
    ]
    daemon = Daemon(
        desks,
        market.collector(program.sources),
        program.ticker,
        program.dispatcher,
        store,
        market.now,
        market.timer,
        duration(config.collector.every, "collector.every"),
        shown=program.gallery.warm,
    )
    await daemon.open()
    program.rulebook.follow(daemon.take_sides)
    keep = duration(config.store.keep, "store.keep")
    keep_chains = duration(config.store.keep_chains, "store.keep_chains")
    housekeeping = daemon.keep_house(keep_chains, keep)
    noting = poll(TICK_SECONDS, program.ticks.store)
    return [*daemon.loops(), housekeeping, program.minutes.run(), noting]


def networked(
    config: Config, source: str, speed: float | None, tap: Tap = untapped
) -> AbstractAsyncContextManager[Market]:
    """The live venues, or the simulated ones at that speed. Raises UsageError."""
    if source == "sim" and speed is not None:
        return simulated_market(config, speed, tap)
    if source == "live" and speed == 1:
        return live_market(config, tap)
    raise UsageError(f"--speed {speed or 'max'}: {source} data does not come so fast; leave it out")


def greeting(market: Market, dashboard: str | None) -> Reply:
    """What the person at the terminal sees first; `dashboard` is its address, if there is one."""
    reply = Reply(
        "gammabell",
        lines=(
            "Rings appear here as they come; the first levels take some seconds.",
            *([f"Dashboard: {dashboard}"] if dashboard else []),
        ),
        footer=("type: levels btc, chart eth, alert list, help; quit leaves",),
    )
    return mark_simulated(reply) if market.simulated else reply


async def end_stragglers(known: Collection[asyncio.Task[object]]) -> None:
    """Cancel what was begun since: requests that nobody waits for, before the network goes."""
    stragglers = asyncio.all_tasks() - set(known) - {asyncio.current_task()}
    for task in stragglers:
        task.cancel()
    await asyncio.gather(*stragglers, return_exceptions=True)


async def written_nowhere() -> None:
    """What a replay that rings in the terminal does beside: nothing."""


async def until_stopped(prompt: Work, work: Sequence[Work]) -> None:
    """Run all of it together until a signal comes or the person at the prompt leaves."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in (prompt, *work)]
            tasks[0].add_done_callback(lambda _: stop.set())
            await stop.wait()
            for task in tasks:
                task.cancel()
    except* BotError as errors:
        raise errors.exceptions[0] from None  # the first says enough
