import pytest_asyncio

from tests.chat.telegram.kit import House
from tests.fakes.telegram_server import FakeTelegram


@pytest_asyncio.fixture
async def fake():
    async with FakeTelegram(limits=False) as server:
        yield server


@pytest_asyncio.fixture
async def house(fake):
    return House(fake)
