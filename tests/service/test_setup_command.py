from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes import NOON
from tests.service.asking import Desk, field, in_channel, in_private, only_line

CHANNEL = "discord:42"


async def outbox(desk: Desk):
    """What waits to be sent to anyone on Discord."""
    return await desk.store.claim("discord", "test", desk.now, timedelta(minutes=1), 10)


async def test_setup_shows_everything_that_is_set_here():
    desk = Desk()
    for line in ("timezone berlin", "quiet 23:00-07:00", "feed on btc", "digest 08:00"):
        await desk.ask(line, in_channel())
    await desk.ask("alert add btc hvl", in_channel())

    reply = await desk.ask("setup", in_channel())

    assert reply.title == "Setup of #alerts in Traders"
    assert [(one.name, one.value) for one in reply.fields] == [
        ("Can ring here", "yes"),
        ("Time zone", "Europe/Berlin, 13:00 CET now"),
        ("Quiet", "23:00-07:00"),
        ("Feed", "default pack of BTC"),
        ("Digest", "08:00 on BTC, ETH"),
        ("Alerts", "1 of 50"),
    ]
    assert reply.lines == ()


async def test_setup_names_every_missing_right_and_where_it_is_given():
    reply = await Desk().ask("setup", in_channel("View Channel", "Embed Links"))

    assert field(reply, "Can ring here") == "no, missing View Channel, Embed Links"
    assert only_line(reply) == (
        "Give me those rights in this channel's settings under Permissions, then try setup again."
    )
    assert reply.tone == "negative"
    assert reply.actions[0].label == "Check again"
    assert "Test ring" not in [action.label for action in reply.actions]


@pytest.mark.parametrize(
    ("target", "lack", "told"),
    [
        (CHANNEL, "Add to Server", "no, I am not on this server"),
        ("telegram:-100", "be a member of this chat", "no, I am not in this chat"),
    ],
)
async def test_where_we_are_not_at_all_setup_says_so(target, lack, told):
    place = replace(in_channel(lack, may_manage=False), target=target)

    reply = await Desk().ask("setup", place)

    assert field(reply, "Can ring here") == told
    assert reply.lines[0] == "Whoever manages it can add me."


async def test_a_chat_of_ones_own_is_called_this_chat_whatever_its_name():
    reply = await Desk().ask("setup", replace(in_private(), place="Ann"))

    assert reply.title == "Setup of this chat"


async def test_a_suspended_chat_is_taken_up_when_setup_finds_every_right():
    desk = Desk()
    await desk.chats.suspend(CHANNEL, "missing Send Messages")

    lacking = await desk.ask("setup", in_channel("Send Messages"))
    mended = await desk.ask("setup", in_channel())

    assert field(lacking, "Can ring here") == (
        "no, suspended since 12:00 UTC: missing Send Messages"
    )
    assert field(mended, "Can ring here") == "yes"
    assert (await desk.chats.of(CHANNEL)).state == "active"


async def test_a_test_ring_takes_the_way_of_every_ring():
    desk = Desk()

    reply = await desk.ask("setup test", in_channel())
    again = await desk.ask("setup test", in_channel())

    (notice,) = await outbox(desk)
    assert (notice.kind, notice.target) == ("notice", CHANNEL)
    assert notice.expires_at == NOON + timedelta(minutes=5)
    assert notice.text.endswith(f"#{notice.id}")
    assert (notice.card.title, notice.card.footer) == ("🔔 Test", (f"#{notice.id}",))
    assert reply.title == again.title == "A test ring is on its way"


async def test_a_members_test_rings_in_their_own_chat():
    desk = Desk()

    reply = await desk.ask("setup test", in_channel(may_manage=False))

    (notice,) = await outbox(desk)
    assert notice.target == "discord:@7"
    assert only_line(reply).startswith("This is about your own chat")


async def test_a_member_sees_what_is_set_and_who_decides():
    reply = await Desk().ask("setup", in_channel(may_manage=False))

    assert reply.lines == ("Who has Manage Server decides what comes here.",)
    assert [action.label for action in reply.actions] == ["Help"]


async def test_a_snooze_is_shown_while_it_lasts():
    desk = Desk()
    await desk.ask("snooze 1h", in_private())

    during = await desk.ask("setup", in_private())
    desk.now = NOON + timedelta(hours=2)
    after = await desk.ask("setup", in_private())

    assert field(during, "Quiet") == "no hours; snoozed until 13:00 UTC"
    assert field(after, "Quiet") == "no hours"


async def test_setup_takes_one_word_alone():
    reply = await Desk().ask("setup tset", in_private())

    assert only_line(reply) == "'tset' is not understood; write setup, or setup test"


async def test_what_only_charts_need_is_named_and_hinders_no_ring():
    desk = Desk()

    reply = await desk.ask("setup", replace(in_channel(), wants=("Attach Files",)))

    assert field(reply, "Can ring here") == "yes"
    assert field(reply, "Charts") == "left out, missing Attach Files"
