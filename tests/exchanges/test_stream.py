"""A stream of prices over real sockets on the loopback interface, its waits in the test's hand."""

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from hypothesis import given
from hypothesis import strategies as st

from bot.core.snapshot import Tick
from bot.exchanges.feed import NOTHING, Pushed
from bot.exchanges.stream import Stream, back_off, banned_seconds
from tests.exchanges.wires import NOW

PATH = "/prices"


class ManualTimer:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self._time = 0.0
        self._naps = []
        self._changed = asyncio.Event()

    def time(self):
        return self._time

    async def sleep(self, seconds):
        nap = (self._time + seconds, seconds, asyncio.get_running_loop().create_future())
        self._naps.append(nap)
        self._changed.set()
        try:
            await nap[2]
        finally:
            self._naps.remove(nap)

    def skip(self, seconds):
        self._time += seconds
        for due, _, future in self._naps:
            if due <= self._time and not future.done():
                future.set_result(None)

    async def asked_for(self, seconds):
        """Wait until somebody sleeps that long."""
        while seconds not in [asked for _, asked, future in self._naps if not future.done()]:
            self._changed.clear()
            await self._changed.wait()


class Feed:
    """Messages of one word and one number: a price, an echo that is wanted, or what it is not."""

    path = f"{PATH}?coins=all"
    ping_every = 7.0

    def __init__(self, coins):
        self._coins = coins

    def greeting(self):
        return [f"want {coin}" for coin in self._coins]

    def ping(self):
        return None

    def read(self, text):
        word, _, number = text.partition(" ")
        if word == "echo":
            return Pushed(replies=(f"echoed {number}",))
        if word not in ("BTC", "ETH"):
            return NOTHING
        at = NOW + timedelta(seconds=float(number))
        return Pushed((Tick(f"{word}USDT", at, float(number), "venue"),))


class PingingFeed(Feed):
    """Of a venue that wants to hear something now and then."""

    def ping(self):
        return "ping"


class Venue:
    """The venue's side: who connects, what is said to it; it refuses while it has refusals."""

    def __init__(self):
        self.address = ""
        self.sockets = asyncio.Queue()
        self.asked = []  # paths with their queries
        self.said = asyncio.Queue()
        self.ended = asyncio.Queue()
        self.refusals = []
        self.transport = None  # of the newest request

    async def handle(self, request):
        self.asked.append(request.path_qs)
        self.transport = request.transport
        if self.refusals:
            return self.refusals.pop(0)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.sockets.put_nowait(socket)
        async for message in socket:
            self.said.put_nowait(message.data if message.type is WSMsgType.TEXT else message.type)
        self.ended.put_nowait(socket.close_code)
        return socket

    async def greeted(self):
        """The next connection, after its greeting."""
        socket = await self.sockets.get()
        assert [await self.said.get(), await self.said.get()] == ["want BTC", "want ETH"]
        return socket


class Running:
    """A stream at work on both coins, and what came of it."""

    def __init__(self, venue, stream, timer):
        self.venue = venue
        self.stream = stream
        self.timer = timer
        self.ticks = asyncio.Queue()
        self.task = asyncio.create_task(stream.run(["BTC", "ETH"], self.ticks.put_nowait))

    async def live(self):
        """A connection that has told a price."""
        socket = await self.venue.greeted()
        await self.tell(socket, "BTC 1")
        return socket

    async def tell(self, socket, text):
        await socket.send_str(text)
        return await self.ticks.get()

    async def come_back(self, seconds):
        """Let the back-off go by."""
        await self.timer.asked_for(seconds)
        self.timer.skip(seconds)


