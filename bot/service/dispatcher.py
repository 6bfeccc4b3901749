"""From the outbox to people: claim, send, settle."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.core.events import Alert, Delivery, DeliveryState
from bot.core.retry import retry_delay
from bot.errors import DeliveryError, StoreError
from bot.ports import Messenger, Store

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)  # longer than a batch may take
BATCH = 10
TURN = timedelta(seconds=5)  # of a messenger: one that fails slowly holds up no other for longer
LOOK_AGAIN_SECONDS = 1.0  # for what other processes wrote, and for what is due again


class Dispatcher:
    """Delivers what the outbox holds for the messengers it has."""

    def __init__(
        self,
        store: Store,
        messengers: Sequence[Messenger],
        now: Callable[[], datetime],
        owner: str,
    ) -> None:
        self._store = store
        self._messengers = messengers
        self._now = now
        self._owner = owner
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Something was written: look at once."""
        self._nudged.set()

    async def run(self) -> None:
        """Deliver until cancelled; what is leased then is given back."""
        try:
            while True:
                try:
                    await self.deliver_due()
                except StoreError as error:
                    logger.error("outbox: %s", error)
                await self._wait()
        finally:
            try:
                await self.release()
            except StoreError as error:
                logger.error("outbox: %s", error)

    async def deliver_due(self) -> int:
        """How many alerts were ended."""
        return sum([await self._deliver_for(messenger) for messenger in self._messengers])

    async def release(self) -> None:
        """Give back what an earlier run, or this one, left unsent."""
        await self._store.release(self._owner)

    async def _deliver_for(self, messenger: Messenger) -> int:
        """What one messenger ends before it is the next one's turn."""
        ended, began = 0, self._now()
        while (now := self._now()) - began < TURN:
            alerts = await self._store.claim(messenger.name, self._owner, now, LEASE, BATCH)
            if not alerts:
                break
            for alert in alerts:
                ended += await self._deliver(messenger, alert)
        return ended

    async def _deliver(self, messenger: Messenger, alert: Alert) -> bool:
        now = self._now()
        if now > alert.expires_at:
            return await self._settle(alert, "expired")
        try:
            await messenger.send(alert)
        except DeliveryError as error:
            delay = retry_delay(alert.attempts, error.retry_after)
            logger.warning("not delivered: %s; again in %s", error, delay)
            await self._store.retry(self._owner, alert, now + delay)
            return False
        return await self._settle(alert, "sent")

    async def _settle(self, alert: Alert, state: DeliveryState) -> bool:
        delivery = Delivery(self._now(), alert.id, alert.target, state)
        return await self._store.settle(self._owner, delivery)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                await self._nudged.wait()
        except TimeoutError:
            pass
        self._nudged.clear()
