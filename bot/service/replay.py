"""A recording through the real pipeline, step by step on its own clock.

A step is one tick or one cycle of one symbol. How far the replay has come is stored with
what each step changed, as "time step", so that a run that died goes on after the last step
that was written; the steps after it are judged again from the same state.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from bot.core.schedule import next_collect
from bot.core.snapshot import Tick
from bot.ports import Moment, Store, Timeline
from bot.service.collector import Collector
from bot.service.desk import Desk
from bot.service.dispatcher import Dispatcher


class Replay:
    """Drives the desks through a recording."""

    def __init__(
        self,
        moments: Mapping[datetime, Moment],
        clock: Timeline,
        desks: Mapping[str, Desk],
        collector: Collector,
        dispatcher: Dispatcher,
        store: Store,
        every: timedelta,
    ) -> None:
        self._clock = clock
        self._desks = desks
        self._collector = collector
        self._dispatcher = dispatcher
        self._store = store
        self._every = every
        self._moments = moments
        self._due: dict[str, datetime] = {}

    async def run(
        self,
        written: Callable[[], Awaitable[None]],
        wait_until: Callable[[datetime], Awaitable[None]],
    ) -> None:
        """Go from the stored position to the end; `written` follows every step that wrote."""
        if not self._moments:
            return
        done = await self._resume()
        await self._deliver(written)
        times = iter(sorted(time for time in self._moments if time >= done[0]))
        line_time = next(times, None)
        while line_time is not None:
            time = min((line_time, *self._due.values()))
            await wait_until(time)
            self._clock.advance(time)
            for step, act in enumerate(self._steps(time)):
                if (time, step) > done and await act(f"{time.isoformat()} {step}"):
                    await self._deliver(written)
            if time == line_time:
                line_time = next(times, None)

    def _steps(self, time: datetime) -> list[Callable[[str], Awaitable[bool]]]:
        """Every tick of that time, then every symbol's cycle where one is due."""
        moment = self._moments.get(time, Moment())
        due = moment.renewed | {symbol for symbol, turn in self._due.items() if turn <= time}
        return [
            *(partial(self._judge, tick) for tick in moment.ticks),
            *(partial(self._collect, desk, symbol in due) for symbol, desk in self._desks.items()),
        ]

    async def _judge(self, tick: Tick, position: str) -> bool:
        return await self._desks[tick.symbol].judge(tick, position)

    async def _collect(self, desk: Desk, due: bool, position: str) -> bool:  # noqa: FBT001
        if not due:
            return False
        stored = await self._collector.collect(desk, position)
        self._schedule(desk, self._clock.now())
        return stored

    def _schedule(self, desk: Desk, after: datetime) -> None:
        if desk.chain is not None:
            expiries = set(desk.chain.expiry.tolist())
            self._due[desk.symbol] = next_collect(after, expiries, self._every)

    async def _deliver(self, written: Callable[[], Awaitable[None]]) -> None:
        await self._dispatcher.deliver_due()
        await written()

    async def _resume(self) -> tuple[datetime, int]:
        """The last step that was written, the desks and the clock as they were after it."""
        stored = await self._store.position()
        if stored is None:
            return min(self._moments), -1
        time, step = datetime.fromisoformat(stored.split()[0]), int(stored.split()[1])
        self._clock.advance(time)
        await self._dispatcher.release()
        ticks = self._moments[time].ticks if time in self._moments else ()
        for order, desk in enumerate(self._desks.values(), len(ticks)):
            await desk.open()
            if desk.chain is not None:
                self._collector.recall(desk.chain)
                self._schedule(desk, time if order <= step else time - timedelta(microseconds=1))
        for at in sorted(at for at in self._moments if at <= time):
            for order, tick in enumerate(self._moments[at].ticks):
                if (at, order) <= (time, step):
                    self._desks[tick.symbol].recall(tick)
        return time, step
