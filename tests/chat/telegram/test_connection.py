"""The listener's connection: refused, contested, lost and found again."""

import asyncio
import logging

from telegram import Bot

from tests.chat.telegram.kit import House
from tests.fakes.telegram_server import FakeTelegram


async def test_polling_waits_at_telegram_and_says_so_in_status(fake, house):
    async with house.open():
        await fake.until(lambda: len(fake.called("getUpdates")) >= 1)
        text = house.connection.text

    assert text.startswith("polling as @gammabell_bot")
    waits = [int(call.get("timeout") or 0) for call in fake.called("getUpdates")]
    assert waits[:1] == [0]
    assert all(wait >= 30 for wait in waits[1:])
    assert len(waits) <= 2


async def test_a_wrong_token_is_told_to_the_operator_and_never_shown(fake, caplog):
    caplog.set_level(logging.DEBUG)
    house = House(fake, token="77:wrong-token")

    async with house.open():
        await fake.until(lambda: fake.counts["getMe", 401] >= 2)
        text = house.connection.text

    assert text.startswith("down: telegram does not know the token: set the one of @BotFather")
    assert set(house.timer.slept) == {60.0}
    assert "wrong-token" not in caplog.text


async def test_telegram_down_at_the_start_is_waited_for(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    fake.refuse = True

    async with house.open():
        await fake.until(lambda: len(house.timer.slept) >= 3)
        fake.refuse = False
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert answer.text == "you asked levels btc"
    assert house.timer.slept[:3] == [1.0, 2.0, 4.0]


async def test_telegram_down_later_is_waited_for_and_nothing_is_answered_twice(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        await fake.next_message(chat)
        fake.refuse = True
        await fake.until(lambda: house.connection.text.startswith("down"))
        fake.refuse = False
        fake.say(ann, chat, "/levels eth")
        await fake.next_message(chat)

    assert [command.arguments for command in house.commands.asked] == [("btc",), ("eth",)]


async def test_bad_gateways_end_by_themselves(fake, house, caplog):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    fake.fail("getMe|getUpdates|deleteWebhook", "bad gateway", times=4)

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert answer.text == "you asked levels btc"
    assert "html" not in caplog.text.lower()


async def test_another_poller_is_named_and_tried_again(fake, house):
    other = Bot(fake.token, base_url=f"{fake.api_base}/bot")

    async with house.open():
        await fake.until(lambda: "polling" in house.connection.text)
        contest = asyncio.create_task(other.get_updates(timeout=30))
        await fake.until(lambda: fake.counts["getUpdates", 409])
        await fake.until(lambda: house.timer.slept)
        text = house.connection.text
        contest.cancel()
        await asyncio.wait({contest})

    assert "another process polls" in text or "polling as" in text
    assert fake.counts["getUpdates", 409] >= 1


async def test_limits_on_asking_are_obeyed(fake, house):
    fake.fail("getUpdates", "flood", seconds=7)

    async with house.open():
        await fake.until(lambda: "polling" in house.connection.text)
        await fake.until(lambda: len(fake.called("getUpdates")) >= 2)

    assert house.timer.slept[0] == 7.0


async def test_an_update_that_cannot_be_read_is_skipped_and_logged_whole(fake, house, caplog):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        fake.updates.add("message", {"message_id": 7, "date": 1})
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)
        fake.updates.add("callback_query", {"id": "of a kind to come"})
        await fake.until(lambda: not fake.updates.pending)
        text = house.connection.text

    assert answer.text == "you asked levels btc"
    assert text.startswith("polling")
    assert [bool(one.exc_info) for one in caplog.records] == [True, True]
    assert "cannot be read" in caplog.text


async def test_nothing_is_left_open_and_the_fake_saw_no_errors():
    async with FakeTelegram(limits=False) as fake:
        house = House(fake)
        for _ in range(3):
            async with house.open():
                await fake.until(lambda: "polling" in house.connection.text)
        tasks = [task for task in asyncio.all_tasks() if "listener" in repr(task.get_coro())]

    assert tasks == []
