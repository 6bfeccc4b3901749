"""Many who are slow or silent: whoever asks beside them is answered."""

import asyncio
import resource
import sys
from urllib.parse import urlsplit

import pytest

from tests.api.wire import CLOSE, LEVELS, assert_well, read_answer


async def test_slow_clients_hold_up_nobody(client):
    """Three hundred requests that are sent a byte at a time, and others answered meanwhile."""
    whole = LEVELS + CLOSE
    parts = urlsplit(client.address)
    slow = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(300)]

    for position in range(len(whole)):
        for _, writer in slow:
            writer.write(whole[position : position + 1])
        if position % 10 == 0:
            await assert_well(client)
    found = [await read_answer(reader) for reader, _ in slow]

    assert {one.status for one in found} == {200}
    for _, writer in slow:
        writer.transport.abort()


IDLE = 10_000
BESIDE = 500  # descriptors for everything else
HOLD = """
import resource, socket, struct, sys
port, count, most = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
for one in held:  # their ports are free again at once
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
print(len(held), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def descriptors():
    """As many as the test wants, or as this process may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = IDLE + BESIDE if hard == resource.RLIM_INFINITY else min(hard, IDLE + BESIDE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    yield most
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_ten_thousand_idle_connections_hold_up_nobody(client, descriptors):
    room, port = descriptors - BESIDE, urlsplit(client.address).port
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, *map(str, (port, room, descriptors))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        held = int(await holder.stdout.readline())
        found = [await client.ask("/gex/levels") for _ in range(50)]
    finally:
        holder.kill()
        await holder.wait()

    assert held == room
    assert {one.status for one in found} == {200}
    await assert_well(client)
