"""Links into the dashboard, and the sessions that they open."""

import asyncio
import re

import pytest

from bot.core.reply import Link
from bot.core.sessions import MOST_ENDED
from bot.service.access import PASS_SECONDS, SESSION_SECONDS, Access, end_all
from bot.store.memory import MemoryStore
from tests.service.asking import HERE, in_channel, in_private, open_desk

URL = "https://bell.example.org"


class Distant(MemoryStore):
    """A store that takes its time, as databases do: others come in between."""

    async def fact(self, name):
        found = await super().fact(name)
        await asyncio.sleep(0)
        return found

    async def first_fact(self, name, value):
        found = await super().first_fact(name, value)
        await asyncio.sleep(0)
        return found


class House:
    """Two processes over one store, at one time."""

    def __init__(self):
        self.seconds = 1_000_000.0
        self.store = Distant()
        self.access, self.other = (Access(self.store, self._now, URL) for _ in range(2))

    def _now(self):
        return self.seconds

    async def ask(self, person="telegram:7"):
        """A pass, as the person's browser has it."""
        return (await self.access.link(person)).partition("#")[2]


@pytest.fixture
def house():
    return House()


async def test_a_link_lets_its_person_in(house):
    link = await house.access.link("telegram:7")
    session = await house.access.enter(link.partition("#")[2])

    assert link.startswith(f"{URL}/sign-on#")
    assert await house.access.holder(session) == "telegram:7"


async def test_a_link_lets_in_once_whichever_process_is_asked(house):
    given = await house.ask()

    assert await house.other.enter(given)
    assert await house.access.enter(given) is None


async def test_of_many_who_use_a_link_at_once_one_comes_in(house):
    given = await house.ask()
    entering = [way.enter(given) for way in (house.access, house.other) * 3]
    sessions = await asyncio.gather(*entering)

    assert sum(session is not None for session in sessions) == 1


async def test_the_newest_link_alone_counts(house):
    first, second = await house.ask(), await house.ask()

    assert await house.access.enter(first) is None
    assert await house.access.enter(second)


async def test_a_link_of_one_is_not_spent_by_another(house):
    given = await house.ask()
    await house.access.enter(await house.ask("discord:@8"))

    assert await house.access.holder(await house.access.enter(given)) == "telegram:7"


async def test_a_link_ends_after_ten_minutes_and_a_session_after_thirty_days(house):
    given = await house.ask()
    session = await house.access.enter(await house.ask("discord:@8"))
    house.seconds += PASS_SECONDS
    late = await house.access.enter(given)
    house.seconds += SESSION_SECONDS - PASS_SECONDS - 1
    held = await house.access.holder(session)
    house.seconds += 1

    assert (late, held) == (None, "discord:@8")
    assert await house.access.holder(session) is None


async def test_a_pass_is_no_session_and_a_session_no_pass(house):
    given = await house.ask()
    session = await house.access.begin("telegram:7")

    assert await house.access.holder(given) is None
    assert await house.access.enter(session) is None


async def test_a_new_key_ends_every_session_within_a_second(house):
    session = await house.access.begin("telegram:7")
    calendar = (await house.access.calendar("BTCUSDT")).rpartition("/")[2]
    await end_all(house.store)
    house.seconds += 1

    assert await house.access.holder(session) is None
    assert await house.access.calendar_of(calendar.removesuffix(".ics")) is None


async def test_a_session_that_was_ended_is_none_in_any_process_a_second_later(house):
    ended, kept = [await house.access.begin("telegram:7") for _ in range(2)]
    before = await house.other.holder(ended)
    await house.access.end(ended)
    here = await house.access.holder(ended)
    house.seconds += 1

    assert (before, here) == ("telegram:7", None)
    assert await house.other.holder(ended) is None
    assert await house.other.holder(kept) == "telegram:7"


async def test_sessions_that_are_ended_at_once_have_all_ended(house):
    sessions = [await house.access.begin("telegram:7") for _ in range(10)]
    ways = [house.access, house.other] * 5
    await asyncio.gather(*(way.end(one) for way, one in zip(ways, sessions, strict=True)))
    house.seconds += 1

    assert {await house.access.holder(one) for one in sessions} == {None}


async def test_who_signs_out_often_fills_no_database_and_stays_out(house):
    first = await house.access.begin("telegram:7")
    await house.access.end(first)
    for _ in range(2 * MOST_ENDED):
        house.seconds += 1
        await house.access.end(await house.access.begin("telegram:7"))
    house.seconds += 1
    new = await house.access.begin("telegram:7")

    assert len(await house.store.fact("access.ended telegram:7")) < 20 * MOST_ENDED
    assert await house.access.holder(first) is None
    assert await house.other.holder(new) == "telegram:7"


async def test_a_session_of_another_seal_ends_none(house):
    session = await house.access.begin("telegram:7")
    for token in ("", "made.up", await house.ask()):
        await house.access.end(token)
    house.seconds += 1

    assert await house.access.holder(session) == "telegram:7"
    assert await house.store.fact("access.ended telegram:7") is None


async def test_a_calendar_has_one_address_for_years(house):
    address = await house.access.calendar("BTCUSDT")
    house.seconds += 20 * 365 * 86_400
    token = address.removeprefix(f"{URL}/calendar/").removesuffix(".ics")

    assert await house.other.calendar("BTCUSDT") == address
    assert await house.other.calendar_of(token) == "BTCUSDT"
    assert await house.other.holder(token) is None


async def test_an_exported_calendar_comes_with_the_address_to_subscribe_to():
    desk = await open_desk(access_url=URL)
    links = [(await desk.ask(f"export btc {form}")).links for form in ("ics", "csv")]

    assert links == [
        (Link("Address to subscribe to", await desk.access.calendar("BTCUSDT")),),
        (),
    ]


@pytest.mark.parametrize(
    ("where", "holder"), [(in_private(), "telegram:7"), (in_channel(), "discord:@7"), (HERE, HERE)]
)
async def test_whoever_asks_gets_a_link_for_their_eyes_alone(where, holder):
    desk = await open_desk(access_url=URL)
    reply = await desk.ask("dashboard", where)
    (link,) = reply.links
    session = await desk.access.enter(link.url.partition("#")[2])

    assert reply.private
    assert reply.secret
    assert not any("sign-on" in line for line in reply.lines)
    assert await desk.access.holder(session) == holder


async def test_without_an_address_it_says_what_to_set():
    reply = await (await open_desk()).ask("dashboard", in_private())

    assert reply.tone == "error"
    assert "[api] public_url" in "".join(reply.lines)


async def test_a_guest_of_the_page_cannot_let_others_in():
    desk = await open_desk(access_url=URL)
    reply = await desk.ask("dashboard", in_private("web:7"))

    assert reply.links == ()
    assert re.search(r"you are in it", "".join(reply.lines))


@pytest.mark.parametrize("address", ["telegram:-1001", "telegram:-1001/7"])
async def test_whoever_speaks_as_a_group_or_channel_gets_no_link(address):
    desk = await open_desk(access_url=URL)
    reply = await desk.ask("dashboard", in_private(address))

    assert (reply.links, reply.tone) == ((), "error")
