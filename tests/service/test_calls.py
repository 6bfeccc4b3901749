from dataclasses import replace

import pytest

from bot.core.reply import Command
from bot.service.commands.calls import MOST_CALLED
from tests.service.asking import Desk, field, in_channel, only_line

CHANNEL = "discord:42"


def member(number: int, *lacks: str, channel: str = CHANNEL) -> Command:
    """One of those who may not decide there."""
    who = replace(in_channel(*lacks, may_manage=False), target=channel)
    return replace(who, person=f"discord:@{number}")


async def fallbacks(desk: Desk) -> dict[str, str]:
    """Who is called where."""
    return {chat.target: chat.fallback for chat in await desk.chats.all() if chat.fallback}


async def test_managers_see_how_many_are_called_here_and_end_it():
    desk = Desk()
    await desk.ask("alert fallback", member(1))
    await desk.ask("alert fallback on", member(2))
    await desk.ask("alert fallback", member(2))

    shown = await desk.ask("setup", in_channel())
    ended = await desk.press(shown, "Call nobody here", in_channel())

    assert field(shown, "Calls") == "2 people are called here"
    assert only_line(ended) == "2 people are called no more, and nobody can ask for it."
    assert await fallbacks(desk) == {}


async def test_where_managers_want_no_calls_nobody_can_ask_for_them_until_they_allow_it():
    desk = Desk()
    await desk.ask("setup nocalls", in_channel())

    refused = await desk.ask("alert fallback", member(1))
    shown = await desk.ask("setup", in_channel())
    await desk.press(shown, "Allow calls", in_channel())
    allowed = await desk.ask("alert fallback", member(1))

    assert only_line(refused).startswith("who manages this chat wants nobody called here")
    assert field(shown, "Calls") == "nobody may be called here"
    assert allowed.title == "You are called here"


@pytest.mark.parametrize("line", ["setup nocalls", "setup calls"])
async def test_only_managers_decide_whether_people_are_called(line):
    reply = await Desk().ask(line, member(1))

    assert "Manage Server" in only_line(reply)


@pytest.mark.parametrize(
    ("lack", "told"),
    [("Add to Server", "I am not on this server"), ("Send Messages", "missing Send Messages")],
)
async def test_nobody_is_called_where_nothing_can_ring(lack, told):
    desk = Desk()

    added = await desk.ask("alert add btc hvl", member(1, lack))
    reply = await desk.ask("alert fallback", member(1, lack))

    assert told in only_line(reply)
    assert await fallbacks(desk) == {}
    assert not any(action.line == "alert fallback" for action in added.actions)


async def test_so_many_people_are_called_in_one_chat_and_no_more():
    desk = Desk()
    for number in range(MOST_CALLED):
        await desk.ask("alert fallback", member(number))

    full = await desk.ask("alert fallback", member(99))
    await desk.ask("alert fallback off", member(3))
    then = await desk.ask("alert fallback", member(99))

    assert only_line(full).startswith(f"{MOST_CALLED} people are called here")
    assert then.title == "You are called here"


async def test_a_person_is_called_in_the_chat_they_named_last_alone():
    desk = Desk()
    await desk.ask("alert fallback", member(1))

    await desk.ask("alert fallback", member(1, channel="discord:43"))

    assert await fallbacks(desk) == {"discord:@1": "discord:43"}
    assert (await desk.chats.of(CHANNEL)).called == ()
    assert (await desk.chats.of("discord:43")).called == ("discord:@1",)


async def test_what_rings_at_every_touch_calls_nobody_in_a_chat_of_others():
    desk = Desk()
    await desk.ask("alert add btc hvl cross any cooldown 0s", member(1))

    refused = await desk.ask("alert fallback", member(1))
    await desk.ask("alert delete 1", member(1))
    await desk.ask("alert fallback", member(1))
    later = await desk.ask("alert add btc hvl cross any cooldown 30s", member(1))
    calm = await desk.ask("alert add btc hvl cross any cooldown 1m", member(1))

    assert only_line(refused).startswith("#1 may ring more than once a minute")
    assert only_line(later).startswith("this one may ring more than once a minute")
    assert calm.title == "Alert #2 set"
