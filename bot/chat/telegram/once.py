"""Taking once what may be brought twice."""

from collections.abc import Iterator
from contextlib import contextmanager

MOST = 1_000  # remembered; Telegram repeats what it brought last


class Once:
    """Remembers the newest numbers that were taken."""

    def __init__(self) -> None:
        self._taken: dict[int, None] = {}  # oldest first

    @contextmanager
    def take(self, number: int) -> Iterator[bool]:
        """Whether it is new; what fails within this may be brought again."""
        if number in self._taken:
            yield False
            return
        self._taken[number] = None
        if len(self._taken) > MOST:
            del self._taken[next(iter(self._taken))]
        try:
            yield True
        except BaseException:
            self._taken.pop(number, None)
            raise
