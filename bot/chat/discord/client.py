"""The library's client, with what its events mean to us."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable
from types import SimpleNamespace

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket

from bot.chat.connection import Connection
from bot.chat.discord.answering import Answerer
from bot.chat.discord.asking import Interaction, told_place
from bot.chat.discord.directory import Directory, place_of
from bot.chat.discord.rights import lacking, locking
from bot.errors import BotError
from bot.ports import ChatBook, Timer

logger = logging.getLogger(__name__)

CONNECTIONS = 200  # requests at once, the shards' own connections among them
IDENTIFY = 5.0  # seconds between two shards' first words
NO_SHARD = "no connection to the gateway"


class Client(discord.AutoShardedClient):
    """Connects every shard, answers interactions, follows what becomes of channels."""

    def __init__(
        self,
        answerer: Answerer,
        chats: ChatBook,
        directory: Directory,
        connection: Connection,
        timer: Timer,
        *,
        shards: int | None,
        guild_ready_seconds: float,
        alone_seconds: float,
    ) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_exception.append(self._note_failure)
        super().__init__(
            intents=discord.Intents(guilds=True),
            shard_count=shards,
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            http_trace=trace,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            guild_ready_timeout=guild_ready_seconds,
        )
        self.lifeline = asyncio.timeout(alone_seconds)  # breaks when every shard is away so long
        self.why_alone = NO_SHARD
        self._alone_seconds = alone_seconds
        self._answerer = answerer
        self._chats = chats
        self._directory = directory
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

    async def launch_shard(
        self, gateway: yarl.URL, shard_id: int, *, initial: bool = False
    ) -> None:
        """Connect a shard; a later new session goes where this one went, as Discord said."""
        DiscordWebSocket.DEFAULT_GATEWAY = gateway
        await super().launch_shard(gateway, shard_id, initial=initial)

    async def before_identify_hook(self, _shard: int | None, *, initial: bool = False) -> None:
        """Discord takes one new session in five seconds."""
        if not initial:
            await self._timer.sleep(IDENTIFY)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Someone used a command, a button, a menu or a form."""
        await self._in_work(self._answerer.take(interaction))
        if told := told_place(interaction):
            await self._in_work(self._directory.keep(*told))

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
        """Perhaps someone gave us back what was missing there, or it got another name or kind."""
        await self._in_work(self._directory.correct(f"discord:{after.id}", place_of(after)))
        await self._revive(after)

    async def on_thread_update(self, before: discord.Thread, after: discord.Thread) -> None:
        """Perhaps someone unlocked it."""
        if before.locked and not after.locked:
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
        rights = channel.permissions_for(channel.guild.me)
        in_thread = isinstance(channel, discord.Thread)
        if not (lacking(rights, in_thread=in_thread) or locking(channel, rights)):
            await self._in_work(self._chats.revive(f"discord:{channel.id}"))

    async def _in_work(self, work: Awaitable[object]) -> None:
        """Begin it and wait; trouble with the store is only noted."""
        try:
            await self.begin(work)
        except BotError as error:
            logger.error("discord: %s", error)

    async def _note_failure(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        params: aiohttp.TraceRequestExceptionParams,
    ) -> None:
        """Say why no shard comes up; the library tries again by itself."""
        if not self._up and params.url.scheme in ("ws", "wss"):
            self.why_alone = f"the gateway is not reached ({type(params.exception).__name__})"
            self._status.note(f"down: {self.why_alone}")

    def _shard_changed(self, shard: int, *, is_up: bool) -> None:
        was_alone = not self._up
        (self._up.add if is_up else self._up.discard)(shard)
        self.why_alone = NO_SHARD
        self._note()
        if was_alone and not self._up:  # the library tried in vain: no reason to wait anew
            return
        deadline = None if self._up else self.loop.time() + self._alone_seconds
        with contextlib.suppress(RuntimeError):  # the client is ending already
            self.lifeline.reschedule(deadline)

    def _note(self) -> None:
        """Say it on /status."""
        up, count = len(self._up), self.shard_count or 1
        missing = f", {up} of {count} shards" if 0 < up < count else ""
        self._status.note(f"connected{missing}" if up else "reconnecting")
