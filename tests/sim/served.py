"""A simulator and its clients, on a clock that the test moves."""

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp

from bot.sim.server import Simulator

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEVER = 3600.0  # seconds between pushes: only those that the test asks for


class ManualClock:
    """Time that stands still until it is moved."""

    def __init__(self, at=NOON):
        self.at = at

    def __call__(self):
        return self.at

    def advance(self, seconds):
        self.at += timedelta(seconds=seconds)


class Client:
    """Whoever asks a simulator."""

    def __init__(self, simulator, http, clock):
        self.simulator = simulator
        self.http = http
        self.clock = clock

    async def get(self, path, **params):
        """Status and body; a page is given as text."""
        async with self.http.get(self.simulator.base_url + path, params=params) as reply:
            return reply.status, await body_of(reply)

    async def post(self, path, body):
        async with self.http.post(self.simulator.base_url + path, json=body) as reply:
            return reply.status, await body_of(reply)

    async def delete(self, path):
        async with self.http.delete(self.simulator.base_url + path) as reply:
            return reply.status, await body_of(reply)

    def open(self, path, **options):
        return self.http.ws_connect(self.simulator.ws_url + path, **options)

    @asynccontextmanager
    async def listening(self, path, *messages):
        """A connection that has said these messages."""
        async with self.open(path) as socket:
            for message in messages:
                await socket.send_json(message)
            yield socket


@asynccontextmanager
async def served(**options):
    clock = ManualClock()
    options = {"push_every": NEVER, **options}
    async with Simulator(7, clock, **options) as simulator, aiohttp.ClientSession() as http:
        yield Client(simulator, http, clock)


async def body_of(reply):
    text = await reply.text()
    return json.loads(text) if reply.content_type == "application/json" else text


async def hear(socket, count):
    """The next messages, read as JSON."""
    return [await socket.receive_json() for _ in range(count)]
