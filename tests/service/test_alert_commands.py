from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.chats import Feed
from bot.core.reply import Action, Field
from bot.core.rules import RuleState
from tests.fakes import NOON
from tests.service.asking import field, in_channel, in_private, only_line, open_desk

ELSEWHERE = "telegram:7"


async def test_an_alert_is_added_in_its_shortest_form_and_listed_where_it_was_made():
    desk = await open_desk()

    added = await desk.ask("alert add BTC hvl CROSS down buffer 0.05% cooldown 15m once")

    assert added.title == "Alert #1 set"
    assert added.fields == (Field("Rings on", "btc hvl cross down once"),)
    assert desk.changed == ["terminal:"]
    listed = await desk.ask("alert list")
    assert listed.fields == (Field("#1", "btc hvl cross down once; has not rung"),)
    assert (await desk.ask("alert list", ELSEWHERE)).fields == ()


async def test_the_list_says_when_a_rule_rang_and_whether_it_is_done():
    desk = await open_desk()
    await desk.ask("alert add btc hvl cross once")
    await desk.ask("alert add btc regime")
    states = {
        "1": RuleState(NOON - timedelta(minutes=7), 1),
        "2": RuleState(NOON - timedelta(hours=3), 14),
    }
    await desk.record("BTCUSDT", rule_states=states)

    reply = await desk.ask("alert list")

    assert [field.value for field in reply.fields] == [
        "btc hvl cross any once; rang 1x, last 7 min ago, done",
        "btc regime; rang 14x, last 3 h 0 min ago",
    ]


async def test_the_same_alert_twice_is_one_alert():
    desk = await open_desk()

    await desk.ask("alert add btc hvl cross down")
    again = await desk.ask("alert add btcusdt hvl cross down")
    other = await desk.ask("alert add btc hvl cross down", ELSEWHERE)

    assert again.title == "Alert #1 is set already"
    assert other.title == "Alert #2 set"
    assert len(await desk.store.rules()) == 2


async def test_a_chat_deletes_its_own_alerts_alone():
    desk = await open_desk()
    await desk.ask("alert add btc hvl cross")

    foreign = await desk.ask("alert delete 1", ELSEWHERE)
    own = await desk.ask("alert delete #1")

    assert foreign.tone == "error"
    assert own.title == "Alert #1 deleted"
    assert await desk.store.rules() == []
    assert desk.changed == ["terminal:"] * 2


async def test_the_default_pack_is_spoken_of_while_it_rings_and_when_that_changes():
    desk = await open_desk()

    listed = await desk.ask("alert list")
    first = await desk.ask("alert add btc hvl cross")
    second = await desk.ask("alert add eth hvl cross")
    listed_then = await desk.ask("alert list", ELSEWHERE)
    await desk.ask("alert delete 1")
    last = await desk.ask("alert delete 2")

    assert "btc odte.hvl cross any" in listed.lines
    assert "default pack rings no more" in only_line(first)
    assert second.lines == ()
    assert not any("default pack" in line for line in listed_then.lines)
    assert "default pack rings again" in only_line(last)


@pytest.mark.parametrize("line", ["alert add btc", "alert add", "alert add btc 0 cross"])
async def test_a_rule_that_makes_no_sense_is_not_stored(line):
    desk = await open_desk()

    reply = await desk.ask(line)

    assert reply.tone == "error"
    assert await desk.store.rules() == []
    assert desk.changed == []


async def test_symbol_and_level_alone_ring_on_any_crossing():
    desk = await open_desk()

    reply = await desk.ask("alert add btc hvl", in_private())

    assert field(reply, "Rings on") == "btc hvl cross any"
    assert reply.lines == ()


async def test_a_moderators_alert_rings_in_the_channel_and_keeps_its_name_and_maker():
    desk = await open_desk()

    reply = await desk.ask("alert add btc hvl", in_channel())

    (rule,) = await desk.store.rules()
    chat = await desk.chats.of("discord:42")
    assert rule.target == "discord:42"
    assert (chat.title, chat.owner) == ("#alerts in Traders", "discord:@7")
    assert reply.lines[0] == "It rings in this chat, for all to see."


async def test_anyone_elses_alert_in_a_channel_rings_in_their_own_chat():
    desk = await open_desk()

    reply = await desk.ask("alert add btc hvl", in_channel(may_manage=False))

    (rule,) = await desk.store.rules()
    assert rule.target == "discord:@7"
    assert reply.lines[0].startswith("It rings in your own chat with me")
    assert (await desk.chats.of("discord:42")).owner == ""


