"""Spot prices, live: what the venues push or are asked for, judged as it comes."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.retry import retry_delay
from bot.core.snapshot import Tick
from bot.core.spot import Quotes, agreeing, consensus, is_current, joint, take
from bot.core.symbols import coin_of
from bot.errors import NotListed, SourceError, StoreError
from bot.ports import Judge, SpotSource, SpotStream, Timer

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
PATIENCE_SECONDS = 2.0  # with one venue: the others' prices do not wait longer
PUSHED_LATELY = timedelta(seconds=3)  # a venue whose stream said something since is not asked
LONGEST_BACK_OFF = 15.0  # seconds
ASK_AGAIN_SECONDS = 3_600.0  # whether the venue lists the coin by now
STORE_AGAIN_SECONDS = 1.0
LONGEST_QUEUE = 1_000  # ticks, some minutes of a store that refuses; then the oldest go
SILENT = timedelta(seconds=30)  # without a price of a symbol: somebody must know
WATCH_SECONDS = 5.0
OFF = timedelta(seconds=2)  # that this machine's clock may differ from the venues'
SAME_PRICE = timedelta(seconds=1)  # within it the same price again is nothing new

Take = Callable[[Tick], None]


@dataclass(slots=True)
class Price:
    """What is known of one symbol's price."""

    quotes: Quotes = field(default_factory=dict)
    newest: Tick | None = None  # the last that counted, at first the last run's
    passed_on: Tick | None = None
    waiting: asyncio.Queue[Tick] = field(default_factory=lambda: asyncio.Queue(LONGEST_QUEUE))
    silent: bool = False  # as far as the log tells


@dataclass(slots=True)
class Poll:
    """How asking a venue for one coin goes."""

    due: float = 0.0  # by the timer
    failures: int = 0  # in a row


