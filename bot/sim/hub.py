"""The open WebSockets of the simulator: heard, pushed to, closed; none waits for another."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import datetime

from aiohttp import WSMessage, WSMsgType, web

from bot.sim.connection import GRACE, Connection, Outgoing
from bot.sim.faults import Active, Channel, Clock, Faults
from bot.sim.limits import Limits, Listener
from bot.sim.market import Market
from bot.sim.refusals import refusal, too_often
from bot.sim.replies import encoded
from bot.sim.streams.conversation import PING, Conversation, HungUp, Prices, prices_of
from bot.sim.wire import Answer

MOST = 1000  # connections

Told = dict[tuple[datetime, datetime], Prices]  # by the times that the prices are of


class Hub:
    """Every WebSocket of every venue."""

    def __init__(self, market: Market, clock: Clock, faults: Faults, limits: Limits | None) -> None:
        self._market = market
        self._clock = clock
        self._faults = faults
        self._limits = limits
        self._open: dict[Connection, Listener] = {}
        faults.began = self._enforce

    def refusal(self, channel: Channel, client: str) -> Answer | None:
        """The answer to a handshake that is not wanted; None when the client may come in."""
        at, venue = self._clock(), channel.venue
        fault = self._faults.strike(channel, ("refuse", "drop"))
        if fault is not None:
            return _closed(venue, fault, at)
        theirs = sum((one.channel.venue, one.client) == (venue, client) for one in self._open)
        if len(self._open) >= MOST:
            return refusal(venue, 503, at)
        return self._limits.handshake(venue, client, theirs, at) if self._limits else None

    async def serve(
        self, request: web.Request, channel: Channel, conversation: Conversation
    ) -> web.StreamResponse:
        """One connection from its handshake to its end."""
        connection = Connection(request, channel, conversation)
        await connection.socket.prepare(request)
        self._open[connection] = Listener(channel.venue)
        writing = asyncio.create_task(connection.write(self._faults))
        try:
            self._tell(connection, conversation.topics, self._clock(), {})
            async for message in connection.socket:
                self._hear(connection, message)
        finally:
            del self._open[connection]
            writing.cancel()
        return connection.socket

    def push(self) -> None:
        """Tells every client the prices of now, each coin's computed once."""
        now, told = self._clock(), Told()
        for connection in list(self._open):
            self._converse(connection, lambda one: one.beat(now))
            self._tell(connection, connection.conversation.topics, now, told)

    def _enforce(self) -> None:
        """Cuts the connections that a fault which has just begun drops."""
        for connection in list(self._open):
            if self._faults.strike(connection.channel, ("drop",)):
                connection.abort()

    async def close(self) -> None:
        """Says goodbye to every client and cuts those that do not listen."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await asyncio.gather(*(one.socket.close(code=1001) for one in self._open))
        for connection in list(self._open):
            connection.abort()

    def _hear(self, connection: Connection, message: WSMessage) -> None:
        now = self._clock()
        connection.conversation.heard = now
        if message.type is WSMsgType.PING:
            self._put(connection, Outgoing(WSMsgType.PONG, message.data))
        if message.type is not WSMsgType.TEXT:
            return
        if self._limits and not self._open[connection].allows(message.data, now):
            self._converse(connection, lambda _: _too_often(connection.channel.venue, now))
            self._end(connection, "too many requests")
            return
        before = set(connection.conversation.topics)
        self._converse(connection, lambda one: one.reply(message.data, now))
        # A new subscriber is told at once, not with the next round.
        new = [topic for topic in connection.conversation.topics if topic not in before]
        self._tell(connection, new, now, {})

    def _converse(
        self, connection: Connection, says: Callable[[Conversation], Iterable[object]]
    ) -> None:
        """Sends the replies of the venue, or its end of the conversation."""
        try:
            for message in says(connection.conversation):
                self._put(connection, _frame(message))
        except HungUp as end:
            self._end(connection, str(end))

    def _tell(
        self, connection: Connection, topics: Collection[str], now: datetime, told: Told
    ) -> None:
        """Pushes these topics as the faults would have them."""
        if not topics:
            return
        times = self._faults.times(connection.channel, now)
        if times not in told:
            told[times] = prices_of(self._market, *times)
        for topic in topics:
            message = connection.conversation.tell(topic, told[times])
            if message is not None:
                self._push(connection, message, now)

    def _push(self, connection: Connection, message: object, now: datetime) -> None:
        channel = connection.channel
        payload = encoded(self._faults.altered(message, channel, now))
        if self._faults.strike(channel, ("truncated",)):
            payload = payload[: len(payload) // 2]
        slow = self._faults.strike(channel, ("slow",))
        due = asyncio.get_running_loop().time() + slow.fault.amount if slow else 0.0
        self._put(connection, Outgoing(WSMsgType.TEXT, payload, due, slow))

    def _end(self, connection: Connection, reason: str) -> None:
        self._put(connection, Outgoing(WSMsgType.CLOSE, reason.encode()))

    def _put(self, connection: Connection, frame: Outgoing) -> None:
        if not self._faults.strike(connection.channel, ("hang",)):
            connection.put(frame)


def _frame(message: object) -> Outgoing:
    if message is PING:
        return Outgoing(WSMsgType.PING, b"")
    return Outgoing(WSMsgType.TEXT, encoded(message))


def _closed(venue: str, fault: Active, at: datetime) -> Answer:
    """The answer to a handshake that a fault forbids."""
    status = int(fault.fault.amount) if fault.fault.kind == "refuse" else 503
    return refusal(venue, status, at)


def _too_often(venue: str, at: datetime) -> list[object]:
    return [too_often(venue, at, 1).body]
