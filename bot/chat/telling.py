"""Telling a platform which commands there are: when they changed, and until it has heard."""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

from bot.errors import BotError, DeliveryError
from bot.ports import Facts, Timer

logger = logging.getLogger(__name__)

AGAIN = 60.0  # seconds between two tries


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told; `tell` does it, and raises BotError."""

    platform: str
    account: object  # the bot's number there: another one has not heard it yet
    definition: object  # as JSON has it
    tell: Callable[[], Awaitable[object]]

    @property
    def fact(self) -> str:
        """Under which name it is kept what the platform knows."""
        return f"{self.platform}.commands.{self.account}"

    @property
    def fingerprint(self) -> str:
        """The same for the same definition, in every process."""
        return sha256(json.dumps(self.definition, sort_keys=True).encode()).hexdigest()


async def tell_changed(telling: Telling, facts: Facts, timer: Timer) -> None:
    """Tell it, unless the platform knows it already. The bot works meanwhile, whatever happens."""
    while True:
        try:
            await _tell(telling, facts)
            break
        except BotError as error:
            logger.warning("%s: the commands were not told: %s", telling.platform, error)
            wanted = error.retry_after if isinstance(error, DeliveryError) else None
        await timer.sleep(max(AGAIN, wanted or 0.0))


async def _tell(telling: Telling, facts: Facts) -> None:
    mark = telling.fingerprint
    if await facts.fact(telling.fact) != mark:
        await telling.tell()
        await facts.put_fact(telling.fact, mark)
        logger.info("%s: the commands were told", telling.platform)
