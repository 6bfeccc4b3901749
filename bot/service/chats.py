"""What is kept of each chat: its settings, and whether it can be reached."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.chats import Chat, quiet_until
from bot.ports import Store


class Chats:
    """The chats of the store; whoever else needs to know is told of each change.

    Every method raises StoreError.
    """

    def __init__(
        self, store: Store, now: Callable[[], datetime], changed: Callable[[], Awaitable[None]]
    ) -> None:
        self._store = store
        self._now = now
        self._changed = changed
        self._turn = asyncio.Lock()  # reading, changing and writing is one step

    async def of(self, target: str) -> Chat:
        """The chat, with the defaults where nothing is known of it."""
        return await self._store.chat(target) or Chat(target)

    async def all(self) -> Sequence[Chat]:
        """Every chat that something is known of."""
        return await self._store.chats()

    async def change(self, target: str, **fields: Any) -> Chat:  # noqa: ANN401 - Chat's own fields
        """The chat with these fields, stored."""
        async with self._turn:
            before = await self.of(target)
            after = replace(before, **fields)
            await self._put(before, after)
            now = self._now()
            if quiet_until(before, now) and not quiet_until(after, now):
                await self._store.hasten(target, now)  # what was held meanwhile
        return after

    async def revive(self, target: str) -> None:
        """The chat is there, with all rights: people added us, or wrote to us; its topics too."""
        async with self._turn:
            for chat in await self._with_topics(target):
                await self._put(chat, replace(chat, state="active", trouble="", since=None))
                if chat.state == "suspended":
                    await self._store.hasten(chat.target, self._now())

    async def lose(self, target: str, trouble: str) -> None:
        """We were thrown out, or blocked: of the chat and its topics nothing can be reached.

        Of a chat that wants nothing nothing is kept.
        """
        async with self._turn:
            for chat in await self._with_topics(target) or await self._of_rules(target):
                if chat.state != "gone":
                    gone = replace(chat, state="gone", trouble=trouble, since=self._now())
                    await self._put(chat, gone)

    async def suspend(self, target: str, trouble: str) -> bool:
        """A right is missing there; whether that is news."""
        async with self._turn:
            chat = await self.of(target)
            news = chat.state != "suspended"
            since = self._now() if news else chat.since
            await self._put(chat, replace(chat, state="suspended", trouble=trouble, since=since))
        return news

    async def move(self, target: str, to: str) -> None:
        """The chat goes on under another address."""
        async with self._turn:
            await self._store.move_target(target, to)
        await self._changed()

    async def _with_topics(self, target: str) -> Sequence[Chat]:
        """What is known of the chat and of every topic in it."""
        if not may_have_topics(target):
            chat = await self._store.chat(target)
            return [chat] if chat else []
        return await self._store.chats(within=target)

    async def _of_rules(self, target: str) -> Sequence[Chat]:
        """The chat as it is by default, where rules are its only wish."""
        return [Chat(target)] if await self._store.rules(target) else []

    async def _put(self, before: Chat, after: Chat) -> None:
        if after != before:
            await self._store.put_chat(after)
            await self._changed()


def may_have_topics(target: str) -> bool:
    """Whether other addresses lie within this one: a Telegram group's topics alone."""
    return target.startswith("telegram:-") and "/" not in target