@asynccontextmanager
async def streaming(feed=Feed, own_path="", refusals=()):
    """A stream to a venue of the test; its back-off is the whole of what it may be."""
    venue, timer = Venue(), ManualTimer()
    venue.refusals += refusals
    app = web.Application()
    app.router.add_get("/{path:.*}", venue.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"ws://127.0.0.1:{runner.addresses[0][1]}{own_path}"
        # The guard ends a test that hangs; nothing waits for it.
        async with aiohttp.ClientSession() as session, asyncio.timeout(20):
            running = Running(
                venue, Stream("venue", session, address, feed, timer, lambda: 1.0), timer
            )
            try:
                yield running
            finally:
                running.task.cancel()
                await asyncio.wait([running.task])
    finally:
        await runner.cleanup()


def lines(caplog):
    return [(record.levelname, record.getMessage()) for record in caplog.records]


async def test_a_stream_greets_the_venue_and_hands_on_its_prices():
    async with streaming() as running:
        socket = await running.venue.greeted()

        tick = await running.tell(socket, "ETH 20")

        assert tick == Tick("ETHUSDT", NOW + timedelta(seconds=20), 20.0, "venue")
        assert running.venue.asked == [f"{PATH}?coins=all"]


async def test_an_address_with_a_path_of_its_own_is_used_as_it_stands():
    async with streaming(own_path="/other?key=1") as running:
        await running.venue.greeted()

        assert running.venue.asked == ["/other?key=1"]


async def test_an_address_may_end_with_a_slash():
    async with streaming(own_path="/") as running:
        await running.venue.greeted()

        assert running.venue.asked == [f"{PATH}?coins=all"]


async def test_what_the_venue_wants_to_hear_is_answered():
    async with streaming() as running:
        socket = await running.venue.greeted()

        await socket.send_str("echo 5")

        assert await running.venue.said.get() == "echoed 5"


async def test_a_protocol_ping_is_answered():
    async with streaming() as running:
        socket = await running.venue.greeted()

        await socket.ping()

        assert await running.venue.said.get() is WSMsgType.PONG


async def test_the_venue_is_pinged_as_often_as_it_wants():
    async with streaming(PingingFeed) as running:
        await running.venue.greeted()

        for _ in range(2):
            await running.timer.asked_for(7)
            running.timer.skip(7)

            assert await running.venue.said.get() == "ping"


async def test_a_venue_that_wants_no_ping_hears_none():
    async with streaming() as running:
        socket = await running.venue.greeted()
        await running.timer.asked_for(7)
        running.timer.skip(7)
        await running.timer.asked_for(7)

        await socket.send_str("echo 1")

        assert await running.venue.said.get() == "echoed 1"


async def test_what_tells_no_price_ends_nothing():
    async with streaming() as running:
        socket = await running.venue.greeted()

        await socket.send_str("{")
        await socket.send_bytes(b"\xff")

        assert await running.tell(socket, "BTC 3")


async def test_a_connection_that_the_venue_closes_is_made_again_with_its_greeting():
    async with streaming() as running:
        socket = await running.live()

        await socket.close(code=1001)
        await running.come_back(1)

        assert await running.live()


async def test_a_connection_that_is_cut_off_is_made_again():
    async with streaming() as running:
        await running.live()

        running.venue.transport.abort()
        await running.come_back(1)

        assert await running.live()


async def test_a_venue_that_tells_no_price_is_left_and_tried_again():
    async with streaming() as running:
        socket = await running.live()
        await running.timer.asked_for(20)
        running.timer.skip(12)
        await running.tell(socket, "BTC 2")

        running.timer.skip(8)
        await running.timer.asked_for(12)
        await socket.send_str("nothing")
        running.timer.skip(12)
        await running.come_back(1)

        assert await running.venue.ended.get() is not None
        assert running.stream.trouble == "no price for 20 s"
        assert await running.live()


async def test_a_message_that_is_too_large_ends_the_connection():
    async with streaming() as running:
        socket = await running.live()

        await socket.send_str("x" * 1_048_577)
        await running.come_back(1)

        assert running.stream.trouble == "closed with code 1009"
        assert await running.live()


async def test_failures_make_the_waits_longer_up_to_fifteen_seconds():
    refusals = [web.Response(status=503) for _ in range(6)]
    async with streaming(refusals=refusals) as running:
        for seconds in (1, 2, 4, 8, 15, 15):
            await running.come_back(seconds)

        assert await running.live()


async def test_a_minute_of_prices_makes_up_for_earlier_failures():
    refusals = [web.Response(status=503) for _ in range(3)]
    async with streaming(refusals=refusals) as running:
        for seconds in (1, 2, 4):
            await running.come_back(seconds)
        socket = await running.live()
        for turn in range(6):
            running.timer.skip(10)
            await running.tell(socket, f"BTC {turn}")

        await socket.close()
        await running.come_back(1)

        assert await running.live()


async def test_prices_of_less_than_a_minute_do_not():
    async with streaming(refusals=[web.Response(status=503)]) as running:
        await running.come_back(1)
        socket = await running.live()
        running.timer.skip(10)
        await running.tell(socket, "BTC 2")

        await socket.close()
        await running.come_back(2)

        assert await running.live()


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (403, {}, 1_800),
        (451, {"Retry-After": "5"}, 1_800),
        (429, {"Retry-After": "90"}, 90),
        (418, {}, 60),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60),
    ],
)
async def test_a_venue_that_refuses_is_left_alone_for_long(status, headers, seconds):
    refusals = [web.Response(status=status, headers=headers)]
    async with streaming(refusals=refusals) as running:
        await running.come_back(seconds)

        assert running.stream.trouble == f"refused with HTTP {status}"
        assert await running.live()


