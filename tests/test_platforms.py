import pytest

from bot.config import Config
from bot.errors import ConfigError
from bot.platforms import open_platforms
from bot.store.memory import MemoryStore


def on_telegram() -> Config:
    config = Config()
    config.telegram.enabled = True
    return config


async def test_a_process_that_only_collects_needs_no_token():
    assert await open_platforms(on_telegram(), ["collect"], MemoryStore(), simulated=False) == []


@pytest.mark.parametrize("role", ["deliver", "telegram"])
async def test_who_speaks_with_a_platform_is_told_where_its_token_goes(role):
    with pytest.raises(ConfigError, match="set GAMMABELL_TELEGRAM_TOKEN"):
        await open_platforms(on_telegram(), [role], MemoryStore(), simulated=False)
