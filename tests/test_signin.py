"""What `gammabell check` says of the chats."""

import pytest

from bot.config import Config, DiscordConfig, TelegramConfig
from bot.core.chats import Chat
from bot.core.secret import Secret
from bot.errors import BotError
from bot.signin import discord_bot, telegram_bot
from bot.store.migrate import open_store
from bot.tasks import check
from tests.fakes.discord_server import FakeDiscord
from tests.fakes.telegram_server import FakeTelegram


async def test_a_discord_token_that_works_gives_the_link_that_adds_the_bot():
    async with FakeDiscord() as fake:
        config = Config(discord=DiscordConfig(api_base=fake.api_base))

        said = await discord_bot(config, Secret(fake.token))

    assert "https://discord.com/oauth2/authorize?client_id=" in said
    assert "permissions=274877959168" in said
    assert fake.token not in said


async def test_a_telegram_token_that_works_gives_the_link_to_a_chat():
    async with FakeTelegram() as fake:
        config = Config(telegram=TelegramConfig(api_base=fake.api_base))

        said = await telegram_bot(config, Secret(fake.token))

    assert said == "@gammabell_bot; open a chat with it: https://t.me/gammabell_bot"


async def test_a_refused_token_and_a_dead_host_are_told_without_the_token():
    async with FakeTelegram() as fake:
        config = Config(telegram=TelegramConfig(api_base=fake.api_base))
        with pytest.raises(BotError, match="the token is refused") as refused:
            await telegram_bot(config, Secret("123:wrong"))
    with pytest.raises(BotError, match="cannot be reached") as dead:
        await telegram_bot(config, Secret("123:wrong"))

    assert "123:wrong" not in f"{refused.value} {dead.value}"


async def test_check_names_the_chats_that_lack_a_right(tmp_path):
    config = Config()
    config.store.url = f"sqlite+aiosqlite:///{tmp_path}/x.db"
    for field in config.venues.__struct_fields__:
        getattr(config.venues, field).enabled = False
    store = await open_store(config.store.url)
    trouble = "missing Send Messages"
    await store.put_chat(Chat("discord:1", "#alerts", state="suspended", trouble=trouble))
    await store.close()
    said: list[str] = []

    code = await check(config, said.append)

    assert code == 1
    assert "FAILED  permissions: #alerts: missing Send Messages" in said
