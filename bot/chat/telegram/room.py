"""Room for so many at a time of each chat: a busy one must not take up that of all the others."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """Holds at most so many of a place."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside: Counter[str] = Counter()

    @contextmanager
    def enter(self, place: str) -> Iterator[bool]:
        """Whether there is room for one more, which is taken until this is left."""
        if self._inside[place] >= self._most:
            yield False
            return
        self._inside[place] += 1
        try:
            yield True
        finally:
            self._inside[place] -= 1
            if not self._inside[place]:
                del self._inside[place]
