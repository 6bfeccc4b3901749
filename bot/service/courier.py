"""One message's way to its chat, and what the platform's answer means for both."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial

from bot.core.chats import Chat, quiet_until
from bot.core.events import Alert, Delivery, DeliveryState
from bot.core.folding import fold_held, fold_moment, mark_late
from bot.core.retry import doubted, is_spent, retry_delay
from bot.core.routing import short_id
from bot.errors import (
    BotError,
    DeliveryError,
    DeliveryInDoubt,
    MessageRefused,
    NobodyThere,
    PermissionMissing,
    RecipientGone,
    RecipientMoved,
    StoreError,
    TokenRefused,
)
from bot.ports import Messenger, Store, Timer
from bot.service.chats import Chats

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)  # what a crash delays its messages by, at most
KNOWN_FOR = timedelta(minutes=2)  # what Discord calls the past few minutes, of a nonce
MOST_MOVES = 3  # of a chat while one message is sent
REST = timedelta(seconds=60)  # of a messenger whose token is refused
FIRST_MISSING_SECONDS = 60.0  # until a missing right is looked for again
NOTICE_LIFE = timedelta(days=1)
SETTLE_PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds, together less than a lease


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent, and the alerts that end with it: one, or all that are told together."""

    message: Alert
    rows: tuple[Alert, ...]
    moves: int = 0

    def moved(self, to: str) -> "Parcel":
        """The same for the chat's new address."""
        old = self.message.target
        rows = (replace(row, target=to) if row.target == old else row for row in self.rows)
        return Parcel(replace(self.message, target=to), tuple(rows), self.moves + 1)


