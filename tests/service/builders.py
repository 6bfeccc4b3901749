"""Snapshots, ticks and chains made by hand, ports with a script, and a loop that never waits."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import numpy as np

from bot.core.chain import OptionChain, Source, milliseconds
from bot.core.chats import Chat
from bot.core.events import Alert, Delivery
from bot.core.levels import ExpectedMove, LevelSet, MaxPain, OdteSet
from bot.core.rules import Rule, parse_rule
from bot.core.snapshot import Candle, Levels, Snapshot, Tick, snapshot_id
from bot.core.zones import FlipZone
from bot.errors import DeliveryError, SourceError
from bot.ports import Begun, JournalEntry, Messenger, Record, Store
from bot.service.chats import Chats
from bot.service.desk import Desk
from bot.service.dispatcher import Dispatcher
from bot.service.rulebook import Rulebook
from bot.store.memory import MemoryStore, Stored

T = TypeVar("T")

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BTC = "BTCUSDT"
TARGET = "terminal:"
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "HYPEUSDT")
STALE_AFTER = timedelta(minutes=3)
LATE_AFTER = timedelta(minutes=2)
NAN = float("nan")


def after(seconds: float) -> datetime:
    """That long after noon."""
    return NOON + timedelta(seconds=seconds)


def make_tick(spot: float, seconds: float = 0.0, symbol: str = BTC) -> Tick:
    return Tick(symbol, after(seconds), spot, "test")


def make_rule(line: str, target: str = TARGET, identity: str = "1") -> Rule:
    return replace(parse_rule(line, SYMBOLS, target), id=identity)


def make_zone(flip: float) -> FlipZone:
    return FlipZone(flip, (flip,), flip - 1, flip + 1, "negative_to_positive", 0.0)


def make_levels(
    *,
    flips: Sequence[float] = (),
    regime: str | None = "positive",
    odte: Mapping[str, float] | None = None,
    max_pain: float | None = None,
    one_day: float | None = None,
    net_gex: float | None = 1e6,
    **levels: float | None,
) -> Levels:
    """These levels and no others; `one_day` is the expected move in USD around 80,000."""
    return Levels(
        all_expiry=LevelSet(**levels),
        odte=OdteSet(**(odte or {})),
        ranked=(),
        ranked_odte=(),
        gamma_flip_zones=tuple(map(make_zone, flips)),
        max_pain=None if max_pain is None else MaxPain(max_pain, 1.0, NOON),
        expected_move=None
        if one_day is None
        else ExpectedMove(*(80_000 + k * one_day for k in (1, -1, 2, -2))),
        net_gex=net_gex,
        regime=regime,
        dropped={},
    )


def make_snapshot(
    spot: float = 80_000.0,
    seconds: float = 0.0,
    *,
    symbol: str = BTC,
    heard: Mapping[str, float] | None = None,
    left_out: Mapping[str, str] | None = None,
    levels: Levels | None = None,
    **wanted,
) -> Snapshot:
    """A snapshot of these levels; `heard` says by venue how many seconds after noon."""
    sources = {"deribit": seconds} if heard is None else heard
    return Snapshot(
        id=snapshot_id(symbol, after(seconds)),
        symbol=symbol,
        at=after(seconds),
        spot=spot,
        perps_price=None,
        levels=levels or make_levels(**wanted),
        sources=tuple(Source(venue, after(at), 1) for venue, at in sources.items()),
        left_out=left_out or {},
    )


Option = tuple[str, float, timedelta, float, float]  # side, strike, left at noon, oi, iv


def make_chain(
    options: Iterable[Option] = (("call", 85_000.0, timedelta(days=30), 10.0, 0.5),),
    *,
    venue: str = "deribit",
    coin: str = "BTC",
    at: datetime = NOON,
    index: float = 80_000.0,
) -> OptionChain:
    """One venue's chain, a row an option, forwards at the index."""
    rows = list(options)
    size = len(rows)
    return OptionChain(
        coin,
        (Source(venue, at, size),) if size else (),
        venue=np.zeros(size, np.int64),
        expiry=np.array([milliseconds(NOON + left) for _, _, left, _, _ in rows], np.int64),
        strike=np.array([strike for _, strike, _, _, _ in rows], np.float64),
        is_call=np.array([side == "call" for side, *_ in rows], np.bool_),
        oi=np.array([oi for *_, oi, _ in rows], np.float64),
        iv=np.array([iv for *_, iv in rows], np.float64),
        forward=np.full(size, index),
        index=np.full(size, index),
        at=np.full(size, milliseconds(at), np.int64),
    )


