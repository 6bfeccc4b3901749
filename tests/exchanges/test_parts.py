import asyncio
import logging
from datetime import timedelta

import pytest

from bot.errors import NotListed, SourceError
from bot.exchanges.parts import Part, Parts
from tests.exchanges.wires import NOW

KEEP = timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OUTAGE, MISSING = SourceError("venue", "HTTP 502"), NotListed("venue", "no XRP options")


class Venue:
    """Gives the answers it has been told, in their order, at a time that the test moves."""

    def __init__(self, *answers, keep=KEEP):
        self.at = NOW
        self.asked = 0
        self.answers = list(answers)
        self.open = asyncio.Event()  # nobody is answered before
        self.open.set()
        self.parts = Parts("venue", lambda: self.at, keep)

    async def fetch(self):
        self.asked += 1
        await self.open.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def get(self, key="book", **options):
        return await self.parts.get(key, self.fetch, **options)


async def test_a_part_is_what_the_call_gave_and_when():
    venue = Venue("rows")

    part = await venue.get()

    assert part == Part("rows", NOW)


async def test_a_part_is_of_when_it_came_and_not_of_when_it_was_asked_for():
    venue = Venue("rows")
    venue.open.clear()
    asker = asyncio.create_task(venue.get())
    await asyncio.sleep(0)

    venue.at += timedelta(seconds=9)
    venue.open.set()

    assert (await asker).at == NOW + timedelta(seconds=9)


async def test_who_asks_at_once_gets_one_answer_and_who_asks_later_another():
    venue = Venue("first", "second")
    venue.open.clear()
    askers = asyncio.gather(*(venue.get() for _ in range(3)))
    await asyncio.sleep(0)
    venue.open.set()

    together = await askers
    later = await venue.get()

    assert [part.value for part in together] == ["first"] * 3
    assert later.value == "second"
    assert venue.asked == 2


async def test_calls_of_different_keys_are_different_calls():
    venue = Venue("BTC rows", "ETH rows", OUTAGE)

    parts = await asyncio.gather(venue.get("BTC"), venue.get("ETH"))
    stand_in = await venue.get("BTC")

    assert [part.value for part in parts] == ["BTC rows", "ETH rows"]
    assert stand_in.value == "BTC rows"


@pytest.mark.parametrize(
    ("age", "asked"), [(HOUR - timedelta(seconds=1), 1), (HOUR, 2), (2 * HOUR, 2)]
)
async def test_what_seldom_changes_is_asked_for_again_once_it_is_due(age, asked):
    venue = Venue("old list", "new list")
    await venue.get(renew=HOUR)
    venue.at += age

    part = await venue.get(renew=HOUR)

    assert part.value == ("old list" if asked == 1 else "new list")
    assert venue.asked == asked


@pytest.mark.parametrize("age", [timedelta(0), timedelta(seconds=1), KEEP])
async def test_the_last_answer_stands_in_with_its_age(age):
    venue = Venue("rows", OUTAGE)
    await venue.get()
    venue.at += age

    part = await venue.get()

    assert part == Part("rows", NOW)


async def test_an_answer_that_is_too_old_stands_in_for_nothing():
    venue = Venue("rows", OUTAGE)
    await venue.get()
    venue.at += KEEP + timedelta(seconds=1)

    with pytest.raises(SourceError, match="HTTP 502"):
        await venue.get()


async def test_an_answer_of_its_own_patience_stands_in_for_longer():
    venue = Venue("list", OUTAGE, OUTAGE)
    await venue.get(keep=DAY)

    venue.at = NOW + DAY
    part = await venue.get(keep=DAY)
    venue.at += timedelta(seconds=1)

    assert part.at == NOW
    with pytest.raises(SourceError, match="HTTP 502"):
        await venue.get(keep=DAY)


async def test_a_call_that_never_answered_fails_as_it_did():
    venue = Venue(OUTAGE)

    with pytest.raises(SourceError) as caught:
        await venue.get()

    assert caught.value is OUTAGE


