"""A chat that asks too much: it is told so, and no other chat notices."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

from bot.chat.buttons import Signer
from bot.chat.telegram.address import Address
from bot.chat.telegram.handling import MOST_ANSWERS, MOST_TURNED_AWAY
from bot.chat.telegram.messages import Messages
from bot.chat.telegram.questions import Questions
from bot.chat.telegram.room import Room
from bot.chat.telegram.tasks import MOST
from bot.core.reply import Reply
from bot.errors import DeliveryError
from tests.chat.telegram.kit import FreePace, House, levels
from tests.service.builders import run_virtually


class GatedPace(FreePace):
    """Lets everyone start but one chat, which waits for the gate."""

    def __init__(self, place):
        super().__init__()
        self._place = str(place)
        self.gate = asyncio.Event()

    @asynccontextmanager
    async def turn(self, place, urgency):
        if place == self._place:
            await self.gate.wait()
        async with super().turn(place, urgency):
            yield


async def answered_elsewhere(fake, person):
    fake.say(person, fake.private(person), "/levels btc")
    return await fake.next_message(fake.private(person))


async def test_a_busy_group_holds_up_nobody_and_is_told_once(fake):
    ann, bob = fake.add_user("Ann"), fake.add_user("Bob")
    group = fake.add_group("Traders")
    house = House(fake, pace=GatedPace(group.id))

    async with house.open():
        for _ in range(2 * MOST):
            fake.say(ann, group, "/levels btc")
        other = await answered_elsewhere(fake, bob)
        house.pace.gate.set()
        await fake.until(lambda: len(fake.sent(group)) == MOST_ANSWERS + 1)
        fake.say(ann, group, "/levels eth")
        await fake.until(lambda: len(fake.sent(group)) == MOST_ANSWERS + 2)

    texts = Counter(message.text for message in fake.sent(group))
    assert other.text == "you asked levels btc"
    assert texts.pop("you asked levels btc") == MOST_ANSWERS
    assert texts.pop("you asked levels eth") == 1
    [(apology, times)] = texts.items()
    assert "ask again in a moment" in apology
    assert times == 1


async def test_talk_in_a_busy_group_is_no_command_and_is_not_turned_away(fake):
    ann, bob = fake.add_user("Ann"), fake.add_user("Bob")
    group = fake.add_group("Traders")
    house = House(fake, pace=GatedPace(group.id))

    async with house.open():
        for _ in range(MOST_ANSWERS):
            fake.say(ann, group, "/levels btc")
        for _ in range(10):
            fake.say(ann, group, "to the moon")
        await answered_elsewhere(fake, bob)
        house.pace.gate.set()
        await fake.until(lambda: len(fake.sent(group)) == MOST_ANSWERS)

    assert {message.text for message in fake.sent(group)} == {"you asked levels btc"}


async def test_presses_that_are_too_many_are_told_so_in_a_window(fake):
    ann, bob = fake.add_user("Ann"), fake.add_user("Bob")
    group = fake.add_group("Traders")
    house = House(fake, pace=GatedPace(group.id))
    house.commands.replies["levels"] = levels()

    async with house.open():
        house.pace.gate.set()
        fake.say(ann, group, "/levels btc")
        card = await fake.next_message(group)
        house.pace.gate.clear()
        presses = [fake.press(ann, card, "Refresh") for _ in range(MOST_ANSWERS + 5)]
        await fake.until(lambda: all(press.answered for press in presses))
        other = await answered_elsewhere(fake, bob)
        house.pace.gate.set()

    assert [bool(press.text) for press in presses] == [False] * MOST_ANSWERS + [True] * 5
    assert "ask again in a moment" in presses[-1].text
    assert other.text.startswith("BTC levels")
    assert MOST_TURNED_AWAY > 5


async def test_a_chat_that_waits_for_much_gets_one_sign_that_it_comes(fake):
    ann = fake.add_user("Ann")
    chat = fake.private(ann)
    house = House(fake, pace=GatedPace(chat.id))

    async with house.open():
        for _ in range(5):
            fake.say(ann, chat, "/levels btc")
        await fake.until(lambda: fake.called("sendChatAction"))
        house.pace.gate.set()
        await fake.until(lambda: len(fake.sent(chat)) == 5)

    assert len(fake.called("sendChatAction")) == 1


def test_an_answer_that_has_no_turn_for_a_minute_is_given_up():
    class ShutPace(FreePace):
        @asynccontextmanager
        async def turn(self, place, urgency):
            await asyncio.Event().wait()
            yield

    async def say():
        messages = Messages(None, ShutPace(), Signer("key"), Questions(), lambda *_: False)
        try:
            await messages.send_words(Address(7), Reply("BTC levels"), None)
        except DeliveryError as error:
            return str(error), asyncio.get_running_loop().time()

    said, seconds = run_virtually(say())
    assert said == "no turn for it in 60 s"
    assert 60 <= seconds < 61


def test_room_is_taken_by_place_and_given_back():
    room = Room(2)

    with room.enter("a") as first, room.enter("a") as second, room.enter("a") as third:
        other = is_let_in(room, "b")
    again = is_let_in(room, "a")

    assert (first, second, third, other, again) == (True, True, False, True, True)


def is_let_in(room, place):
    with room.enter(place) as has_room:
        return has_room
