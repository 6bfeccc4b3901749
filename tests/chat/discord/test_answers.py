"""Commands, buttons, menus and forms over sockets, through the real command layer."""

import asyncio
import logging
from dataclasses import replace

import pytest

from bot.chat.buttons import Signer
from bot.chat.discord.components import DATA
from bot.chat.discord.rights import UNLOCKING
from bot.core.menu import Argument, Entry
from bot.core.reply import Action, Picture, Reply
from bot.service.commands.table import Handled
from tests.chat.discord.world import running, town
from tests.fakes.discord_faults import Answer, Reset
from tests.fakes.discord_model import MEMBER_RIGHTS, ChannelType, Permission
from tests.fakes.discord_server import FakeDiscord
from tests.service.asking import open_desk

MANAGER = MEMBER_RIGHTS | Permission.MANAGE_GUILD


def handled(name, answer, *arguments, private=False):
    """A command that answers with whatever the function gives."""

    async def handler(command, view):
        return await answer(command)

    return Handled(Entry(name, f"what {name} does", arguments, private), handler)


async def desk_with(*more):
    """The real commands and these."""
    desk = await open_desk()
    for one in more:
        desk.commands.add(one)
    return desk


async def test_a_command_is_deferred_and_then_shows_card_picture_and_buttons():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            asked = await (await fake.invoke(anna, channel, "levels", {"symbol": "btc"})).answered()

    assert asked.ack_type == 5
    assert not asked.ephemeral
    assert "BTC levels" in asked.message.text
    assert asked.message.image == b"png"
    assert "Refresh" in asked.message.labels
    assert fake.violations == []


async def test_a_card_does_not_wait_for_a_slow_picture():
    ready = asyncio.Event()

    async def draw():
        await ready.wait()
        return Picture("slow.png", b"slow")

    async def answer(command):
        return Reply("Card", draw=draw, actions=(Action("Again", "slow"),))

    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        desk = await desk_with(handled("slow", answer))
        async with running(fake, desk.commands):
            asked = await (await fake.invoke(anna, channel, "slow")).answered()
            first = asked.message.image
            other = await (await fake.invoke(anna, channel, "levels")).answered()
            ready.set()
            await asked.until(lambda it: it.message.image)

    assert first is None
    assert other.message.image == b"png"
    assert asked.message.image == b"slow"
    assert asked.message.labels == ["Again"]


async def test_a_chart_that_cannot_be_drawn_says_so():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        desk = await open_desk()
        desk.png = None
        async with running(fake, desk.commands):
            asked = await (await fake.invoke(anna, channel, "chart")).answered()

    assert "no chart can be drawn" in asked.message.text
    assert len(asked.message.history) == 1


async def test_a_picture_that_cannot_be_drawn_leaves_the_card(caplog):
    async def draw():
        raise ZeroDivisionError

    async def answer(command):
        return Reply("Card", draw=draw)

    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        desk = await desk_with(handled("odd", answer))
        async with running(fake, desk.commands):
            asked = await (await fake.invoke(anna, channel, "odd")).answered()

    assert asked.message.text == "Card"
    assert "ZeroDivisionError" in caplog.text


async def test_a_button_edits_its_message_in_place_after_a_restart():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            asked = await (await fake.invoke(anna, channel, "levels")).answered()
        async with running(fake):
            pressed = await (await fake.press(anna, asked.message, "0DTE")).answered()

    assert pressed.ack_type == 6
    assert pressed.message is asked.message
    assert "BTC 0DTE levels" in asked.message.text
    assert fake.messages(channel) == [asked.message]


async def test_a_menu_changes_its_message_too():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            asked = await (await fake.invoke(anna, channel, "levels")).answered()
            chosen = await (await fake.choose(anna, asked.message, "Symbol", "BTC")).answered()

    assert chosen.message is asked.message


async def test_a_private_answer_to_a_button_leaves_the_message_alone():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            asked = await (await fake.invoke(anna, channel, "levels")).answered()
            before = len(asked.message.history)
            label = next(name for name in asked.message.labels if "HVL" in name)
            pressed = await (await fake.press(anna, asked.message, label)).answered()

    assert len(asked.message.history) == before
    assert pressed.message.seen_by is anna
    assert pressed.message is not asked.message


