"""The gateway half of the fake Discord: sessions, heartbeats, events, and how they break."""

import asyncio
import json
import secrets
import zlib
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT = 0, 1, 2, 6, 7
REQUEST_MEMBERS, INVALID_SESSION, HELLO, ACK = 8, 9, 10, 11
GUILDS = 1 << 0
PRIVILEGED = 1 << 1 | 1 << 8 | 1 << 15  # members, presences, message content
IDENTIFY_EVERY = 5.0  # seconds, for each bucket


@dataclass(eq=False)
class Session:
    """What a client identified for; it outlives the connection, and so does its log."""

    shard: int
    count: int
    intents: int
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    log: list[dict] = field(default_factory=list)
    valid: bool = True
    connection: "Connection | None" = None

    def serves(self, guild_id):
        """Whether events of the guild (None: of direct messages) come here."""
        return self.shard == ((guild_id or 0) >> 22) % self.count

    def dispatch(self, event, data):
        entry = {"op": DISPATCH, "t": event, "s": len(self.log) + 1, "d": data}
        self.log.append(entry)
        if self.connection is not None:
            self.connection.wake()


class Connection:
    """One WebSocket; what its session logs is written from `cursor` on."""

    def __init__(self, socket, request):
        self.socket, self.transport = socket, request.transport
        self.session = None
        self.closed_by_us = False
        self._cursor = 0
        self._news = asyncio.Event()
        self._packer = packer(request.query.get("compress"))

    def attach(self, session, cursor):
        self.session, self._cursor = session, cursor
        session.connection = self
        self.wake()

    def wake(self):
        self._news.set()

    async def send(self, op, data):
        await self._write({"op": op, "t": None, "s": None, "d": data})

    async def pump(self):
        """Write the session's log for as long as the connection lasts."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self.session and self._cursor < len(self.session.log):
                self._cursor += 1
                await self._write(self.session.log[self._cursor - 1])

    async def _write(self, frame):
        with suppress(ConnectionError):
            text = json.dumps(frame)
            if self._packer is None:
                await self.socket.send_str(text)
            else:
                await self.socket.send_bytes(self._packer(text.encode()))

    def abort(self):
        """Break the TCP connection, without a word."""
        if self.transport is not None:
            self.transport.abort()


def packer(compress):
    """What packs frames for `compress=zlib-stream`; None where they stay text."""
    if compress != "zlib-stream":
        return None
    stream = zlib.compressobj()
    return lambda data: stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


class Gateway:
    """Every session of the bot; counters are plain attributes."""

    def __init__(self, token, world, *, max_concurrency):
        self._token, self._world = token, world
        self._max_concurrency = max_concurrency
        self.url = ""  # set once it listens
        self.heartbeat_ms = 41_250
        self.acks_heartbeats = True
        self.allows_privileged = False
        self.sessions = []
        self.connections = set()
        self.identifies = []  # (time, shard)
        self.identify_violations = 0
        self.resumes = 0
        self.heartbeats = 0
        self.closed_with = []  # codes of clients that left

    # What the world tells.

    def dispatch(self, guild_id, event, data):
        """Tell every session that serves the guild; those that are away hear it later."""
        for session in self.sessions:
            if session.valid and session.serves(guild_id) and wants(session, event):
                session.dispatch(event, data)

    # What goes wrong.

    async def reconnect(self):
        """Op 7: please come back, and resume."""
        await self._tell_all(RECONNECT, None)

    async def invalidate(self, *, resumable):
        """Op 9: the session is broken, or gone for good."""
        for session in self.sessions:
            session.valid = session.valid and resumable
        await self._tell_all(INVALID_SESSION, resumable)

    async def close(self, code):
        """Close every connection with that code."""
        for connection in list(self.connections):
            connection.closed_by_us = True
            await connection.socket.close(code=code)

    def abort(self):
        """Break every connection."""
        for connection in list(self.connections):
            connection.abort()

    def forget(self):
        """Lose every session, as Discord does after minutes: a resume gets op 9 false."""
        for session in self.sessions:
            session.valid = False

    async def _tell_all(self, op, data):
        for connection in list(self.connections):
            await connection.send(op, data)

    # What clients say.

    async def serve(self, request):
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        connection = Connection(socket, request)
        self.connections.add(connection)
        pump = asyncio.create_task(connection.pump())
        try:
            await connection.send(HELLO, {"heartbeat_interval": self.heartbeat_ms})
            await self._listen(connection)
        finally:
            await self._hang_up(connection, pump)
        return socket

    async def _listen(self, connection):
        async for message in connection.socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                frame = json.loads(message.data)
                await self._hear(connection, frame["op"], frame.get("d"))

    async def _hang_up(self, connection, pump):
        self.connections.discard(connection)
        pump.cancel()
        with suppress(asyncio.CancelledError):
            await pump
        code, session = connection.socket.close_code, connection.session
        self.closed_with.append(code)
        if session is not None and session.connection is connection:
            session.connection = None
            # 1000 and 1001 from the client end the session, any other code keeps it.
            left = code in (1000, 1001) and not connection.closed_by_us
            session.valid = session.valid and not left
        self._world.changes.notify()

    async def _hear(self, connection, op, data):
        if op == HEARTBEAT:
            await self._beat(connection)
        elif op == IDENTIFY:
            await self._identify(connection, data)
        elif op == RESUME:
            await self._resume(connection, data)
        elif op == REQUEST_MEMBERS:
            self._members(connection.session, data)
        self._world.changes.notify()

    async def _beat(self, connection):
        self.heartbeats += 1
        if self.acks_heartbeats:
            await connection.send(ACK, None)

    async def _identify(self, connection, data):
        shard, count = data.get("shard", (0, 1))
        self._note_identify(shard)
        intents = data.get("intents", 0)
        if data["token"] != self._token:
            await connection.socket.close(code=4004, message=b"Authentication failed.")
        elif not 0 <= shard < count:
            await connection.socket.close(code=4010, message=b"Invalid shard.")
        elif intents & PRIVILEGED and not self.allows_privileged:
            await connection.socket.close(code=4014, message=b"Disallowed intent(s).")
        else:
            self._open(connection, Session(shard, count, intents))

    def _note_identify(self, shard):
        now, bucket = self._world.now(), shard % self._max_concurrency
        recent = [s for t, s in self.identifies if now - t < IDENTIFY_EVERY]
        self.identify_violations += bucket in {s % self._max_concurrency for s in recent}
        self.identifies.append((now, shard))

    def _open(self, connection, session):
        self.sessions.append(session)
        guilds = [g for g in self._world.guilds if g.bot_is_in and session.serves(g.id)]
        session.dispatch("READY", self._ready(session, guilds))
        for guild in guilds if session.intents & GUILDS else ():
            session.dispatch("GUILD_CREATE", {**guild.wire(), "unavailable": False})
        connection.attach(session, 0)

    def _ready(self, session, guilds):
        return {
            "v": 10,
            "user": self._world.bot.wire(),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": [session.shard, session.count],
            "application": {"id": str(self._world.application_id), "flags": 0},
            "private_channels": [],
        }

    async def _resume(self, connection, data):
        found = [s for s in self.sessions if s.id == data["session_id"] and s.valid]
        if data["token"] != self._token:
            await connection.socket.close(code=4004, message=b"Authentication failed.")
        elif not found:
            await connection.send(INVALID_SESSION, False)
        elif data["seq"] is not None and data["seq"] > len(found[0].log):
            await connection.socket.close(code=4007, message=b"Invalid seq.")
        else:
            self.resumes += 1
            found[0].log.append(resumed(found[0]))
            connection.attach(found[0], data["seq"] or 0)

    def _members(self, session, data):
        guild = next(g for g in self._world.guilds if str(g.id) == str(data["guild_id"]))
        members = [m for m in guild.wire()["members"] if member_fits(m, data)]
        chunk = {"guild_id": str(guild.id), "members": members, "chunk_index": 0, "chunk_count": 1}
        session.dispatch("GUILD_MEMBERS_CHUNK", {**chunk, "nonce": data.get("nonce")})


def resumed(session):
    return {"op": DISPATCH, "t": "RESUMED", "s": len(session.log) + 1, "d": {"_trace": []}}


def member_fits(member, data):
    wanted = data.get("user_ids")
    wanted = [wanted] if isinstance(wanted, int | str) else wanted
    query = data.get("query") or ""
    named = member["user"]["username"].startswith(query)
    return named if wanted is None else member["user"]["id"] in map(str, wanted)


def wants(session, event):
    """Whether the session's intents cover the event; interactions need none."""
    return event == "INTERACTION_CREATE" or bool(session.intents & GUILDS)
