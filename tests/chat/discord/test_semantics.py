"""The adapter against simcord, a second and independent model of Discord's rules."""

from contextlib import asynccontextmanager

import pytest

simcord = pytest.importorskip("simcord", reason="pins private parts of discord.py")

from bot.chat.buttons import Signer  # noqa: E402 - after the skip
from bot.chat.connection import Connection  # noqa: E402
from bot.chat.discord.answering import Answerer  # noqa: E402
from bot.chat.discord.client import Client  # noqa: E402
from bot.chat.discord.definition import definition  # noqa: E402
from bot.chat.discord.directory import Directory  # noqa: E402
from bot.chat.locales import LOCALES  # noqa: E402
from bot.store.memory import MemoryStore  # noqa: E402
from tests.chat.discord.world import HurriedTimer, NotedChats  # noqa: E402
from tests.fakes import NOON  # noqa: E402
from tests.service.asking import open_desk  # noqa: E402


@asynccontextmanager
async def at_work():
    """anna in a channel of a server that knows our commands."""
    desk = await open_desk()
    client = Client(
        Answerer(desk.commands, Signer("key")),
        NotedChats(),
        Directory(MemoryStore()),
        Connection("discord", lambda: NOON),
        HurriedTimer(),
        shards=1,
        guild_ready_seconds=0.0,
        alone_seconds=60.0,
    )
    async with simcord.run(client) as env:
        commands = definition(desk.commands.menu, LOCALES)
        await client.http.bulk_upsert_global_commands(client.application_id, commands)
        guild = env.create_guild()
        channel = guild.create_text_channel("alerts")
        yield guild.add_member(env.create_user("anna")), channel


async def test_a_command_is_deferred_and_answered_with_card_picture_and_buttons():
    async with at_work() as (anna, channel):
        asked = await anna.slash(channel, "levels", symbol="btc")

    assert asked.response.embeds[0].title == "BTC levels"
    assert [file.filename for file in asked.response.attachments] == ["gammabell-BTCUSDT.png"]


async def test_a_button_edits_its_message():
    async with at_work() as (anna, channel):
        asked = await anna.slash(channel, "levels")
        await anna.click(asked.response, label="0DTE")
        title = channel.last_message.embeds[0].title

    assert channel.last_message.id == asked.response.id
    assert title == "BTC 0DTE levels"


async def test_a_form_asks_for_what_is_missing():
    async with at_work() as (anna, channel):
        opened = await anna.slash(channel, "alert add")
        sent = await anna.submit_modal(opened, {"symbol": "btc", "level": "hvl"})

    assert sent.ephemeral
    assert "btc hvl cross any" in sent.response.embeds[0].description
