"""The commands that end by themselves: levels, replay, record, check, migrate."""

import asyncio
import logging
import re
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from secrets import token_bytes

from bot.api.journal import journal_line, journal_text
from bot.api.printer import Printer
from bot.app import make_replay, networked, opened_store, pace, until_stopped
from bot.chat.terminal import TARGET, Terminal
from bot.config import Config, duration
from bot.core.cards import levels_card
from bot.core.chain import OptionChain, only_venues
from bot.core.events import Alert
from bot.core.keys import PER_MINUTE, RANDOM_BYTES, ApiKey, digest_of, make_key
from bot.core.reply import mark_simulated
from bot.core.schedule import next_collect
from bot.core.snapshot import Snapshot, Tick, recompute
from bot.core.symbols import coin_of, find_symbol
from bot.core.text import age_text
from bot.core.view import View
from bot.errors import BotError, NothingHeard, NotListed, SourceError, StoreError, UsageError
from bot.markets import SIMULATED, Market, enabled_venues, live_market, now_utc, recorded_market
from bot.ports import Begun, ChainSource
from bot.program import make_ticker
from bot.recording.format import Recording, read_recording
from bot.recording.recorder import Recorder, RecordingWire
from bot.recording.replay import VirtualClock, newest_tick, stale_after
from bot.service.access import end_all
from bot.service.chats import Chats
from bot.service.dispatcher import Dispatcher
from bot.service.rulebook import Rulebook
from bot.service.ticker import Ticker
from bot.signin import discord_bot, telegram_bot
from bot.store.engine import parse_url, place, sqlite_file
from bot.store.migrate import NEWEST, current_revision, migrate
from bot.tokens import read_token

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 5.0
KEY_NAME = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"
MOST_PER_MINUTE = 10_000_000


async def look_live(
    config: Config, symbol: str, exchanges: Collection[str] | None
) -> tuple[Snapshot, OptionChain]:
    """One snapshot of the live venues, nothing stored."""
    async with live_market(config) as market:
        tick = await make_ticker(market).fetch(symbol)
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
    repeats_are_safe = True
    folds = False

    async def send(self, alert: Alert, begun: Begun) -> None:
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


async def replay_recording(
    config: Config, recording: Recording, every: timedelta, speed: float | None, *, as_json: bool
) -> None:
    """What `gammabell replay` does: every event once on stdout, from where the database is."""
    render = journal_line if as_json else journal_text
    clock = VirtualClock(recording.starts)
    market = recorded_market(recording, clock)
    async with opened_store(config) as store:
        identity = await store.open_market(market.name)
        chats = Chats(store, market.now, Rulebook(store, TARGET).changed)
        dispatcher = Dispatcher(store, [Silent()], market.now, "replay", chats, market.timer)
        replay = await make_replay(recording, clock, market, store, dispatcher, every)
        cursor = cursor_file(config, identity, "replay")
        with Printer(store, identity, cursor, render, sys.stdout.fileno()) as printer:
            before = printer.seq
            await replay.run(printer.catch_up, pace(speed))
            if printer.seq == before and sys.stderr.isatty():  # a person wonders, a script does not
                where = place(parse_url(config.store.url))
                sys.stderr.write(f"nothing left to replay: {where} holds it to its end\n")


def cursor_file(config: Config, identity: str, reader: str) -> Path:
    """Where it is noted how far a reader of the journal is: beside the database file, if any."""
    file = sqlite_file(parse_url(config.store.url))
    return Path(f"{file}.{reader}") if file else Path(f"gammabell.{identity[:8]}.{reader}")


@dataclass(slots=True)
class Unjudged:
    """A symbol whose ticks are wanted for themselves."""

    symbol: str
    tick: Tick | None = None

    async def judge(self, tick: Tick) -> bool:
        """Nothing is stored."""
        self.tick = tick
        return False


async def record(config: Config, path: Path, lasting: timedelta, source: str) -> None:
    """What `gammabell record` does: every answer of the venues and their spot into a file."""
    symbols, venues = config.symbols.always, enabled_venues(config)
    with Recorder(path, f"gammabell, {source} venues", symbols, venues, now_utc) as recorder:
        tapped = networked(config, source, 1, lambda wire: RecordingWire(wire, recorder))
        async with tapped as market:
            ticker = make_ticker(market, recorder.tick)
            ticking = ticker.loops([Unjudged(symbol) for symbol in symbols], lambda: None)
            work = [*ticking, look_on(config, market, ticker), flush_on(recorder, lasting)]
            await until_stopped(asyncio.sleep(lasting.total_seconds()), work)


async def look_on(config: Config, market: Market, ticker: Ticker) -> None:
    """Ask every venue for every symbol, once a cycle, until cancelled."""
    every = duration(config.collector.every, "collector.every")
    limit = duration(config.collector.stale_after, "collector.stale_after")
    collector = market.collector()

    async def look(symbol: str) -> None:
        try:
            await collector.look(symbol, partial(ticker.newest, symbol), limit)
        except NothingHeard as error:
            logger.warning("%s", error)

    while True:
        await asyncio.gather(*map(look, market.symbols))
        now = market.now()
        await asyncio.sleep((next_collect(now, (), every) - now).total_seconds())


async def flush_on(recorder: Recorder, lasting: timedelta) -> None:
    """Write what was heard, every few seconds, and tell a person how far it is."""
    started = now_utc()
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        recorder.flush()
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{age_text(now_utc() - started)} of {age_text(lasting)} recorded ")