async def test_private_commands_are_seen_by_the_one_who_asked():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            asked = await (await fake.invoke(anna, channel, "alert list")).answered()

    assert asked.ephemeral
    assert fake.messages(channel) == []


async def test_an_error_goes_to_the_one_who_made_it_and_leaves_nothing_behind():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            asked = await (await fake.invoke(anna, channel, "levels", {"symbol": "btx"})).answered()

    assert "btx" in asked.message.text
    assert asked.message.seen_by is anna
    assert fake.messages(channel) == []


async def test_what_is_missing_is_asked_for_in_a_form():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake) as at_work:
            opened = await (
                await fake.invoke(anna, channel, "alert add", {"level": "hvl"})
            ).answered()
            fields = {f["custom_id"]: f for f in opened.modal.fields.values()}
            labels = {f["custom_id"]: label for label, f in opened.modal.fields.items()}
            filled = {labels["symbol"]: "btc", labels["event"]: "cross down"}
            sent = await (await fake.submit(anna, opened, filled, permissions=MANAGER)).answered()
            rules = await at_work.desk.store.rules()

    assert fields["level"]["value"] == "hvl"
    assert sent.ack_type == 5
    assert sent.ephemeral
    assert [(r.target, r.symbol, r.level, r.way) for r in rules] == [
        (f"discord:{channel.id}", "BTCUSDT", "hvl", "down")
    ]


async def test_a_form_with_mistakes_says_so():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            opened = await (await fake.invoke(anna, channel, "alert add")).answered()
            labels = list(opened.modal.fields)
            filled = {labels[0]: "btc", labels[1]: "hvll"}
            sent = await (await fake.submit(anna, opened, filled)).answered()

    assert "hvl" in sent.message.text
    assert sent.message.seen_by is anna


async def test_an_end_in_the_middle_of_an_answer_is_quiet(caplog):
    never = asyncio.Event()

    async def answer(command):
        await never.wait()
        return Reply("never")

    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        desk = await desk_with(handled("slow", answer))
        async with running(fake, desk.commands):
            await (await fake.invoke(anna, channel, "slow")).acked()

    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_arguments_complete_while_they_are_typed():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            typed = await fake.autocomplete(anna, channel, "levels", "symbol", "bt")
            await typed.answered()

    assert [choice["value"] for choice in typed.choices] == ["BTC"]


async def test_a_forged_button_does_nothing():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake) as at_work:
            asked = await (await fake.invoke(anna, channel, "levels")).answered()
            forged = "AAAAAAAAfeed on"
            pressed = await (await fake.forge(anna, asked.message, forged)).answered()
            chat = await at_work.desk.chats.of(f"discord:{channel.id}")

    assert "not mine" in pressed.message.text
    assert pressed.message.seen_by is anna
    assert chat.feed is None


async def test_rights_are_looked_at_on_every_press():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake) as at_work:
            setup = await fake.invoke(anna, channel, "feed status", permissions=MANAGER)
            await setup.answered()
            genuine = Signer("key").sign("feed on", DATA)
            refused = await fake.forge(anna, setup.message, genuine)
            await refused.answered()
            before = await at_work.desk.chats.of(f"discord:{channel.id}")
            taken = await fake.forge(anna, setup.message, genuine, permissions=MANAGER)
            await taken.answered()
            chat = await at_work.desk.chats.of(f"discord:{channel.id}")

    assert "Manage Server" in refused.message.text
    assert before.feed is None
    assert chat.feed is not None
    assert chat.title == "#alerts in Traders"


