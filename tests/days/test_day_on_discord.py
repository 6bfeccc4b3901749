"""A day on Discord: the whole program over sockets, as a trader and as moderators live it.

The market is the simulated one; `next_passage` knows what it will do, so that the day needs no
luck: an alert is set on a price that spot is about to pass, and rings once in its life.
"""

import asyncio
import re
from contextlib import asynccontextmanager
from time import monotonic, time

import pytest

from tests.days.program import Program
from tests.days.tomorrow import next_passage
from tests.fakes.discord_faults import Reset
from tests.fakes.discord_model import (
    BOT_RIGHTS,
    CROSSPOSTED,
    MEMBER_RIGHTS,
    ChannelType,
    Permission,
)
from tests.fakes.discord_server import FakeDiscord

PATIENCE = 150.0  # seconds, for what takes one or two: the machine may be busy
ASK_AGAIN = 1.0  # seconds: as often as a person may ask for ever
STEPS = 10  # answers that take as long as the last one, until spot passes a price of an alert
MODERATOR = MEMBER_RIGHTS | Permission.MANAGE_GUILD
# What Discord may answer to a message in these days beside taking it: somebody made it so.
MISSING, GONE, LOST = 403, 404, None


@asynccontextmanager
async def opened(folder):
    """Discord, and the program that talks to it; at the end neither has anything to complain of."""
    async with FakeDiscord() as fake:
        settings = {
            "DISCORD__ENABLED": "true",
            "DISCORD_TOKEN": fake.token,
            "DISCORD__API_BASE": fake.api_base,
            "DISCORD__GATEWAY_URL": fake.gateway_url,
            "VENUES__DERIVE__ENABLED": "false",  # its first chain takes six seconds
        }
        async with Program(folder, **settings) as program:
            yield fake, program
        assert fake.token not in program.log
        assert "Traceback" not in program.log
        assert " ERROR " not in program.log
        assert fake.violations == []
        assert dict(fake.limits.answers) == {}


async def begin(fake, program, *arguments, **settings):
    """Start the program, until it is connected and Discord knows its commands."""
    before = len(fake.gateway.identifies)
    await program.start(*arguments, **settings)
    await fake.until(lambda: len(fake.gateway.identifies) > before, PATIENCE)
    await fake.until(lambda: fake.world.commands[None], PATIENCE)


class Seat:
    """A person in a channel, with what they may do there."""

    def __init__(self, fake, user, channel, rights=MEMBER_RIGHTS):
        self.fake, self.user, self.channel, self.rights = fake, user, channel, rights
        self.took = 0.0  # seconds, the last answer

    async def asks(self, name, *expected, **options):
        """The answer to the command, as soon as it has these words."""
        return await self._answer(await self._invoke(name, options), expected)

    async def asks_until(self, name, *expected, **options):
        """The answer that has these words; asked again until there is one."""
        for _ in range(round(PATIENCE / ASK_AGAIN)):
            answer = await self.asks(name, "SIMULATED", **options)
            if has(answer, expected):
                return answer
            await asyncio.sleep(ASK_AGAIN)
        return pytest.fail(f"never saw {expected}, only {words(answer)}")

    async def adds(self, passage, *expected):
        """The answer to a new alert on that price."""
        symbol, level, event, options = re.fullmatch(
            r"(\S+) (\S+) (cross any) (.+)", passage.rule
        ).groups()
        options = {"symbol": symbol, "level": level, "event": event, "options": options}
        return await self.asks("alert add", passage.rule, *expected, **options)

    async def presses(self, message, label, *expected):
        """What the button leads to."""
        done = await self.fake.press(self.user, message, label, permissions=self.rights)
        return await self._answer(done, expected)

    async def chooses(self, message, menu, label, *expected):
        """What the line of the menu leads to."""
        done = await self.fake.choose(self.user, message, menu, label, permissions=self.rights)
        return await self._answer(done, expected)

    async def forges(self, message, data, *expected):
        """What a button leads to that nobody ever drew."""
        done = await self.fake.forge(self.user, message, data, permissions=self.rights)
        return await self._answer(done, expected)

    async def is_offered(self, name, option, text):
        """What the menu shows while they type."""
        typed = await self.fake.autocomplete(
            self.user, self.channel, name, option, text, permissions=self.rights
        )
        return [choice["value"] for choice in (await typed.answered(PATIENCE)).choices]

    async def opens_form(self, name, **options):
        """The form that asks for what is missing."""
        opened = await (await self._invoke(name, options)).answered(PATIENCE)
        assert opened.modal, "no form, but an answer"
        return opened

    async def fills_in(self, opened, expected, **values):
        """What the form leads to; the values are by what they are called in the command."""
        labels = {field["custom_id"]: label for label, field in opened.modal.fields.items()}
        entered = {labels[name]: value for name, value in values.items()}
        done = await self.fake.submit(self.user, opened, entered, permissions=self.rights)
        return await self._answer(done, [expected])

    async def sees(self, *expected):
        """The first message in the channel with these words, as soon as it is there."""
        await self._until(lambda: self.seen(*expected), expected, self._all)
        return self.seen(*expected)[0]

    def seen(self, *expected):
        """Every message for all in the channel with these words."""
        return [message for message in self._all() if has(message, expected)]

    def _all(self):
        return self.fake.messages(self.channel)

    async def _invoke(self, name, options):
        return await self.fake.invoke(
            self.user, self.channel, name, options, permissions=self.rights
        )

    async def _answer(self, done, expected):
        """The message of the answer that has the words."""

        def fitting():
            return [message for message in done.messages if has(message, expected)]

        began = monotonic()
        await self._until(fitting, expected, lambda: done.messages)
        self.took = monotonic() - began
        return fitting()[0]

    def next_passage(self, after=4, **more):
        """One that leaves time for some questions, however slow the machine is."""
        return next_passage(after + int(STEPS * self.took), **more)

    async def _until(self, predicate, what, shown):
        try:
            await self.fake.until(predicate, PATIENCE)
        except TimeoutError:
            pytest.fail(f"never saw {what}, only {[words(message) for message in shown()]}")


