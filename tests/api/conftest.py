import pytest

from tests.api.serving import SYMBOLS, make_store, served


@pytest.fixture
async def store():
    """Every symbol but the last has data."""
    return await make_store(*SYMBOLS[:-1])


@pytest.fixture
async def client(store):
    async with served(store) as client:
        yield client
