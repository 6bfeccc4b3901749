"""The parts of the program, joined: every constructor of the service and its adapters."""

import os
import socket
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from secrets import token_hex
from time import time as unix_time
from uuid import uuid4

from aiohttp import web

from bot.api.addresses import Addresses
from bot.api.api import Parts as ApiParts
from bot.api.codes import too_many
from bot.api.dashboard import Calendars, Exports, Pictures, dashboard_places
from bot.api.doors import Doors
from bot.api.files import FILES, find_assets
from bot.api.gate import session_of
from bot.api.live import FULL_SECONDS, Live
from bot.api.pages import Place, Serve, Stream
from bot.api.schema import envelope
from bot.api.soon import soon
from bot.charts.picture import make_picture
from bot.charts.theme import THEMES
from bot.charts.worker import ChartWorker
from bot.chat.buttons import Signer
from bot.chat.terminal import TARGET, Terminal
from bot.chat.web.chat import Allowances, Presence, WebChat
from bot.chat.web.guests import Guests
from bot.chat.web.rooms import Rooms, WebSender
from bot.clock import SystemClock
from bot.config import Config, duration
from bot.core.chain import OptionChain
from bot.core.exports.export import Export
from bot.core.reply import Field
from bot.core.snapshot import Snapshot, Tick
from bot.core.text import age_text
from bot.health import clock_fields, venue_fields
from bot.markets import Market
from bot.platforms import (
    BUTTON_KEY,
    DELIVER,
    Platform,
    open_platforms,
    platform_fields,
    senders,
)
from bot.ports import Messenger, Store
from bot.recording.format import Recording
from bot.recording.replay import stale_after
from bot.service.access import Access
from bot.service.chats import Chats
from bot.service.commands import Commands, Parts, every_command
from bot.service.digests import Digests
from bot.service.dispatcher import Dispatcher
from bot.service.gallery import Gallery
from bot.service.limits import Buckets, Limit, Limits
from bot.service.minutes import MinuteKeeper
from bot.service.newest import Newest
from bot.service.rulebook import Rulebook
from bot.service.sources import Sources
from bot.service.ticker import Ticker
from bot.service.ticks import TickKeeper

# From one address, whatever a browser there says that it is.
SIGNING_IN = Limit(20, 1 / 3)  # tries
NEW_GUESTS = Limit(20, 1 / 300)  # of the dashboard's chat
LINES = Limit(180, 3)  # typed or pressed there
OFFERS = Limit(300, 20)  # of what may be meant while one types there
FETCHES = Limit(30, 0.1)  # of one calendar
ELSEWHERE = Field("Venues", "heard by the process whose role is collect")


def utc_seconds() -> float:
    """Seconds since 1970: what sessions and the API's limits are counted by."""
    return unix_time()  # asked for by every request: a datetime would take ten times as long


def make_ticker(market: Market, *listeners: Callable[[Tick], None]) -> Ticker:
    """The market's prices; the listeners hear every tick that counts."""
    sources = list(market.venues.values())
    return Ticker(market.streams, sources, market.now, market.timer, listeners)


@dataclass(frozen=True, slots=True)
class Program:
    """What the roles of one process share."""

    config: Config
    market: Market
    store: Store
    access: Access
    rulebook: Rulebook
    chats: Chats
    gallery: Gallery
    platforms: Sequence[Platform]
    rooms: Rooms
    button_key: str
    dispatcher: Dispatcher
    sources: Sources
    ticker: Ticker
    minutes: MinuteKeeper
    ticks: TickKeeper
    stale_after: timedelta
    collects: bool  # hears the venues itself


async def make_program(
    config: Config,
    market: Market,
    store: Store,
    recording: Recording | None,
    terminal: Terminal,
    roles: Collection[str],
    stack: AsyncExitStack,
) -> Program:
    """The parts of the program over that market and store; the stack closes them."""
    limit = duration(config.collector.stale_after, "collector.stale_after")
    if recording:
        limit = max(stale_after(recording, symbol) for symbol in recording.symbols)
    rulebook = Rulebook(store, TARGET)
    await rulebook.reload()
    chats = Chats(store, market.now, rulebook.changed)
    platforms = await open_platforms(config, roles, store, simulated=market.simulated)
    messengers: list[Messenger] = []
    if DELIVER in roles:
        messengers += [terminal, *senders(platforms, stack)]
    rooms, button_key = Rooms(), await store.first_fact(BUTTON_KEY, token_hex(32))
    if "api" in roles:  # where its pages are open
        messengers.append(WebSender(rooms, Signer(button_key), simulated=market.simulated))
    owner = f"{socket.gethostname()} {os.getpid()} {token_hex(4)}"  # of this run alone
    charts = ChartWorker()
    stack.push_async_callback(charts.close)
    if platforms or "api" in roles:
        charts.start()  # whoever asks first need not wait for it
    gallery = make_gallery(market, store, charts)
    stack.push_async_callback(gallery.close)
    minutes, ticks = MinuteKeeper(store, market.now, market.timer), TickKeeper(store)
    return Program(
        config=config,
        market=market,
        store=store,
        access=Access(store, utc_seconds, config.api.public_url),
        rulebook=rulebook,
        chats=chats,
        gallery=gallery,
        platforms=platforms,
        rooms=rooms,
        button_key=button_key,
        dispatcher=Dispatcher(store, messengers, market.now, owner, chats, market.timer),
        sources=market.sources(),
        ticker=make_ticker(market, minutes.take, ticks.take),
        minutes=minutes,
        ticks=ticks,
        stale_after=limit,
        collects="collect" in roles,
    )


