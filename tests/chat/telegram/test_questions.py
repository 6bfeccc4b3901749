"""Questions whose answers are typed, over sockets and the real client."""

from bot.chat.telegram.questions import MOST, Questions
from bot.core.reply import Reply
from tests.chat.telegram.kit import House

ADDED = Reply("Alert #3 set", private=True)


async def asked(fake, house, person, chat, line="/alert add btc"):
    """The question that the line brings."""
    house.commands.replies["alert add"] = ADDED
    fake.say(person, chat, line)
    return await fake.next_message(chat)


def set_alerts(house):
    """What was asked to be set."""
    return [c.arguments for c in house.commands.asked if c.name == "alert add"]


async def test_in_private_plain_text_answers_the_newest_question(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        question = await asked(fake, house, ann, chat)
        fake.say(ann, chat, "70000 cross up")
        told = await fake.next_message(chat)

    assert "reply to this message" in question.text
    assert told.text == "Alert #3 set"
    assert set_alerts(house) == [("btc", "70000", "cross", "up")]


async def test_a_typed_answer_brings_the_next_question(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        await asked(fake, house, ann, chat, "/alert add")
        fake.say(ann, chat, "eth")
        await fake.next_message(chat)
        fake.say(ann, chat, "hvl")
        await fake.next_message(chat)

    assert set_alerts(house) == [("eth", "hvl")]


async def test_a_question_goes_on_after_a_press_changed_it(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        question = await asked(fake, house, ann, chat, "/alert add")
        fake.press(ann, question, "btc")
        await fake.until(lambda: question.edits)
        fake.say(ann, chat, "70000")
        await fake.next_message(chat)

    assert set_alerts(house) == [("btc", "70000")]


async def test_a_command_is_no_answer_and_what_was_answered_is_closed(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        await asked(fake, house, ann, chat)
        fake.say(ann, chat, "levels eth")
        levels = await fake.next_message(chat)
        fake.say(ann, chat, "hvl")
        await fake.next_message(chat)
        fake.say(ann, chat, "thanks")
        thanks = await fake.next_message(chat)

    assert levels.text == "you asked levels eth"
    assert set_alerts(house) == [("btc", "hvl")]
    assert thanks.text == "you asked thanks"


async def test_an_answer_that_was_pressed_closes_the_question(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        question = await asked(fake, house, ann, chat)
        fake.press(ann, question, "hvl")
        await fake.until(lambda: question.edits)
        fake.say(ann, chat, "70000")
        after = await fake.next_message(chat)

    assert after.text == "you asked 70000"


async def test_after_an_answer_that_was_wrong_the_question_is_open_still(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)

    async with house.open():
        await asked(fake, house, ann, chat)
        house.commands.replies["alert add"] = Reply("No", lines=("no such level",), tone="error")
        fake.say(ann, chat, "hlv")
        await fake.next_message(chat)
        house.commands.replies["alert add"] = ADDED
        fake.say(ann, chat, "hvl")
        await fake.next_message(chat)

    assert set_alerts(house) == [("btc", "hlv"), ("btc", "hvl")]


async def test_in_a_group_a_reply_to_the_question_answers_it_and_nothing_else(fake, house):
    ann, bob = fake.add_user("Ann"), fake.add_user("Bob")
    group = fake.add_group("Traders", "supergroup", admins=[ann], bot="administrator")

    async with house.open():
        question = await asked(fake, house, ann, group)
        fake.say(ann, group, "70000")
        fake.say(bob, group, "flip", reply_to=question)
        await fake.next_message(group)
        fake.say(ann, group, "hvl", reply_to=question)
        await fake.next_message(group)

    assert set(set_alerts(house)) == {("btc", "flip"), ("btc", "hvl")}
    rights = {c.arguments[1]: c.may_manage for c in house.commands.asked}
    assert rights == {"flip": False, "hvl": True}


async def test_after_a_restart_a_typed_answer_is_a_command_again(fake, house):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    after = House(fake)

    async with house.open():
        await asked(fake, house, ann, chat)
    async with after.open():
        fake.say(ann, chat, "70000")
        answer = await fake.next_message(chat)

    assert answer.text == "you asked 70000"


def test_only_so_many_questions_are_remembered():
    questions = Questions()

    for message in range(MOST + 10):
        questions.note(1, message, Reply("Which level", unfinished="alert add btc"))

    assert len(questions._open) == MOST  # noqa: SLF001 - what it must not let grow