def make_book(
    *,
    call_wall: float = 85_000.0,
    put_wall: float = 75_000.0,
    lefts: Iterable[timedelta] = (timedelta(hours=20), timedelta(days=18)),
    scale: float = 1.0,
    iv: float = 0.5,
    **fields,
) -> OptionChain:
    """A chain whose walls stand where they are wanted: calls above the market, puts below."""
    strikes = np.arange(60_000.0, 100_001.0, 2_500.0)
    options = [
        (side, strike * scale, left, oi, iv)
        for left in lefts
        for strike in strikes.tolist()
        for side, wall in (("call", call_wall), ("put", put_wall))
        for oi in [
            500.0 if strike == wall else 100.0 if (strike > 80_000) == (side == "call") else 20.0
        ]
    ]
    return make_chain(options, index=80_000.0 * scale, **fields)


class ManualClock:
    """Time that the test moves."""

    def __init__(self, start: datetime = NOON) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, to: datetime) -> None:
        self._now = max(self._now, to)

    def wait(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class ScriptedSource:
    """A venue that gives one answer after the other, the last one for ever."""

    def __init__(self, name: str, *answers: OptionChain | SourceError) -> None:
        self.name = name
        self.answers = list(answers)

    async def fetch_chain(self, underlying: str) -> OptionChain:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, SourceError):
            raise answer
        return answer


class TimedSource:
    """A venue as recorded: by coin the newest answer that is not after the clock."""

    def __init__(
        self,
        name: str,
        now: Callable[[], datetime],
        answers: Mapping[str, Mapping[datetime, OptionChain | SourceError]],
    ) -> None:
        self.name = name
        self._now = now
        self._answers = answers

    async def fetch_chain(self, underlying: str) -> OptionChain:
        known = [at for at in self._answers[underlying] if at <= self._now()]
        answer = self._answers[underlying][max(known)] if known else SourceError(self.name, "none")
        if isinstance(answer, SourceError):
            raise answer
        return answer


class ScriptedPrices:
    """A venue's prices: whatever the test sets, or the error it sets."""

    def __init__(
        self, name: str = "deribit", spot: float | SourceError = 80_000.0, perp: object = None
    ) -> None:
        self.name = name
        self.spot = spot
        self.perp = spot if perp is None else perp

    async def fetch_spot(self, underlying: str) -> Tick:
        if isinstance(self.spot, SourceError):
            raise self.spot
        return Tick(f"{underlying}USDT", virtual_now(), self.spot, self.name)

    async def fetch_perpetual(self, underlying: str) -> float:
        if isinstance(self.perp, SourceError):
            raise self.perp
        return self.perp


class ScriptedCandles:
    def __init__(self, answer: Sequence[Candle] | SourceError) -> None:
        self.answer = answer

    async def fetch_candles(self, symbol: str) -> Sequence[Candle]:
        if isinstance(self.answer, SourceError):
            raise self.answer
        return self.answer


class ScriptedMessenger:
    """Remembers what was sent; fails as often as it is told to."""

    repeats_are_safe = True
    folds = False
    tells_when_it_begins = False  # as platforms do; the terminal does not

    def __init__(self, name: str = "terminal", *trouble: DeliveryError) -> None:
        self.name = name
        self.trouble = list(trouble)
        self.sent: list[Alert] = []

    async def send(self, alert: Alert, begun: Begun) -> None:
        if self.tells_when_it_begins:
            await begun()
        if self.trouble:
            raise self.trouble.pop(0)
        self.sent.append(alert)

    @property
    def ids(self) -> list[str]:
        return [alert.id for alert in self.sent]