@pytest.mark.parametrize(
    ("kind", "taken", "named"),
    [
        (ChannelType.TEXT, Permission.SEND_MESSAGES, "Send Messages"),
        (ChannelType.TEXT, Permission.EMBED_LINKS, "Embed Links"),
        (ChannelType.ANNOUNCEMENT, Permission.VIEW_CHANNEL, "View Channel"),
        (
            ChannelType.PUBLIC_THREAD,
            Permission.SEND_MESSAGES_IN_THREADS,
            "Send Messages in Threads",
        ),
    ],
)
async def test_setup_names_the_right_that_is_missing_in_this_very_channel(kind, taken, named):
    async with FakeDiscord() as fake:
        anna, guild, channel = town(fake)
        place = fake.add_channel(guild, "here", kind, channel)
        fake.permit(place, place.permissions & ~taken)
        async with running(fake):
            asked = await fake.invoke(anna, place, "setup", permissions=MANAGER)
            await asked.answered()
            fake.permit(place, place.permissions | taken)
            again = await fake.invoke(anna, place, "setup", permissions=MANAGER)
            await again.answered()

    assert named in asked.message.text
    assert named not in again.message.text


async def test_rings_do_not_need_the_right_that_only_charts_need():
    asked = []
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        fake.permit(channel, channel.permissions & ~Permission.ATTACH_FILES)
        desk = await desk_with(handled("look", remembered(asked)))
        async with running(fake, desk.commands):
            await (await fake.invoke(anna, channel, "look")).answered()

    assert [(one.lacks, one.wants) for one in asked] == [((), ("Attach Files",))]


async def test_a_locked_thread_is_none_to_ring_in():
    asked = []
    async with FakeDiscord() as fake:
        anna, guild, channel = town(fake)
        thread = fake.add_channel(guild, "talk", ChannelType.PUBLIC_THREAD, channel)
        desk = await desk_with(handled("look", remembered(asked)))
        async with running(fake, desk.commands):
            for locked in (True, False):
                fake.lock(thread, locked=locked)
                await (await fake.invoke(anna, thread, "look")).answered()
            thread.permissions |= Permission.MANAGE_THREADS
            fake.lock(thread)
            await (await fake.invoke(anna, thread, "look")).answered()

    assert [one.lacks for one in asked] == [(UNLOCKING,), (), ()]


def remembered(asked):
    """A handler that keeps what it was asked."""

    async def answer(command):
        asked.append(command)
        return Reply("seen")

    return answer


async def test_direct_messages_are_ones_own():
    async with FakeDiscord() as fake:
        anna = fake.add_user("anna")
        async with running(fake) as at_work:
            values = {"symbol": "btc", "level": "hvl"}
            asked = await fake.invoke(anna, fake.direct(anna), "alert add", values)
            await asked.answered()
            rules = await at_work.desk.store.rules()

    assert [rule.target for rule in rules] == [f"discord:@{anna.id}"]


async def test_an_app_of_ones_own_works_where_the_bot_is_no_member():
    async with FakeDiscord() as fake:
        anna, guild, channel = town(fake)
        group = fake.group(anna)
        async with running(fake) as at_work:
            fake.remove_bot(guild)
            values = {"symbol": "btc", "level": "hvl"}
            for place in (channel, group):
                card = await fake.invoke(anna, place, "levels", permissions=MANAGER)
                await card.answered()
                asked = await fake.invoke(anna, place, "alert add", values, permissions=MANAGER)
                await asked.answered()
            rules = await at_work.desk.store.rules()

    assert {rule.target for rule in rules} == {f"discord:@{anna.id}"}


async def test_what_people_write_never_becomes_markup_or_a_mention():
    nasty = "**x** @everyone <@1> [a](http://b) ```"

    async def answer(command):
        return Reply(nasty, lines=(" ".join(command.arguments),), footer=(nasty,))

    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        desk = await desk_with(handled("echo", answer, Argument("text", "any")))
        async with running(fake, desk.commands):
            asked = await (await fake.invoke(anna, channel, "echo", {"text": nasty})).answered()

    embed = asked.message.embeds[0]
    assert embed["description"] == (r"\*\*x\*\* \@everyone \<\@1\> \[a\](http\://b) \`\`\`")
    assert asked.message.pings == frozenset()


