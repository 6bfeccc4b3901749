"""Saying once that something fails, however often it is tried."""

import logging

logger = logging.getLogger(__name__)


class Outage:
    """A line in the log when something begins to fail, and one when it works again."""

    def __init__(self, begins: str, ends: str) -> None:
        self._begins = begins
        self._ends = ends
        self._lasts = False

    def note(self, error: Exception | None) -> None:
        """How the last try went."""
        if error and not self._lasts:
            logger.error("%s: %s", self._begins, error)
        if self._lasts and not error:
            logger.info("%s", self._ends)
        self._lasts = error is not None
