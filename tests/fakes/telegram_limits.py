"""Telegram's limits on sending, kept strictly: sliding windows, and no burst forgiven."""

import math
from collections import defaultdict, deque

from tests.fakes.telegram_errors import too_many

PRIVATE = (1, 1.0)  # messages in so many seconds
SHARED = (20, 60.0)  # a group or a channel
OVERALL = (30, 1.0)


class Limits:
    """Counts what is sent; edits, chat actions and answers to queries are free."""

    def __init__(self, clock):
        self.on = True
        self._clock = clock
        self._sent = defaultdict(deque)  # times, by chat id; None is all chats together

    def take(self, chat):
        """Count one message to the chat. Raises the ApiError 429, and counts nothing then."""
        if not self.on:
            return
        now = self._clock()
        rates = {chat.id: PRIVATE if chat.type == "private" else SHARED, None: OVERALL}
        wait = max(self._wait(key, rate, now) for key, rate in rates.items())
        if wait > 0:
            raise too_many(math.ceil(wait))
        for key in rates:
            self._sent[key].append(now)

    def _wait(self, key, rate, now):
        most, seconds = rate
        times = self._sent[key]
        while times and times[0] <= now - seconds:
            times.popleft()
        return times[0] + seconds - now if len(times) >= most else 0.0
