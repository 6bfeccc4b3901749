"""What is kept of each chat: its settings, and whether it can be reached."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.chats import Chat, quiet_until
from bot.core.places import may_have_topics
from bot.ports import Store

Change = Callable[[Chat], Chat]


class Chats:
    """The chats of the store; whoever else needs to know is told whose changed.

    Every method raises StoreError.
    """

    def __init__(
        self, store: Store, now: Callable[[], datetime], changed: Callable[[str], Awaitable[None]]
    ) -> None:
        self._store = store
        self._now = now
        self._changed = changed

    async def of(self, target: str) -> Chat:
        """The chat, with the defaults where nothing is known of it."""
        return await self._store.chat(target) or Chat(target)

    async def all(self) -> Sequence[Chat]:
        """Every chat that something is known of."""
        return await self._store.chats()

    async def change(self, target: str, change: Change) -> Chat:
        """The changed chat, stored; what is held for it waits as long as its silence lasts now.

        What `change` raises goes through, and nothing is stored.
        """
        before, after = await self._change(target, change)
        now = self._now()
        end = quiet_until(after, now)
        if end != quiet_until(before, now):
            await self._store.redate_held(target, end or now)
        return after

    async def reached(self, target: str) -> Chat:
        """The chat, which can be reached: what waited for that goes out now."""
        before, after = await self._change(target, _active)
        if before.state == "suspended":
            await self._store.hasten(target, self._now())
        return after

    async def revive(self, target: str) -> None:
        """The chat is there, with all rights: people added us, or wrote to us; its topics too."""
        for chat in await self._with_topics(target):
            if _active(chat) != chat:
                await self.reached(chat.target)

    async def miss(self, target: str) -> None:
        """Nobody is there to hear anything: kept from when that began, until they are again."""
        now = self._now()

        def away(chat: Chat) -> Chat:
            return replace(chat, away_since=chat.away_since or now)

        for chat in await self._with_topics(target) or await self._of_rules(target):
            if chat.away_since is None:
                await self._change(target, away)

    async def lose(self, target: str, trouble: str) -> None:
        """We were thrown out, or blocked: of the chat and its topics nothing can be reached.

        Of a chat that wants nothing nothing is kept.
        """
        now = self._now()

        def gone(chat: Chat) -> Chat:
            if chat.state == "gone":
                return chat
            return replace(chat, state="gone", trouble=trouble, since=now)

        for chat in await self._with_topics(target) or await self._of_rules(target):
            await self._change(chat.target, gone)

    async def bar(self, target: str, trouble: str) -> None:
        """We are there, but may not write: the chat and its topics wait for the right.

        Of a chat that wants nothing nothing is kept.
        """
        for chat in await self._with_topics(target) or await self._of_rules(target):
            await self.suspend(chat.target, trouble)

    async def suspend(self, target: str, trouble: str) -> bool:
        """A right is missing there; whether that is news."""
        now = self._now()

        def suspended(chat: Chat) -> Chat:
            since = chat.since if chat.state == "suspended" else now
            return replace(chat, state="suspended", trouble=trouble, since=since)

        before, _ = await self._change(target, suspended)
        return before.state != "suspended"

    async def move(self, target: str, to: str) -> None:
        """The chat goes on under another address, and remembers its first one."""
        for chat in await self._with_topics(target):
            await self._store.change_chat(chat.target, _with_origin)
        await self._store.move_target(target, to)
        await self._changed(target)
        await self._changed(to)

    async def _change(self, target: str, change: Change) -> tuple[Chat, Chat]:
        before, after = await self._store.change_chat(target, change)
        if after != before:
            await self._changed(target)
        return before, after

    async def _with_topics(self, target: str) -> Sequence[Chat]:
        """What is known of the chat and of every topic in it."""
        if not may_have_topics(target):
            chat = await self._store.chat(target)
            return [chat] if chat else []
        return await self._store.chats(within=target)

    async def _of_rules(self, target: str) -> Sequence[Chat]:
        """The chat as it is by default, where rules are its only wish."""
        return [Chat(target)] if await self._store.rules(target) else []


def _active(chat: Chat) -> Chat:
    return replace(chat, state="active", trouble="", since=None, away_since=None)


def _with_origin(chat: Chat) -> Chat:
    return replace(chat, origin=chat.key)