async def check(config: Config, say: Callable[[str], None]) -> int:
    """One line each for config, database, chats, venues and symbols; 1 when one of them fails."""
    say("ok      config")
    fine = await _check_database(config, say)
    fine = await _check_platforms(config, say) and fine
    fine = await _check_chats(config, say) and fine
    listed: set[str] = set()
    async with live_market(config) as market:
        coins = [coin_of(symbol) for symbol in market.symbols]
        asked = [_check_venue(source, coins, market.now, say) for source in market.venues.values()]
        for heard in await asyncio.gather(*asked):
            fine, listed = fine and heard is not None, listed | (heard or set())
    if not market.venues:
        say("FAILED  venues: none is enabled; enable one in [venues.NAME]")
    for coin in coins:
        if coin not in listed:
            say(f"FAILED  symbols: no venue that answers lists {coin}")
    return 0 if fine and listed.issuperset(coins) else 1


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


async def _check_chats(config: Config, say: Callable[[str], None]) -> bool:
    """Whether we may write to every chat that wants it."""
    with suppress(StoreError):  # told already
        if await current_revision(config.store.url) != NEWEST:
            return True
        async with opened_store(config) as store:
            chats = await store.chats()
        suspended = [chat for chat in chats if chat.state == "suspended"]
        for chat in suspended:
            say(f"FAILED  permissions: {chat.title or chat.target}: {chat.trouble}")
        if not suspended:
            say("ok      permissions: no chat lacks any")
        return not suspended
    return True


async def _check_platforms(config: Config, say: Callable[[str], None]) -> bool:
    """The tokens of the chats that are enabled."""
    fine = True
    for name, section, ask in (
        ("discord", config.discord, discord_bot),
        ("telegram", config.telegram, telegram_bot),
    ):
        if not section.enabled:
            continue
        try:
            say(f"ok      {name}: signed in as {await ask(config, read_token(name))}")
        except BotError as error:
            say(f"FAILED  {error}")
            fine = False
    return fine


async def _check_venue(
    source: ChainSource,
    coins: Sequence[str],
    now: Callable[[], datetime],
    say: Callable[[str], None],
) -> set[str] | None:
    """The coins that it lists; None when it does not answer."""
    rows: dict[str, str] = {}
    try:
        for coin in coins:
            with suppress(NotListed):
                chain = await source.fetch_chain(coin)
                rows[coin] = (
                    f"{len(chain)} {coin} rows, {age_text(now() - chain.sources[0].at)} old"
                )
    except SourceError as error:
        say(f"FAILED  {error}")
        return None
    lacks = ", ".join(coin for coin in coins if coin not in rows)
    parts = [*rows.values(), f"lists no {lacks}" if lacks else ""]
    say(f"ok      {source.name}: {'; '.join(filter(None, parts))}")
    return set(rows)


async def migrate_store(config: Config, say: Callable[[str], None]) -> int:
    """Bring the database to this version's revision and say so."""
    before, after = await migrate(config.store.url)
    say(f"database at revision {after}" + (f", was {before or 'new'}" if before != after else ""))
    return 0


async def create_key(
    config: Config, name: str, per_minute: int | None, say: Callable[[str], None]
) -> int:
    """Make a key for the HTTP API and show it, this once."""
    if not re.fullmatch(KEY_NAME, name):
        raise UsageError(f"keys create {name!r}: a name has up to 64 letters, digits and . _ @ -")
    limit = PER_MINUTE if per_minute is None else per_minute
    if not 0 < limit <= MOST_PER_MINUTE:
        raise UsageError(f"--per-minute {limit}: write a number from 1 to {MOST_PER_MINUTE}")
    key = make_key(token_bytes(RANDOM_BYTES))
    async with opened_store(config) as store:
        if not await store.add_key(ApiKey(name, digest_of(key), limit, now_utc())):
            raise UsageError(f"there is a key {name!r} already: choose another name or revoke it")
    say(key)
    if sys.stderr.isatty():
        sys.stderr.write(f"{limit} requests a minute; it is not shown again, keep it now\n")
    return 0


async def list_keys(config: Config, say: Callable[[str], None]) -> int:
    """One line each: name, limit, since when, and when it was used last."""
    async with opened_store(config) as store:
        keys, asked_at = await store.keys(), await store.asked_at()
    for key in keys:
        last = asked_at.get(key.digest)
        used = f"last used {last:%Y-%m-%d %H:%M} UTC" if last else "never used"
        say(f"{key.name}  {key.per_minute} a minute  since {key.created_at:%Y-%m-%d}  {used}")
    if not keys:
        say(
            "no key yet: the API answers this machine alone; `gammabell keys create NAME` makes one"
        )
    return 0


async def revoke_key(config: Config, name: str, say: Callable[[str], None]) -> int:
    """The key is no key any more."""
    async with opened_store(config) as store:
        if not await store.delete_key(name):
            raise UsageError(f"there is no key {name!r}; `gammabell keys list` shows them")
    say(f"revoked {name}")
    return 0


async def sign_out(config: Config, say: Callable[[str], None]) -> int:
    """End every session of the dashboard, every link into it and every calendar's address."""
    async with opened_store(config) as store:
        await end_all(store)
    say("signed out: every browser, within a second; calendars need a new address")
    return 0


def print_card(answer: Answer) -> None:
    """The levels as the chats show them. Raises DeliveryError."""
    card = levels_card(answer.snapshot, View(answer.now, timedelta.max))
    if answer.simulated:
        card = mark_simulated(card)
    Terminal(None, sys.stdout, Path(), simulated=answer.simulated).print(card)
