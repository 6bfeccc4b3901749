"""Updates that Telegram brings to us."""

import json
from contextlib import suppress
from io import BytesIO

import aiohttp
import pytest

from bot.chat.telegram.once import MOST, Once
from bot.chat.telegram.webhook import SECRET_HEADER, WebhookAddress
from tests.chat.telegram.kit import House


@pytest.fixture
def url(unused_tcp_port):
    return f"http://127.0.0.1:{unused_tcp_port}/bell"


@pytest.fixture
def house(fake, url):
    port = int(url.split(":")[2].split("/")[0])
    return House(fake, webhook=WebhookAddress(url, "127.0.0.1", port))


async def is_set(fake):
    await fake.until(lambda: fake.counts["setWebhook", 200])


async def status_of(url, body, **headers):
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as reply,
    ):
        return reply.status


async def test_an_update_that_is_brought_is_answered(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        await is_set(fake)
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert answer.text == "you asked levels btc"
    assert fake.called("getUpdates") == []


async def test_who_does_not_know_the_secret_is_turned_away(fake, house, url):
    update = '{"update_id": 1}'

    async with house.open():
        await is_set(fake)
        without = await status_of(url, update)
        wrong = await status_of(url, update, **{SECRET_HEADER: "wrong-é"})

    assert (without, wrong) == (403, 403)
    assert house.commands.asked == []


async def test_what_is_no_update_is_refused(fake, house, url):
    async with house.open():
        await is_set(fake)
        secret = house.facts.known["telegram.webhook.secret"]
        known = {SECRET_HEADER: secret}
        statuses = [await status_of(url, body, **known) for body in ("{", "[]", "{}", b"\xff")]
        large = await status_of(url, BytesIO(b"x" * 1_100_000), **known)

    assert statuses == [400, 400, 400, 400]
    assert large == 413


async def test_the_secret_survives_a_restart(fake, house):
    async with house.open():
        await is_set(fake)
    async with house.open():
        await fake.until(lambda: fake.counts["setWebhook", 200] == 2)

    first, second = (call["secret_token"] for call in fake.called("setWebhook"))
    assert first == second


async def test_polling_takes_the_webhook_away(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        await is_set(fake)
    async with House(fake).open():
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert answer.text == "you asked levels btc"


async def test_a_webhook_that_is_taken_away_is_set_again(fake, house):
    async with house.open():
        await is_set(fake)
        fake.updates.webhook = None
        await fake.until(lambda: fake.counts["setWebhook", 200] == 2)

    assert house.timer.slept


async def test_an_update_that_is_brought_twice_is_answered_once(fake, house, url):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    said = fake.world.new_message(chat, sender=ann, text="/levels btc").as_json()
    update = json.dumps({"update_id": 900_000, "message": said})

    async with house.open():
        await is_set(fake)
        known = {SECRET_HEADER: house.facts.known["telegram.webhook.secret"]}
        statuses = [await status_of(url, update, **known) for _ in range(2)]
        await fake.next_message(chat)
        fake.say(ann, chat, "/levels eth")
        await fake.next_message(chat)

    assert statuses == [200, 200]
    assert [command.arguments for command in house.commands.asked] == [("btc",), ("eth",)]


def test_what_failed_may_come_again_and_what_is_long_past_is_forgotten():
    once = Once()

    with suppress(OSError), once.take(1):
        raise OSError
    with once.take(1) as again, once.take(1) as repeated:
        pass
    for number in range(2, MOST + 2):
        with once.take(number):
            pass
    with once.take(1) as forgotten:
        pass

    assert (again, repeated, forgotten) == (True, False, True)


async def test_an_update_that_cannot_be_read_is_skipped(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        await is_set(fake)
        fake.updates.add("message", {"message_id": 7, "date": 1})
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert answer.text == "you asked levels btc"
