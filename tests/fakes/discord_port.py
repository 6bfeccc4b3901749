"""A TCP port of the loopback that can be taken down and brought up again."""

import asyncio
import socket

from aiohttp import web


class Port:
    """Keeps its number while it is down: connecting is refused then, as at a dead server."""

    def __init__(self, handler):
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", handler)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        self._site = None
        self._reserved = bound(0)
        self.number = self._reserved.getsockname()[1]

    async def start(self, *, up):
        await self._runner.setup()
        if up:
            await self.up()

    async def up(self):
        if self._site is None:
            self._site = web.SockSite(self._runner, self._reserved)
            await self._site.start()

    async def down(self):
        """Stop listening, and break every connection."""
        if self._site is not None:
            await self._site.stop()
            self._site, self._reserved = None, bound(self.number)
        self.cut()

    def cut(self):
        for connection in self._runner.server.connections if self._runner.server else ():
            connection.force_close()

    async def close(self):
        self.cut()
        await asyncio.sleep(0)
        await self._runner.cleanup()
        self._reserved.close()


def bound(number):
    """A socket that holds the port without listening."""
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.bind(("127.0.0.1", number))
    return own
