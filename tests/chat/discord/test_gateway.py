"""Connecting, and coming back: from wrong tokens, dead servers, and everything in between."""

import asyncio
import gc

import discord
import pytest

from bot.chat.discord import client
from bot.chat.discord.directory import Directory, Place
from bot.chat.telling import AGAIN
from bot.store.memory import MemoryStore
from tests.chat.discord.world import eventually, running, town
from tests.fakes.discord_faults import Answer
from tests.fakes.discord_model import Permission
from tests.fakes.discord_server import FakeDiscord

COMMANDS = "/applications/"


def puts(fake):
    """How often the commands were told."""
    return len(fake.requests("PUT", COMMANDS))


async def still_answers(fake, anna, channel):
    asked = await (await fake.invoke(anna, channel, "levels")).answered()
    return "BTC levels" in asked.message.text


async def state(at_work, wanted):
    """Wait until /status says this."""
    await eventually(lambda: wanted in at_work.connection.text)


async def test_commands_are_told_once_for_the_same_definition():
    facts = MemoryStore()
    async with FakeDiscord() as fake:
        async with running(fake, facts=facts):
            pass
        async with running(fake, facts=facts) as at_work:
            await state(at_work, "connected")
            again = puts(fake)
        async with running(fake, facts=MemoryStore()) as at_work:
            await fake.until(lambda: puts(fake) == 2)

    assert again == 1
    assert fake.violations == []


async def test_the_bot_works_although_its_commands_cannot_be_told_and_tells_them_later(caplog):
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            pass
        fake.fail("PUT", COMMANDS, Answer(400, "{}"))
        async with running(fake, facts=MemoryStore()) as at_work:
            await state(at_work, "connected")
            works = await still_answers(fake, anna, channel)
            await fake.until(lambda: puts(fake) == 3)

    assert works
    assert "the commands were not told" in caplog.text
    assert AGAIN in at_work.timer.slept


async def test_status_says_that_it_is_connected():
    async with FakeDiscord() as fake, running(fake) as at_work:
        await state(at_work, "connected")


async def test_no_privileged_intent_is_asked_for():
    async with FakeDiscord() as fake, running(fake):
        pass

    assert [session.intents for session in fake.gateway.sessions] == [1]


async def test_every_server_is_answered_by_its_own_shard():
    async with FakeDiscord(max_concurrency=2) as fake:
        anna = fake.add_user("anna")
        guilds = [fake.add_guild(name, members=[anna]) for name in ("one", "two")]
        channels = [fake.add_channel(guild, "alerts") for guild in guilds]
        async with running(fake, shards=2) as at_work:
            answered = [await still_answers(fake, anna, channel) for channel in channels]
            await state(at_work, "connected,")

    assert answered == [True, True]
    assert sorted(session.shard for session in fake.gateway.sessions) == [0, 1]
    assert client.IDENTIFY in at_work.timer.slept


async def test_discord_says_how_many_shards_there_are():
    async with FakeDiscord(shards=2) as fake, running(fake):
        pass

    assert sorted(session.shard for session in fake.gateway.sessions) == [0, 1]


async def test_a_command_during_a_lost_connection_is_answered_after_the_resume():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake) as at_work:
            await state(at_work, "connected")
            await fake.gateway.reconnect()
            works = await still_answers(fake, anna, channel)
            await fake.until(lambda: fake.gateway.resumes == 1)

    assert works
    assert len(fake.gateway.identifies) == 1


async def test_a_session_that_is_gone_begins_anew_where_discord_said():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake, gateway_url="") as at_work:
            await state(at_work, "connected")
            await fake.gateway.invalidate(resumable=False)
            await fake.until(lambda: len(fake.gateway.identifies) == 2)
            await at_work.up()
            works = await still_answers(fake, anna, channel)

    assert works


@pytest.mark.parametrize("code", [4000, 4009])
async def test_it_comes_back_whatever_code_the_gateway_closes_with(code):
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake) as at_work:
            await state(at_work, "connected")
            await fake.gateway.close(code)
            works = await still_answers(fake, anna, channel)

    assert works


@pytest.mark.parametrize("place", ["rest", "gateway"])
async def test_a_wrong_token_is_said_once_and_tried_again(place, caplog):
    token = "MTIz.wrong.token"
    async with FakeDiscord() as fake:
        if place == "gateway":
            # The REST side takes it, and only the gateway closes with 4004.
            fake.token = token
        async with running(fake, token=token, waits=False) as at_work:
            await state(at_work, "down: the token was refused")
            await fake.until(lambda: len(fake.requests("GET", "/users/@me")) == 2)

    assert at_work.timer.slept[0] == 60.0
    assert token not in caplog.text
    assert "Traceback" not in caplog.text


