import pytest

from tests.chat.web.kit import House


@pytest.fixture
def house():
    return House()