def words(message):
    """The message as people read it, without marks and without the gaps of its tables."""
    unmarked = re.sub(r"\\(.)", r"\1", message.text.replace("**", ""))
    return re.sub(" +", " ", unmarked)


def has(message, expected):
    return all(word in words(message) for word in expected)


def answers(fake, method, path):
    """How the platform answered such requests."""
    return {call.status for call in fake.calls if call.method == method and path in call.path}


# --- the trader


async def test_a_traders_day(tmp_path):
    async with opened(tmp_path) as (fake, program):
        user = fake.add_user("tom")
        guild = fake.add_guild("Traders", members=[user])
        tom = Seat(fake, user, fake.direct(user))
        floor = Seat(fake, user, fake.add_channel(guild, "floor"))

        await begin(fake, program)
        card = await he_reads_the_levels(floor)
        await he_fills_in_a_form(tom)
        await tom.asks("timezone", "Time zone Asia/Kolkata", "IST", zone="kolkata")
        first, ring = await his_alert_rings_once_though_the_reply_is_lost(tom)
        await a_ring_has_buttons(tom, ring)
        snoozed, second = await he_snoozes_and_nothing_rings(tom, ring)
        third = await the_plug_is_pulled_while_spot_passes(tom, program)
        await what_rang_meanwhile_comes_when_he_is_back(tom, snoozed, second, third)
        await floor.presses(card, "All expiries", "BTC levels", "Call Resistance")
        await without_a_collector_the_levels_grow_stale(floor, program)

        assert [len(tom.seen(one.text)) for one in (first, second, third)] == [1, 1, 1]
        assert answers(fake, "POST", "/channels/") <= {200, LOST}
        assert len(fake.requests("PUT", "/applications/")) == 1  # the commands, told once


async def he_reads_the_levels(floor):
    """The card, and what its buttons lead to; all of it is marked."""
    for coin in ("BTC", "ETH"):
        await floor.asks_until("levels", f"{coin} levels", symbol=coin)
    typo = await floor.asks("levels", "did you mean BTC?", symbol="bct")
    chart = await floor.asks("chart", "BTC GEX by strike", symbol="btc")
    shown = await floor.presses(chart, "Price", "BTC price and levels")
    eth = await floor.asks("levels", "BTC levels")
    changed = await floor.chooses(eth, "Symbol", "ETH", "ETH levels")
    card = await floor.asks("levels", "BTC levels", "Put Support", "data: ", "old", symbol="BTC")
    await floor.fake.until(lambda: card.image, PATIENCE)
    same = await floor.presses(card, "0DTE", "BTC 0DTE levels")
    await floor.fake.until(lambda: shown.image, PATIENCE)

    assert typo.seen_by is floor.user
    assert await floor.is_offered("levels", "symbol", "e") == ["ETH"]
    assert (shown, changed, same) == (chart, eth, card)
    assert shown.image.startswith(b"\x89PNG")
    assert all("SIMULATED" in message.text for message in (typo, shown, changed, card))
    return card


async def he_fills_in_a_form(tom):
    """What the command lacks is asked for; the card that follows can take it back."""
    opened = await tom.opens_form("alert add")
    wrong = await tom.fills_in(opened, "did you mean", symbol="btc", level="call_resistanse")
    opened = await tom.opens_form("alert add", symbol="eth")
    added = await tom.fills_in(opened, "eth call_resistance cross any", level="call_resistance")
    paused = await tom.presses(added, "Pause", "paused")
    await tom.presses(paused, "Delete", "deleted")

    assert wrong.ephemeral
    assert added.ephemeral


