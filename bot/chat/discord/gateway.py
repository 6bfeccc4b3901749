"""The connection over which Discord tells what people do; it always comes back."""

import logging

import aiohttp
import discord

from bot.chat.buttons import Signer
from bot.chat.connection import Connection, supervise
from bot.chat.discord.answering import Answerer
from bot.chat.discord.client import Client
from bot.chat.discord.definition import definition
from bot.chat.discord.directory import Directory
from bot.chat.discord.quiet import quieten
from bot.chat.discord.rest import LOGIN
from bot.chat.discord.trouble import one_line
from bot.chat.locales import LOCALES
from bot.chat.telling import Telling, tell_changed
from bot.core.secret import Secret
from bot.errors import BotError, TokenRefused
from bot.ports import ChatBook, CommandLayer, Facts, Timer

logger = logging.getLogger(__name__)

# Seconds without any shard, after which a fresh client tries: long enough for the library to
# resume, and short because its own pauses double without end.
ALONE = 15.0
WRONG_TOKEN = 4_004  # the code with which the gateway closes


class GatewayDown(BotError):
    """The gateway is not reached, or ended; it is tried again with a fresh client."""


class DiscordGateway:
    """Serves every interaction of the bot, in all its servers and direct messages."""

    def __init__(  # noqa: PLR0913 - plain parts, joined in platforms.py
        self,
        token: Secret,
        commands: CommandLayer,
        chats: ChatBook,
        facts: Facts,
        signer: Signer,
        connection: Connection,
        timer: Timer,
        *,
        shards: int | None = None,
        guild_ready_seconds: float = 2.0,
        alone_seconds: float = ALONE,
    ) -> None:
        self._token = token
        self._commands = commands
        self._chats = chats
        self._facts = facts
        self._connection = connection
        self._timer = timer
        self._shards = shards
        self._guild_ready_seconds = guild_ready_seconds
        self._alone_seconds = alone_seconds
        self._answerer = Answerer(commands, signer)
        self._directory = Directory(facts)

    @property
    def dropped(self) -> int:
        """How many interactions were over before they could be answered."""
        return self._answerer.dropped

    async def run(self) -> None:
        """Serve until cancelled, with a fresh client after each failure."""
        quieten()
        self._connection.note("connecting")
        await supervise(self._connection, self._serve, self._timer)

    async def _serve(self) -> None:
        """Serve until the connection ends. Raises TokenRefused, GatewayDown."""
        client = Client(
            self._answerer,
            self._chats,
            self._directory,
            self._connection,
            self._timer,
            shards=self._shards,
            guild_ready_seconds=self._guild_ready_seconds,
            alone_seconds=self._alone_seconds,
        )
        try:
            async with client, client.lifeline:
                await client.login(self._token.reveal())
                client.begin(tell_changed(self._telling(client), self._facts, self._timer))
                await client.connect()
        except TimeoutError as error:
            raise GatewayDown(client.why_alone) from error
        except (discord.LoginFailure, discord.ConnectionClosed) as error:
            raise trouble(error) from error
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise GatewayDown(f"not reached ({one_line(error)})") from error

    def _telling(self, client: discord.Client) -> Telling:
        """Our commands, as Discord is to know them."""
        application = client.application_id or 0  # known: it is logged in
        commands = definition(self._commands.menu, LOCALES)

        async def tell() -> None:
            try:
                await client.http.bulk_upsert_global_commands(application, commands)
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                raise GatewayDown(one_line(error)) from error

        return Telling("discord", application, commands, tell)


def trouble(error: discord.LoginFailure | discord.ConnectionClosed) -> BotError:
    """What the end of a connection means."""
    code = getattr(error, "code", WRONG_TOKEN)
    if code == WRONG_TOKEN:
        return TokenRefused(LOGIN)
    return GatewayDown(f"Discord closed the connection ({code})")
