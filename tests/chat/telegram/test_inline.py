"""`@bot btc` in any chat."""

import asyncio

from bot.core.reply import Field, File, Reply
from tests.chat.telegram.kit import levels


async def offered(fake, house, words):
    ann = fake.add_user("Ann")
    async with house.open():
        query = fake.inline(ann, words)
        await fake.until(lambda: query.answered)
    return query


async def test_a_coin_offers_its_card(fake, house):
    house.commands.replies["levels"] = lambda command: levels(
        command.arguments[0].upper(), fields=(Field("Spot", "$80,000"),)
    )

    query = await offered(fake, house, "btc")

    [result] = query.results
    assert (result["title"], result["description"]) == ("BTC levels", "Spot $80,000")
    assert query.contents[result["id"]]["text"].startswith("BTC levels")
    assert query.personal
    assert query.cache_seconds == 10


async def test_nothing_typed_offers_a_few_coins(fake, house):
    query = await offered(fake, house, "")

    assert [result["title"] for result in query.results] == [
        "you asked levels btc",
        "you asked levels eth",
        "you asked levels sol",
    ]


async def test_any_public_command_may_be_asked(fake, house):
    query = await offered(fake, house, "chart eth")

    assert [result["title"] for result in query.results] == ["you asked chart eth"]


async def test_what_is_private_or_takes_rights_is_never_offered(fake, house):
    for words in ("help", "alert list", "alert add btc hvl", "feed on", "setup"):
        query = await offered(fake, house, words)

        assert query.results == []
    assert house.commands.asked == []


async def test_an_error_is_not_offered(fake, house):
    house.commands.replies["levels"] = Reply("No answer", tone="error", private=True)

    query = await offered(fake, house, "levels nix")

    assert query.results == []


async def test_offers_use_up_nothing_of_what_people_may_ask(fake, house):
    await offered(fake, house, "")

    assert [command.inline for command in house.commands.asked] == [True, True, True]


async def test_who_types_on_is_answered_what_they_typed_last(fake, house):
    async def slow(command):
        if command.arguments == ("btc",):
            await gate.wait()
        return levels(command.arguments[0].upper())

    gate = asyncio.Event()
    house.commands.replies["levels"] = slow
    ann = fake.add_user("Ann")

    async with house.open():
        first = fake.inline(ann, "b")
        await fake.until(lambda: house.commands.asked)
        last = fake.inline(ann, "eth")
        await fake.until(lambda: last.answered)
        gate.set()
        again = fake.inline(ann, "btc")
        await fake.until(lambda: again.answered)

    assert not first.answered
    assert [result["title"] for result in last.results] == ["ETH levels"]
    assert [result["title"] for result in again.results] == ["BTC levels"]


async def test_what_comes_with_a_file_is_not_offered(fake, house):
    house.commands.replies["levels"] = Reply("Export", file=File("a.csv", b"1", "text/csv"))

    query = await offered(fake, house, "levels btc")

    assert query.results == []
