"""What people type, over sockets and the real client."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.core.reply import Reply
from bot.ports import Urgency
from tests.chat.telegram.kit import House, drawn, levels, picture
from tests.fakes.telegram_server import FakeTelegram


async def test_a_command_in_private_is_answered_before_everything_that_is_pushed(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert answer.text == "you asked levels btc"
    assert house.pace.turns == [(str(chat.id), Urgency.REPLY)]
    [command] = house.commands.asked
    assert (command.target, command.person) == (f"telegram:{chat.id}", f"telegram:{ann.id}")
    assert command.may_manage
    assert not command.is_shared


async def test_in_private_a_command_needs_no_slash(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        fake.say(ann, chat, "levels eth")
        answer = await fake.next_message(chat)

    assert answer.text == "you asked levels eth"


async def test_in_a_group_the_answer_goes_below_the_command_that_named_us(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders")

    async with house.open():
        asked = fake.say(ann, group, "/levels@gammabell_bot btc")
        answer = await fake.next_message(group)

    assert answer.text == "you asked levels btc"
    assert answer.reply_to is asked
    assert house.commands.asked[0].place == "Traders"
    assert house.commands.asked[0].is_shared


async def test_what_is_for_another_bot_or_for_nobody_is_left_alone(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", bot="administrator")

    async with house.open():
        fake.say(ann, group, "/levels@other_bot btc")
        fake.say(ann, group, "/ban bob")
        fake.say(ann, group, "levels btc")
        asked = fake.say(ann, group, "/levels eth")
        answer = await fake.next_message(group)

    assert answer.reply_to is asked
    assert len(house.commands.asked) == 1


async def test_an_edited_message_is_not_answered_again(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        said = fake.say(ann, chat, "/levels btc")
        await fake.next_message(chat)
        fake.edit(said, "/levels eth")
        fake.say(ann, chat, "/levels sol")
        await fake.next_message(chat)

    assert [command.arguments for command in house.commands.asked] == [("btc",), ("sol",)]


async def test_a_topic_is_answered_in_the_topic(fake, house):
    ann = fake.add_user("Ann")
    forum = fake.add_group("Traders", forum=True)
    topic = fake.add_topic(forum, "Gamma")

    async with house.open():
        fake.say(ann, forum, "/levels btc", topic)
        answer = await fake.next_message(forum)

    assert answer.topic is topic
    assert house.commands.asked[0].target == f"telegram:{forum.id}/{topic.id}"


async def test_a_thread_of_replies_is_no_topic(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", "supergroup")

    async with house.open():
        first = fake.say(ann, group, "/levels btc")
        await fake.next_message(group)
        fake.say(ann, group, "/levels eth", reply_to=first)
        await fake.next_message(group)

    assert house.commands.asked[1].target == f"telegram:{group.id}"


async def test_a_channels_post_speaks_for_the_channel(fake, house):
    channel = fake.add_channel("Gamma news")

    async with house.open():
        fake.post(channel, "/feed on")
        answer = await fake.next_message(channel)

    assert answer.text == "you asked feed on"
    [command] = house.commands.asked
    assert command.may_manage
    assert command.home == f"telegram:{channel.id}"
    assert command.lacks == ()


async def test_a_stopped_listener_answers_later_what_is_not_old_by_then(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    world = fake.world
    long_ago = world.clock() - 600

    present, world.clock = world.clock, lambda: long_ago
    fake.say(ann, chat, "/levels btc")
    world.clock = present
    fake.say(ann, chat, "/levels eth")
    async with house.open():
        await fake.next_message(chat)

    assert [command.arguments for command in house.commands.asked] == [("eth",)]


async def test_a_clock_that_is_wrong_silences_nobody(fake):
    house = House(fake, now=lambda: datetime.now(UTC) + timedelta(hours=1))
    ann = fake.add_user("Ann")

    async with house.open():
        await fake.until(lambda: len(fake.called("getUpdates")) >= 1)
        fake.say(ann, fake.private(ann), "/levels btc")
        answer = await fake.next_message(fake.private(ann))

    assert answer.text.startswith("you asked levels")


async def test_a_card_with_its_picture_is_one_message(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = levels(draw=drawn(picture()))

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert answer.photo == picture().png
    assert answer.caption.startswith("BTC levels")
    assert answer.buttons == [["Refresh", "Profile", "Alert me"]]
    assert len(fake.sent(chat)) == 1


async def test_a_slow_picture_comes_after_the_card(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    gate = asyncio.Event()
    house.commands.replies["levels"] = levels(draw=drawn(picture(), gate))

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        card = await fake.next_message(chat)
        shown_first = card.photo, card.text
        gate.set()
        photo = await fake.next_message(chat)

    assert shown_first[0] is None
    assert shown_first[1].startswith("BTC levels")
    assert (photo.photo, photo.caption, photo.buttons) == (picture().png, "BTC levels", [])


class NewerTelegram(FakeTelegram):
    """Adds media to text messages, as the Bot API's documentation has it."""

    async def _result(self, token, method, params):
        if method == "editMessageMedia":
            message = self.world.find_message(self.world.find_chat(params), params, "edit")
            message.caption, message.text = message.words, ""
        return await super()._result(token, method, params)


