"""The simulated market at one fixed time, and the program's commands over it."""

from datetime import UTC, datetime, timedelta

from bot.charts.picture import make_picture
from bot.charts.render import render
from bot.charts.theme import THEMES
from bot.clock import SystemClock
from bot.config import Config
from bot.core.snapshot import Tick
from bot.exchanges.http import open_session
from bot.markets import VENUES, networked_market
from bot.service.collector import Collector
from bot.service.desk import Desk as Judge
from bot.service.dispatcher import Dispatcher
from bot.service.rulebook import Rulebook
from bot.sim.server import Simulator
from tests.exchanges.timers import ManualTimer
from tests.service.asking import SYMBOLS, Desk

HEARD_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ASKED_AT = HEARD_AT + timedelta(seconds=4)
STALE_AFTER = timedelta(minutes=3)
SEED = 7
BTC = SYMBOLS[0]


async def heard(at=HEARD_AT, symbols=SYMBOLS):
    """Snapshot and chain of each symbol at that time, from every venue of the simulator."""
    simulator = Simulator(SEED, lambda: at, limits=False)
    async with simulator, open_session() as session:
        market = networked_market(
            "sim", Config(), session, addresses_of(simulator), ManualTimer(at)
        )
        venues = list(market.venues.values())
        collector = Collector(market.sources(), market.candles, venues, lambda: at)
        return {s: await collector.look(s, lambda: None, STALE_AFTER) for s in symbols}


def addresses_of(simulator):
    """The simulator in the place of every venue."""
    return {
        name: dict.fromkeys(venue.hosts.values(), simulator.base_url) | {"ws_url": simulator.ws_url}
        for name, venue in VENUES.items()
    }


class Town(Desk):
    """The commands over that market, with the real charts and the way of every ring."""

    def __init__(self, market):
        super().__init__(simulated=True)
        self.now = ASKED_AT
        self._market = market
        self._rulebook = Rulebook(self.store, None)
        self._judge = Judge(BTC, self.store, self._rulebook, STALE_AFTER)

    async def open(self):
        """The town, once the market's data is stored."""
        for symbol, (snapshot, chain) in self._market.items():
            await self.record(symbol, snapshot.at, snapshot=snapshot, chain=chain)
        await self._judge.open()
        return self

    async def ring(self, messenger):
        """Let spot fall through the HVL, and send what rings."""
        await self._rulebook.reload()
        snapshot, _ = self._market[BTC]
        hvl = snapshot.levels.all_expiry.hvl
        for spot in (hvl * 1.002, hvl * 0.998):
            self.now += timedelta(seconds=1)
            await self._judge.judge(Tick(BTC, self.now, spot, "deribit"))
        outbox = Dispatcher(
            self.store, [messenger], lambda: self.now, "pictures", self.chats, SystemClock()
        )
        await outbox.deliver_due()

    def chart(self, kind, theme, symbol=BTC):
        """The chart as it is attached."""
        snapshot, chain = self._market[symbol]
        return render(make_picture(kind, chain, snapshot, theme=THEMES[theme], simulated=True))

    async def _picture(self, snapshot, kind, theme, stale):
        return self.chart(kind, theme, snapshot.symbol)