class FragileStore(MemoryStore):
    """A store whose next writes, or whose k-th one, break: before they are done, or just after.

    It remembers what was stored after each write: that is what a program that is killed leaves.
    """

    def __init__(self, error: type[Exception]) -> None:
        super().__init__()
        self.writes = 0
        self.breaks_at: int | None = None  # counted over every write
        self.breaks_after = False  # what was written stays, but nobody is told
        self.refusals = 0  # of the next writes
        self._error = error
        self._left: list[Stored] = []

    def left_behind(self) -> list["FragileStore"]:
        """A store each as it was after every write."""
        stores = []
        for stored in self._left:
            store = FragileStore(self._error)
            store._stored = stored
            stores.append(store)
        return stores

    async def record(self, record: Record) -> None:
        await self._write(super().record(record))

    async def change_rule(self, rule: Rule) -> bool:
        return await self._write(super().change_rule(rule))

    async def post(self, messages: Sequence[Alert]) -> Sequence[Alert]:
        return await self._write(super().post(messages))

    async def claim(self, *request) -> Sequence[Alert]:
        return await self._write(super().claim(*request))

    async def claim_companions(self, *request) -> Sequence[Alert]:
        return await self._write(super().claim_companions(*request))

    async def settle(self, owner: str, *deliveries: Delivery) -> int:
        return await self._write(super().settle(owner, *deliveries))

    async def retry(self, owner: str, alert: Alert, due_at: datetime) -> None:
        await self._write(super().retry(owner, alert, due_at))

    async def renew(self, *request) -> None:
        await self._write(super().renew(*request))

    async def begin(self, *request) -> None:
        await self._write(super().begin(*request))

    async def hold(self, *request) -> None:
        await self._write(super().hold(*request))

    async def release(self, *request) -> None:
        await self._write(super().release(*request))

    async def put_chat(self, chat: Chat) -> None:
        await self._write(super().put_chat(chat))

    async def change_chat(self, *request) -> tuple[Chat, Chat]:
        return await self._write(super().change_chat(*request))

    async def move_target(self, target: str, to: str) -> None:
        await self._write(super().move_target(target, to))

    async def _write(self, change: Awaitable[T]) -> T:
        self.writes += 1
        breaks = self.writes == self.breaks_at
        if self.refusals or (breaks and not self.breaks_after):
            self.refusals = max(0, self.refusals - 1)
            change.close()
            raise self._error("the disk is gone")
        result = await change
        self._left.append(self._stored)
        if breaks:
            raise self._error("killed just after the commit")
        return result


def make_dispatcher(
    store: Store,
    *messengers: Messenger,
    now: Callable[[], datetime] | None = None,
    owner: str = "one",
    chats: Chats | None = None,
) -> Dispatcher:
    """A dispatcher whose chats nobody else wants to know of; without a clock on the loop's."""
    now = now or virtual_now
    book = chats or Chats(store, now, _nobody_told)
    return Dispatcher(store, messengers, now, owner, book, VirtualTimer())


async def _nobody_told(_target: str) -> None:
    pass


async def open_desk(
    store: Store,
    *rules: str,
    late_after: timedelta | None = LATE_AFTER,
    default_target: str | None = TARGET,
    stale_after: timedelta = STALE_AFTER,
) -> Desk:
    """A desk over the store, as a start of the program makes it; the rules are added first."""
    for line in rules:
        await store.add_rule(make_rule(line))
    rulebook = Rulebook(store, default_target)
    await rulebook.reload()
    desk = Desk(BTC, store, rulebook, stale_after, late_after)
    await desk.open()
    return desk


async def journal_of(store: Store) -> list[JournalEntry]:
    """Everything that ever happened; asking again gives the same."""
    entries: list[JournalEntry] = []
    while more := await store.journal(entries[-1].seq if entries else 0, 100):
        entries += more
    return entries


async def events_of(store: Store, *kinds: str) -> list[Mapping[str, object]]:
    """The event objects of these kinds, all but the snapshots when none is named."""
    bodies = [entry.body for entry in await journal_of(store) if entry.body]
    return [body for body in bodies if not kinds or body["event"] in kinds]


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose waiting takes no time: its clock jumps to the next thing due."""

    def __init__(self) -> None:
        self._passed = 0.0
        super().__init__(_Hurried(self))

    def time(self) -> float:
        return self._passed

    def now(self) -> datetime:
        """The loop's time on the calendar: it starts at noon."""
        return after(self._passed)

    def hurry(self, seconds: float) -> None:
        self._passed += seconds


class _Hurried(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout:
            # A wakeup that is due a hair after now must not spin.
            self._loop.hurry(max(timeout, 1e-6))
        return ready


def virtual_now() -> datetime:
    """The calendar of the running VirtualLoop; on any other loop it is noon."""
    loop = asyncio.get_running_loop()
    return loop.now() if isinstance(loop, VirtualLoop) else NOON


class VirtualTimer:
    """Waits of the running VirtualLoop."""

    def time(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work, hours of sleep included, at once."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
