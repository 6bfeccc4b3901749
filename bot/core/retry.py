"""When to try again, and when no more."""

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.events import Alert

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0
MOST_DOUBTS = 2  # sends that perhaps arrived: one repeat, no more


def retry_delay(
    attempts: int, retry_after: float | None = None, first_seconds: float = FIRST_SECONDS
) -> timedelta:
    """Twice as long each time, at most five minutes, never less than the platform asks for."""
    seconds = min(first_seconds * 2 ** min(attempts, 16), LONGEST_SECONDS)
    return timedelta(seconds=max(seconds, retry_after or 0.0))


def doubted(alert: Alert, now: datetime, known_for: timedelta) -> Alert:
    """The alert after a send that perhaps arrived; the platform knows it again for so long.

    Within that time a repeat makes no second message, and so no second doubt.
    """
    if _is_known(alert, now, known_for):
        return alert
    return replace(alert, doubts=alert.doubts + 1, doubted_at=now)


def is_spent(alert: Alert, now: datetime, known_for: timedelta) -> bool:
    """Whether it perhaps arrived so often already that one more send is too many."""
    return alert.doubts >= MOST_DOUBTS and not _is_known(alert, now, known_for)


def _is_known(alert: Alert, now: datetime, known_for: timedelta) -> bool:
    return alert.doubted_at is not None and now - alert.doubted_at < known_for
