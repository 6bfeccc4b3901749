"""The connection over which Discord tells what people do; it always comes back."""

import logging

import aiohttp
import discord

from bot.chat.buttons import Signer
from bot.chat.connection import Connection, supervise
from bot.chat.discord.answering import Answerer
from bot.chat.discord.client import Client
from bot.chat.discord.definition import definition, fingerprint
from bot.chat.discord.quiet import quieten
from bot.chat.discord.rest import LOGIN
from bot.chat.discord.trouble import one_line
from bot.chat.locales import LOCALES
from bot.core.secret import Secret
from bot.errors import BotError, TokenRefused
from bot.ports import ChatBook, CommandLayer, Facts, Timer

logger = logging.getLogger(__name__)

ALONE = 60.0  # seconds without any shard, after which a fresh client tries
SYNC_AGAIN = 60.0  # seconds
WRONG_TOKEN = 4_004  # the code with which the gateway closes


class GatewayDown(BotError):
    """The gateway is not reached, or ended; it is tried again with a fresh client."""


class DiscordGateway:
    """Serves every interaction of the bot, in all its servers and direct messages."""

    def __init__(  # noqa: PLR0913 - plain parts, joined in app.py
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

    @property
    def dropped(self) -> int:
        """How many interactions were over before they could be answered."""
        return self._answerer.dropped

    async def run(self) -> None:
        """Serve until cancelled, with a fresh client after each failure."""
        quieten()
        await supervise(self._connection, self._serve, self._timer)

    async def _serve(self) -> None:
        """Serve until the connection ends. Raises TokenRefused, GatewayDown."""
        self._connection.note("connecting")
        client = Client(
            self._answerer,
            self._chats,
            self._connection,
            self._timer,
            shards=self._shards,
            guild_ready_seconds=self._guild_ready_seconds,
            alone_seconds=self._alone_seconds,
        )
        try:
            async with client, client.lifeline:
                await client.login(self._token.reveal())
                client.begin(self._tell_commands(client))
                await client.connect()
        except TimeoutError as error:
            raise GatewayDown(f"no connection for {self._alone_seconds:g} s") from error
        except (discord.LoginFailure, discord.ConnectionClosed) as error:
            raise trouble(error) from error
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise GatewayDown(f"not reached ({one_line(error)})") from error

    async def _tell_commands(self, client: discord.Client) -> None:
        """Tell Discord our commands where they have changed; keep trying, the bot works anyway."""
        while True:
            try:
                await self._tell_changed_commands(client)
                break
            except (BotError, discord.DiscordException, aiohttp.ClientError, OSError) as error:
                logger.warning("discord: the commands were not told: %s", one_line(error))
            await self._timer.sleep(SYNC_AGAIN)

    async def _tell_changed_commands(self, client: discord.Client) -> None:
        application = client.application_id
        if application is None:
            return
        commands = definition(self._commands.menu, LOCALES)
        name, mark = f"discord.commands.{application}", fingerprint(commands)
        if await self._facts.fact(name) == mark:
            return
        await client.http.bulk_upsert_global_commands(application, commands)
        await self._facts.put_fact(name, mark)
        logger.info("discord: told %d commands", len(commands))


def trouble(error: discord.LoginFailure | discord.ConnectionClosed) -> BotError:
    """What the end of a connection means."""
    code = getattr(error, "code", WRONG_TOKEN)
    if code == WRONG_TOKEN:
        return TokenRefused(LOGIN)
    return GatewayDown(f"Discord closed the connection ({code})")
