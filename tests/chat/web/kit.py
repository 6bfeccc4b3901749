"""The dashboard's chat on a real socket, over the real commands."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial

import aiohttp

from bot.api.codes import RATE_LIMIT_EXCEEDED, Refused
from bot.api.pages import Place, Stream
from bot.chat.buttons import Signer
from bot.chat.web.chat import Allowances, Presence, WebChat
from bot.chat.web.guests import Guests
from bot.chat.web.rooms import Rooms, WebSender
from bot.service.limits import Buckets, Limit
from tests.api.serving import served
from tests.fakes import NOON, make_chain, make_snapshot
from tests.service.asking import Desk


def few(count):
    """So many from each address, and never more."""
    return Buckets(Limit(count, 1e-9), lambda: 0.0)


class House:
    """Pages come in, and rings go out."""

    def __init__(self, *, simulated=False, newcomers=100, lines=1_000, stay_seconds=600.0):
        self.desk = Desk(simulated=simulated)
        self.rooms = Rooms()
        self.signer = Signer("key")
        self.arrived = []
        self.left = asyncio.Queue()
        self.trouble = None  # of whoever is told who left
        self.holders = {}  # of sessions, by token
        self.address = "192.0.2.1"  # where the next page comes from
        self.sender = WebSender(self.rooms, self.signer, simulated=simulated)
        guests = Guests(Signer("key guests"), self._holder, lambda _: self.address, few(newcomers))
        self.chat = WebChat(
            self.desk.commands,
            self.rooms,
            self.signer,
            guests,
            Allowances(few(lines), few(1_000)),
            Presence(self._arrive, self._leave, self.desk.store.rang),
            simulated=simulated,
            stay_seconds=stay_seconds,
        )

    @asynccontextmanager
    async def open(self, **fields):
        """A client of the API with the chat in it."""
        chain = make_chain()
        snapshot = make_snapshot(chain)
        await self.desk.record("BTCUSDT", NOON, snapshot=snapshot, chain=chain)
        places = {"/chat": Place(self._serve, same_origin=True)}
        async with (
            served(self.desk.store, places=places, **fields) as client,
            another_browser(client) as browser,
        ):
            yield browser

    async def _serve(self, request):
        guest = await self.chat.welcome(request)
        if guest is None:
            raise Refused(RATE_LIMIT_EXCEEDED, "too many")
        return Stream(partial(self.chat.run, guest))

    async def _holder(self, request):
        return self.holders.get(request.cookies.get("gammabell_session"))

    async def _arrive(self, target):
        self.arrived.append(target)

    async def _leave(self, target):
        self.left.put_nowait(target)
        if self.trouble:
            raise self.trouble


class Visitor:
    """A page of the dashboard, without a screen."""

    def __init__(self, socket):
        self.socket = socket

    async def hear(self):
        return await self.socket.receive_json(timeout=5)

    async def ask(self, **said):
        await self.socket.send_json({"id": 1, **said})
        return await self.hear()


@asynccontextmanager
async def visit(client, **headers):
    """A page that was greeted."""
    own = {"Origin": client.address, **headers}
    async with client.session.ws_connect(f"{client.address}/chat", headers=own) as socket:
        visitor = Visitor(socket)
        visitor.greeting = await visitor.hear()
        yield visitor


@asynccontextmanager
async def another_browser(client):
    """A client of the same API that keeps its own cookies."""
    jar = aiohttp.CookieJar(unsafe=True)  # for addresses as well as names
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield type(client)(client.address, session)
