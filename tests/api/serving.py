"""An API over a store of hand-made snapshots, on a real socket."""

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import aiohttp

from bot.api.api import Parts
from bot.api.dashboard import Exports
from bot.api.server import serving
from bot.core.crossings import Latches
from bot.core.exports.export import Export
from bot.core.keys import ApiKey, digest_of, make_key
from bot.core.snapshot import Candle
from bot.ports import Record
from bot.store.memory import MemoryStore
from tests.fakes import NOON, make_chain, make_snapshot
from tests.service.asking import Desk

LATER = NOON + timedelta(seconds=12.5)
BTC, ETH, SOL, HYPE = SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "HYPEUSDT")
VENUES = ("deribit", "bybit", "okx")
CHAIN = make_chain(VENUES)
CANDLES = (Candle(NOON, 80_000.0, 80_100.5, 79_900.25, 80_050.0, 12.5),)
KEY = make_key(bytes(20))


@dataclass
class Clock:
    """Seconds since 1970, moved by hand."""

    seconds: float = 1_000_000_005.0

    def __call__(self):
        return self.seconds


@dataclass
class Answered:
    """An answer, read whole."""

    status: int
    headers: object
    content: bytes

    @property
    def body(self):
        return json.loads(self.content)

    @property
    def data(self):
        assert self.status == 200, self.content
        return self.body["data"]

    @property
    def meta(self):
        return self.body["meta"]

    @property
    def error(self):
        return self.body["error"]


@dataclass
class Client:
    """Asks one API."""

    address: str
    session: aiohttp.ClientSession

    async def ask(self, target, method="GET", **options):
        url = f"{self.address}{target}"
        async with self.session.request(method, url, **options) as response:
            return Answered(response.status, response.headers, await response.read())


async def make_store(*symbols, at=NOON, **fields):
    """A store with a snapshot of each symbol."""
    store = MemoryStore()
    for symbol in symbols:
        await add_snapshot(store, symbol, at, **fields)
    return store


async def add_snapshot(store, symbol, at=NOON, **fields):
    snapshot = make_snapshot(CHAIN, symbol, at=at, **{"candles": CANDLES, **fields})
    await store.record(Record(symbol, at, Latches(), snapshot=snapshot, chain=CHAIN))


async def add_key(store, name="desk", per_minute=2, key=KEY):
    await store.add_key(ApiKey(name, digest_of(key), per_minute, NOON))


def make_parts(store, **fields):
    whole = {
        "newest": store.snapshot,
        "symbols": SYMBOLS,
        "venues": VENUES,
        "now": lambda: LATER,
        "clock": Clock(),
        "stale_after": timedelta(minutes=3),
        "patience": 60.0,  # on a busy machine, too
        "asking": 60.0,
    }
    return Parts(store, **(whole | fields))


def make_exports(store, symbols=SYMBOLS, *, simulated=False):
    def export_of(snapshot):
        return Export(snapshot, LATER, stale=False, simulated=simulated)

    ask = Desk(store, simulated=simulated).commands.ask
    return Exports(ask, store.snapshot, export_of, symbols)


@asynccontextmanager
async def served(store, host="127.0.0.1", **fields):
    """A client of an API over that store."""
    async with (
        serving(make_parts(store, **fields), host, 0) as address,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        yield Client(address, session)
