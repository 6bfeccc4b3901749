"""The simulator in a process of its own: like a venue's, its work costs the program nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.errors import BotError


@asynccontextmanager
async def started_simulator(seed: int, *clock: str) -> AsyncIterator[str]:
    """Its address, "127.0.0.1:PORT", for as long as it is entered.

    `clock` is what the process makes its clock of: nothing for the system's. Raises BotError.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.sim", str(seed), *clock),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin is not None  # noqa: S101  both are pipes
    assert child.stdout is not None  # noqa: S101
    try:
        address = (await child.stdout.readline()).decode().strip()
        if not address:
            raise BotError("the simulator did not start; `gammabell sim` says why")
        yield address
    finally:
        child.stdin.close()  # it ends by itself, as it does when this process is killed
        await child.wait()