async def test_where_telegram_can_a_slow_picture_joins_its_card():
    gate = asyncio.Event()
    async with NewerTelegram(limits=False) as fake:
        house = House(fake)
        ann = fake.add_user("Ann")
        house.commands.replies["levels"] = levels(draw=drawn(picture(), gate))

        async with house.open():
            fake.say(ann, fake.private(ann), "/levels btc")
            card = await fake.next_message(fake.private(ann))
            gate.set()
            await fake.until(lambda: card.photo)

        assert card.caption.startswith("BTC levels")
        assert len(fake.sent(fake.private(ann))) == 1


async def test_a_card_that_is_too_long_for_a_caption_has_its_picture_below(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = levels(lines=("long " * 250,), draw=drawn(picture()))

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        card = await fake.next_message(chat)
        photo = await fake.next_message(chat)

    assert "long long" in card.text
    assert card.buttons
    assert (photo.photo, photo.caption, photo.buttons) == (picture().png, "BTC levels", [])


async def test_a_picture_that_cannot_be_drawn_leaves_the_card(fake, house):
    async def fail():
        raise ValueError("no ink")

    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = levels(draw=fail)

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert answer.text.startswith("BTC levels")


async def test_a_slow_answer_is_announced_and_holds_up_nobody(fake, house):
    async def slow():
        await gate.wait()
        return Reply("at last")

    ann, bob = fake.add_user("Ann"), fake.add_user("Bob")
    gate = asyncio.Event()
    house.commands.replies["chart"] = lambda command: slow()

    async with house.open():
        fake.say(ann, fake.private(ann), "/chart btc")
        fake.say(bob, fake.private(bob), "/levels btc")
        quick = await fake.next_message(fake.private(bob))
        await fake.until(lambda: fake.called("sendChatAction"))
        gate.set()
        late = await fake.next_message(fake.private(ann))

    assert quick.text == "you asked levels btc"
    assert fake.called("sendChatAction")[0]["chat_id"] == str(ann.id)
    assert late.text == "at last"


async def test_a_broken_command_is_logged_and_told_kindly(fake, house, caplog):
    def broken(command):
        raise ZeroDivisionError

    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = broken

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert "try again" in answer.text
    assert "ZeroDivisionError" in caplog.text
    assert fake.token not in caplog.text


async def test_start_takes_the_chat_up_again_and_greets(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders")

    async with house.open():
        fake.say(ann, fake.private(ann), "/start")
        await fake.next_message(fake.private(ann))
        fake.say(ann, group, "/start@gammabell_bot")
        await fake.until(lambda: len(house.commands.asked) == 2)

    assert [command.name for command in house.commands.asked] == ["help", "setup"]
    assert house.chats.noted == [
        ("revive", f"telegram:{ann.id}"),
        ("revive", f"telegram:{group.id}"),
    ]


async def test_being_thrown_out_blocked_and_taken_back_is_noted(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", admins=[ann])
    fake.private(ann)

    async with house.open():
        fake.kick(group)
        fake.join(group)
        fake.block(ann)
        fake.unblock(ann)
        await fake.until(lambda: len(house.chats.noted) == 4)

    assert house.chats.noted == [
        ("lose", f"telegram:{group.id}"),
        ("revive", f"telegram:{group.id}"),
        ("lose", f"telegram:{ann.id}"),
        ("revive", f"telegram:{ann.id}"),
    ]


async def test_rights_that_are_given_back_take_the_chat_up_again(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", "supergroup", admins=[ann])
    channel = fake.add_channel("News", [ann])

    async with house.open():
        fake.restrict(group, "can_send_messages")
        fake.promote(channel, without=["can_post_messages"])
        fake.promote(channel)
        fake.demote(group)
        await fake.until(lambda: len(house.chats.noted) == 4)

    assert house.chats.noted == [
        ("bar", f"telegram:{group.id}", "missing right: Send Messages"),
        ("bar", f"telegram:{channel.id}", "missing right: Post Messages"),
        ("revive", f"telegram:{channel.id}"),
        ("revive", f"telegram:{group.id}"),
    ]


async def test_a_group_that_adds_the_bot_is_greeted_once(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", admins=[ann], bot="left")

    async with house.open():
        fake.join(group)
        greeting = await fake.next_message(group)
        fake.promote(group)
        fake.say(ann, group, "/levels btc")
        await fake.next_message(group)

    assert greeting.text == (
        "I ring on gamma levels.\n\n/setup shows what works here, /feed on starts the feed."
    )
    assert len(fake.sent(group)) == 2
    assert (str(group.id), Urgency.REPLY) in house.pace.turns


async def test_a_channel_that_adds_the_bot_is_not_greeted(fake, house):
    channel = fake.add_channel("News", [fake.add_user("Ann")], bot="left")

    async with house.open():
        fake.join(channel)
        fake.post(channel, "/levels btc")
        answer = await fake.next_message(channel)

    assert answer.text == "you asked levels btc"
    assert len(fake.sent(channel)) == 1


async def test_a_group_where_the_bot_may_not_write_is_not_greeted(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", "supergroup", admins=[ann], bot="left")

    async with house.open():
        fake.restrict(group, "can_send_messages")
        fake.say(ann, fake.private(ann), "/levels btc")
        await fake.next_message(fake.private(ann))

    assert len(house.pace.turns) == 1


async def test_an_answer_that_may_be_lost_is_given_once_more(fake, house):
    ann = fake.add_user("Ann")
    fake.fail("sendMessage", "bad gateway")

    async with house.open():
        fake.say(ann, fake.private(ann), "/levels btc")
        answer = await fake.next_message(fake.private(ann))

    assert answer.text == "you asked levels btc"
    assert fake.counts["sendMessage", 502] == 1


async def test_a_group_that_moves_is_followed(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", admins=[ann])

    async with house.open():
        new = fake.migrate(group)
        fake.say(ann, new, "/levels btc")
        answer = await fake.next_message(new)

    assert answer.text == "you asked levels btc"
    assert set(house.chats.noted) == {
        ("move", f"telegram:{group.id}", f"telegram:{new.id}"),
    }


async def test_a_limit_is_waited_for_and_the_answer_comes(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    fake.fail("sendMessage", "flood", seconds=3)

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert answer.text == "you asked levels btc"
    assert house.pace.holds == [(3.0, str(chat.id))]


async def test_who_may_not_write_in_a_group_says_so_in_private(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders")
    fake.private(ann)
    fake.set_trouble(group, "no rights")

    async with house.open():
        fake.say(ann, group, "/levels btc")
        told = await fake.next_message(fake.private(ann))

    assert told.text == "I cannot answer in Traders\n\nmissing right: Send Messages"


async def test_nothing_that_people_write_becomes_a_mention_or_markup(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    nasty = "<b>@everyone</b> t.me/joinchat https://evil.example &lt;"
    house.commands.replies["levels"] = Reply("No answer", lines=(nasty,), tone="error")

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        answer = await fake.next_message(chat)

    assert answer.text.replace("\u2060", "").endswith(nasty)
    assert {entity["type"] for entity in answer.entities} == {"bold"}
    assert answer.pieces("bold") == ["No answer"]
