"""The composition root: the one place that knows every adapter."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterator,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bot.api.journal import journal_line, journal_text
from bot.api.printer import Printer
from bot.charts.picture import profile_picture
from bot.charts.worker import ChartError, ChartWorker
from bot.chat.terminal import TARGET, Terminal
from bot.config import Config, duration
from bot.core.cards import levels_card
from bot.core.chain import OptionChain, only_venues
from bot.core.events import Alert
from bot.core.reply import Field, Reply, mark_simulated
from bot.core.snapshot import Snapshot, recompute
from bot.core.symbols import coin_of, find_symbol
from bot.core.text import age_text
from bot.errors import BotError, NotListed, SourceError, StoreError, UsageError
from bot.markets import SIMULATED, Market, live_market, now_utc, recorded_market, simulated_market
from bot.ports import ChainSource, Store
from bot.recording.format import Recording, read_recording
from bot.recording.replay import VirtualClock, moments_of, newest_tick, stale_after
from bot.service.commands import Commands
from bot.service.daemon import Daemon, poll
from bot.service.desk import Desk
from bot.service.dispatcher import Dispatcher
from bot.service.replay import Replay
from bot.service.rulebook import Rulebook
from bot.service.ticker import Ticker
from bot.store.engine import parse_url, place, sqlite_file
from bot.store.migrate import NEWEST, current_revision, migrate, open_store

logger = logging.getLogger(__name__)

ROLES = ("collect", "deliver")
LIVE_LATE_AFTER = timedelta(minutes=2)  # a longer pause before a start makes a crossing LATE
REPLAY_EVERY = timedelta(minutes=15)
RELOAD_SECONDS = 30.0  # for rules that another process changed
EVENTS_SECONDS = 1.0
LONGEST_LINE = 1 << 22  # bytes; a snapshot has some 20,000

Work = Coroutine[object, object, object]


async def look_live(
    config: Config, symbol: str, exchanges: Collection[str] | None
) -> tuple[Snapshot, OptionChain]:
    """One snapshot of the live venues, nothing stored."""
    async with live_market(config) as market:
        tick = await Ticker(market.spots, market.now).fetch(symbol)
        limit = duration(config.collector.stale_after, "collector.stale_after")
        return await market.collector().look(symbol, lambda: tick, limit, exchanges)


async def look_recorded(
    recording: Recording, symbol: str, at: datetime, exchanges: Collection[str] | None
) -> tuple[Snapshot, OptionChain]:
    """One snapshot as of a time of the recording, nothing stored."""
    market = recorded_market(recording, VirtualClock(at))
    tick = newest_tick(recording, symbol, at)
    limit = stale_after(recording, symbol)
    return await market.collector().look(symbol, lambda: tick, limit, exchanges)


class Silent:
    """A messenger whose journal line is the message: what a replay rings with."""

    name = "terminal"

    async def send(self, alert: Alert) -> None:
        """Nothing more to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What `gammabell levels` shows."""

    snapshot: Snapshot
    chain: OptionChain
    now: datetime  # that ages are counted to
    simulated: bool = False


async def answer_levels(
    config: Config,
    symbol: str,
    at: datetime | None,
    recording_file: Path | None,
    exchanges: Collection[str] | None,
) -> Answer:
    """From a recording, from the store's past, or live."""
    if recording_file:
        recording = read_recording(recording_file)
        known, at = find_symbol(symbol, recording.symbols), at or recording.ends
        return Answer(*await look_recorded(recording, known, at, exchanges), at)
    known = find_symbol(symbol, config.symbols.always)
    if at is None:
        return Answer(*await look_live(config, known, exchanges), now_utc())
    return await look_stored(config, known, at, exchanges)


async def look_stored(
    config: Config, symbol: str, at: datetime, exchanges: Collection[str] | None
) -> Answer:
    """The stored snapshot that was on view at `at`, its chain computed again as of then."""
    async with opened_store(config) as store:
        snapshot = await store.snapshot(symbol, at)
        chain = await store.chain(snapshot) if snapshot else None
        simulated = await store.market() == SIMULATED
    if snapshot is None or chain is None:
        raise BotError(f"{symbol}: nothing stored up to {at.isoformat()}; see --recording")
    rows = chain if exchanges is None else only_venues(chain, exchanges)
    if not len(rows):
        raise BotError(f"{symbol}: nothing of {', '.join(exchanges or ())} at {at.isoformat()}")
    limit = duration(config.collector.stale_after, "collector.stale_after")
    then = recompute(snapshot, rows, at)
    return Answer(replace(then, stale=at - then.heard_at > limit), rows, at, simulated)