class Ticker:
    """Makes each symbol's spot of the venues' prints and has every tick judged."""

    def __init__(
        self,
        streams: Sequence[SpotStream],
        sources: Sequence[SpotSource],
        now: Callable[[], datetime],
        timer: Timer,
        listeners: Sequence[Take] = (),
    ) -> None:
        self._streams = streams
        self._sources = sources
        self._now = now
        self._timer = timer
        self._listeners = listeners  # they hear every tick that is judged
        self._prices: dict[str, Price] = {}  # by symbol
        self._pushed: dict[tuple[str, str], datetime] = {}  # venue, symbol -> stamp of the newest
        self._lags: dict[str, timedelta] = {}  # venue -> age of its newest print as it came
        self._clock_is_off = False  # as far as the log tells
        self._started = now()

    def loops(
        self, desks: Sequence[Judge], stored: Callable[[], None]
    ) -> list[Coroutine[object, object, object]]:
        """Listening to each stream, asking each source, judging for each desk.

        The desks are open; `stored` is told of every tick that changed something.
        """
        self._prices = {desk.symbol: Price(newest=desk.tick) for desk in desks}
        coins = [coin_of(desk.symbol) for desk in desks]
        return [
            *(stream.run(coins, self._push) for stream in self._streams),
            *(self._ask_on(source) for source in self._sources),
            *(self._judge_on(desk, stored) for desk in desks),
            self._watch_on(),
        ]

    def newest(self, symbol: str) -> Tick | None:
        """The symbol's last price that counted; None when there never was one."""
        price = self._prices.get(symbol)
        return price.newest if price else None

    def state(self) -> Mapping[str, timedelta]:
        """The age of each venue's newest print of any symbol, by its stamp."""
        newest: dict[str, datetime] = {}
        for price in self._prices.values():
            for venue, quote in price.quotes.items():
                newest[venue] = max(quote.tick.at, newest.get(venue, quote.tick.at))
        return {venue: self._now() - at for venue, at in sorted(newest.items())}

    async def fetch(self, symbol: str) -> Tick | None:
        """The symbol's price by asking every venue once; None when none says one, or none agree."""
        asked = await asyncio.gather(
            *(self._fetch_quietly(source, coin_of(symbol)) for source in self._sources)
        )
        now = self._now()
        prints = [tick for tick in asked if tick and is_current(tick, now)]
        agreed = agreeing(prints) if prints else []
        return joint(agreed, now) if agreed else None

    async def _fetch_quietly(self, source: SpotSource, coin: str) -> Tick | None:
        try:
            return await fetch_spot(source, coin)
        except SourceError as error:
            logger.debug("no spot: %s", error)
            return None

    def _push(self, tick: Tick) -> None:
        """Take a print from a stream."""
        self._pushed[tick.source, tick.symbol] = tick.at
        self._take(tick)

    def _take(self, tick: Tick) -> None:
        """Take a venue's print, and pass on what it makes of the symbol's price."""
        price = self._prices.get(tick.symbol)
        if price is None:
            return
        now = self._now()
        self._lags[tick.source] = now - tick.at
        price.quotes = take(price.quotes, tick, now)
        spot = consensus(price.quotes, price.newest, now)
        if spot is not None:
            price.newest = spot
            self._pass_on(price, spot)

    async def _watch_on(self) -> None:
        """Say when a symbol has no price, and when this machine's clock seems wrong."""
        while True:
            await self._timer.sleep(WATCH_SECONDS)
            now = self._now()
            for symbol, price in self._prices.items():
                self._note_silence(symbol, price, now)
            self._note_clock()

    def _note_silence(self, symbol: str, price: Price, now: datetime) -> None:
        silent = now - (price.newest.at if price.newest else self._started) > SILENT
        if silent and not price.silent:
            logger.warning("%s: no price for %s: no crossing can ring", symbol, SILENT)
        if price.silent and not silent:
            logger.info("%s: prices again", symbol)
        price.silent = silent

    def _note_clock(self) -> None:
        """No venue's price is so late on its way: when all come late, it is the clock."""
        off = self.clock_is_off_by
        if off and not self._clock_is_off:
            logger.warning("every price comes %s old: set this machine's clock", off)
        self._clock_is_off = off is not None

    @property
    def clock_is_off_by(self) -> timedelta | None:
        """How far this machine's clock seems to be ahead of the venues'; None when it is not.

        By the stamps of the venues' newest prices, the youngest of them as it came.
        """
        least = min(self._lags.values(), default=OFF)
        return least if least > OFF else None

    def _pass_on(self, price: Price, tick: Tick) -> None:
        last = price.passed_on
        if last is not None and tick.spot == last.spot and tick.at - last.at < SAME_PRICE:
            return
        price.passed_on = tick
        if price.waiting.full():
            price.waiting.get_nowait()
        price.waiting.put_nowait(tick)
        for listener in self._listeners:
            listener(tick)

    async def _ask_on(self, source: SpotSource) -> None:
        """Ask for every symbol that the venue's stream says nothing of, until cancelled."""
        polls = {symbol: Poll() for symbol in self._prices}
        while True:
            time, now = self._timer.time(), self._now()
            due = [
                (symbol, poll)
                for symbol, poll in polls.items()
                if poll.due <= time and not self._is_pushed(source.name, symbol, now)
            ]
            await asyncio.gather(*(self._ask(source, symbol, poll) for symbol, poll in due))
            await self._timer.sleep(POLL_SECONDS)

    def _is_pushed(self, venue: str, symbol: str, now: datetime) -> bool:
        at = self._pushed.get((venue, symbol))
        return at is not None and now - at <= PUSHED_LATELY

    async def _ask(self, source: SpotSource, symbol: str, poll: Poll) -> None:
        try:
            tick = await fetch_spot(source, coin_of(symbol))
        except NotListed:
            poll.due = self._timer.time() + ASK_AGAIN_SECONDS
        except SourceError as error:
            logger.debug("no spot: %s", error)
            seconds = min(retry_delay(poll.failures).total_seconds(), LONGEST_BACK_OFF)
            poll.due, poll.failures = self._timer.time() + seconds, poll.failures + 1
        else:
            poll.failures = 0
            self._take(tick)

    async def _judge_on(self, desk: Judge, stored: Callable[[], None]) -> None:
        """Have every tick judged in its order, until cancelled."""
        waiting = self._prices[desk.symbol].waiting
        while True:
            if await self._judge(desk, await waiting.get()):
                stored()

    async def _judge(self, desk: Judge, tick: Tick) -> bool:
        """Whether the tick changed something; while the store refuses it is judged again."""
        refused = False
        while True:
            try:
                changed = await desk.judge(tick)
            except StoreError as error:
                if not refused:
                    logger.error("%s tick not stored, it is judged again: %s", desk.symbol, error)
                refused = True
                await self._timer.sleep(STORE_AGAIN_SECONDS)
                continue
            if refused:
                logger.info("%s ticks are stored again", desk.symbol)
            return changed


async def fetch_spot(source: SpotSource, coin: str) -> Tick:
    """The venue's price. Raises SourceError, also when it takes too long."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await source.fetch_spot(coin)
    except TimeoutError as error:
        raise SourceError(source.name, f"no price within {PATIENCE_SECONDS:g} s") from error