async def test_who_agrees_is_called_in_the_channel_when_their_own_chat_is_closed():
    desk = await open_desk()
    member = in_channel(may_manage=False)
    added = await desk.ask("alert add btc hvl", member)

    agreed = await desk.press(added, "Call me here if my DMs are closed", member)
    there = (await desk.chats.of("discord:@7")).fallback
    await desk.press(agreed, "Rather not", member)

    assert there == "discord:42"
    assert (await desk.chats.of("discord:@7")).fallback == ""
    assert (await desk.ask("alert fallback", in_private())).tone == "error"


async def test_an_alert_where_we_may_not_write_says_what_is_missing():
    desk = await open_desk()

    reply = await desk.ask("alert add btc hvl", in_channel("Send Messages"))

    assert any("missing Send Messages" in line for line in reply.lines)


async def test_an_alert_is_paused_and_resumed_by_its_buttons():
    desk = await open_desk()
    added = await desk.ask("alert add btc hvl", in_private())

    paused = await desk.press(added, "Pause", in_private())
    listed = await desk.ask("alert list", in_private())
    resumed = await desk.press(paused, "Resume", in_private())

    assert paused.title == "Alert #1 paused"
    assert field(listed, "#1") == "btc hvl cross any; has not rung; paused"
    assert [menu.label for menu in listed.menus] == ["Resume", "Delete"]
    assert resumed.title == "Alert #1 rings again"
    assert not (await desk.store.rules())[0].paused


async def test_a_member_cannot_touch_the_channels_alerts():
    desk = await open_desk()
    await desk.ask("alert add btc hvl", in_channel())

    for line in ("alert pause 1", "alert delete 1"):
        refused = await desk.ask(line, in_channel(may_manage=False))
        assert "only who has Manage Server here may do that" in only_line(refused)

    (rule,) = await desk.store.rules()
    assert not rule.paused


async def test_a_deleted_alert_can_be_set_again():
    desk = await open_desk()
    await desk.ask("alert add btc hvl cross down once", in_private())

    deleted = await desk.ask("alert delete 1", in_private())
    again = await desk.press(deleted, "Set again", in_private())

    assert again.fields == (Field("Rings on", "btc hvl cross down once"),)


async def test_fifty_alerts_are_enough_for_a_chat():
    desk = await open_desk()
    for price in range(50):
        await desk.ask(f"alert add btc {70_000 + price}")

    refused = await desk.ask("alert add btc 80000")
    elsewhere = await desk.ask("alert add btc 80000", in_private())

    assert only_line(refused).startswith("50 alerts are set here")
    assert elsewhere.tone != "error"


async def test_ids_are_offered_with_their_rules_and_only_where_they_are_of_use():
    desk = await open_desk()
    await desk.ask("alert add btc hvl", in_private())
    await desk.ask("alert add eth flip", in_private())
    await desk.ask("alert pause 2", in_private())

    offered = {
        name: await desk.commands.complete(f"alert {name}", "id", "", in_private())
        for name in ("pause", "resume", "delete")
    }

    assert offered == {
        "pause": ["1 btc hvl cross any"],
        "resume": ["2 eth flip cross any"],
        "delete": ["1 btc hvl cross any", "2 eth flip cross any"],
    }
    assert (await desk.ask(f"alert pause {offered['pause'][0]}", in_private())).tone != "error"


async def test_the_list_speaks_of_the_feed_as_well():
    desk = await open_desk()
    feed = Feed(("BTCUSDT",), "crossings")
    await desk.chats.change("discord:42", lambda chat: replace(chat, feed=feed))

    reply = await desk.ask("alert list", in_channel())

    assert reply.lines == ("The feed rings as well: crossings pack of BTC",)
    assert reply.actions == (Action("Add", "alert add"),)


async def test_what_anyone_may_set_rings_once_a_minute_at_most():
    desk = await open_desk()

    refused = await desk.ask("alert add btc hvl cross any cooldown 59s", in_private("web:7"))
    on_page = await desk.ask("alert add btc hvl cross any cooldown 1m", in_private("web:7"))
    elsewhere = await desk.ask("alert add btc hvl cross any cooldown 1s", in_private())

    assert only_line(refused).startswith("on this page an alert rings once a minute at most")
    assert (on_page.title, elsewhere.title) == ("Alert #1 set", "Alert #2 set")
