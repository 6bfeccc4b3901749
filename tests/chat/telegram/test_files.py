"""Replies with a file, over sockets and the real client."""

from bot.core.reply import Action, File, Reply, Table

STRING = "$BTCUSD: Call Resistance, 95000.5, HVL, 90000"


def exported(name, **more):
    file = File(f"gammabell.{name}", f"{name} of BTC".encode(), "text/plain")
    others = [other for other in ("csv", "ics") if other != name]
    actions = tuple(Action(other, f"export {other}") for other in others)
    return Reply(f"BTC {name}", lines=("take it",), file=file, actions=actions, **more)


def export(command):
    return exported(*command.arguments)


async def test_a_file_comes_with_its_card_below_it_and_its_buttons(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders")
    house.commands.replies["levels"] = exported("csv")

    async with house.open():
        asked = fake.say(ann, group, "/levels@gammabell_bot btc")
        shown = await fake.next_message(group)

    assert shown.document == b"csv of BTC"
    assert shown.document_file.name == "gammabell.csv"
    assert shown.caption.startswith("BTC csv\n")
    assert shown.buttons == [["ics"]]
    assert shown.reply_to is asked


async def test_a_pressed_format_comes_below_and_leaves_the_other_file(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = exported("csv")
    house.commands.replies["export"] = export

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        shown = await fake.next_message(chat)
        fake.press(ann, shown, "ics")
        below = await fake.next_message(chat)

    assert (shown.document, shown.edits) == (b"csv of BTC", 0)
    assert below.document == b"ics of BTC"


async def test_a_card_that_is_too_long_for_a_caption_goes_before_its_file(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    long = Table("", (), (("x" * 1_100,),))
    house.commands.replies["levels"] = exported("csv", tables=(long,))

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        await fake.until(lambda: len(fake.sent(chat)) == 2)

    card, file = fake.sent(chat)
    assert "x" * 1_100 in card.text
    assert (file.caption, file.document) == ("BTC csv", b"csv of BTC")


async def test_where_files_are_forbidden_the_words_still_come(fake, house):
    ann = fake.add_user("Ann")
    group = fake.add_group("Traders")
    fake.restrict(group, "can_send_documents")
    house.commands.replies["levels"] = exported("csv")

    async with house.open():
        fake.say(ann, group, "/levels@gammabell_bot btc")
        shown = await fake.next_message(group)

    assert shown.text.startswith("BTC csv\n")
    assert shown.document is None


async def test_a_level_string_can_be_copied_as_it_is(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house.commands.replies["levels"] = exported("txt", tables=(Table("", (), ((STRING,),)),))

    async with house.open():
        fake.say(ann, chat, "/levels btc")
        shown = await fake.next_message(chat)

    assert shown.pieces("pre") == [STRING]
