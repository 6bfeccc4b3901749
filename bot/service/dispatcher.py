"""From the outbox to people: claim, send, settle; each messenger at its own speed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from bot.core.events import Alert
from bot.core.text import age_text
from bot.errors import StoreError, TokenRefused
from bot.ports import Messenger, Store, Timer
from bot.service.chats import Chats
from bot.service.courier import LEASE, REST, Courier
from bot.service.outage import Outage

logger = logging.getLogger(__name__)

MOST_IN_FLIGHT = 200  # messages of a messenger: its pacer needs a choice of chats
FEW_IN_FLIGHT = MOST_IN_FLIGHT // 2  # then more are claimed
LOOK_AGAIN_SECONDS = 1.0  # for what other processes wrote, and for what is due again
GRACE_SECONDS = 5.0  # for sends in flight when we are told to stop
RENEWED_EVERY = LEASE / 3  # so that what the platform holds back is never taken for lost


class Dispatcher:
    """Delivers what the outbox holds for the messengers it has."""

    def __init__(
        self,
        store: Store,
        messengers: Sequence[Messenger],
        now: Callable[[], datetime],
        owner: str,
        chats: Chats,
        timer: Timer,
    ) -> None:
        self._store = store
        self._owner = owner
        self._lanes = [
            Lane(
                store,
                messenger.name,
                Courier(store, messenger, chats, now, owner, timer),
                now,
                owner,
            )
            for messenger in messengers
        ]

    def nudge(self) -> None:
        """Something was written: look at once."""
        for lane in self._lanes:
            lane.nudge()

    async def run(self) -> None:
        """Deliver until cancelled; what is leased then is given back."""
        try:
            async with asyncio.TaskGroup() as group:
                for lane in self._lanes:
                    group.create_task(lane.run())
        finally:
            try:
                await self.release()
            except StoreError as error:
                logger.error("outbox: %s", error)

    async def deliver_due(self) -> int:
        """How many alerts were ended: all that are due now. Raises StoreError."""
        return sum(await _all_of([lane.drain() for lane in self._lanes]))

    async def release(self) -> None:
        """Give back what an earlier run, or this one, left unsent."""
        await self._store.release(self._owner)

    def troubles(self) -> Mapping[str, str]:
        """By messenger, for /status, what keeps everything back, and for how long."""
        return {lane.messenger: lane.trouble for lane in self._lanes if lane.trouble}


class Lane:
    """One messenger's part of the outbox; at most one message of each chat is on its way."""

    def __init__(
        self,
        store: Store,
        messenger: str,
        courier: Courier,
        now: Callable[[], datetime],
        owner: str,
    ) -> None:
        self.messenger = messenger
        self._store = store
        self._courier = courier
        self._now = now
        self._owner = owner
        self._in_flight: set[asyncio.Task[None]] = set()
        self._most = MOST_IN_FLIGHT  # one, after the token was refused, until one is delivered
        self._rests_until: datetime | None = None
        self._trouble = ""  # what keeps everything back
        self._since = now()  # when that began
        self._renewed_at = now()
        self._look = asyncio.Event()
        self._waits = False  # whether someone looked in vain for room
        self._outage = Outage(f"{messenger}: nothing is sent", f"{messenger}: it is sent again")

    def nudge(self) -> None:
        """Something was written: look at once."""
        self._look.set()

    async def run(self) -> None:
        """Keep messages on their way until cancelled; then wait a little for those that are."""
        async with asyncio.TaskGroup() as group:
            try:
                while True:
                    await self._fill(group)
                    await self._wait()
            except asyncio.CancelledError:
                if self._in_flight:
                    await asyncio.wait(self._in_flight, timeout=GRACE_SECONDS)
                raise

    async def drain(self) -> int:
        """How many alerts were ended: all that are due now. Raises StoreError."""
        ended = 0
        while heads := await self._claim(self._most):
            ended += sum(await _all_of([self._deliver(head) for head in heads]))
        return ended

    @property
    def trouble(self) -> str:
        """For /status, what keeps everything back: nothing is sent: wrong token, for 3 min."""
        if not self._trouble:
            return ""
        return f"nothing is sent: {self._trouble}, for {age_text(self._now() - self._since)}"

    async def _fill(self, group: asyncio.TaskGroup) -> None:
        """Keep what is on its way, and send what is due as far as there is room."""
        try:
            await self._renew()
            heads = await self._claim_more()
        except StoreError as error:
            self._outage.note(error)
            return
        self._outage.note(None)
        for head in heads:
            task = group.create_task(self._carry(head))
            self._in_flight.add(task)
            task.add_done_callback(self._make_room)

    async def _renew(self) -> None:
        """Before its lease runs out: else a wait of ours would count as a send that perhaps was."""
        now = self._now()
        if now - self._renewed_at < RENEWED_EVERY:
            return
        if self._courier.carried:
            await self._store.renew(self._owner, self._courier.carried, now + LEASE)
        self._renewed_at = now

    async def _claim_more(self) -> Sequence[Alert]:
        room = self._most - len(self._in_flight)
        self._waits = room <= 0
        return () if self._waits else await self._claim(room)

    async def _claim(self, limit: int) -> Sequence[Alert]:
        now = self._now()
        if self._rests_until and now < self._rests_until:
            return ()
        return await self._store.claim(self.messenger, self._owner, now, LEASE, limit)

    async def _carry(self, head: Alert) -> None:
        try:
            await self._deliver(head)
        except StoreError as error:
            logger.error("outbox: %s", error)

    def _make_room(self, task: asyncio.Task[None]) -> None:
        self._in_flight.remove(task)
        if self._waits or len(self._in_flight) <= FEW_IN_FLIGHT:
            self._look.set()

    async def _deliver(self, head: Alert) -> int:
        try:
            ended = await self._courier.deliver(head)
        except TokenRefused as error:
            self._rest(error)
            return 0
        if ended:
            self._most, self._trouble = MOST_IN_FLIGHT, ""
        return ended

    def _rest(self, error: TokenRefused) -> None:
        """Send nothing for a while, and then a single message to see."""
        now = self._now()
        if not self._rests_until or now >= self._rests_until:
            logger.error("%s: %s; tried again in %s", self.messenger, error, REST)
            self._rests_until = now + REST
        if not self._trouble:
            self._since = now
        self._trouble = str(error)
        self._most = 1

    async def _wait(self) -> None:
        """Until something was written, there is room again, or a second has passed."""
        try:
            async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                await self._look.wait()
        except TimeoutError:
            pass
        self._look.clear()


async def _all_of(works: Sequence[Awaitable[int]]) -> Sequence[int]:
    """What each gave, once all have ended; the first error, if there was one."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if isinstance(result, int)]