async def his_alert_rings_once_though_the_reply_is_lost(tom):
    passage = tom.next_passage()
    await tom.adds(passage, "set")
    tom.fake.fail("POST", r"^/channels/\d+/messages$", Reset(after_work=True))

    ring = await tom.sees("🔔", passage.text)
    await tom.asks_until("alert list", f"{passage.rule}; rang 1x")

    assert has(ring, ["SIMULATED", "regime", "data: ", "#"])
    assert ring.labels == ["Levels", "Chart", "Snooze 1 h", "Pause alert"]
    return passage, ring


async def a_ring_has_buttons(tom, ring):
    """What they lead to comes beside it: the ring stays as it rang."""
    before = words(ring)

    card = await tom.presses(ring, "Levels", "levels", "Call Resistance")

    assert card is not ring
    assert words(ring) == before


async def he_snoozes_and_nothing_rings(tom, ring):
    """What is held is known to the list, and to nobody's ear; a forged button does nothing."""
    snoozed = await tom.presses(ring, "Snooze 1 h", "Snoozed until", "IST")
    await tom.forges(ring, "AAAAAAAAsnooze off", "That button is not mine")
    passage = tom.next_passage(after=2)
    await tom.adds(passage, "set")
    await tom.asks_until("alert list", f"{passage.rule}; rang 1x")

    assert tom.seen(passage.text) == []
    return snoozed, passage


async def the_plug_is_pulled_while_spot_passes(tom, program):
    """At once when the alert is set; spot has passed when the program is back, however slowly."""
    passage = tom.next_passage(after=8, lasting=30)
    await tom.adds(passage, "set")
    await program.kill()
    await asyncio.sleep(max(0, passage.at + 1 - time()))  # nothing tells that the market went on
    await begin(tom.fake, program)
    await tom.asks_until("alert list", f"{passage.rule}; rang 1x")
    return passage


async def what_rang_meanwhile_comes_when_he_is_back(tom, snoozed, *passages):
    """In one message, by a button from before the plug was pulled."""
    before = len(tom.seen())

    await tom.presses(snoozed, "Ring again", "Not snoozed")

    await tom.sees(*(one.text for one in passages), "SIMULATED", "rang 2x", "IST: ")
    assert len(tom.seen()) == before + 1


async def without_a_collector_the_levels_grow_stale(floor, program):
    assert await program.stop() == 0
    alone = {"COLLECTOR__EVERY": "1s", "COLLECTOR__STALE_AFTER": "2s"}
    await begin(floor.fake, program, "--role", "discord", **alone)

    await floor.asks_until("levels", "BTC levels", "STALE", "nothing rings on it")

    assert await program.stop() == 0


# --- the moderators


async def test_a_moderators_day(tmp_path):
    async with opened(tmp_path) as (fake, program):
        users = mona, tom = fake.add_user("mona"), fake.add_user("tom")
        guild = fake.add_guild("Traders", members=users)
        guild.bot_is_in = False
        levels = fake.add_channel(guild, "levels")
        room = Room(Seat(fake, mona, levels, MODERATOR), Seat(fake, tom, levels))
        at_home = Seat(fake, mona, fake.direct(mona))

        await begin(fake, program)
        await they_add_the_bot_and_setup_says_what_is_missing(room)
        await moderators_alone_switch_the_feed(room)
        await everyones_alert_rings_where_it_belongs(room)
        kept = await a_right_is_taken_and_the_owner_is_told_once(room, at_home)

        assert await program.stop() == 0
        await begin(fake, program)
        await with_the_right_comes_what_was_kept(room, kept)
        await thrown_out_it_is_silent_and_back_it_goes_on(room, at_home)
        await an_announcement_channel_is_published(room)
        await a_channel_is_deleted(room, at_home)

        assert await program.stop() == 0
        assert answers(fake, "POST", "/channels/") <= {200, MISSING}
        assert answers(fake, "GET", "") <= {200, MISSING, GONE}
        assert fake.invalid_requests < 20


class Room:
    """The channel, by who sits in it: a moderator and a trader."""

    def __init__(self, mona, tom):
        self.fake, self.channel, self.mona, self.tom = mona.fake, mona.channel, mona, tom

    def beside(self, name, **more):
        """The moderator in another channel of the server."""
        channel = self.fake.add_channel(self.channel.guild, name, **more)
        return Seat(self.fake, self.mona.user, channel, MODERATOR)


