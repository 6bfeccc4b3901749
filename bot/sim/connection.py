"""One client's WebSocket: what waits to be sent to it, and the sending."""

import asyncio
from contextlib import suppress
from typing import NamedTuple

from aiohttp import WSMsgType, web

from bot.sim.faults import Active, Channel, Faults
from bot.sim.streams.conversation import Conversation

WAITING = 1000  # messages for one client; one that reads no faster is cut off
LARGEST = 1 << 16  # bytes of a client's message
GRACE = 0.5  # seconds for a client to return a closing frame


class Outgoing(NamedTuple):
    """A frame on its way; the payload of a closing frame is its reason."""

    kind: WSMsgType
    payload: bytes
    due: float = 0.0  # by the loop's clock
    slow: Active | None = None  # the fault that holds it until then


class Connection:
    """Frames are put in order and sent as fast as the client reads."""

    def __init__(self, request: web.Request, channel: Channel, conversation: Conversation) -> None:
        self.channel = channel
        self.client = request.remote or ""
        self.conversation = conversation
        self.socket = web.WebSocketResponse(autoping=False, timeout=GRACE, max_msg_size=LARGEST)
        self._request = request
        self._waiting: asyncio.Queue[Outgoing] = asyncio.Queue(WAITING)

    def put(self, frame: Outgoing) -> None:
        """A frame to be sent after those before it."""
        try:
            self._waiting.put_nowait(frame)
        except asyncio.QueueFull:
            self.abort()

    def abort(self) -> None:
        """Ends it as when the line is cut: no closing frame, nothing more is sent."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def write(self, faults: Faults) -> None:
        """Sends what is put, until the end."""
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while not self.socket.closed:
                frame = await self._waiting.get()
                if frame.slow is not None:
                    await faults.outlast(frame.slow, frame.due - loop.time())
                await self._send(frame)

    async def _send(self, frame: Outgoing) -> None:
        match frame.kind:
            case WSMsgType.PING:
                await self.socket.ping(frame.payload)
            case WSMsgType.PONG:
                await self.socket.pong(frame.payload)
            case WSMsgType.CLOSE:
                await self.socket.close(code=1008, message=frame.payload)
            case _:
                await self.socket.send_str(frame.payload.decode())