@asynccontextmanager
async def opened_store(config: Config) -> AsyncIterator[Store]:
    """The configured database, migrated."""
    store = await open_store(config.store.url)
    try:
        yield store
    finally:
        await store.close()


async def replay_recording(
    config: Config, recording: Recording, every: timedelta, speed: float | None, *, as_json: bool
) -> None:
    """What `gammabell replay` does: every event once on stdout, from where the database is."""
    render = journal_line if as_json else journal_text
    clock = VirtualClock(recording.starts)
    market = recorded_market(recording, clock)
    async with opened_store(config) as store:
        identity = await store.open_market(market.name)
        dispatcher = Dispatcher(store, [Silent()], market.now, owner="replay")
        replay = await make_replay(recording, clock, market, store, dispatcher, every)
        cursor = cursor_file(config, identity, "replay")
        with Printer(store, identity, cursor, render, sys.stdout.fileno()) as printer:
            before = printer.seq
            await replay.run(printer.catch_up, pace(speed))
            if printer.seq == before and sys.stderr.isatty():  # a person wonders, a script does not
                where = place(parse_url(config.store.url))
                sys.stderr.write(f"nothing left to replay: {where} holds it to its end\n")


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
            opened = live_market(config) if source == "live" else simulated_market(config)
            market = await stack.enter_async_context(opened)
        store = await stack.enter_async_context(opened_store(config))
        identity = await store.open_market(market.name)
        printer = None
        if output is not None:
            cursor = Path(f"{events}.cursor")
            following = Printer(store, identity, cursor, journal_line, output)
            printer = stack.enter_context(following)
        charts = ChartWorker()
        stack.push_async_callback(charts.close)
        rulebook = Rulebook(store, TARGET)
        await rulebook.reload()
        terminal = Terminal(sys.stdin, sys.stdout, Path(), simulated=market.simulated)
        owner = f"{socket.gethostname()} {os.getpid()}"
        messengers = [terminal] if "deliver" in roles else []
        dispatcher = Dispatcher(store, messengers, market.now, owner)
        limit = duration(config.collector.stale_after, "collector.stale_after")
        if recording:
            limit = max(stale_after(recording, symbol) for symbol in recording.symbols)
        commands = make_commands(market, store, rulebook, charts, limit)
        if sys.stdin and sys.stdin.isatty():
            terminal.show(greeting(market))
        work: list[Work] = []
        if recording and "collect" in roles:
            replay = await make_replay(recording, clock, market, store, dispatcher, REPLAY_EVERY)
            work.append(replay.run(written_nowhere, pace(speed)))
        elif "collect" in roles:
            work += await collecting(config, market, store, rulebook, dispatcher)
        if not (recording and "collect" in roles):  # a replay delivers within its steps
            work.append(dispatcher.run())
        if events and printer:
            work.append(poll(EVENTS_SECONDS, partial(write_events, printer, events)))
        work.append(poll(RELOAD_SECONDS, rulebook.reload))
        await until_stopped(terminal.run(commands.answer), work)


def greeting(market: Market) -> Reply:
    """What the person at the terminal sees first."""
    reply = Reply(
        "gammabell",
        lines=("Rings appear here as they come; the first levels take some seconds.",),
        footer=("type: levels btc, chart eth, alert list, help; quit leaves",),
    )
    return mark_simulated(reply) if market.simulated else reply


def make_commands(
    market: Market, store: Store, rulebook: Rulebook, charts: ChartWorker, limit: timedelta
) -> Commands:
    """The commands over this market's store."""
    started = market.now()

    async def draw(chain: OptionChain, snapshot: Snapshot, now: datetime) -> bytes | None:
        picture = profile_picture(chain, snapshot, now, simulated=market.simulated)
        try:
            return await charts.profile(picture)
        except ChartError as error:
            logger.warning("%s", error)
            return None

    def status() -> list[Field]:
        up = age_text(market.now() - started)
        return [Field("Market", market.name), Field("Up", up)]

    return Commands(
        store,
        market.symbols,
        market.now,
        draw,
        limit,
        status,
        rulebook.reload,
        simulated=market.simulated,
    )