async def test_a_venue_that_is_not_there_is_tried_again():
    timer = ManualTimer()
    async with aiohttp.ClientSession() as session:
        stream = Stream("venue", session, "ws://127.0.0.1:1", Feed, timer, lambda: 1.0)
        running = asyncio.create_task(stream.run(["BTC"], [].append))

        for seconds in (1, 2):
            await timer.asked_for(seconds)
            timer.skip(seconds)
        await timer.asked_for(4)

        assert stream.trouble.startswith("not connected: ")
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()


async def test_a_stream_tells_since_when_it_is_live_and_why_it_is_not():
    async with streaming() as running:
        socket = await running.venue.greeted()
        before = running.stream.live_since
        await running.tell(socket, "BTC 30")
        await running.tell(socket, "BTC 40")
        live = running.stream.live_since, running.stream.trouble
        await socket.close(code=1012)
        await running.timer.asked_for(1)

        assert before is None
        assert live == (NOW + timedelta(seconds=30), "")
        assert running.stream.live_since is None
        assert running.stream.trouble == "closed with code 1012"


async def test_a_loss_and_its_end_are_logged_once_each(caplog):
    caplog.set_level(logging.INFO)
    async with streaming() as running:
        for seconds in (1, 2, 4):
            socket = await running.live()
            await socket.close()
            await running.come_back(seconds)
        socket = await running.live()
        for turn in range(12):
            running.timer.skip(10)
            await running.tell(socket, f"BTC {turn}")

    assert lines(caplog) == [
        ("WARNING", "venue: stream lost: closed with code 1000"),
        ("INFO", f"venue: stream live again since {NOW + timedelta(seconds=1)}"),
    ]


async def test_cancelling_a_stream_closes_its_connection():
    async with streaming() as running:
        await running.live()

        running.task.cancel()
        await asyncio.wait([running.task])

        assert running.task.cancelled()
        assert await running.venue.ended.get() == aiohttp.WSCloseCode.OK


async def test_a_stream_that_waits_to_come_back_can_be_cancelled():
    async with streaming(refusals=[web.Response(status=403)]) as running:
        await running.timer.asked_for(1_800)

        running.task.cancel()
        await asyncio.wait([running.task])

        assert running.task.cancelled()


@given(attempts=st.integers(0, 10**6), chance=st.floats(0, 1, exclude_max=True))
def test_the_back_off_is_random_but_bounded(attempts, chance):
    assert 0.5 <= back_off(attempts, 0.0, chance) <= 15


@given(attempts=st.integers(0, 10**6), least=st.floats(0, 10**6), chance=st.floats(0, 1))
def test_the_back_off_is_never_shorter_than_the_venue_wants(attempts, least, chance):
    assert back_off(attempts, least, chance) >= least


@given(status=st.integers(100, 599), after=st.text() | st.integers().map(str))
def test_whatever_a_refusal_says_there_is_a_time_to_come_back(status, after):
    assert 0 <= banned_seconds(status, after) <= 3 * 86_400
