"""When to try again."""

from datetime import timedelta

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0


def retry_delay(
    attempts: int, retry_after: float | None = None, first_seconds: float = FIRST_SECONDS
) -> timedelta:
    """Twice as long each time, at most five minutes, never less than the platform asks for."""
    seconds = min(first_seconds * 2 ** min(attempts, 16), LONGEST_SECONDS)
    return timedelta(seconds=max(seconds, retry_after or 0.0))
