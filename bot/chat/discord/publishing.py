"""Publishing what stands in an announcement channel to the servers that follow it."""

import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

import discord

from bot.chat.discord.rest import Rest
from bot.chat.discord.trouble import Limited
from bot.errors import BotError
from bot.ports import Urgency

logger = logging.getLogger(__name__)

LIMIT = 10  # of one channel in an HOUR, says Discord
HOUR = timedelta(hours=1)
KEPT = 1_000  # channels


class Publisher:
    """Publishes as much as Discord allows; what is over it simply stays in its channel."""

    def __init__(self, rest: Rest, now: Callable[[], datetime]) -> None:
        self._rest = rest
        self._now = now
        self._times: OrderedDict[int, deque[datetime]] = OrderedDict()

    async def publish(self, message: discord.Message) -> None:
        """Publish the message, or leave it: followers then see the next one."""
        channel = message.channel.id
        if not self._may(channel):
            return
        try:
            await self._rest.ask(
                f"publish discord:{channel}", Urgency.DIGEST, lambda _: message.publish()
            )
        except (BotError, discord.HTTPException) as error:
            if isinstance(error, Limited):  # of an earlier run of the program
                rest_until = self._now() + timedelta(seconds=error.seconds) - HOUR
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
