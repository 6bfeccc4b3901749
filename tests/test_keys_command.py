"""`gammabell keys`: made, shown once, listed, revoked."""

import re
from contextlib import asynccontextmanager

import pytest

from bot.config import load_config
from bot.core.keys import find_key
from bot.core.quota import minute_of
from bot.errors import UsageError
from bot.store.migrate import open_store
from bot.tasks import create_key, list_keys, revoke_key
from tests.fakes import NOON


@pytest.fixture
def config(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'keys.db'}"
    return load_config(None, {"GAMMABELL_STORE__URL": url})


@asynccontextmanager
async def stored(config):
    store = await open_store(config.store.url)
    yield store
    await store.close()


async def test_a_key_is_shown_once_and_known_from_then_on(config):
    said = []

    assert await create_key(config, "desk", 5, said.append) == 0

    assert re.fullmatch("gb_live_[a-z2-7]{32}", said[0])
    async with stored(config) as store:
        keys = await store.keys()
    assert find_key(said[0], keys) == keys[0]
    assert (keys[0].name, keys[0].per_minute) == ("desk", 5)


async def test_the_list_names_keys_and_tells_none(config):
    said = []
    await create_key(config, "desk", None, said.append)
    key = said.pop()

    await list_keys(config, said.append)

    assert said[0].startswith("desk  600 a minute  since 20")
    assert said[0].endswith("  never used")
    assert key not in said[0]


async def test_the_list_of_none_says_so(config):
    said = []

    assert await list_keys(config, said.append) == 0

    assert ["no key yet" in line for line in said] == [True]


async def test_the_list_tells_in_which_minute_a_key_was_used_last(config):
    said = []
    await create_key(config, "desk", None, said.append)
    async with stored(config) as store:
        (key,) = await store.keys()
        await store.draw_requests(key.digest, minute_of(NOON.timestamp()), 1, key.per_minute)

    await list_keys(config, said.append)

    assert said[-1].endswith(f"  last used {NOON:%Y-%m-%d %H:%M} UTC")


async def test_a_revoked_key_is_gone_and_its_name_free(config):
    said = []
    await create_key(config, "desk", None, said.append)

    assert await revoke_key(config, "desk", said.append) == 0
    assert await list_keys(config, said.append) == 0
    assert await create_key(config, "desk", None, said.append) == 0

    assert said[1] == "revoked desk"
    assert said[0] != said[2]


@pytest.mark.parametrize("name", ["", " ", "a b", "-x", "x" * 65, "a\n", "ä"])
async def test_a_name_is_a_plain_word(config, name):
    with pytest.raises(UsageError, match="a name has"):
        await create_key(config, name, None, print)


@pytest.mark.parametrize("per_minute", [0, -1, 10**8])
async def test_a_limit_is_a_number_that_means_something(config, per_minute):
    with pytest.raises(UsageError, match="--per-minute"):
        await create_key(config, "desk", per_minute, print)


async def test_a_name_is_taken_until_its_key_is_revoked(config):
    await create_key(config, "desk", None, str)

    with pytest.raises(UsageError, match="already"):
        await create_key(config, "desk", None, print)


async def test_a_key_that_is_not_there_cannot_be_revoked(config):
    with pytest.raises(UsageError, match="keys list"):
        await revoke_key(config, "desk", print)
