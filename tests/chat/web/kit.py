"""The dashboard's chat on a real socket, over the real commands."""

from contextlib import asynccontextmanager
from functools import partial

import aiohttp

from bot.api.pages import Place, Stream
from bot.chat.buttons import Signer
from bot.chat.web.chat import WebChat
from bot.chat.web.rooms import Rooms, WebSender
from tests.api.serving import served
from tests.fakes import NOON, make_chain, make_snapshot
from tests.service.asking import Desk


class House:
    """Pages come in, and rings go out."""

    def __init__(self, *, simulated=False, welcome=True):
        self.desk = Desk(simulated=simulated)
        self.rooms = Rooms()
        self.signer = Signer("key")
        self.arrived = []
        self.welcome = welcome
        self.sender = WebSender(self.rooms, self.signer, simulated=simulated)
        self.chat = WebChat(
            self.desk.commands,
            self.rooms,
            self.signer,
            Signer("key guests"),
            self._arrive,
            lambda: self.welcome,
            simulated=simulated,
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
        return Stream(partial(self.chat.run, self.chat.knows(request)))

    async def _arrive(self, target):
        self.arrived.append(target)


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
