"""Markets: the adapters of the venues, on the network, in the simulator or in a recording."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.config import Config
from bot.exchanges import derive
from bot.exchanges.binance import Binance
from bot.exchanges.deribit import Deribit
from bot.exchanges.derive import Derive
from bot.exchanges.http import HttpWire, open_session
from bot.ports import CandleSource, ChainSource, SpotSource, Wire
from bot.recording.format import Recording
from bot.recording.replay import ReplayWire, VirtualClock
from bot.service.collector import Collector
from bot.service.sources import Sources

SEED = 7  # of the simulated market
SIMULATED = "sim"  # the name of its data


@dataclass(frozen=True, slots=True)
class Market:
    """Where data comes from: the live venues, the simulator, or a recording."""

    name: str  # what the database remembers it by
    symbols: Sequence[str]
    chains: Sequence[ChainSource]
    spots: Sequence[SpotSource]
    candles: CandleSource | None
    now: Callable[[], datetime]

    @property
    def simulated(self) -> bool:
        """Whether every screen must say so."""
        return self.name == SIMULATED

    def collector(self) -> Collector:
        """A collector of this market."""
        return Collector(Sources(self.chains), self.candles, self.spots, self.now)


def now_utc() -> datetime:
    """The system's time."""
    return datetime.now(UTC)


@asynccontextmanager
async def live_market(config: Config) -> AsyncIterator[Market]:
    """The configured venues over the network."""
    venues = config.venues
    addresses = {
        "deribit": venues.deribit.base_url,
        "derive": venues.derive.base_url + derive.PREFIX,
        "binance": venues.binance.base_url,
    }
    enabled = {name for name in addresses if getattr(venues, name).enabled}
    async with open_session() as session:
        wire = HttpWire(session, addresses)
        yield make_market("live", config.symbols.always, wire, enabled, now_utc)


@asynccontextmanager
async def simulated_market(config: Config) -> AsyncIterator[Market]:
    """The built-in simulator on a loopback port, spoken to over HTTP like a venue."""
    from bot.sim.server import Simulator

    async with Simulator(SEED, now_utc) as simulator, open_session() as session:
        wire = HttpWire(session, dict.fromkeys(("deribit", "binance"), simulator.base_url))
        symbols = config.symbols.always
        yield make_market(SIMULATED, symbols, wire, {"deribit", "binance"}, now_utc)


def recorded_market(recording: Recording, clock: VirtualClock) -> Market:
    """A recording through the same adapters."""
    wire = ReplayWire(recording, clock)
    return make_market(recording.name, recording.symbols, wire, recording.venues, clock.now)


def make_market(
    name: str,
    symbols: Sequence[str],
    wire: Wire,
    venues: Collection[str],
    now: Callable[[], datetime],
) -> Market:
    """The adapters of these venues on that wire."""
    deribit = Deribit(wire, now)
    known: Mapping[str, ChainSource] = {"deribit": deribit, "derive": Derive(wire, now)}
    return Market(
        name=name,
        symbols=symbols,
        chains=[source for venue, source in known.items() if venue in venues],
        spots=[deribit] if "deribit" in venues else [],
        candles=Binance(wire, now) if "binance" in venues else None,
        now=now,
    )
