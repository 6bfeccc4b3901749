"""A day on Telegram: the whole program over sockets, as a trader and as moderators live it.

The market is the simulated one; `next_passage` knows what it will do, so that the day needs no
luck: an alert is set on a price that spot is about to pass, and rings once in its life.
"""

import asyncio
import re
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from tests.days.program import Program
from tests.days.tomorrow import next_passage
from tests.fakes.telegram_server import FakeTelegram

PATIENCE = 150.0  # seconds, for what takes one or two: the machine may be busy
TRIES = 100  # of a question; a chat bears one a second
STEPS = 10  # answers that take as long as the last one, until spot passes a price of an alert
# What Telegram may refuse in these days, each because somebody made it so.
PLANNED = (
    "there is no media in the message to edit",  # this server joins no picture to a text
    "bot can't initiate conversation with a user",
    "not enough rights to send text messages to the chat",
    "group chat was upgraded to a supergroup chat",
)


@asynccontextmanager
async def opened(folder):
    """Telegram, and the program that talks to it; at the end the log has nothing to hide."""
    async with FakeTelegram() as fake:
        settings = {
            "TELEGRAM__ENABLED": "true",
            "TELEGRAM_TOKEN": fake.token,
            "TELEGRAM__API_BASE": fake.api_base,
            "VENUES__DERIVE__ENABLED": "false",  # its first chain takes six seconds
        }
        async with Program(folder, **settings) as program:
            await program.start()
            yield fake, program
            assert await program.stop() == 0
        assert fake.token not in program.log
        assert "Traceback" not in program.log
        assert " ERROR " not in program.log


class Seat:
    """A person in a chat, perhaps in a topic of it."""

    def __init__(self, fake, user, chat, topic=None):
        self.fake, self.user, self.chat, self.topic = fake, user, chat, topic
        self.took = 0.0  # seconds, the last answer

    async def asks(self, line, *expected):
        """The answer: the first new message with these words."""
        began = monotonic()
        asked = self.fake.say(self.user, self.chat, line, self.topic)
        answer = await self.sees(*expected, after=asked)
        self.took = monotonic() - began
        return answer

    async def sees(self, *expected, after=None):
        """The first message with these words, as soon as it is there; after that one if named."""
        await self._until(lambda: self.seen(*expected, after=after), expected)
        return self.seen(*expected, after=after)[0]

    def seen(self, *expected, after=None):
        """Every message of the bot with these words."""
        newest = after.id if after else 0
        return [
            message
            for message in self.fake.sent(self.chat)
            if message.id > newest and all(word in message.words for word in expected)
        ]

    async def presses(self, message, label):
        """Press, until the spinner ends; what the small window says."""
        query = self.fake.press(self.user, message, label)
        await self._until(lambda: query.answered, f"an answer to {label}")
        return query.text

    async def sees_it_become(self, message, *expected):
        """The message is edited in place."""
        await self._until(lambda: all(word in message.words for word in expected), expected)

    async def asks_until(self, line, *expected, picture=False):
        """The answer that has these words, and a picture if need be; asked again until there is."""
        for _ in range(TRIES):
            answer = await self.asks(line, "SIMULATED")
            drawn = answer.photo or not picture
            if drawn and all(word in answer.words for word in expected):
                return answer
        pytest.fail(f"never answered {expected}, only {answer.words}")

    def next_passage(self, after=4, **more):
        """One that leaves time for some questions, however slow the machine is."""
        return next_passage(after + int(STEPS * self.took), **more)

    async def _until(self, predicate, what):
        try:
            await self.fake.until(predicate, PATIENCE)
        except TimeoutError:
            said = [message.words[:200] for message in self.fake.sent(self.chat)[-5:]]
            pytest.fail(f"never saw {what}, last {said}; refused: {refusals(self.fake)}")


async def set_alert(seat):
    """An alert on a price that spot is about to pass, and what it answered."""
    passage = seat.next_passage()
    return passage, await seat.asks(f"/alert add {passage.rule}", "set", passage.rule)


