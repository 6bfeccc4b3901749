"""Telegram's own list of commands."""

from telegram import BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats

from bot.chat.telegram.menu import listings
from bot.chat.telling import AGAIN
from bot.core.menu import Entry
from tests.chat.telegram.kit import MENU


def names(scope, language=""):
    [listing] = [
        each
        for each in listings(MENU)
        if isinstance(each.scope, scope) and each.language == language
    ]
    return {command.command: command.description for command in listing.commands}


def test_commands_of_two_words_stand_there_once():
    assert names(BotCommandScopeAllPrivateChats) == {
        "levels": "every level",
        "chart": "a picture",
        "alert": "add, list",
        "feed": "on",
        "setup": "what is missing",
        "help": "this list",
    }


def test_what_takes_rights_is_hidden_from_a_groups_members():
    assert list(names(BotCommandScopeAllGroupChats)) == [
        "levels",
        "chart",
        "alert",
        "setup",
        "help",
    ]


def test_other_languages_have_their_own_help():
    assert names(BotCommandScopeAllPrivateChats, "de")["help"] != "this list"


async def test_the_menu_is_published_when_it_changed_and_only_then(fake, house):
    async def published(count):
        await fake.until(lambda: fake.counts["setMyCommands", 200] == count)

    async with house.open():
        await published(6)
    async with house.open():
        await fake.until(lambda: "polling" in house.connection.text)
    house.commands.menu["new"] = Entry("new", "a new one")
    async with house.open():
        await published(12)

    assert fake.counts["setMyCommands", 200] == 12


async def test_a_menu_that_was_refused_is_told_again_until_it_is_heard(fake, house, caplog):
    fake.fail("setMyCommands", "bad gateway", times=2)

    async with house.open():
        await fake.until(lambda: fake.counts["setMyCommands", 200] == 6)

    assert house.timer.slept[:2] == [AGAIN, AGAIN]
    assert "html" not in caplog.text.lower()


async def test_a_menu_that_is_refused_stops_nothing(fake, house):
    ann = fake.add_user("Ann")
    fake.fail("setMyCommands", "bad gateway", times=9)

    async with house.open():
        fake.say(ann, fake.private(ann), "/levels btc")
        answer = await fake.next_message(fake.private(ann))

    assert answer.text == "you asked levels btc"
