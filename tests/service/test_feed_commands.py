import pytest

from bot.core.chats import Digest, Feed, parse_time
from bot.core.reply import Command
from tests.service.asking import Desk, field, in_channel, in_private, only_line

CHANNEL = "discord:42"


@pytest.mark.parametrize(
    ("line", "feed"),
    [
        ("feed on", Feed(("BTCUSDT", "ETHUSDT"), "default")),
        ("feed on all", Feed(("BTCUSDT", "ETHUSDT"), "default")),
        ("feed on btc", Feed(("BTCUSDT",), "default")),
        ("feed on ETH,btc crossings", Feed(("ETHUSDT", "BTCUSDT"), "crossings")),
        ("feed on crossings", Feed(("BTCUSDT", "ETHUSDT"), "crossings")),
    ],
)
async def test_a_feed_is_switched_on_by_a_moderator(line, feed):
    desk = Desk()

    reply = await desk.ask(line, in_channel())

    chat = await desk.chats.of(CHANNEL)
    assert chat.feed == feed
    assert (chat.title, chat.owner) == ("#alerts in Traders", "discord:@7")
    assert field(reply, "Rings on").startswith("crossings of HVL, Call Resistance")
    assert CHANNEL in desk.changed


@pytest.mark.parametrize("line", ["feed on", "feed off", "digest 08:00", "digest off"])
@pytest.mark.parametrize(
    ("where", "right"),
    [
        (in_channel(may_manage=False), "Manage Server"),
        (Command("", (), "telegram:-100", "telegram:7", may_manage=False), "chat admin"),
    ],
)
async def test_anyone_else_is_told_which_right_it_takes(line, where, right):
    desk = Desk()

    reply = await desk.ask(line, where)

    assert only_line(reply) == f"only who has {right} here may do that; ask one of them"
    assert await desk.store.chats() == []


async def test_a_feed_that_cannot_be_heard_says_what_is_missing_and_where_to_give_it():
    reply = await Desk().ask("feed on", in_channel("Send Messages", "Embed Links"))

    assert only_line(reply) == (
        "I cannot ring here: missing Send Messages, Embed Links. Give me those rights in this "
        "channel's settings under Permissions, then try setup again."
    )
    assert "Test ring" not in [action.label for action in reply.actions]


async def test_a_typo_gets_the_nearest_symbol_or_pack():
    desk = Desk()

    replies = [await desk.ask(f"feed on {word}", in_channel()) for word in ("crosings", "bct")]

    assert [only_line(reply) for reply in replies] == [
        "no symbol or pack 'crosings'; did you mean crossings?",
        "no symbol or pack 'bct'; did you mean btc?",
    ]


async def test_a_feed_is_shown_to_everyone_and_ended_by_a_moderator():
    desk = Desk()
    await desk.ask("feed on btc", in_channel())

    member = await desk.ask("feed status", in_channel(may_manage=False))
    moderator = await desk.ask("feed status", in_channel())
    await desk.press(moderator, "Feed off", in_channel())
    ended = await desk.ask("feed status", in_channel(may_manage=False))

    assert member.title == moderator.title == "Feed: BTC"
    assert [action.label for action in member.actions] == ["Setup"]
    assert (await desk.chats.of(CHANNEL)).feed is None
    assert "Off" in only_line(ended)
    assert ended.actions == ()


async def test_a_resting_feed_says_why():
    desk = Desk()
    await desk.ask("feed on btc", in_channel())
    await desk.chats.suspend(CHANNEL, "missing Send Messages")

    reply = await desk.ask("feed status", in_channel())

    assert only_line(reply) == "It rests: missing Send Messages"


async def test_a_feed_of_ones_own_needs_nobodys_leave():
    desk = Desk()

    await desk.ask("feed on eth", in_private())

    assert (await desk.chats.of("telegram:7")).feed == Feed(("ETHUSDT",), "default")


async def test_a_digest_says_when_it_comes_first_on_the_chats_clock():
    desk = Desk()
    await desk.ask("timezone Europe/Berlin", in_private())

    reply = await desk.ask("digest 08:00 eth", in_private())
    at_once = await desk.ask("digest 12:45", in_private())

    assert reply.title == "Digest at 08:00 on ETH"
    assert field(reply, "First") == "2026-03-03 08:00 CET"
    assert field(at_once, "First") == "in a moment, unless today's was sent"
    chat = await desk.chats.of("telegram:7")
    assert chat.digest == Digest(parse_time("12:45"), ("BTCUSDT", "ETHUSDT"))


async def test_a_digest_is_ended():
    desk = Desk()
    reply = await desk.ask("digest 08:00", in_channel())

    await desk.press(reply, "Digest off", in_channel())

    assert (await desk.chats.of(CHANNEL)).digest is None


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("digest", "at what time? write it like: digest 08:00, or digest off"),
        ("digest noon", "'noon' is no time of day; write it like 08:00 or 22:30"),
        ("digest 08:00 bct", "no symbol 'bct'; did you mean BTC?"),
    ],
)
async def test_a_digest_that_makes_no_sense_is_not_set(line, answer):
    desk = Desk()

    assert only_line(await desk.ask(line, in_private())) == answer
    assert await desk.store.chats() == []
