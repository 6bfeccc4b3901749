"""Keeping a platform's client alive: our own back-off, and what /status says of it."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.core.retry import retry_delay
from bot.core.text import age_text
from bot.errors import BotError, TokenRefused
from bot.ports import Timer

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0  # seconds between two tries
REFUSED_PAUSE = 60.0  # seconds until a refused token is tried again
STEADY = 60.0  # seconds that a connection must hold to forget the failures before it


class Connection:
    """The state of one client: what it is, and since when."""

    def __init__(self, name: str, now: Callable[[], datetime]) -> None:
        self.name = name
        self._now = now
        self._state = "not started"
        self._since = now()

    def note(self, state: str) -> None:
        """Take note of a change, and log it once."""
        if state != self._state:
            logger.info("%s: %s", self.name, state)
            self._state, self._since = state, self._now()

    @property
    def text(self) -> str:
        """For /status: connected, for 3 h 20 min."""
        return f"{self._state}, for {age_text(self._now() - self._since)}"


async def supervise(
    connection: Connection, serve: Callable[[], Awaitable[object]], timer: Timer
) -> None:
    """Call `serve` again and again, with a fresh client each time, until cancelled.

    `serve` raises BotError for what is expected, TokenRefused for what only the operator can
    mend: that is tried again each minute, in case the platform was wrong. A mistake, the
    library's or ours, is logged with its traceback and ends this client alone.
    """
    failures = 0
    while True:
        began = timer.time()
        try:
            await serve()
            trouble, final = "the connection ended", False
        except TokenRefused as error:
            trouble, final = str(error), True
        except BotError as error:
            trouble, final = str(error), False
        except Exception as error:
            logger.exception("%s: the client broke", connection.name)
            trouble, final = f"the client broke ({type(error).__name__})", False
        failures = 0 if timer.time() - began > STEADY else failures
        pause = min(retry_delay(failures).total_seconds(), LONGEST_PAUSE)
        pause = REFUSED_PAUSE if final else pause
        failures += 1
        connection.note(f"down: {trouble}")
        logger.log(
            logging.ERROR if final else logging.WARNING,
            "%s: %s; next try in %.0f s",
            connection.name,
            trouble,
            pause,
        )
        await timer.sleep(pause)