class Courier:
    """Delivers what was claimed, with one messenger."""

    def __init__(
        self,
        store: Store,
        messenger: Messenger,
        chats: Chats,
        now: Callable[[], datetime],
        owner: str,
        timer: Timer,
    ) -> None:
        self._store = store
        self._messenger = messenger
        self._chats = chats
        self._now = now
        self._owner = owner
        self._timer = timer
        self._known_for = KNOWN_FOR if messenger.repeats_are_safe else timedelta()
        self._carried: set[str] = set()

    @property
    def carried(self) -> Collection[str]:
        """The alerts that are on their way, and leased to us meanwhile."""
        return self._carried

    async def deliver(self, head: Alert) -> int:
        """How many alerts ended: the claimed one, and those that are told with it.

        Raises StoreError, and TokenRefused when they were given back because of it.
        """
        self._carried.add(head.id)
        claimed = [head]
        try:
            chat = await self._chats.of(head.target)
            if until := self._silence(head, chat):
                await self._store.hold(self._owner, [head.id], until)
                return 0
            claimed += await self._companions(head)
            self._carried |= _ids(claimed)
            return await self._deliver(claimed, chat.clock)
        finally:
            self._carried -= _ids(claimed)

    async def _deliver(self, claimed: Sequence[Alert], clock: tzinfo) -> int:
        rows, ended = [], 0
        for alert in claimed:
            if word := self._last_word(alert):
                ended += await self._settle([alert], word)
            else:
                rows.append(alert)
        return ended + (await self._send(self._parcel(rows, clock)) if rows else 0)

    def _silence(self, head: Alert, chat: Chat) -> datetime | None:
        """Until when its chat wants quiet, which may have begun after the alert was made.

        What has perhaps arrived is not told again in the morning: its repeat goes out at once.
        """
        if head.held or head.doubts or head.kind != "alert":
            return None
        return quiet_until(chat, self._now())

    async def _companions(self, head: Alert) -> Sequence[Alert]:
        """What is told with it: what was held too, or what rang there at the same moment."""
        if not head.held and (head.kind != "alert" or not self._messenger.folds):
            return ()
        return await self._store.claim_companions(head, self._owner, self._now(), LEASE)

    def _last_word(self, alert: Alert) -> DeliveryState | None:
        """How it ends unsent: too old, or perhaps arrived already, twice."""
        if self._now() > alert.expires_at:
            return "expired"
        if is_spent(alert, self._now(), self._known_for):
            return "in_doubt"
        return None

    def _parcel(self, rows: Sequence[Alert], clock: tzinfo) -> Parcel:
        if rows[0].held:
            return Parcel(fold_held(rows, clock), tuple(rows))
        return Parcel(mark_late(fold_moment(rows), self._now(), clock), tuple(rows))

    async def _send(self, parcel: Parcel) -> int:
        try:
            await self._messenger.send(parcel.message, partial(self._begin, parcel.rows))
        except BotError as error:
            return await self._heed(error, parcel)
        except Exception:
            logger.exception("%s: a mistake of ours, tried again later", self._messenger.name)
            return await self._again(parcel, retry_delay(parcel.message.attempts))
        ended = await self._settle(parcel.rows, "sent")
        await self._reached(parcel.message.target)
        return ended

    async def _begin(self, rows: Sequence[Alert]) -> None:
        await self._store.begin(self._owner, _ids(rows))

    async def _heed(self, trouble: BotError, parcel: Parcel) -> int:
        """Do what the error asks for."""
        match trouble:
            case RecipientMoved() if parcel.moves < MOST_MOVES:
                await self._chats.move(parcel.message.target, trouble.to)
                return await self._send(parcel.moved(trouble.to))
            case PermissionMissing() | RecipientGone():
                return await self._unreachable(parcel, trouble)
            case MessageRefused():
                logger.error("%s: not sent again: %s", self._name(parcel), trouble)
                return await self._settle(parcel.rows, "failed")
            case TokenRefused():
                await self._again(parcel, REST)
                raise trouble
            case DeliveryInDoubt():
                return await self._doubt(parcel, trouble)
            case _:
                return await self._fail(parcel, trouble)

    async def _fail(self, parcel: Parcel, trouble: BotError) -> int:
        if isinstance(trouble, NobodyThere):
            await self._chats.miss(parcel.message.target)
        asked = trouble.retry_after if isinstance(trouble, DeliveryError) else None
        delay = retry_delay(parcel.message.attempts, asked)
        level = logging.INFO if isinstance(trouble, NobodyThere) else logging.WARNING
        name = self._name(parcel)
        logger.log(level, "%s: not delivered: %s; again in %s", name, trouble, delay)
        return await self._again(parcel, delay)

    async def _doubt(self, parcel: Parcel, trouble: DeliveryInDoubt) -> int:
        """Perhaps it arrived: send it once more, without what this was the second time for."""
        now, known_for = self._now(), self._known_for
        rows = [doubted(row, now, known_for) for row in parcel.rows]
        again = tuple(row for row in rows if not is_spent(row, now, known_for))
        if again:
            await self._fail(replace(parcel, rows=again), trouble)
        if len(again) == len(rows):
            return 0
        logger.warning("%s: perhaps delivered, not sent again: %s", self._name(parcel), trouble)
        return await self._settle([row for row in rows if row not in again], "in_doubt")

    async def _unreachable(self, parcel: Parcel, trouble: PermissionMissing | RecipientGone) -> int:
        """Call the person in the chat that they agreed to; else wait for the right, or for them."""
        message = parcel.message
        if isinstance(trouble, RecipientGone) and not message.mention:
            return await self._lose(parcel, trouble)
        chat = await self._chats.of(message.target)
        if message.mention or not chat.fallback:
            return await self._suspend(parcel, trouble)
        called = replace(message, target=chat.fallback, mention=message.target)
        return await self._send(replace(parcel, message=called))

    async def _suspend(self, parcel: Parcel, trouble: BotError) -> int:
        target = parcel.rows[0].target
        await self._chats.suspend(target, str(trouble))
        await self._tell_owner(target, f"{trouble}; once that is mended I go on by myself")
        delay = retry_delay(parcel.message.attempts, first_seconds=FIRST_MISSING_SECONDS)
        logger.warning("%s: suspended: %s; again in %s", self._name(parcel), trouble, delay)
        return await self._again(parcel, delay)

    async def _lose(self, parcel: Parcel, trouble: BotError) -> int:
        target = parcel.message.target
        known = await self._chats.of(target)
        await self._chats.lose(target, str(trouble))
        if known.state != "gone":
            logger.warning("%s: gone: %s", self._name(parcel), trouble)
            await self._tell_owner(target, f"{trouble}; once I can write there again I go on")
        return await self._settle(parcel.rows, "failed")

    async def _tell_owner(self, target: str, what: str) -> None:
        """Once for each time that it begins, however often it is found and whoever finds it."""
        chat = await self._chats.of(target)
        if chat.owner in ("", target):
            return
        now = self._now()
        text = f"I cannot ring in {chat.title or target}: {what}."
        identity = short_id("trouble", target, chat.state, (chat.since or now).isoformat())
        notice = Alert(identity, now, "", chat.owner, "", text, now + NOTICE_LIFE, kind="notice")
        await self._store.post([notice])

    async def _reached(self, target: str) -> None:
        """The chat is there after all."""
        chat = await self._chats.of(target)
        if chat.state != "active" or chat.away_since:
            await self._chats.revive(target)

    async def _again(self, parcel: Parcel, delay: timedelta) -> int:
        """Give the alerts back, due again after the delay, together; none of them ended."""
        due_at = self._now() + delay
        for row in parcel.rows:
            await self._store.retry(self._owner, row, due_at)
        self._carried -= _ids(parcel.rows)
        return 0

    async def _settle(self, rows: Sequence[Alert], state: DeliveryState) -> int:
        """How many alerts ended so; a lease that was lost ended elsewhere.

        Written again and again while the lease lasts: what was sent must not be sent twice.
        """
        ended = [Delivery(self._now(), row.id, row.target, state) for row in rows]
        count = await self._written(ended)
        self._carried -= _ids(rows)
        return count

    async def _written(self, ended: Sequence[Delivery]) -> int:
        for pause in SETTLE_PAUSES:
            try:
                return await self._store.settle(self._owner, *ended)
            except StoreError as error:  # an error once it fails for good, of whoever asked
                logger.info("outbox: %s; written again in %g s", error, pause)
                await self._timer.sleep(pause)
        return await self._store.settle(self._owner, *ended)

    def _name(self, parcel: Parcel) -> str:
        return f"{parcel.message.target} #{parcel.message.id}"


def _ids(rows: Iterable[Alert]) -> set[str]:
    return {row.id for row in rows}
