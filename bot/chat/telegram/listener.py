"""Hearing what people say in Telegram, by long polls or a webhook, for as long as the token lives.

A fresh client each time that the connection is made; what went wrong is for `supervise`.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from telegram import Bot, Update
from telegram.constants import UpdateType
from telegram.error import RetryAfter, TelegramError

from bot.chat.buttons import Signer
from bot.chat.connection import Connection, supervise
from bot.chat.telegram.address import Address
from bot.chat.telegram.answers import Answers
from bot.chat.telegram.client import POLL, connect
from bot.chat.telegram.conversation import Conversation
from bot.chat.telegram.errors import translate, wait_seconds
from bot.chat.telegram.incoming import is_about_chat
from bot.chat.telegram.inline import offer
from bot.chat.telegram.membership import note
from bot.chat.telegram.menu import publish
from bot.chat.telegram.messages import Messages
from bot.chat.telegram.tasks import Tasks
from bot.chat.telegram.webhook import WebhookAddress, receive
from bot.core.reply import Action, Reply, parse_command
from bot.core.secret import Secret
from bot.errors import DeliveryError, StoreError
from bot.ports import ChatBook, CommandLayer, Facts, Pace, Timer

logger = logging.getLogger(__name__)

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


@dataclass(frozen=True, slots=True)
class Backing:
    """What of the program stands behind the answers."""

    commands: CommandLayer
    chats: ChatBook
    facts: Facts
    pace: Pace
    signer: Signer
    now: Callable[[], datetime]


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

    async def run(self) -> None:
        """Listen until cancelled, whatever happens to the connection."""
        await supervise(self._connection, self._serve, self._timer)

    async def _serve(self) -> None:
        """Listen until it fails. Raises BotError."""
        account = self._account
        try:
            async with connect(account.token, account.api_base) as bot, Tasks() as tasks:
                await tasks.start(self._publish(bot))
                handling = Handling(bot, self._backing, tasks)
                if account.webhook:
                    await self._wait_for_calls(bot, handling, account.webhook)
                else:
                    await self._poll(bot, handling)
        except TelegramError as error:
            if isinstance(error, RetryAfter):
                await self._timer.sleep(wait_seconds(error))
            raise translate(error, Address(0)) from error

    async def _poll(self, bot: Bot, handling: "Handling") -> None:
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

    async def _wait_for_calls(
        self, bot: Bot, handling: "Handling", address: WebhookAddress
    ) -> None:
        """Let Telegram bring the updates, as long as nobody else makes it bring them elsewhere."""
        secret = await self._backing.facts.first_fact(WEBHOOK_SECRET, secrets.token_urlsafe(32))

        settled = self._timer.time() + BACKLOG_SECONDS

        async def take(body: dict[str, Any]) -> None:
            pending = self._timer.time() < settled
            await handling.take(Update.de_json(body, bot), pending=pending)

        async with receive(address, secret, take):
            await bot.set_webhook(address.url, secret_token=secret, allowed_updates=KINDS)
            self._connection.note(f"called at {address.url} as @{bot.username}")
            while (await bot.get_webhook_info()).url == address.url:
                await self._timer.sleep(WATCH_SECONDS)
        raise DeliveryError("telegram: another process took the webhook away; stop it")

    async def _publish(self, bot: Bot) -> None:
        """Show the commands in Telegram's menu; the bot works without it as well."""
        try:
            await publish(bot, self._backing.commands.menu, self._backing.facts)
        except (TelegramError, StoreError) as error:
            trouble = translate(error, Address(0)) if isinstance(error, TelegramError) else error
            logger.warning("telegram: the menu of commands is not up to date: %s", trouble)


class Handling:
    """Hands each update to whoever deals with it."""

    def __init__(self, bot: Bot, backing: Backing, tasks: Tasks) -> None:
        self._backing = backing
        self._tasks = tasks
        messages = Messages(bot, backing.pace, backing.signer, self._is_beside)
        self._conversation = Conversation(
            bot, backing.commands, backing.chats, Answers(messages), backing.signer, backing.now
        )

    async def take(self, update: Update, *, pending: bool) -> None:
        """Begin to deal with it; what becomes of chats is kept before this returns."""
        if is_about_chat(update):
            await note(update, self._backing.chats)
        elif update.callback_query:
            await self._tasks.start(
                self._conversation.pressed(update.callback_query, pending=pending)
            )
        elif update.inline_query:
            await self._tasks.start(offer(update.inline_query, self._backing.commands))
        elif message := update.message or update.channel_post:
            await self._tasks.start(self._conversation.hear(message, pending=pending))

    def _is_beside(self, reply: Reply, action: Action) -> bool:
        """Below what everyone reads, a private answer does not take its place."""
        entry = self._backing.commands.entry(parse_command(action.line, ""))
        return not reply.private and entry is not None and entry.private
