"""Publishing what stands in an announcement channel to the servers that follow it."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

import discord

from bot.chat.discord.rest import Published, Rest
from bot.errors import BotError, DeliveryError
from bot.ports import Urgency

logger = logging.getLogger(__name__)

LIMIT = 10  # of one channel in an HOUR, says Discord
HOUR = timedelta(hours=1)
KEPT = 1_000  # channels
MOST_AT_ONCE = 100  # messages; behind so many it would only come late


class Publisher:
    """Publishes beside the sending, as much as Discord allows; the rest stays in its channel."""

    def __init__(self, rest: Rest, now: Callable[[], datetime]) -> None:
        self._rest = rest
        self._now = now
        self._times: OrderedDict[int, deque[datetime]] = OrderedDict()
        self._work: set[asyncio.Task[None]] = set()

    def begin(self, message: discord.Message) -> None:
        """Publish the message soon, or leave it: followers then see the next one."""
        if len(self._work) < MOST_AT_ONCE and self._may(message.channel.id):
            task = asyncio.create_task(self._publish(message))
            self._work.add(task)
            task.add_done_callback(self._work.discard)

    async def close(self) -> None:
        """Give up what is not published yet."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def _publish(self, message: discord.Message) -> None:
        channel = message.channel.id
        try:
            await self._rest.ask(
                f"publish discord:{channel}", Urgency.DIGEST, lambda _: message.publish()
            )
        except Published:
            return
        except (BotError, discord.HTTPException) as error:
            if isinstance(error, DeliveryError) and error.retry_after:  # used up by an earlier run
                rest_until = self._now() + timedelta(seconds=error.retry_after) - HOUR
                self._times[channel] = deque([rest_until] * LIMIT, LIMIT)
            logger.info("not published in %s: %s", channel, error)

    def _may(self, channel: int) -> bool:
        """Whether one more may go now; then it is counted."""
        times = self._times.setdefault(channel, deque(maxlen=LIMIT))
        self._times.move_to_end(channel)
        if len(self._times) > KEPT:
            self._times.popitem(last=False)
        now = self._now()
        if len(times) == LIMIT and now - times[0] < HOUR:
            return False
        times.append(now)
        return True
