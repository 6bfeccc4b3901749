"""The simulated venues behind one address."""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.clock import FastClock
from bot.sim.control import Control, Requests
from bot.sim.faults import Channel, Clock, Faults
from bot.sim.hub import Hub
from bot.sim.limits import Limits
from bot.sim.market import Market
from bot.sim.replies import Replies, encoded, response
from bot.sim.streams.conversation import HungUp
from bot.sim.venues import VENUES, Venue

logger = logging.getLogger(__name__)

PUSH_EVERY = 1.0  # real seconds
LINGER = 0.3  # seconds that an answer on its way may take when the server closes


class Simulator:
    """Serves one market at the clock's time, for as long as it is entered.

    The clock gives an aware UTC datetime and may run at any speed. Port 0 takes a free one.
    Prices are pushed every so many real seconds, and whenever `push` is called.
    """

    def __init__(
        self,
        seed: int,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        limits: bool = True,
        push_every: float = PUSH_EVERY,
    ) -> None:
        self.base_url = self.ws_url = ""  # known once entered
        self.requests = Requests()
        self.faults = Faults(clock, seed)
        self._clock = clock
        self._host = host
        self._port = port
        self._push_every = push_every
        market, counts = Market(seed), Limits() if limits else None
        self._replies = Replies(market, clock, self.faults, counts)
        self._hub = Hub(market, clock, self.faults, counts)
        self._runner = web.AppRunner(
            self._application(),
            access_log=None,
            shutdown_timeout=LINGER,
            handler_cancellation=True,  # an answer that hangs ends when its client goes
        )

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError:  # the port is taken
            await self._runner.cleanup()
            raise
        address = f"{self._host}:{self._runner.addresses[0][1]}"
        self.base_url, self.ws_url = f"http://{address}", f"ws://{address}"
        self._pushing = asyncio.create_task(self._push())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pushing.cancel()
        with suppress(asyncio.CancelledError):
            await self._pushing
        self.faults.clear()
        await self._hub.close()
        await self._runner.cleanup()

    def push(self) -> None:
        """Tells every subscriber the prices of now."""
        self._hub.push()

    async def _push(self) -> None:
        while True:
            await asyncio.sleep(self._push_every)
            self.push()

    def _application(self) -> web.Application:
        app = web.Application()
        app.router.add_routes(Control(self.faults, self.requests).routes())
        for venue in VENUES:  # first the paths that a root of another route would take
            app.router.add_get(venue.stream.path, partial(self._converse, venue))
        for venue in VENUES:
            for root in venue.roots:
                app.router.add_get(root + "{call:.*}", partial(self._reply, venue))
                app.router.add_post(root + "{call:.*}", partial(self._reply, venue))
        return app

    async def _reply(self, venue: Venue, request: web.Request) -> web.StreamResponse:
        self.requests.count(venue.name, request.path)
        return await self._replies.reply(venue, request)

    async def _converse(self, venue: Venue, request: web.Request) -> web.StreamResponse:
        self.requests.count(venue.name, request.path)
        channel = Channel(venue.name, "ws", request.path)
        refusal = self._hub.refusal(channel, request.remote or "")
        if refusal is not None:
            return response(request, refusal, encoded(refusal.body))
        try:
            conversation = venue.stream(self._clock(), request.query)
        except HungUp as end:
            raise web.HTTPBadRequest(text=str(end)) from end
        return await self._hub.serve(request, channel, conversation)


async def serve(host: str, port: int, seed: int, speed: float) -> None:
    """The simulator alone, until it is cancelled."""
    async with Simulator(seed, FastClock(speed).now, host, port) as simulator:
        logger.info("simulated exchanges: %s", simulator.base_url)
        await asyncio.Event().wait()
