"""What is being done at the moment: each update by itself, so that none waits for another."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from bot.errors import BotError

logger = logging.getLogger(__name__)

MOST = 500  # at once; further updates wait at Telegram
LAST_WORDS = 2.0  # seconds to finish in when the listener ends

Work = Coroutine[Any, Any, None]


class Tasks:
    """Runs them until it is left; a failure is logged and ends nothing else."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let them finish, for a moment."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=LAST_WORDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def start(self, work: Work) -> None:
        """Begin it, as soon as there are not too many."""
        while len(self._running) >= MOST:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(logged(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)


@asynccontextmanager
async def meanwhile(work: Work) -> AsyncIterator[None]:
    """Within it, and no longer, the work is done beside."""
    task = asyncio.create_task(logged(work))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def logged(work: Work) -> None:
    """Do the work; its failure is noted, and is nobody else's."""
    try:
        await work
    except BotError as error:
        logger.warning("telegram: not answered: %s", error)
    except Exception:
        logger.exception("telegram: not done, through a mistake of ours")
