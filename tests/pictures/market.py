"""The simulated market at one fixed time, and the program's commands over it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bot.charts.picture import make_picture
from bot.charts.render import render
from bot.charts.theme import THEMES
from bot.config import Config
from bot.core.snapshot import Tick
from bot.exchanges.http import open_session
from bot.markets import VENUES, networked_market
from bot.service.desk import Desk as Judge
from bot.service.dispatcher import Dispatcher
from bot.service.rulebook import Rulebook
from bot.sim.server import Simulator
from tests.exchanges.timers import ManualTimer
from tests.service.asking import SYMBOLS, Desk

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SEED = 7
HEARD_BEFORE = timedelta(seconds=4)  # as people mostly find it
STALE_AFTER = timedelta(minutes=3)
BTC = SYMBOLS[0]


async def looked_at():
    """Snapshot and chain of each symbol, from every venue of the simulator."""
    at = NOW - HEARD_BEFORE
    async with Simulator(SEED, lambda: at, limits=False) as simulator, open_session() as session:
        addresses = {
            name: dict.fromkeys(venue.hosts.values(), simulator.base_url)
            | {"ws_url": simulator.ws_url}
            for name, venue in VENUES.items()
        }
        market = networked_market("sim", Config(), session, addresses, ManualTimer(at))
        collector = market.collector()
        return {s: await collector.look(s, lambda: None, STALE_AFTER) for s in SYMBOLS}


class Town(Desk):
    """The commands over that market, with real charts; rings are judged and sent as ever."""

    def __init__(self, seen: Mapping[str, tuple]):
        super().__init__(simulated=True)
        self.now = NOW
        self._seen = seen
        self._rulebook = Rulebook(self.store, None)
        self._judge = Judge(BTC, self.store, self._rulebook, STALE_AFTER)

    async def open(self):
        """Record what was seen."""
        for symbol, (snapshot, chain) in self._seen.items():
            await self.record(symbol, snapshot.at, snapshot=snapshot, chain=chain)
        await self._judge.open()
        return self

    def snapshot(self, symbol=BTC):
        return self._seen[symbol][0]

    async def cross(self, level, messenger):
        """Let spot fall through the level, USD, and deliver what rings."""
        await self._rulebook.reload()
        for seconds, spot in ((1, level * 1.002), (2, level * 0.998)):
            tick = Tick(BTC, NOW + timedelta(seconds=seconds), spot, "deribit")
            await self._judge.judge(tick)
        self.now = NOW + timedelta(seconds=3)
        await self.deliver(messenger)

    async def deliver(self, messenger):
        """Send what the outbox holds."""
        await Dispatcher(
            self.store, [messenger], lambda: self.now, "pictures", self.chats
        ).deliver_due()

    async def _picture(self, snapshot, kind, theme, stale):
        del stale
        return self.chart(kind, theme, snapshot.symbol)

    def chart(self, kind, theme, symbol=BTC):
        """The chart's PNG."""
        snapshot, chain = self._seen[symbol]
        picture = make_picture(kind, chain, snapshot, theme=THEMES[theme], simulated=True)
        return render(picture)
