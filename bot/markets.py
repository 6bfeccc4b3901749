"""Markets: the adapters of the venues, on the network, in the simulator or in a recording."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import aiohttp

from bot.clock import FastClock, SystemClock
from bot.config import Config, duration
from bot.exchanges import binance, bybit, deribit, derive, okx
from bot.exchanges.feed import Feed
from bot.exchanges.http import Host, Hosts, HttpWire, open_session
from bot.exchanges.stream import Stream
from bot.exchanges.terms import Terms
from bot.exchanges.throttle import Throttle
from bot.ports import CandleSource, ChainSource, Clock, SpotSource, Timer, Wire
from bot.recording.format import Recording
from bot.recording.replay import ReplayWire, VirtualClock
from bot.service.collector import Collector
from bot.service.sources import Sources
from bot.sim.process import started_simulator

SEED = 7  # of the simulated market
SIMULATED = "sim"  # the name of its data
REPLAYED = timedelta(0)  # nothing stands in for a recorded answer

Now = Callable[[], datetime]
Tap = Callable[[Wire], Wire]  # puts something between the adapters and the network


class Adapter(ChainSource, SpotSource, Protocol):
    """What every venue gives."""


class Running(Clock, Timer, Protocol):
    """A clock that runs by itself."""


@dataclass(frozen=True, slots=True)
class Venue:
    """A venue as the program knows it; its section of the configuration has the same name."""

    adapter: Callable[[Wire, Now, timedelta], Adapter]
    terms: Terms
    feed: Callable[[Sequence[str], Now], Feed]
    prefix: str = ""  # of every path on the network
    hosts: Mapping[str, str] = field(default_factory=lambda: {"": "base_url"})  # by path, a setting


VENUES = {
    "deribit": Venue(deribit.Deribit, deribit.TERMS, deribit.DeribitFeed),
    "bybit": Venue(bybit.Bybit, bybit.TERMS, bybit.BybitFeed),
    "okx": Venue(okx.Okx, okx.TERMS, okx.OkxFeed),
    "binance": Venue(
        binance.Binance,
        binance.TERMS,
        binance.BinanceFeed,
        hosts={"": "base_url", "/fapi/": "futures_url", "/api/": "spot_url"},
    ),
    "derive": Venue(derive.Derive, derive.TERMS, derive.DeriveFeed, prefix=derive.PREFIX),
}
CANDLES = ("binance", "bybit", "okx", "deribit")  # whom to ask first


@dataclass(frozen=True, slots=True)
class Market:
    """Where data comes from: the live venues, the simulator, or a recording."""

    name: str  # what the database remembers it by
    symbols: Sequence[str]
    venues: Mapping[str, Adapter]
    candles: Sequence[CandleSource]
    now: Now
    timer: Timer
    streams: Sequence[Stream] = ()
    throttles: Mapping[str, Throttle] = field(default_factory=dict)  # of the venues' first hosts

    @property
    def simulated(self) -> bool:
        """Whether every screen must say so."""
        return self.name == SIMULATED

    def sources(self) -> Sources:
        """The chains of its venues; a networked one is not asked in vain for what it lacks."""
        return Sources(list(self.venues.values()), live=bool(self.throttles))

    def collector(self, sources: Sources | None = None) -> Collector:
        """A collector of this market."""
        heard = sources or self.sources()
        return Collector(heard, self.candles, list(self.venues.values()), self.now)


def untapped(wire: Wire) -> Wire:
    """The wire as it is."""
    return wire


def now_utc() -> datetime:
    """The system's time."""
    return SystemClock().now()


@asynccontextmanager
async def live_market(config: Config, tap: Tap = untapped) -> AsyncIterator[Market]:
    """The configured venues over the network."""
    addresses = {name: addresses_of(config, name) for name in enabled_venues(config)}
    async with open_session() as session:
        yield networked_market("live", config, session, addresses, SystemClock(), tap)


@asynccontextmanager
async def simulated_market(
    config: Config, speed: float = 1.0, tap: Tap = untapped
) -> AsyncIterator[Market]:
    """The built-in simulator on a loopback port, spoken to over sockets like the venues."""
    if speed == 1:
        clock: Running = SystemClock()
        arguments: tuple[object, ...] = ()
    else:
        clock = fast = FastClock(speed)
        arguments = (fast.speed, fast.started.isoformat(), fast.began)
    async with started_simulator(SEED, *map(str, arguments)) as host, open_session() as session:
        addresses = {
            name: dict.fromkeys(venue.hosts.values(), f"http://{host}") | {"ws_url": f"ws://{host}"}
            for name, venue in VENUES.items()
            if name in enabled_venues(config)
        }
        yield networked_market(SIMULATED, config, session, addresses, clock, tap)


def enabled_venues(config: Config) -> list[str]:
    """The venues that the configuration wants."""
    return [name for name in VENUES if getattr(config.venues, name).enabled]


def addresses_of(config: Config, venue: str) -> dict[str, str]:
    """The addresses that stand in a venue's section, by setting."""
    section = getattr(config.venues, venue)
    names = (name for name in section.__struct_fields__ if name.endswith("_url"))
    return {name: getattr(section, name) for name in names}


def networked_market(
    name: str,
    config: Config,
    session: aiohttp.ClientSession,
    addresses: Mapping[str, Mapping[str, str]],
    clock: Running,
    tap: Tap = untapped,
) -> Market:
    """The venues at these addresses (by venue and setting), each within its terms."""
    hosts = {venue: hosts_of(venue, known, clock) for venue, known in addresses.items()}
    keep = duration(config.collector.stale_after, "collector.stale_after")
    adapters = make_adapters(tap(HttpWire(session, hosts)), addresses, clock.now, keep)
    return Market(
        name,
        config.symbols.always,
        adapters,
        candle_sources(adapters),
        clock.now,
        clock,
        [make_stream(name, session, one["ws_url"], clock) for name, one in addresses.items()],
        {venue: known[""].throttle for venue, known in hosts.items()},
    )


def hosts_of(venue: str, addresses: Mapping[str, str], clock: Running) -> Hosts:
    """The venue's hosts at these addresses, each with limits and refusals of its own."""
    known = VENUES[venue]
    return {
        path: Host(addresses[setting], Throttle(venue, known.terms, clock, clock.now), known.prefix)
        for path, setting in known.hosts.items()
    }


def make_stream(name: str, session: aiohttp.ClientSession, address: str, clock: Running) -> Stream:
    """The venue's stream of prices."""
    feed = VENUES[name].feed
    return Stream(name, session, address, lambda coins: feed(coins, clock.now), clock)


def recorded_market(recording: Recording, clock: VirtualClock) -> Market:
    """A recording through the same adapters."""
    wire = ReplayWire(recording, clock)
    adapters = make_adapters(wire, recording.venues, clock.now, REPLAYED)
    candles = candle_sources(adapters)
    return Market(recording.name, recording.symbols, adapters, candles, clock.now, SystemClock())


def make_adapters(
    wire: Wire, venues: Collection[str], now: Now, keep: timedelta
) -> dict[str, Adapter]:
    """The adapters of these venues on that wire."""
    return {
        name: venue.adapter(wire, now, keep) for name, venue in VENUES.items() if name in venues
    }


def candle_sources(adapters: Mapping[str, Adapter]) -> list[CandleSource]:
    """Those that have candles, the preferred first."""
    return [adapters[name] for name in CANDLES if name in adapters]  # type: ignore[misc]