def make_gallery(market: Market, store: Store, charts: ChartWorker) -> Gallery:
    """The pictures of this market's snapshots."""

    async def draw(
        chain: OptionChain | None,
        snapshot: Snapshot,
        kind: str,
        theme: str,
        stale: bool,  # noqa: FBT001  the gallery hands it on as it came
    ) -> bytes:
        shown = replace(snapshot, stale=stale)
        look = THEMES[theme]
        return await charts.draw(
            make_picture(kind, chain, shown, theme=look, simulated=market.simulated)
        )

    return Gallery(store, draw, market.timer.time)


def make_commands(program: Program) -> Commands:
    """The commands over this program's store."""
    market = program.market
    time = SystemClock().time
    parts = Parts(
        store=program.store,
        chats=program.chats,
        newest=Newest(program.store.snapshot, time),
        symbols=market.symbols,
        pictures=program.gallery.picture,
        status=partial(status_fields, program, market.now()),
        rules_changed=program.rulebook.changed,
        envelope=lambda snapshot, now: envelope(
            snapshot, now, uuid4().hex, None, simulated=market.simulated
        ),
        simulated=market.simulated,
        access=program.access,
    )
    return Commands(
        every_command(parts),
        program.chats,
        Limits(time),
        market.now,
        program.stale_after,
        simulated=market.simulated,
    )


def status_fields(program: Program, started: datetime) -> list[Field]:
    """What works and what does not."""
    market = program.market
    return [
        Field("Market", market.name),
        Field("Up", age_text(market.now() - started)),
        *platform_fields(program.platforms, program.dispatcher.troubles()),
        *clock_fields(program.ticker),
        *(venue_fields(market, program.sources.unlisted()) if program.collects else [ELSEWHERE]),
    ]


def make_digests(program: Program) -> Digests:
    """What posts the digests that are due."""
    market = program.market
    return Digests(program.store, program.rulebook, market.now, market.timer, program.stale_after)


def make_api_parts(program: Program, commands: Commands, live: Live) -> ApiParts:
    """What the HTTP API and the dashboard stand on."""
    config, market = program.config.api, program.market
    newest = Newest(soon(program.store.snapshot), SystemClock().time).of
    pictures = Pictures(
        newest, program.gallery.picture, market.now, program.stale_after, market.symbols
    )

    def export_of(snapshot: Snapshot) -> Export:
        now = market.now()
        stale = snapshot.is_stale(now, program.stale_after)
        return Export(snapshot, now, stale=stale, simulated=market.simulated)

    exports = Exports(commands.ask, newest, export_of, market.symbols)
    addresses = Addresses(config.trusted_proxies)
    chat = open_chat(make_web_chat(program, commands, addresses))
    tries = Buckets(SIGNING_IN, SystemClock().time)
    assets = find_assets(FILES)
    doors = Doors(program.access, program.store.keys, tries, addresses.of)
    fetches = Buckets(FETCHES, SystemClock().time)
    calendars = Calendars(exports, program.access.calendar_of, fetches)
    return ApiParts(
        store=program.store,
        newest=newest,
        symbols=market.symbols,
        venues=tuple(market.venues),
        now=market.now,
        clock=utc_seconds,
        holder=program.access.holder,
        public_url=config.public_url,
        stale_after=program.stale_after,
        simulated=market.simulated,
        cors=config.cors,
        metrics_anywhere=config.metrics == "anywhere",
        places={
            **dashboard_places(assets, pictures, exports, live, chat, simulated=market.simulated),
            **doors.places(assets, simulated=market.simulated),
            "/calendar/": Place(calendars.serve, is_public=True),
        },
        assets=assets,
    )


def make_web_chat(program: Program, commands: Commands, addresses: Addresses) -> WebChat:
    """What answers the dashboard's pages."""
    time = SystemClock().time

    async def holder(request: web.BaseRequest) -> str | None:
        session = session_of(request)
        return await program.access.holder(session) if session else None

    guests = Guests(
        Signer(f"{program.button_key} guests"), holder, addresses.of, Buckets(NEW_GUESTS, time)
    )

    async def arrived(target: str) -> None:
        await program.chats.revive(target)
        await program.store.hasten(target, program.market.now())
        program.dispatcher.nudge()

    return WebChat(
        commands,
        program.rooms,
        Signer(program.button_key),
        guests,
        Allowances(lines=Buckets(LINES, time), offers=Buckets(OFFERS, time)),
        Presence(arrived, program.chats.miss, program.store.rang),
        simulated=program.market.simulated,
    )


def open_chat(chat: WebChat) -> Serve:
    """A conversation for every page, while there are not too many."""

    async def serve(request: web.BaseRequest) -> Stream:
        guest = await chat.welcome(request)
        if guest is None:
            raise too_many("too many pages chat", FULL_SECONDS)
        return Stream(partial(chat.run, guest))

    return serve
