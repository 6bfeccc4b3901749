"""A summary a day to each chat that asked for one."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.core.chats import DIGEST_LATE, Chat, digest_due
from bot.core.digest import digest_card, digest_text, rings_of_day
from bot.core.events import Alert
from bot.core.routing import short_id
from bot.core.rules import Rule
from bot.core.snapshot import Snapshot
from bot.core.view import View
from bot.errors import StoreError
from bot.ports import Store, Timer
from bot.service.rulebook import Rulebook

logger = logging.getLogger(__name__)

EVERY_SECONDS = 20.0
POSTED_AT_ONCE = 100  # digests: writing thousands would hold up everything else


class Digests:
    """Posts what is due. A digest's id is its chat and moment, so that none is posted twice."""

    def __init__(
        self,
        store: Store,
        rulebook: Rulebook,
        now: Callable[[], datetime],
        timer: Timer,
        stale_after: timedelta,
    ) -> None:
        self._store = store
        self._rulebook = rulebook
        self._now = now
        self._timer = timer
        self._stale_after = stale_after
        self._posted: dict[str, datetime] = {}  # by the chat's key, the moment of the last one

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.post_due()
            except StoreError as error:
                logger.error("digests: %s", error)
            await self._timer.sleep(EVERY_SECONDS)

    async def post_due(self) -> None:
        """Put every digest that is due into the outbox. Raises StoreError."""
        now = self._now()
        due = [
            (chat, moment)
            for chat in self._rulebook.chats.values()
            if chat.state != "gone"
            and (moment := digest_due(chat, self._posted.get(chat.key), now))
        ]
        if not due:
            return
        snapshots = await self._snapshots(chat for chat, _ in due)
        rules = self._rulebook.by_target()
        own = [(chat, moment, rules.get(chat.target, ())) for chat, moment in due]
        for start in range(0, len(own), POSTED_AT_ONCE):
            some = own[start : start + POSTED_AT_ONCE]
            await self._store.post([self._message(*one, snapshots, now) for one in some])
            self._posted |= {chat.key: moment for chat, moment, _ in some}
            await self._timer.sleep(0)

    async def _snapshots(self, chats: Iterable[Chat]) -> Mapping[str, Snapshot | None]:
        """The newest of every symbol that one of the chats asked for."""
        symbols = {symbol for chat in chats if chat.digest for symbol in chat.digest.symbols}
        return {symbol: await self._store.snapshot(symbol) for symbol in symbols}

    def _message(
        self,
        chat: Chat,
        moment: datetime,
        rules: Sequence[Rule],
        snapshots: Mapping[str, Snapshot | None],
        now: datetime,
    ) -> Alert:
        symbols = chat.digest.symbols if chat.digest else ()
        shown = {symbol: snapshots[symbol] for symbol in symbols}
        view = View(now, self._stale_after, chat.clock)
        return Alert(
            short_id("digest", chat.key, moment.isoformat()),
            now,
            "",
            chat.target,
            "",
            digest_text(shown),
            moment + DIGEST_LATE,
            kind="digest",
            card=digest_card(shown, rings_of_day(rules, self._rulebook.states, view), view),
        )
