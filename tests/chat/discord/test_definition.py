"""The commands as Discord is told them."""

import pytest

from bot.chat.discord.definition import definition
from bot.chat.locales import GERMAN, LOCALES
from bot.core.menu import Argument, Entry
from tests.fakes.discord_limits import commands_problems
from tests.service.asking import open_desk


@pytest.fixture
async def menu():
    return (await open_desk()).commands.menu


async def test_the_whole_menu_is_within_discords_rules(menu):
    assert list(commands_problems(definition(menu, LOCALES))) == []


async def test_two_words_become_a_group(menu):
    commands = {item["name"]: item for item in definition(menu, LOCALES)}

    assert {"add", "list", "delete"} <= {sub["name"] for sub in commands["alert"]["options"]}
    assert all(sub["type"] == 1 for sub in commands["alert"]["options"])


async def test_no_command_is_a_group_as_well(menu):
    groups = {name.split()[0] for name in menu if " " in name}

    assert not groups & set(menu)


async def test_commands_are_offered_everywhere_and_for_both_ways_of_installing(menu):
    for item in definition(menu, LOCALES):
        assert item["contexts"] == [0, 1, 2]
        assert item["integration_types"] == [0, 1]


def test_an_argument_has_choices_or_completes():
    entry = Entry(
        "chart",
        "a picture",
        (
            Argument("kind", "which", choices=("profile", "price")),
            Argument("symbol", "c", open=True),
        ),
    )

    kind, symbol = definition({"chart": entry}, ())[0]["options"]

    assert [choice["value"] for choice in kind["choices"]] == ["profile", "price"]
    assert symbol["autocomplete"]
    assert "choices" not in symbol


def test_nothing_is_required_since_a_form_asks_for_it():
    entry = Entry("digest", "daily", (Argument("time", "when", required=True),))

    assert definition({"digest": entry}, ())[0]["options"][0]["required"] is False


async def test_german_covers_every_command_and_argument(menu):
    commands = {*menu, *(name.split()[0] for name in menu)}
    arguments = {(e.name, a.name) for e in menu.values() for a in e.arguments}

    assert {name for name in commands if not GERMAN.help(name)} == set()
    assert {pair for pair in arguments if not GERMAN.help(*pair)} == set()


async def test_german_names_are_one_each(menu):
    for item in definition(menu, LOCALES):
        for options in (item["options"], *(o.get("options", []) for o in item["options"])):
            names = [option["name_localizations"]["de"] for option in options]
            assert len(names) == len(set(names))
    tops = [item["name_localizations"]["de"] for item in definition(menu, LOCALES)]
    assert len(tops) == len(set(tops))
    assert all(len(text) <= 100 for text in GERMAN.helps.values())


async def test_german_says_nothing_of_what_there_is_not(menu):
    arguments = {f"* {a.name}" for e in menu.values() for a in e.arguments}
    known = {*menu, *(name.split()[0] for name in menu), *arguments}

    assert set(GERMAN.helps) - known == set()
