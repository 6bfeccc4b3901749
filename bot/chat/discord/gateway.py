"""The connection over which Discord tells what people do; it always comes back."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable

import aiohttp
import discord

from bot.chat.buttons import Signer
from bot.chat.connection import Connection, supervise
from bot.chat.discord.answering import Answerer
from bot.chat.discord.asking import Interaction
from bot.chat.discord.definition import definition, fingerprint
from bot.chat.discord.quiet import quieten
from bot.chat.discord.rest import LOGIN
from bot.chat.discord.rights import lacking
from bot.chat.locales import LOCALES
from bot.core.secret import Secret
from bot.errors import BotError, TokenRefused
from bot.ports import ChatBook, CommandLayer, Facts, Timer

logger = logging.getLogger(__name__)

CONNECTIONS = 200  # requests at once, the shards' own connections among them
ALONE = 60.0  # seconds without any shard, after which a fresh client tries
SYNC_AGAIN = 60.0  # seconds
IDENTIFY = 5.0  # seconds between two shards' first words
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
    ) -> None:
        self._token = token
        self._commands = commands
        self._chats = chats
        self._facts = facts
        self._connection = connection
        self._timer = timer
        self._shards = shards
        self._guild_ready_seconds = guild_ready_seconds
        self._answerer = Answerer(commands, signer)

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
        )
        try:
            async with client, client.lifeline:
                await client.login(self._token.reveal())
                client.begin(self._tell_commands(client))
                await client.connect()
        except TimeoutError as error:
            raise GatewayDown(f"no connection for {ALONE:.0f} s") from error
        except (discord.LoginFailure, discord.ConnectionClosed) as error:
            raise trouble(error) from error
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise GatewayDown(f"not reached ({type(error).__name__}: {error})") from error
        except AttributeError as error:  # Rapptz/discord.py #10520: its first connection failed
            raise GatewayDown("the first connection failed") from error

    async def _tell_commands(self, client: discord.Client) -> None:
        """Tell Discord our commands where they have changed; keep trying, the bot works anyway."""
        while True:
            try:
                await self._tell_changed_commands(client)
                break
            except (BotError, discord.DiscordException, aiohttp.ClientError, OSError) as error:
                logger.warning("discord: the commands were not told: %s", error)
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


class Client(discord.AutoShardedClient):
    """The library's client, with what its events mean to us."""

    def __init__(
        self,
        answerer: Answerer,
        chats: ChatBook,
        connection: Connection,
        timer: Timer,
        *,
        shards: int | None,
        guild_ready_seconds: float,
    ) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            shard_count=shards,
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            guild_ready_timeout=guild_ready_seconds,
        )
        self.lifeline = asyncio.timeout(ALONE)  # breaks when every shard is away for so long
        self._answerer = answerer
        self._chats = chats
        self._status = connection
        self._timer = timer
        self._up: set[int] = set()  # shards
        self._work: set[asyncio.Future[object]] = set()

    def begin(self, work: Awaitable[object]) -> asyncio.Future[object]:
        """Do it where the end of the client finds it."""
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    async def close(self) -> None:
        """End what is still being answered, then the connections."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await super().close()

    async def before_identify_hook(self, _shard: int | None, *, initial: bool = False) -> None:
        """Discord takes one new session in five seconds."""
        if not initial:
            await self._timer.sleep(IDENTIFY)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Someone used a command, a button, a menu or a form."""
        await self._in_work(self._answerer.take(interaction))

    async def on_shard_connect(self, shard: int) -> None:
        """A shard is there, with a new session."""
        self._shard_changed(shard, is_up=True)

    async def on_shard_resumed(self, shard: int) -> None:
        """A shard is back, and has missed nothing."""
        self._shard_changed(shard, is_up=True)

    async def on_shard_disconnect(self, shard: int) -> None:
        """A shard is away; the library brings it back, mostly at once."""
        self._shard_changed(shard, is_up=False)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Someone added us: what we knew there can be reached again."""
        for channels in (guild.text_channels, guild.forums, guild.threads):
            for channel in channels:
                await self._revive(channel)

    async def on_guild_channel_update(
        self, _before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        """Perhaps someone gave us back what was missing there."""
        await self._revive(after)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """The channel is gone."""
        await self._in_work(self._chats.lose(f"discord:{channel.id}", "the channel was deleted"))

    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        """The thread is gone."""
        target = f"discord:{thread.thread_id}"
        await self._in_work(self._chats.lose(target, "the thread was deleted"))

    async def _revive(self, channel: discord.abc.GuildChannel | discord.Thread) -> None:
        """The channel is there, if we may write in it."""
        in_thread = isinstance(channel, discord.Thread)
        if not lacking(channel.permissions_for(channel.guild.me), in_thread=in_thread):
            await self._in_work(self._chats.revive(f"discord:{channel.id}"))

    async def _in_work(self, work: Awaitable[object]) -> None:
        """Begin it and wait; trouble with the store is only noted."""
        try:
            await self.begin(work)
        except BotError as error:
            logger.error("discord: %s", error)

    def _shard_changed(self, shard: int, *, is_up: bool) -> None:
        (self._up.add if is_up else self._up.discard)(shard)
        self._note()
        deadline = None if self._up else self.loop.time() + ALONE
        with contextlib.suppress(RuntimeError):  # the client is ending already
            self.lifeline.reschedule(deadline)

    def _note(self) -> None:
        """Say it on /status."""
        up, count = len(self._up), self.shard_count or 1
        missing = f", {up} of {count} shards" if 0 < up < count else ""
        self._status.note(f"connected{missing}" if up else "reconnecting")
