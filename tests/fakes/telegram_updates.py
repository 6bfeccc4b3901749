"""The queue of updates: long polls with their conflicts, and delivery to a webhook."""

import asyncio
from collections import deque
from contextlib import suppress

import aiohttp

from tests.fakes.telegram_errors import (
    OTHER_POLLER,
    WEBHOOK_ACTIVE,
    WEBHOOK_SET_MEANWHILE,
    ApiError,
    bad,
)

MOST_KEPT = 10_000
ONLY_ON_DEMAND = {"chat_member", "message_reaction", "message_reaction_count"}
RETRY_EVERY = 0.2  # seconds between two tries of a webhook that fails
SECRET_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


class Updates:
    """What the bot has not heard yet."""

    def __init__(self, clock):
        self.pending = deque(maxlen=MOST_KEPT)
        self.webhook = {}  # url, secret_token, max_connections; empty while polling
        self.last_error = {}
        self._clock = clock
        self._allowed = []
        self._next = 1_000_000
        self._news = asyncio.Event()
        self._poll = None  # what the waiting poll will be told
        self._delivery = None

    @property
    def is_polled(self):
        """Whether a poll waits for news."""
        return self._poll is not None

    def add(self, kind, content):
        """Queue an update unless the bot did not ask for its kind."""
        if self._allowed and kind not in self._allowed:
            return
        if not self._allowed and kind in ONLY_ON_DEMAND:
            return
        self.pending.append({"update_id": self._next, kind: content})
        self._next += 1
        self._news.set()

    async def poll(self, params):
        """The updates from an offset on, as soon as there are any. Raises ApiError."""
        self._interrupt(OTHER_POLLER)
        if self.webhook:
            raise ApiError(*WEBHOOK_ACTIVE)
        self._allow(params)
        self._forget(params.integer("offset", 0))
        limit = min(max(params.integer("limit", 100), 1), 100)
        if not self.pending:
            await self._wait(params.integer("timeout", 0))
        return list(self.pending)[:limit]

    async def _wait(self, seconds):
        """Return at the next update or when the time is over; raises when another poll comes."""
        mine = self._poll = asyncio.get_running_loop().create_future()
        self._news.clear()
        news = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait([news, mine], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if mine.done() and mine.result():
                raise ApiError(*mine.result())
        finally:
            news.cancel()
            self._poll = None if self._poll is mine else self._poll

    def _interrupt(self, reason):
        if self._poll and not self._poll.done():
            self._poll.set_result(reason)

    def _forget(self, offset):
        if offset < 0:
            while len(self.pending) > -offset:
                self.pending.popleft()
        while self.pending and self.pending[0]["update_id"] < offset:
            self.pending.popleft()

    def _allow(self, params):
        allowed = params.object("allowed_updates")
        self._allowed = self._allowed if allowed is None else list(allowed)

    def set_webhook(self, params):
        """Deliver to the address from now on; an empty one ends that. Raises ApiError."""
        url, secret = params.text("url"), params.text("secret_token")
        # The real one insists on HTTPS; a loopback address may do without here.
        if url and not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if len(secret) > 256 or set(secret) - set(SECRET_CHARACTERS):
            raise bad("secret token contains unallowed characters")
        self._allow(params)
        if params.flag("drop_pending_updates"):
            self.pending.clear()
        self._stop_delivery()
        self.webhook = {"url": url, "secret": secret} if url else {}
        if url:
            self._interrupt(WEBHOOK_SET_MEANWHILE)
            self._delivery = asyncio.create_task(self._deliver(url, secret))
        return True

    def delete_webhook(self, params):
        """Let the bot poll again."""
        if params.flag("drop_pending_updates"):
            self.pending.clear()
        self._stop_delivery()
        self.webhook = {}
        return True

    def webhook_info(self):
        shown = {"url": self.webhook.get("url", ""), "has_custom_certificate": False}
        shown |= {"pending_update_count": len(self.pending)} | self.last_error
        return shown | ({"allowed_updates": self._allowed} if self._allowed else {})

    async def _deliver(self, url, secret):
        """Post one update after the other; one that fails is posted again, as Telegram does."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                while self.pending:
                    if await self._posted(session, url):
                        self.pending.popleft()
                    else:
                        await asyncio.sleep(RETRY_EVERY)
                self._news.clear()
                await self._news.wait()

    async def _posted(self, session, url):
        reason = ""
        try:
            async with session.post(url, json=self.pending[0]) as reply:
                if reply.status >= 300:
                    reason = f"Wrong response from the webhook: {reply.status} {reply.reason}"
        except (aiohttp.ClientError, TimeoutError):
            reason = "Connection refused"
        if reason:
            when = int(self._clock())
            self.last_error = {"last_error_date": when, "last_error_message": reason}
        return not reason

    def _stop_delivery(self):
        if self._delivery:
            self._delivery.cancel()

    async def close(self):
        """End what waits."""
        self._interrupt(())
        self._stop_delivery()
        if self._delivery:
            with suppress(asyncio.CancelledError):
                await self._delivery
