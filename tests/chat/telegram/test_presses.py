"""Buttons, dialogues and private answers, over sockets and the real client."""

import asyncio

from bot.chat.buttons import Signer
from bot.core.reply import Action, Link, Menu, Reply
from tests.chat.telegram.kit import House, drawn, levels, picture


async def card(fake, house, person, chat, line="/levels btc"):
    """What the line is answered with."""
    fake.say(person, chat, line)
    return await fake.next_message(chat)


async def answered(fake, query):
    await fake.until(lambda: query.answered)


async def test_a_press_changes_the_card_in_place(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    cards = iter([levels(), levels(footer=("as of 12:01",))])
    house.commands.replies["levels"] = lambda command: next(cards)

    async with house.open():
        shown = await card(fake, house, ann, chat)
        query = fake.press(ann, shown, "Refresh")
        await fake.until(lambda: "12:01" in shown.text)

    assert query.answered
    assert len(fake.sent(chat)) == 1


async def test_a_press_changes_picture_and_caption_together(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    replies = house.commands.replies
    replies["levels"] = levels(draw=drawn(picture()))
    replies["chart"] = levels("ETH", draw=drawn(picture("blue")), picture_first=True)

    async with house.open():
        shown = await card(fake, house, ann, chat)
        fake.press(ann, shown, "Profile")
        await fake.until(lambda: shown.edits)

    assert (shown.photo, shown.caption[:10]) == (picture("blue").png, "ETH levels")
    assert len(fake.sent(chat)) == 1


async def test_a_slow_picture_follows_the_caption_in_place(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    gate = asyncio.Event()
    slow = levels("ETH", draw=drawn(picture("blue"), gate))
    cards = iter([levels(draw=drawn(picture())), slow])
    house.commands.replies["levels"] = lambda command: next(cards)

    async with house.open():
        shown = await card(fake, house, ann, chat)
        fake.press(ann, shown, "Refresh")
        await fake.until(lambda: shown.edits)
        first = shown.caption[:10], shown.photo == picture().png
        gate.set()
        await fake.until(lambda: shown.photo == picture("blue").png)

    assert first == ("ETH levels", True)


async def test_words_above_an_older_picture_say_so(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    cards = iter([levels(draw=drawn(picture())), levels(draw=drawn(None))])
    house.commands.replies["levels"] = lambda command: next(cards)

    async with house.open():
        shown = await card(fake, house, ann, chat)
        fake.press(ann, shown, "Refresh")
        await fake.until(lambda: shown.edits)

    assert "older one" in shown.caption


async def test_what_has_no_picture_is_said_below_a_photo(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = levels(draw=drawn(picture()))
    house.commands.replies["chart"] = Reply("words alone")

    async with house.open():
        shown = await card(fake, house, ann, chat)
        fake.press(ann, shown, "Profile")
        below = await fake.next_message(chat)

    assert below.text == "words alone"
    assert shown.edits == 0


async def test_a_press_that_changes_nothing_is_fine(fake, house, caplog):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = levels()

    async with house.open():
        shown = await card(fake, house, ann, chat)
        fake.press(ann, shown, "Refresh")
        await fake.until(lambda: fake.counts["editMessageText", 400])
        await card(fake, house, ann, chat, "/help")

    assert len(fake.sent(chat)) == 2
    assert caplog.messages == []


async def test_a_card_that_was_deleted_is_said_anew(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = levels()

    async with house.open():
        shown = await card(fake, house, ann, chat)
        fake.press(ann, shown, "Refresh")
        shown.deleted = True
        anew = await fake.next_message(chat)

    assert anew.text.startswith("BTC levels")


async def test_buttons_work_after_a_restart(fake):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    before, after = House(fake), House(fake)
    before.commands.replies["levels"] = levels()
    after.commands.replies["levels"] = levels("ETH")

    async with before.open():
        shown = await card(fake, before, ann, chat)
    async with after.open():
        fake.press(ann, shown, "Refresh")
        await fake.until(lambda: shown.text.startswith("ETH"))

    assert [command.name for command in after.commands.asked] == ["levels"]


async def test_a_press_from_long_before_the_start_does_nothing(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = levels()

    async with house.open():
        shown = await card(fake, house, ann, chat)
    query = fake.press(ann, shown, "Refresh")
    query.pressed_at -= 60
    async with House(fake, commands=house.commands).open():
        await card(fake, house, ann, chat, "/help")

    assert [command.name for command in house.commands.asked] == ["levels", "help"]


async def test_data_that_we_did_not_sign_does_nothing(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = levels()
    forged = Signer("another key").sign("feed off", 64)

    async with house.open():
        shown = await card(fake, house, ann, chat)
        query = fake.press(ann, shown, data=forged)
        await answered(fake, query)

    assert query.alert
    assert "type the command" in query.text
    assert len(house.commands.asked) == 1


async def test_a_menu_becomes_buttons_and_what_is_too_long_for_one_is_left_out(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    coins = [Action(coin, f"levels {coin.lower()}") for coin in ("BTC", "ETH", "SOL", "HYPE", "X")]
    long = Action("Long", "levels " + "x" * 60)
    house.commands.replies["levels"] = Reply("t", actions=(long,), menus=(Menu("Coin", (*coins,)),))

    async with house.open():
        shown = await card(fake, house, ann, chat)

    assert shown.buttons == [["BTC", "ETH", "SOL", "HYPE"], ["X"]]


async def test_a_private_answer_leaves_the_card_as_it_is(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = levels()

    async with house.open():
        shown = await card(fake, house, ann, chat)
        fake.press(ann, shown, "Alert me")
        below = await fake.next_message(chat)

    assert below.text == "you asked alert add btc hvl cross any"
    assert shown.edits == 0


async def test_in_a_group_a_short_private_answer_opens_a_window(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders")
    house.commands.replies["levels"] = levels()
    house.commands.replies["alert add"] = Reply("Set", lines=("Alert #3 is set.",), private=True)

    async with house.open():
        shown = await card(fake, house, ann, group)
        query = fake.press(ann, shown, "Alert me")
        await answered(fake, query)

    assert (query.text, query.alert) == ("Alert #3 is set.", True)
    assert len(fake.sent(group)) == 1


async def test_in_a_group_a_private_answer_goes_to_the_persons_own_chat(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders")
    fake.private(ann)

    async with house.open():
        fake.say(ann, group, "/alert list")
        told = await fake.next_message(fake.private(ann))

    assert told.text == "you asked alert list"
    assert fake.sent(group) == []


async def test_without_an_own_chat_it_is_said_in_the_group(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders")
    fake.private(ann, started=False)

    async with house.open():
        told = await card(fake, house, ann, group, "/alert list")

    assert told.text == (
        "you asked alert list\n\n"
        "I cannot write to you yet: open https://t.me/gammabell_bot and press Start."
    )


async def test_what_lets_people_in_is_never_said_in_a_group(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", admins=[ann])
    fake.private(ann, started=False)
    link = Link("Open", "https://bell.example.org/sign-on#pass")
    house.commands.replies["setup"] = Reply("Dashboard", links=(link,), private=True, secret=True)

    async with house.open():
        told = await card(fake, house, ann, group, "/setup")

    assert told.text == (
        "Dashboard\n\n"
        "It is for you alone: ask me in our own chat.\n"
        "I cannot write to you yet: open https://t.me/gammabell_bot and press Start."
    )
    assert told.buttons == []


async def test_what_is_about_the_group_is_said_there_to_who_runs_it(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", admins=[ann])

    async with house.open():
        told = await card(fake, house, ann, group, "/alert list")

    assert told.text == "you asked alert list"


async def test_who_may_manage_is_asked_at_every_press(fake, house):
    ann, bob = fake.add_user("Ann"), fake.add_user("Bob")
    group = fake.add_group("Traders", admins=[ann, bob])
    house.commands.replies["setup"] = Reply("Setup", actions=(Action("Feed on", "feed on"),))
    house.commands.replies["feed on"] = lambda command: Reply(f"may: {command.may_manage}")

    async with house.open():
        shown = await card(fake, house, bob, group, "/setup")
        fake.demote(group, bob)
        fake.press(bob, shown, "Feed on")
        await fake.until(lambda: shown.edits)

    assert shown.text == "may: False"
    assert [command.may_manage for command in house.commands.asked] == [True, False]


async def test_an_anonymous_administrator_may_manage(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", "supergroup", admins=[ann])

    async with house.open():
        await card(fake, house, None, group, "/feed on")

    [command] = house.commands.asked
    assert command.may_manage
    assert command.home == f"telegram:{group.id}"


async def test_a_reader_of_a_channel_may_not_manage_it(fake, house):
    ann = fake.add_user("Ann")
    channel = fake.add_channel("News")
    house.commands.replies["feed on"] = Reply("Feed", actions=(Action("Again", "feed on"),))

    async with house.open():
        fake.post(channel, "/feed on")
        shown = await fake.next_message(channel)
        fake.press(ann, shown, "Again")
        await fake.until(lambda: len(house.commands.asked) == 2)

    assert [command.may_manage for command in house.commands.asked] == [True, False]
    assert house.commands.asked[1].person == f"telegram:{ann.id}"


async def test_missing_rights_are_named_as_telegram_calls_them(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", "supergroup", admins=[ann])
    channel = fake.add_channel("News", [ann])
    fake.restrict(group, "can_send_photos")
    fake.promote(channel, without=["can_post_messages"])

    async with house.open():
        await card(fake, house, ann, group, "/setup")
        fake.post(channel, "/setup")
        await fake.until(lambda: len(house.commands.asked) == 2)

    assert [command.lacks for command in house.commands.asked] == [
        ("Send Photos",),
        ("Post Messages",),
    ]


async def test_who_cannot_be_asked_for_is_not_taken_for_a_stranger(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders", admins=[ann])
    fake.fail("getChatMember", "bad gateway")

    async with house.open():
        told = await card(fake, house, ann, group, "/feed on")

    assert told.text.endswith("try again")
    assert house.commands.asked == []


async def test_a_dialogue_asks_until_the_command_is_whole(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        shown = await card(fake, house, ann, chat, "/alert add")
        first = shown.text, shown.buttons
        fake.press(ann, shown, "eth")
        await fake.until(lambda: shown.edits == 1)
        second = shown.text, shown.buttons
    async with House(fake, commands=house.commands).open():
        fake.press(ann, shown, "flip")
        await fake.until(lambda: shown.edits == 2)

    assert "or write it whole: /alert add SYMBOL LEVEL [event]" in first[0]
    assert first[1] == [["btc", "eth"]]
    assert "for example: /alert add eth hvl" in second[0]
    assert second[1] == [["hvl", "flip"]]
    assert shown.text == "you asked alert add eth flip"


async def test_the_first_word_alone_offers_what_there_is(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        shown = await card(fake, house, ann, chat, "/alert")
        fake.press(ann, shown, "list")
        await fake.until(lambda: shown.edits)

    assert shown.text == "you asked alert list"