async def test_a_mistake_of_ours_is_logged_and_said_kindly(caplog):
    async def answer(command):
        raise ZeroDivisionError

    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        desk = await desk_with(handled("broken", answer))
        async with running(fake, desk.commands):
            asked = await (await fake.invoke(anna, channel, "broken")).answered()
            fine = await (await fake.invoke(anna, channel, "levels")).answered()

    assert "went wrong" in asked.message.text
    assert asked.message.seen_by is anna
    assert "BTC levels" in fine.message.text
    assert "ZeroDivisionError" in caplog.text
    assert fake.token not in caplog.text


async def test_a_slow_answer_holds_up_nobody():
    ready = asyncio.Event()

    async def answer(command):
        await ready.wait()
        return Reply("At last")

    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        desk = await desk_with(handled("slow", answer))
        async with running(fake, desk.commands):
            slow = await fake.invoke(anna, channel, "slow")
            await slow.acked()
            quick = await (await fake.invoke(anna, channel, "levels")).answered()
            waiting = slow.answered_at
            ready.set()
            await slow.answered()

    assert quick.message.text
    assert waiting is None
    assert slow.message.text == "At last"


@pytest.mark.parametrize("after_work", [False, True])
async def test_a_connection_that_breaks_at_the_first_reaction_costs_nothing(after_work):
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            fake.fail("POST", "/callback", Reset(after_work=after_work))
            asked = await (await fake.invoke(anna, channel, "levels")).answered()

    assert "BTC levels" in asked.message.text


@pytest.mark.parametrize("after_work", [False, True])
async def test_a_connection_that_breaks_at_the_answer_costs_nothing(after_work):
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            fake.fail("PATCH", "@original", Reset(after_work=after_work))
            asked = await (await fake.invoke(anna, channel, "levels")).answered()

    assert "BTC levels" in asked.message.text


@pytest.mark.parametrize("code", [(404, 10062), (400, 40060)])
async def test_an_interaction_that_is_over_is_dropped_without_a_traceback(code, caplog):
    status, number = code
    over = Answer(
        status,
        f'{{"message": "over", "code": {number}}}',
        headers={"Content-Type": "application/json"},
    )
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            fake.fail("POST", "/callback", over)
            await fake.invoke(anna, channel, "levels")
            asked = await (await fake.invoke(anna, channel, "levels")).answered()

    assert asked.message
    assert "Traceback" not in caplog.text
    assert [r.levelno for r in caplog.records if "not answered" in r.message] == [logging.WARNING]


async def test_an_answer_later_than_the_token_lives_goes_to_the_channel():
    ready = asyncio.Event()

    async def answer(command):
        await ready.wait()
        return Reply("At last")

    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        desk = await desk_with(handled("slow", answer))
        async with running(fake, desk.commands):
            slow = await fake.invoke(anna, channel, "slow")
            await slow.acked()
            fake.advance(1_000)
            ready.set()
            await fake.until(lambda: fake.messages(channel))

    assert [message.text for message in fake.messages(channel)] == ["At last"]


async def test_a_message_that_was_deleted_is_answered_by_a_new_one():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            asked = await (await fake.invoke(anna, channel, "levels")).answered()
            fake.fail(
                "PATCH",
                "@original",
                Answer(
                    404,
                    '{"message": "Unknown Message", "code": 10008}',
                    headers={"Content-Type": "application/json"},
                ),
            )
            pressed = await (await fake.press(anna, asked.message, "Refresh")).answered()

    assert len(pressed.followups) == 1


async def test_a_new_command_shows_up_with_form_and_suggestions_without_any_change_here():
    async def answer(command):
        return Reply(f"preview of {' '.join(command.arguments)}", private=True)

    preview = handled(
        "alert preview", answer, Argument("rule", "which rule", required=True, open=True)
    )
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        desk = await desk_with(replace(preview, samples={"rule": ("btc hvl cross",)}))
        async with running(fake, desk.commands):
            typed = await fake.autocomplete(anna, channel, "alert preview", "rule", "btc")
            await typed.answered()
            opened = await (await fake.invoke(anna, channel, "alert preview")).answered()
            sent = await fake.submit(anna, opened, {"rule": "btc hvl cross"})
            await sent.answered()

    assert [choice["value"] for choice in typed.choices] == ["btc hvl cross"]
    assert sent.message.text == "preview of btc hvl cross"
