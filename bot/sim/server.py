"""The simulated venues behind one address."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web

from bot.sim import binance, deribit
from bot.sim.market import Market

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Answer = Callable[[Market, datetime, str, Mapping[str, str]], tuple[int, object]]

# The venues' roots differ, so one address serves them all.
ANSWERS: dict[str, Answer] = {deribit.ROOT: deribit.answer, binance.ROOT: binance.answer}
LINGER = 1.0  # seconds that an answer on its way may take when the server closes


class Simulator:
    """Serves one market at the clock's time, for as long as it is entered.

    The clock gives an aware UTC datetime and may run at any speed. Port 0 takes a free one.
    """

    def __init__(self, seed: int, clock: Clock, host: str = "127.0.0.1", port: int = 0) -> None:
        self.base_url = ""  # known once entered
        self._market = Market(seed)
        self._clock = clock
        self._host = host
        self._port = port
        app = web.Application()
        for root, answer in ANSWERS.items():
            app.router.add_get(root + "{call:.*}", partial(self._reply, answer))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=LINGER)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError:  # the port is taken
            await self._runner.cleanup()
            raise
        self.base_url = f"http://{self._host}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _reply(self, answer: Answer, request: web.Request) -> web.Response:
        status, body = answer(self._market, self._clock(), request.path, request.query)
        text = msgspec.json.encode(body)
        reply = web.Response(body=text, status=status, content_type="application/json")
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            reply.enable_compression(web.ContentCoding.gzip)  # left alone it prefers deflate
        return reply


def running_clock(speed: float, monotonic: Callable[[], float] = time.monotonic) -> Clock:
    """A clock that starts at the real time and runs so many times as fast."""
    started, began = datetime.now(UTC), monotonic()
    return lambda: started + timedelta(seconds=speed * (monotonic() - began))


async def serve(host: str, port: int, seed: int, speed: float) -> None:
    """The simulator alone, until it is cancelled."""
    async with Simulator(seed, running_clock(speed), host, port) as simulator:
        logger.info("simulated exchanges: %s", simulator.base_url)
        await asyncio.Event().wait()