def number_of(answer):
    """The alert's number, as its card says it: Alert #3 set."""
    return answer.words.partition("Alert #")[2].split()[0]


def refusals(fake):
    """What Telegram refused, with the codes."""
    return {(call.status, call.reason) for call in fake.calls if call.status >= 400}


def is_planned(refusal):
    return any(part in refusal[1] for part in PLANNED)


async def test_the_day(tmp_path):
    async with opened(tmp_path) as (fake, program):
        ann, mia, tom = (fake.add_user(name) for name in ("Ann", "Mia", "Tom"))
        trader, room = Seat(fake, ann, fake.private(ann)), Desk(fake, mia, tom)

        (card, snoozed, first, second), kept = await asyncio.gather(
            a_traders_morning(trader), a_moderators_morning(room)
        )
        assert await program.stop() == 0
        await program.start()
        await asyncio.gather(
            a_traders_afternoon(trader, card, snoozed, second),
            a_moderators_afternoon(room, kept),
        )
        third = await the_plug_is_pulled_while_spot_passes(trader, program)
        await trader.sees(third.text)
        await without_a_collector_the_levels_grow_stale(trader, program)

        assert [len(trader.seen(one.text)) for one in (first, second, third)] == [1, 1, 1]
        assert {refusal for refusal in refusals(fake) if not is_planned(refusal)} == set()


# --- the trader


async def a_traders_morning(ann):
    await she_is_greeted(ann)
    card = await she_reads_the_levels(ann)
    await she_sends_a_card_to_a_friend(ann)
    await she_sets_an_alert_by_dialogue(ann)
    await she_gives_her_time_zone(ann)
    first, ring = await her_alert_rings(ann)
    snoozed, second = await she_snoozes_and_nothing_rings(ann, ring)
    return card, snoozed, first, second


async def a_traders_afternoon(ann, card, snoozed, held):
    await what_rang_meanwhile_comes_when_she_is_back(ann, snoozed, held)
    await buttons_from_before_the_restart_work(ann, card)


async def she_is_greeted(ann):
    greeting = await ann.asks("/start", "SIMULATED", "Commands", "alert add SYMBOL LEVEL")
    menus = ann.fake.commands.menus
    await ann.fake.until(lambda: ("all_chat_administrators", "") in menus, PATIENCE)

    assert {"levels", "alert", "setup"} <= {name for name, _ in menus["all_private_chats", ""]}
    assert "feed" not in {name for name, _ in menus["all_group_chats", ""]}
    assert greeting.buttons


async def she_reads_the_levels(ann):
    """The card, and what its buttons lead to; all of it is marked."""
    card = await ann.asks_until("/levels btc", "BTC levels", "HVL", "data: ", "old", picture=True)
    typo = await ann.asks("/levels bct", "did you mean BTC?")
    chart = await ann.asks("/chart btc", "BTC GEX by strike")
    await ann.presses(chart, "Price")
    await ann.sees_it_become(chart, "BTC price and levels")
    await ann.presses(card, "0DTE")
    await ann.sees("BTC 0DTE levels", after=chart)  # no picture, so no photo's place is its own

    assert typo.buttons == []
    assert chart.photo.startswith(b"\x89PNG")
    assert card.photo.startswith(b"\x89PNG")
    assert all("SIMULATED" in message.words for message in (typo, chart, card))
    return card


async def she_sends_a_card_to_a_friend(ann):
    """By @bot in another chat, to which the bot does not belong."""
    friends = ann.fake.add_group("Friends", bot="left")
    query = ann.fake.inline(ann.user, "et", "group")
    await ann.fake.until(lambda: query.answered, PATIENCE)
    sent = ann.fake.choose(query, query.results[0]["id"], friends)

    assert "SIMULATED · ETH levels" in sent.words