async def test_rest_may_be_down_at_the_start(caplog):
    async with FakeDiscord(rest=False) as fake:
        anna, _, channel = town(fake)
        async with running(fake, waits=False) as at_work:
            await state(at_work, "down: not reached")
            await fake.rest_up()
            await at_work.up()
            works = await still_answers(fake, anna, channel)

    assert works
    assert "Traceback" not in caplog.text


async def test_the_gateway_may_be_down_at_the_start(caplog):
    async with FakeDiscord(gateway=False) as fake:
        anna, _, channel = town(fake)
        async with running(fake, waits=False, alone_seconds=0.1) as at_work:
            await state(at_work, "down: the gateway is not reached (ClientConnectorError)")
            await fake.gateway_up()
            await at_work.up()
            works = await still_answers(fake, anna, channel)

    assert works
    assert "Traceback" not in caplog.text


async def test_a_lost_connection_is_resumed_by_the_same_client():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake) as at_work:
            await state(at_work, "connected")
            await fake.gateway.close(4000)
            await fake.until(lambda: fake.gateway.resumes == 1)
            await state(at_work, "connected")
            works = await still_answers(fake, anna, channel)

    assert works
    assert len(fake.gateway.identifies) == 1
    assert len(fake.requests("GET", "/users/@me")) == 1


async def test_a_gateway_that_stays_away_is_tried_with_a_fresh_client(caplog):
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake, alone_seconds=0.2) as at_work:
            await state(at_work, "connected")
            await fake.gateway_down()
            await state(at_work, "down: the gateway is not reached (ClientConnectorError)")
            await fake.gateway_up()
            await at_work.up()
            works = await still_answers(fake, anna, channel)

    assert works
    assert "Traceback" not in caplog.text


async def test_a_client_that_ends_leaves_nothing_behind():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            await still_answers(fake, anna, channel)
        left = [task for task in asyncio.all_tasks() if "discord" in task.get_name()]
        await fake.until(lambda: not fake.gateway.connections)

    assert left == []


async def test_no_message_is_remembered_for_its_buttons():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            await still_answers(fake, anna, channel)
            gc.collect()
            before = alive()
            for _ in range(5):
                await still_answers(fake, anna, channel)
            gc.collect()
            after = alive()

    assert after <= before


def alive():
    """How many views there are."""
    return sum(isinstance(it, discord.ui.View) for it in gc.get_objects())


async def test_a_deleted_channel_is_lost():
    async with FakeDiscord() as fake:
        _, guild, channel = town(fake)
        thread = fake.add_channel(guild, "talk", 11, channel)
        async with running(fake) as at_work:
            await state(at_work, "connected")
            fake.delete_channel(thread)
            fake.delete_channel(channel)
            await noted(at_work, 2)

    assert at_work.chats.noted == [
        ("lost", f"discord:{thread.id}", "the thread was deleted"),
        ("lost", f"discord:{channel.id}", "the channel was deleted"),
    ]


async def test_a_channel_whose_rights_come_back_is_revived():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        rights = channel.permissions
        async with running(fake) as at_work:
            await state(at_work, "connected")
            fake.permit(channel, rights & ~Permission.SEND_MESSAGES)
            await still_answers(fake, anna, channel)
            before = list(at_work.chats.noted)
            fake.permit(channel, rights)
            await noted(at_work, 1)

    assert before == []
    assert at_work.chats.noted == [("revived", f"discord:{channel.id}")]


async def test_a_thread_that_is_unlocked_is_revived():
    async with FakeDiscord() as fake:
        _, guild, channel = town(fake)
        thread = fake.add_channel(guild, "talk", 11, channel)
        thread.locked = True
        async with running(fake) as at_work:
            await state(at_work, "connected")
            fake.lock(thread, locked=False)
            await noted(at_work, 1)

    assert at_work.chats.noted == [("revived", f"discord:{thread.id}")]


async def test_a_channel_that_was_used_keeps_its_new_name_and_others_are_not_kept():
    async with FakeDiscord() as fake:
        anna, guild, channel = town(fake)
        other = fake.add_channel(guild, "other")
        async with running(fake) as at_work:
            directory = Directory(at_work.facts)
            await still_answers(fake, anna, channel)
            channel.name = "news"
            for changed in (other, channel):
                fake.permit(changed, changed.permissions)
            await noted(at_work, 2)
            kept = [await directory.find(f"discord:{one.id}") for one in (channel, other)]

    assert kept == [Place(channel.id, "#news", guild.id), None]


async def test_a_server_that_takes_the_bot_back_has_its_channels_again():
    async with FakeDiscord() as fake:
        _, guild, channel = town(fake)
        async with running(fake) as at_work:
            await state(at_work, "connected")
            # The library takes every server of its first 0.05 s for one that it had before.
            await asyncio.sleep(0.2)
            fake.remove_bot(guild)
            fake.add_bot(guild)
            await noted(at_work, 1)

    assert at_work.chats.noted == [("revived", f"discord:{channel.id}")]


async def noted(at_work, count):
    await eventually(lambda: len(at_work.chats.noted) >= count)
