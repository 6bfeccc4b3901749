import asyncio
import time
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from tests.faults.cases import Case, Row
from tests.faults.loop import LoopClock, played
from tests.faults.verdict import outcome_of
from tests.service.builders import NOON

HOUR = 3_600.0


def test_an_hour_of_waiting_is_over_at_once_and_has_gone_by():
    async def story():
        clock = LoopClock(NOON)
        await clock.sleep(HOUR)
        return clock.now()

    assert played(story()) == NOON + timedelta(hours=1)


def test_a_deadline_passes_before_what_comes_later():
    async def story():
        async with asyncio.timeout(12):
            await asyncio.sleep(HOUR)

    with pytest.raises(TimeoutError):
        played(story())


def test_time_stands_still_while_a_socket_has_something_to_say():
    async def story():
        async def answer(_):
            return web.Response(text="a price")

        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        async with aiohttp.ClientSession() as session, session.get(url) as reply:
            said = await reply.text()
        taken = asyncio.get_running_loop().time()
        await runner.cleanup()
        return said, taken

    assert played(story()) == ("a price", 0.0)


def test_time_stands_still_while_a_thread_works():
    async def story():
        async with asyncio.timeout(1):
            await asyncio.to_thread(time.sleep, 0.01)
        return asyncio.get_running_loop().time()

    assert played(story()) == 0.0


def test_the_same_fault_ends_the_same_way_again():
    case = Case(Row("nulls", "ws"), "derive", "HYPEUSDT")

    assert outcome_of(case) == outcome_of(case)