async def they_add_the_bot_and_setup_says_what_is_missing(room):
    """In this very channel; once it is given, the same button says so."""
    room.fake.add_bot(room.channel.guild)
    room.fake.permit(room.channel, BOT_RIGHTS & ~Permission.EMBED_LINKS)
    setup = await room.mona.asks("setup", "Setup of #levels", "no, missing Embed Links")
    room.fake.permit(room.channel, BOT_RIGHTS)

    again = await room.mona.presses(setup, "Check again", "Can ring here yes", "Feed off")

    assert again.labels == ["Feed on", "Test ring", "Time zone", "Help"]
    assert room.mona.seen() == []


async def moderators_alone_switch_the_feed(room):
    """Tom may not, typed or pressed; the time zone is the moderators' to set as well."""
    refused = "only who has Manage Server here may do that"
    typed = await room.tom.asks("feed on", refused, symbols="eth")
    feed = await room.mona.asks("feed on", "Feed on: ETH", symbols="eth", pack="crossings")
    pressed = await room.tom.presses(feed, "Feed off", refused)
    await room.mona.asks("timezone", "Time zone Europe/Berlin", zone="Europe/Berlin")

    assert (typed.seen_by, pressed.seen_by) == (room.tom.user, room.tom.user)
    assert has(feed, ["Feed on: ETH", "crossings"])


async def everyones_alert_rings_where_it_belongs(room):
    """A moderator's in the channel, or the thread; anyone else's for them alone, as they agreed."""
    passage = room.mona.next_passage(after=5)
    thread = room.beside("gamma", type=ChannelType.PUBLIC_THREAD, parent=room.channel)
    room.fake.deny(room.fake.direct(room.tom.user), 50007)  # Tom takes no direct messages
    toms = await room.tom.adds(passage, "It rings in your own chat with me")
    await room.tom.presses(toms, "Call me here if my DMs are closed", "You are called here")
    await room.mona.adds(passage, "It rings in this chat")
    await thread.adds(passage, "It rings in this chat")

    await thread.sees("🔔", passage.text)
    await room.fake.until(lambda: len(room.mona.seen("🔔", passage.text)) == 2, PATIENCE)

    pings = [message.pings for message in room.mona.seen(passage.text)]
    assert sorted(pings, key=len) == [frozenset(), {room.tom.user.id}]


async def a_right_is_taken_and_the_owner_is_told_once(room, at_home):
    passage = room.mona.next_passage()
    await room.mona.adds(passage, "set")
    room.fake.permit(room.channel, BOT_RIGHTS & ~Permission.SEND_MESSAGES)

    note = await at_home.sees("I cannot ring in #levels", "missing Send Messages in #levels")

    assert has(note, ["I go on by myself"])
    assert room.mona.seen(passage.text) == []
    return passage


async def with_the_right_comes_what_was_kept(room, kept):
    """The program was stopped and started meanwhile."""
    setup = await room.mona.asks("setup", "no, suspended since", "CET: missing Send Messages")
    room.fake.permit(room.channel, BOT_RIGHTS)

    await room.mona.sees("🔔", kept.text)
    await room.mona.presses(setup, "Check again", "Can ring here yes", "crossings pack of ETH")

    assert len(room.mona.seen(kept.text)) == 1


async def thrown_out_it_is_silent_and_back_it_goes_on(room, at_home):
    """The owner is told once, the feed is kept, and what comes after rings."""
    missed = room.mona.next_passage(after=8)  # time to be thrown out on a busy machine
    await room.mona.adds(missed, "set")
    room.fake.remove_bot(room.channel.guild)
    await at_home.sees("I cannot ring in #levels", "no longer on that server", "write there again")
    room.fake.add_bot(room.channel.guild)
    setup = await room.mona.asks("setup", "Can ring here yes", "crossings pack of ETH", "Berlin")
    await room.mona.presses(setup, "Test ring", "A test ring is on its way")
    await room.mona.sees("🔔 Test", "Rings arrive here")

    assert room.mona.seen(missed.text) == []
    assert len(at_home.seen("no longer on that server")) == 1


async def an_announcement_channel_is_published(room):
    news = room.beside("news", type=ChannelType.ANNOUNCEMENT)
    await news.asks("feed on", "Feed on: BTC", symbols="btc")
    await news.asks("setup", "A test ring is on its way", step="test")

    ring = await news.sees("🔔 Test", "Rings arrive here")

    await room.fake.until(lambda: ring.flags & CROSSPOSTED, PATIENCE)


async def a_channel_is_deleted(room, at_home):
    old = room.beside("old")
    await old.asks("feed on", "Feed on: BTC", symbols="btc")
    room.fake.delete_channel(old.channel)

    await at_home.asks_until("status", "chats gone 1")
