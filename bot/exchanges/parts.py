"""The parts of a venue's chain: each call's newest good answer stands in while the call fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.errors import NotListed, SourceError

logger = logging.getLogger(__name__)

Value = TypeVar("Value")

ALWAYS = timedelta(0)
LATELY = timedelta(minutes=10)  # a part that failed before, and is asked for no more, says nothing
FORGOTTEN = timedelta(days=2)  # longer than any answer is kept


@dataclass(frozen=True, slots=True)
class Part(Generic[Value]):
    """What a call gave, and when."""

    value: Value
    at: datetime


class Parts:
    """Remembers what each of a venue's calls gave last.

    `keep` is how long an answer stands in for later ones. With a `keep` of nothing every answer
    is asked for anew, metadata too: a replay finds each one as of its time.
    """

    def __init__(self, venue: str, now: Callable[[], datetime], keep: timedelta) -> None:
        self._venue = venue
        self._now = now
        self._keep = keep
        self._last: dict[Hashable, Part[object]] = {}
        self._asking: dict[Hashable, asyncio.Task[Part[object]]] = {}
        self._failing: dict[Hashable, datetime] = {}  # when last

    async def get(
        self,
        key: Hashable,
        fetch: Callable[[], Awaitable[Value]],
        renew: timedelta = ALWAYS,
        keep: timedelta | None = None,
    ) -> Part[Value]:
        """The call's answer, fetched unless the last one is younger than `renew`.

        Whoever asks while the call is on its way gets the same answer. When it fails, the last
        good answer that is no older than `keep` is given. Raises SourceError; NotListed at once,
        which is an answer too.
        """
        last = self._last.get(key)
        # A clock that was set back makes an age negative: such an answer is of no known age.
        if last is not None and self._keep and ALWAYS <= self._now() - last.at < renew:
            return last  # type: ignore[return-value]  # a key has one type of value
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._fetch(key, fetch, keep))
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)  # type: ignore[arg-type]

    async def _fetch(
        self, key: Hashable, fetch: Callable[[], Awaitable[object]], keep: timedelta | None
    ) -> Part[object]:
        try:
            part = Part(await fetch(), self._now())
        except NotListed:
            self._last.pop(key, None)
            raise
        except SourceError as error:
            return self._stand_in(key, error, self._keep if keep is None else keep)
        if self._failing.pop(key, None):
            logger.log(self._level(logging.INFO), "%s: %s answered again", self._venue, key)
        self._forget(part.at - FORGOTTEN)
        self._last[key] = part
        return part

    def _forget(self, before: datetime) -> None:
        """Drop what is of no use to anybody any more: parts of expiries that have passed."""
        for key in [key for key, part in self._last.items() if part.at < before]:
            del self._last[key]

    def _ended(self, key: Hashable, task: asyncio.Task[Part[object]]) -> None:
        del self._asking[key]
        if not task.cancelled():
            task.exception()  # taken note of, even if whoever asked has gone

    def _stand_in(self, key: Hashable, error: SourceError, keep: timedelta) -> Part[object]:
        """The last good answer for the one that failed. Raises the error where there is none."""
        last = self._last.get(key)
        if last is None or not self._keep or self._now() - last.at > keep:
            self._last.pop(key, None)
            self._failing.pop(key, None)
            raise error
        if key not in self._failing:
            text = "%s: %s: the answer of %s serves"
            logger.log(self._level(logging.WARNING), text, error, key, last.at)
        self._failing[key] = self._now()
        return last

    def _level(self, first: int) -> int:
        """Of a line in the log: a venue that fails has a dozen parts, and says so once."""
        now = self._now()
        self._failing = {key: at for key, at in self._failing.items() if now - at < LATELY}
        return logging.DEBUG if self._failing else first
