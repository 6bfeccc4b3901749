"""The commands are told when they changed, and until the platform has heard."""

import asyncio

from bot.chat.telling import AGAIN, Telling, tell_changed
from bot.errors import BotError, DeliveryError, StoreError
from bot.store.memory import MemoryStore
from tests.exchanges.timers import ManualTimer


class Platform:
    """Hears what it is told, after a few failures."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.heard = []

    def telling(self, definition, account=1):
        async def tell():
            if self.failures:
                raise self.failures.pop(0)
            self.heard.append(definition)

        return Telling("telegram", account, definition, tell)


class ForgetfulOnce(MemoryStore):
    """Its database is away for the first question."""

    def __init__(self):
        super().__init__()
        self.is_away = True

    async def fact(self, name):
        if self.is_away:
            self.is_away = False
            raise StoreError("the database is away")
        return await super().fact(name)


async def test_the_same_commands_are_told_once_and_others_again():
    platform, facts, timer = Platform(), MemoryStore(), ManualTimer()

    for definition in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 2}):
        await tell_changed(platform.telling(definition), facts, timer)

    assert platform.heard == [{"a": 1, "b": 2}, {"a": 2}]
    assert timer.slept == []


async def test_another_bot_is_told_as_well():
    platform, facts, timer = Platform(), MemoryStore(), ManualTimer()

    await tell_changed(platform.telling(["a"], account=1), facts, timer)
    await tell_changed(platform.telling(["a"], account=2), facts, timer)

    assert platform.heard == [["a"], ["a"]]


async def test_a_failure_is_logged_and_it_is_told_until_it_is_heard(caplog):
    platform = Platform(BotError("bad gateway"), DeliveryError("limit", 300.0), BotError("reset"))
    timer = ManualTimer()

    await tell_changed(platform.telling(["a"]), MemoryStore(), timer)

    assert platform.heard == [["a"]]
    assert timer.slept == [AGAIN, 300.0, AGAIN]
    assert "telegram: the commands were not told: bad gateway" in caplog.text


async def test_a_database_that_is_away_is_waited_for():
    platform, timer = Platform(), ManualTimer()

    async with asyncio.timeout(5):
        await tell_changed(platform.telling(["a"]), ForgetfulOnce(), timer)

    assert platform.heard == [["a"]]
    assert timer.slept == [AGAIN]
