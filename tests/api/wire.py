"""A client without manners: bytes to the port, and what comes back."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
LEVELS = b"GET /gex/levels HTTP/1.1\r\nHost: localhost\r\n"
CLOSE = b"Connection: close\r\n\r\n"
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Heard:
    """An answer off the wire."""

    version: str
    status: int
    headers: dict
    content: bytes

    @property
    def body(self):
        return json.loads(self.content)

    @property
    def code(self):
        return self.body["error"]["code"]


@asynccontextmanager
async def connected(client):
    """A reader and a writer; at the end the connection is gone, whatever was sent."""
    parts = urlsplit(client.address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def read_answer(reader, *, has_body=True):
    """The next answer; None where the connection ends instead."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
            size = int(headers.get("content-length", 0)) if has_body else 0
            content = await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    version, status, _ = first.split(" ", 2)
    return Heard(version, int(status), headers, content)


async def tell(client, sent, answers=1):
    """The first answers to these bytes."""
    async with connected(client) as (reader, writer):
        writer.write(sent)
        found = [await read_answer(reader) for _ in range(answers)]
    return found if answers > 1 else found[0]


async def ask_target(client, target, method="GET", version="1.1"):
    """What a target answers that no decent client would send as it is."""
    line = f"{method} {target} HTTP/{version}\r\nHost: localhost\r\n".encode("latin-1")
    return await tell(client, line + CLOSE)


async def assert_well(client):
    """Whoever asks properly is answered, whatever came before."""
    assert (await client.ask("/gex/levels")).status == 200
