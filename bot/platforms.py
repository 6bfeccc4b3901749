"""The chats of this process: who sends for each platform, who listens, and at whose pace."""

from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from secrets import token_hex
from typing import Protocol

from bot.chat.buttons import Signer
from bot.chat.connection import Connection
from bot.clock import SystemClock
from bot.config import Config
from bot.core.reply import Field
from bot.core.secret import Secret
from bot.log import hide
from bot.ports import ChatBook, CommandLayer, Facts, Messenger
from bot.service.pacer import Pacer
from bot.tokens import read_token

# Requests a second with one token: platforms.md's 50 and 30, less what clocks may differ by.
DISCORD_PACE = 48.0
TELEGRAM_PACE = 29.0
BUTTON_KEY = "buttons.key"  # a fact: what every process signs buttons with

DELIVER = "deliver"  # the role that sends to every platform

Work = Coroutine[object, object, object]


class Sender(Messenger, Protocol):
    """A messenger that holds connections."""

    async def close(self) -> None:
        """Give them up."""
        ...


class Platform(Protocol):
    """One platform as the program joins it."""

    name: str
    pacer: Pacer
    connection: Connection

    def sender(self) -> Sender:
        """What pushes to it."""
        ...

    def listener(self, commands: CommandLayer, chats: ChatBook) -> Work:
        """The loop that hears commands and answers them."""
        ...


@dataclass(frozen=True, slots=True)
class Joint:
    """What both platforms need."""

    token: Secret
    facts: Facts
    signer: Signer
    clock: SystemClock
    simulated: bool


class OnDiscord:
    """Discord, by discord.py."""

    name = "discord"

    def __init__(self, config: Config, joint: Joint) -> None:
        from bot.chat.discord.addresses import use_addresses

        use_addresses(config.discord.api_base, config.discord.gateway_url)
        self._joint = joint
        self._shards = config.discord.shards or None
        self.pacer = Pacer(DISCORD_PACE, lambda _: 1.0, joint.clock)
        self.connection = Connection(self.name, joint.clock.now)

    def sender(self) -> Sender:
        """A client that only sends."""
        from bot.chat.discord.sender import DiscordSender

        joint = self._joint
        return DiscordSender(
            joint.token,
            self.pacer,
            joint.facts,
            joint.signer,
            joint.clock.now,
            simulated=joint.simulated,
        )

    def listener(self, commands: CommandLayer, chats: ChatBook) -> Work:
        """The gateway."""
        from bot.chat.discord.gateway import DiscordGateway

        joint = self._joint
        return DiscordGateway(
            joint.token,
            commands,
            chats,
            joint.facts,
            joint.signer,
            self.connection,
            joint.clock,
            shards=self._shards,
        ).run()


class OnTelegram:
    """Telegram, by python-telegram-bot."""

    name = "telegram"

    def __init__(self, config: Config, joint: Joint) -> None:
        self._config = config.telegram
        self._joint = joint
        self.pacer = Pacer(TELEGRAM_PACE, _telegram_spacing, joint.clock)
        self.connection = Connection(self.name, joint.clock.now)

    def sender(self) -> Sender:
        """A client that only sends."""
        from bot.chat.telegram.sender import TelegramSender

        joint = self._joint
        return TelegramSender(
            joint.token,
            self._config.api_base,
            self.pacer,
            joint.signer,
            simulated=joint.simulated,
        )

    def listener(self, commands: CommandLayer, chats: ChatBook) -> Work:
        """Long polls, or the webhook."""
        from bot.chat.telegram.listener import Account, Backing, TelegramListener
        from bot.chat.telegram.webhook import WebhookAddress

        joint, config = self._joint, self._config
        webhook = None
        if config.mode == "webhook":
            webhook = WebhookAddress(config.webhook_url, config.webhook_host, config.webhook_port)
        account = Account(joint.token, config.api_base, webhook)
        backing = Backing(commands, chats, joint.facts, self.pacer, joint.signer, joint.clock.now)
        return TelegramListener(account, backing, self.connection, joint.clock).run()


PLATFORMS: dict[str, Callable[[Config, Joint], Platform]] = {
    "discord": OnDiscord,
    "telegram": OnTelegram,
}


async def open_platforms(
    config: Config, roles: Collection[str], facts: Facts, *, simulated: bool
) -> list[Platform]:
    """The enabled platforms that these roles speak with. Raises ConfigError without a token."""
    spoken = [name for name in PLATFORMS if name in roles or DELIVER in roles]
    enabled = [name for name in spoken if getattr(config, name).enabled]
    tokens = {name: read_token(name) for name in enabled}
    for token in tokens.values():
        hide(token)
    signer = Signer(await facts.first_fact(BUTTON_KEY, token_hex(32)))
    clock = SystemClock()
    return [
        PLATFORMS[name](config, Joint(token, facts, signer, clock, simulated))
        for name, token in tokens.items()
    ]


def senders(platforms: Collection[Platform], stack: AsyncExitStack) -> list[Sender]:
    """A sender for each, closed at the end."""
    found = [platform.sender() for platform in platforms]
    for sender in found:
        stack.push_async_callback(sender.close)
    return found


def platform_fields(platforms: Collection[Platform], troubles: Mapping[str, str]) -> list[Field]:
    """A line a platform for /status: its connection, its pace, what keeps it from sending."""
    lines = (
        (one.name, filter(None, (one.connection.text, one.pacer.state(), troubles.get(one.name))))
        for one in platforms
    )
    return [Field(name.capitalize(), "; ".join(parts)) for name, parts in lines]


def _telegram_spacing(chat: str) -> float:
    """Seconds between two messages: a group or a channel, whose ids are negative, bears 20/min."""
    return 3.0 if chat.startswith("-") else 1.0