async def she_sets_an_alert_by_dialogue(ann):
    """Each question has buttons; the answers follow in place."""
    asked = await ann.asks("/alert add", "Which coin: ")
    await ann.presses(asked, "ETH")
    await ann.sees_it_become(asked, "Which level or price: ")
    await ann.presses(asked, "Call Resistance")
    await ann.sees_it_become(asked, "Alert #", "eth call_resistance cross any")
    await ann.presses(asked, "Pause")
    await ann.sees_it_become(asked, "paused")
    await ann.presses(asked, "Delete")
    await ann.sees_it_become(asked, "deleted")


async def she_gives_her_time_zone(ann):
    await ann.asks("/timezone kolkata", "Time zone Asia/Kolkata", "IST")


async def her_alert_rings(ann):
    passage, _ = await set_alert(ann)

    ring = await ann.sees(passage.text)

    assert "🔔" in ring.words
    assert "SIMULATED" in ring.words
    assert "regime" in ring.words
    assert {"Levels", "Chart", "Snooze 1 h"} <= {label for row in ring.buttons for label in row}
    return passage, ring


async def she_snoozes_and_nothing_rings(ann, ring):
    """What is held is known to the list, and to nobody's ear; a forged button does nothing."""
    await ann.presses(ring, "Snooze 1 h")
    snoozed = await ann.sees("Snoozed until", "IST")
    forged = ann.fake.press(ann.user, snoozed, data="AAAAAAAAsnooze off")
    passage, added = await set_alert(ann)
    await ann.asks_until("/alert list", f"#{number_of(added)}: {passage.rule}; rang 1x")

    assert "not of my making" in forged.text
    assert ann.seen(passage.text) == []
    return snoozed, passage


async def what_rang_meanwhile_comes_when_she_is_back(ann, snoozed, passage):
    await ann.presses(snoozed, "Ring again")

    held = await ann.sees(passage.text)

    assert "While quiet: rang once" in held.words
    assert "IST: " in held.words


async def buttons_from_before_the_restart_work(ann, card):
    await ann.presses(card, "Refresh")
    await ann.sees_it_become(card, "BTC levels", "IST")


async def the_plug_is_pulled_while_spot_passes(ann, program):
    """At once when the alert is set; spot has passed when the program is back, however slowly."""
    passage = ann.next_passage(after=8, lasting=30)
    await ann.asks(f"/alert add {passage.rule}", "set", passage.rule)
    await program.kill()
    await ann.fake.until(lambda: passage.is_over, PATIENCE)
    await program.start()
    return passage


async def without_a_collector_the_levels_grow_stale(ann, program):
    assert await program.stop() == 0
    await program.start("--role", "telegram", COLLECTOR__EVERY="1s", COLLECTOR__STALE_AFTER="2s")

    await ann.asks_until("/levels btc", "BTC levels", "STALE")


# --- the moderators


class Desk:
    """A group by who sits in it; Mia runs it, and has a forum beside."""

    def __init__(self, fake, mia, tom):
        self.fake = fake
        self.chat = fake.add_group("Desk", admins=[mia], bot="left")
        self.mia, self.tom = Seat(fake, mia, self.chat), Seat(fake, tom, self.chat)
        self.mia_at_home = Seat(fake, mia, fake.private(mia))
        floor = fake.add_group("Floor", forum=True, admins=[mia])
        self.mia_in_topic = Seat(fake, mia, floor, fake.add_topic(floor, "Gamma"))
        fake.private(tom, started=False)


async def a_moderators_morning(room):
    await they_add_the_bot(room)
    await moderators_alone_switch_the_feed(room)
    await everyones_alert_rings_where_it_belongs(room)
    return await a_right_is_taken_and_the_owner_is_told_once(room)


async def a_moderators_afternoon(room, kept):
    await with_the_right_comes_what_was_kept(room, kept)
    await thrown_out_it_is_silent_and_back_it_goes_on(room)
    await the_group_moves_and_is_followed(room)
    await a_channel_has_a_feed_as_well(room)


