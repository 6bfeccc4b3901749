"""Hearing what people say in Telegram, by long polls or a webhook, for as long as the token lives.

A fresh client each time that the connection is made; what went wrong is for `supervise`.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from telegram import Bot, Update
from telegram.constants import UpdateType
from telegram.error import RetryAfter, TelegramError

from bot.chat.connection import Connection, supervise
from bot.chat.telegram.address import Address
from bot.chat.telegram.client import POLL, connect
from bot.chat.telegram.errors import translate, wait_seconds
from bot.chat.telegram.handling import Backing, Handling
from bot.chat.telegram.menu import telling
from bot.chat.telegram.once import Once
from bot.chat.telegram.questions import Questions
from bot.chat.telegram.tasks import Tasks, meanwhile
from bot.chat.telegram.updates import legible
from bot.chat.telegram.webhook import WebhookAddress, receive
from bot.chat.telling import tell_changed
from bot.core.secret import Secret
from bot.errors import DeliveryError
from bot.ports import Timer

__all__ = ["Account", "Backing", "TelegramListener"]

KINDS = (
    UpdateType.MESSAGE,
    UpdateType.CHANNEL_POST,
    UpdateType.CALLBACK_QUERY,
    UpdateType.INLINE_QUERY,
    UpdateType.MY_CHAT_MEMBER,
)
WEBHOOK_SECRET = "telegram.webhook.secret"  # noqa: S105 - the fact's name
BACKLOG_SECONDS = 10.0  # in which Telegram brings to a new webhook what waited for it
WATCH_SECONDS = 60.0  # between two looks at whether the webhook is still ours


@dataclass(frozen=True, slots=True)
class Account:
    """The bot at Telegram; without a webhook it polls."""

    token: Secret
    api_base: str
    webhook: WebhookAddress | None = None


class TelegramListener:
    """Answers commands, presses and inline queries, and keeps what becomes of chats."""

    def __init__(
        self, account: Account, backing: Backing, connection: Connection, timer: Timer
    ) -> None:
        self._account = account
        self._backing = backing
        self._connection = connection
        self._timer = timer
        self._offset = 0  # the next update's number, as far as known
        self._brought = Once()
        self._questions = Questions()

    async def run(self) -> None:
        """Listen until cancelled, whatever happens to the connection."""
        await supervise(self._connection, self._serve, self._timer)

    async def _serve(self) -> None:
        """Listen until it fails. Raises BotError."""
        account = self._account
        try:
            async with (
                connect(account.token, account.api_base) as bot,
                meanwhile(self._tell_menu(bot)),
                Tasks() as tasks,
            ):
                handling = Handling(bot, self._backing, tasks, self._questions)
                if account.webhook:
                    await self._wait_for_calls(bot, handling, account.webhook)
                else:
                    await self._poll(bot, handling)
        except TelegramError as error:
            if isinstance(error, RetryAfter):
                await self._timer.sleep(wait_seconds(error))
            raise translate(error, Address(0)) from error

    async def _tell_menu(self, bot: Bot) -> None:
        backing = self._backing
        await tell_changed(telling(bot, backing.commands.menu), backing.facts, self._timer)

    async def _poll(self, bot: Bot, handling: Handling) -> None:
        """Ask for updates, those first that waited for us."""
        await bot.delete_webhook()
        self._connection.note(f"polling as @{bot.username}")
        pending = True
        while True:
            wait = timedelta(0) if pending else POLL
            updates = await bot.get_updates(self._offset, timeout=wait, allowed_updates=KINDS)
            for update in updates:
                await handling.take(update, pending=pending)
                self._offset = update.update_id + 1
            pending = pending and bool(updates)

    async def _wait_for_calls(self, bot: Bot, handling: Handling, address: WebhookAddress) -> None:
        """Let Telegram bring the updates, as long as nobody else makes it bring them elsewhere."""
        secret = await self._backing.facts.first_fact(WEBHOOK_SECRET, secrets.token_urlsafe(32))

        settled = self._timer.time() + BACKLOG_SECONDS

        async def take(body: dict[str, Any]) -> None:
            pending = self._timer.time() < settled
            update = Update.de_json(legible(body), bot)
            with self._brought.take(update.update_id) as is_new:
                if is_new:
                    await handling.take(update, pending=pending)

        async with receive(address, secret, take):
            await bot.set_webhook(address.url, secret_token=secret, allowed_updates=KINDS)
            self._connection.note(f"called at {address.url} as @{bot.username}")
            while (await bot.get_webhook_info()).url == address.url:
                await self._timer.sleep(WATCH_SECONDS)
        raise DeliveryError("telegram: another process took the webhook away; stop it")