async def test_a_call_that_fails_is_asked_again_by_whoever_comes_next():
    venue = Venue("old", OUTAGE, "new")

    values = [(await venue.get()).value for _ in range(3)]

    assert values == ["old", "old", "new"]


async def test_what_is_not_listed_any_more_is_forgotten():
    venue = Venue("rows", MISSING, OUTAGE)
    await venue.get()

    with pytest.raises(NotListed):
        await venue.get()

    with pytest.raises(SourceError) as caught:
        await venue.get()
    assert caught.value is OUTAGE  # and not the rows of before


@pytest.mark.parametrize("options", [{}, {"renew": HOUR}, {"keep": DAY}])
async def test_without_patience_every_answer_is_asked_for_anew_and_none_stands_in(options):
    venue = Venue("first", "second", OUTAGE, keep=timedelta(0))

    values = [(await venue.get(**options)).value for _ in range(2)]

    assert values == ["first", "second"]
    with pytest.raises(SourceError, match="HTTP 502"):
        await venue.get(**options)


async def test_who_gives_up_waiting_takes_the_answer_from_nobody():
    venue = Venue("rows")
    venue.open.clear()
    impatient, patient = (asyncio.create_task(venue.get()) for _ in range(2))
    await asyncio.sleep(0)

    impatient.cancel()
    await asyncio.sleep(0)
    venue.open.set()

    assert (await patient).value == "rows"
    assert impatient.cancelled()


async def test_an_answer_that_nobody_waits_for_any_more_serves_the_next():
    venue = Venue("rows", OUTAGE)
    venue.open.clear()
    asker = asyncio.create_task(venue.get())
    await asyncio.sleep(0)
    asker.cancel()
    await asyncio.gather(asker, return_exceptions=True)

    venue.open.set()
    first, second = await venue.get(), await venue.get()

    assert (first.value, second.value, venue.asked) == ("rows", "rows", 2)


async def test_a_failure_fails_everyone_who_waited_and_not_the_next():
    venue = Venue(OUTAGE, "rows")

    failed = await asyncio.gather(venue.get(), venue.get(), return_exceptions=True)
    part = await venue.get()

    assert failed == [OUTAGE, OUTAGE]
    assert part.value == "rows"


async def test_a_bug_in_a_parser_is_nobodys_outage():
    venue = Venue("rows", KeyError("bug"))
    await venue.get()

    with pytest.raises(KeyError):
        await venue.get()


async def test_standing_in_is_logged_once_and_so_is_its_end(caplog):
    venue = Venue("rows", OUTAGE, OUTAGE, "rows", "rows", OUTAGE)

    with caplog.at_level(logging.INFO, "bot.exchanges.parts"):
        for _ in range(6):
            await venue.get()

    lines = [
        (record.levelname, record.getMessage().split(" of 2026")[0]) for record in caplog.records
    ]
    serves = ("WARNING", "venue: HTTP 502: book: the answer")
    assert lines == [serves, ("INFO", "venue: book answered again"), serves]


async def test_a_venue_whose_parts_all_fail_says_so_once(caplog):
    venue = Venue("bids", "asks", OUTAGE, OUTAGE, "bids", "asks")

    with caplog.at_level(logging.INFO, "bot.exchanges.parts"):
        for _ in range(3):
            await venue.get("bids")
            await venue.get("asks")

    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in lines] == ["WARNING", "INFO"]
    assert "bids" in lines[0][1]
    assert lines[1] == ("INFO", "venue: asks answered again")


async def test_an_answer_that_is_too_old_to_stand_in_hides_no_later_outage(caplog):
    venue = Venue("old", OUTAGE, OUTAGE, "new", OUTAGE)
    await venue.get("old")
    await venue.get("old")
    venue.at += 2 * KEEP
    with pytest.raises(SourceError):
        await venue.get("old")
    await venue.get("new")
    caplog.clear()

    await venue.get("new")

    assert [record.levelname for record in caplog.records] == ["WARNING"]