def cursor_file(config: Config, identity: str, reader: str) -> Path:
    """Where it is noted how far a reader of the journal is: beside the database file, if any."""
    file = sqlite_file(parse_url(config.store.url))
    return Path(f"{file}.{reader}") if file else Path(f"gammabell.{identity[:8]}.{reader}")


@contextmanager
def event_file(path: Path) -> Iterator[int]:
    """The file of events, open at its end; as a file descriptor."""
    try:
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise UsageError(f"--events {path}: {error.strerror}") from error
    with file:
        if path.is_file():
            drop_fragment(path)
        yield file.fileno()


def drop_fragment(path: Path) -> None:
    """Cut off what follows the last line: a kill left it, and it is written again."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - LONGEST_LINE)
        file.seek(start)
        whole = file.read().rfind(b"\n") + 1
        if start + whole < end and (whole or not start):
            file.truncate(start + whole)


async def write_events(printer: Printer, path: Path) -> None:
    """Bring the file of events up to date. Raises BotError when there is no room for it."""
    try:
        await printer.catch_up()
    except OSError as error:
        raise BotError(f"--events {path}: {error.strerror}") from error


async def written_nowhere() -> None:
    """What a replay that rings in the terminal does beside: nothing."""


async def collecting(
    config: Config, market: Market, store: Store, rulebook: Rulebook, dispatcher: Dispatcher
) -> list[Work]:
    """The loops of the live collector, their desks as the last run left them."""
    limit = duration(config.collector.stale_after, "collector.stale_after")
    desks = [Desk(symbol, store, rulebook, limit, LIVE_LATE_AFTER) for symbol in market.symbols]
    daemon = Daemon(
        desks,
        market.collector(),
        Ticker(market.spots, market.now),
        dispatcher,
        store,
        market.now,
        duration(config.collector.every, "collector.every"),
    )
    await daemon.open()
    keep = duration(config.store.keep, "store.keep")
    keep_chains = duration(config.store.keep_chains, "store.keep_chains")
    return [*daemon.loops(), daemon.keep_house(keep_chains, keep)]


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


async def check(config: Config, say: Callable[[str], None]) -> int:
    """One line each for config, database and venues; 1 when one of them fails."""
    say("ok      config")
    database = await _check_database(config, say)
    async with live_market(config) as market:
        coin = coin_of(market.symbols[0])
        asked = [_check_venue(source, coin, market.now, say) for source in market.chains]
        venues = await asyncio.gather(*asked)
    return 0 if database and all(venues) else 1


async def _check_database(config: Config, say: Callable[[str], None]) -> bool:
    try:
        revision = await current_revision(config.store.url)
    except StoreError as error:
        say(f"FAILED  database: {error}")
        return False
    if revision is not None and revision > NEWEST:
        say(f"FAILED  database: revision {revision} is newer than {NEWEST}; update this program")
        return False
    state = "will be made" if revision is None else f"revision {revision}, newest {NEWEST}"
    say(f"ok      database: {state}")
    return True


async def _check_venue(
    source: ChainSource, coin: str, now: Callable[[], datetime], say: Callable[[str], None]
) -> bool:
    try:
        chain = await source.fetch_chain(coin)
    except NotListed:
        say(f"ok      {source.name}: lists no {coin}")
        return True
    except SourceError as error:
        say(f"FAILED  {error}")
        return False
    age = age_text(now() - chain.sources[0].at)
    say(f"ok      {source.name}: {len(chain)} {coin} rows, {age} old")
    return True


async def migrate_store(config: Config, say: Callable[[str], None]) -> int:
    """Bring the database to this version's revision and say so."""
    before, after = await migrate(config.store.url)
    say(f"database at revision {after}" + (f", was {before or 'new'}" if before != after else ""))
    return 0


def print_card(answer: Answer) -> None:
    """The levels as the chats show them. Raises DeliveryError."""
    card = levels_card(answer.snapshot, answer.now, timedelta.max)
    if answer.simulated:
        card = mark_simulated(card)
    Terminal(None, sys.stdout, Path(), simulated=answer.simulated).print(card)