async def they_add_the_bot(room):
    room.fake.join(room.chat, room.mia.user)

    setup = await room.mia.asks("/setup", "Setup of Desk", "Can ring here: yes", "Feed: off")

    assert setup.buttons == [["Feed on", "Test ring"], ["Time zone", "Help"]]


async def moderators_alone_switch_the_feed(room):
    """Tom may not, typed or pressed; the time zone is Mia's to set as well."""
    await room.tom.asks("/feed on eth", "only who has chat admin here may do that")
    feed = await room.mia.asks("/feed on eth crossings", "Feed on: ETH", "Pack: crossings")
    window = await room.tom.presses(feed, "Feed off")
    if not window:  # the answer took too long for one
        await room.tom.sees("only who has chat admin", after=feed)
    await room.mia.asks("/timezone Europe/Berlin", "Time zone Europe/Berlin")

    assert "only who has chat admin" in window or not window
    assert "Feed on: ETH" in feed.words


async def everyones_alert_rings_where_it_belongs(room):
    """A moderator's in the group, or in its topic; anyone else's for them alone."""
    passage = room.mia.next_passage(after=6)
    line = f"/alert add {passage.rule}"
    toms = await room.tom.asks(line, passage.rule, "It rings in your own chat with me")
    await room.tom.presses(toms, "Call me here if my DMs are closed")
    await room.mia_in_topic.asks(line, passage.rule, "It rings in this chat")
    await room.mia.asks(line, passage.rule, "It rings in this chat")

    there = await room.mia_in_topic.sees("🔔", passage.text)
    for_tom = await room.tom.sees("For you", "🔔", passage.text)
    await room.fake.until(lambda: len(room.mia.seen("🔔", passage.text)) == 2, PATIENCE)

    assert there.topic is room.mia_in_topic.topic
    assert f"tg://user?id={room.tom.user.id}" in {e.get("url") for e in for_tom.entities}
    assert len(room.tom.seen("For you", passage.text)) == 1


async def a_right_is_taken_and_the_owner_is_told_once(room):
    passage, _ = await set_alert(room.mia)
    room.fake.restrict(room.chat, "can_send_messages")

    note = await room.mia_at_home.sees("I cannot ring in Desk: missing right: Send Messages")

    assert "I go on by myself" in note.words
    assert room.mia.seen("🔔", passage.text) == []
    return passage


async def with_the_right_comes_what_was_kept(room, kept):
    room.fake.demote(room.chat)  # to a member like any other

    await room.mia.sees("🔔", kept.text)
    await room.mia.asks("/setup", "Can ring here: yes", "Europe/Berlin", "CET")


async def thrown_out_it_is_silent_and_back_it_goes_on(room):
    passage, _ = await set_alert(room.mia)
    room.fake.kick(room.chat)
    status = await room.mia_at_home.asks("/status", "chats gone")  # heard in the order of the day
    await room.fake.until(lambda: passage.is_over, PATIENCE)
    room.fake.join(room.chat, room.mia.user)
    await room.mia.asks("/setup", "Can ring here: yes", "Feed: crossings pack of ETH")

    assert re.search("chats gone +1", status.words)
    assert room.mia.seen("🔔", passage.text) == []
    assert len(room.mia_at_home.seen("I cannot ring in Desk")) == 1


async def the_group_moves_and_is_followed(room):
    passage, _ = await set_alert(room.mia)
    moved = Seat(room.fake, room.mia.user, room.fake.migrate(room.chat))

    await moved.sees("🔔", passage.text)
    await moved.asks("/setup", "Setup of Desk", "Feed: crossings pack of ETH", "Europe/Berlin")

    assert room.mia.seen("🔔", passage.text) == []


async def a_channel_has_a_feed_as_well(room):
    channel = room.fake.add_channel("Levels", admins=[room.mia.user])
    room.fake.post(channel, "/feed on btc")

    await Seat(room.fake, room.mia.user, channel).sees("Feed on: BTC")
