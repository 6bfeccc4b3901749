"""Values to store."""

from dataclasses import replace
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

import numpy as np

from bot.core.chain import OptionChain, Source
from bot.core.crossings import Latches
from bot.core.events import Alert, Crossing, LevelKey
from bot.core.minutes import Minute
from bot.core.rules import Rule, RuleState
from bot.core.snapshot import Candle, Snapshot, Tick
from bot.ports import JournalEntry, Record, Store
from tests import fakes

NOON = fakes.NOON
SECOND, MINUTE, HOUR, DAY = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days")
)
BTC, ETH = "BTCUSDT", "ETHUSDT"
CHAIN = fakes.make_chain(("deribit", "bybit"))
SNAPSHOT = replace(
    fakes.make_snapshot(CHAIN), perps_price=80_010.5, left_out={"okx": "timed out"}, candles=()
)
RULE = Rule("", "terminal:", BTC, "cross", "hvl", cooldown=timedelta(minutes=15, microseconds=1))


def make_candles(count: int, first: datetime = NOON) -> tuple[Candle, ...]:
    return tuple(
        Candle(first + n * timedelta(minutes=30), 80_000.0 + n, 80_100.5, 79_900.25, 80_050.0, 12.5)
        for n in range(count)
    )


def make_snapshot(symbol: str = BTC, at: datetime = NOON, **fields) -> Snapshot:
    return replace(SNAPSHOT, id=fakes.snapshot_id(symbol, at), symbol=symbol, at=at, **fields)


def make_latches(spot: float = 80_000.0, symbol: str = BTC) -> Latches:
    tick = Tick(symbol, NOON, spot, "deribit")
    return Latches(
        {"all_expiry.hvl@0.0005": "above"}, {"odte.hvl@0.01": 0.1}, "neutral", True, tick
    )


def make_minute(at: datetime = NOON, symbol: str = BTC, **fields) -> Minute:
    return replace(Minute(symbol, at, 80_000.1, 80_100.2, 79_900.3, 80_050.4, 60), **fields)


def make_crossing(symbol: str = BTC, at: datetime = NOON, **fields) -> Crossing:
    plain = Crossing(
        at,
        symbol,
        LevelKey("all_expiry", "flip", 1),
        price=80_000.1,
        direction="down",
        spot=79_900.0,
        previous_spot=None,
        snapshot=SNAPSHOT.id,
        buffer=0.0005,
    )
    return replace(plain, **fields)


def make_alert(
    identity: str = "a1", at: datetime = NOON, target: str = "terminal:", **fields
) -> Alert:
    plain = Alert(identity, at, "default: btc hvl", target, BTC, "BTC fell below", at + 15 * MINUTE)
    return replace(plain, **fields)


def make_record(**fields) -> Record:
    """All that can be in a record, but for alerts."""
    whole = {
        "symbol": BTC,
        "at": NOON,
        "latches": make_latches(),
        "snapshot": SNAPSHOT,
        "chain": CHAIN,
        "events": [make_crossing()],
        "rule_states": {"1": RuleState(NOON, 3)},
        "position": "line 7",
    }
    return Record(**(whole | fields))


def make_ring(*alerts: Alert, **fields) -> Record:
    """A tick that made these alerts ring."""
    return Record(
        **({"symbol": BTC, "at": NOON, "latches": make_latches(), "alerts": alerts} | fields)
    )


def make_mixed_chain() -> OptionChain:
    """Two venues' rows in turns, a third without any; a NaN with a payload, a negative zero."""
    odd = np.array([0x7FF8_0000_0000_0042, 0x8000_0000_0000_0000, 1, 2], np.uint64).view(np.float64)
    return OptionChain(
        "BTC",
        tuple(Source(venue, NOON, 2) for venue in ("deribit", "derive", "bybit")),
        venue=np.array([2, 0, 2, 0]),
        expiry=np.array([2**62, 3, 2, -1]),
        strike=np.array([1.0, 2.0, 3.0, 4.0]),
        is_call=np.array([True, False, False, True]),
        oi=odd,
        iv=np.array([np.nan, 0.5, np.inf, -np.inf]),
        forward=np.full(4, np.nan),
        index=np.array([0.1, 0.2, 0.3, 1e-300]),
        at=np.array([4, 3, 2, 1]),
        unreadable={"name_unreadable": 3},
    )


def make_empty_chain() -> OptionChain:
    return CHAIN.take(np.zeros(len(CHAIN), np.bool_))


def bits_of(chain: OptionChain) -> tuple[object, ...]:
    """Everything in the chain, comparable: NaN payloads, types and order included."""
    columns = (
        getattr(chain, name) for name in ("venue", "expiry", "strike", "is_call", "oi", "iv")
    )
    rest = (chain.forward, chain.index, chain.at)
    content = [(column.dtype, column.tobytes()) for column in (*columns, *rest)]
    return chain.underlying, chain.sources, dict(chain.unreadable), content


SEEN: WeakKeyDictionary[Store, dict[str, int]] = WeakKeyDictionary()  # by store and reader


async def journal_of(store: Store, reader: str = "test") -> list[JournalEntry]:
    """All that the reader has not seen."""
    seen = SEEN.setdefault(store, {})
    entries: list[JournalEntry] = []
    while more := await store.journal(seen.get(reader, 0), 100):
        entries += more
        seen[reader] = more[-1].seq
    return entries
