"""The simulator as a child: says where it is, and serves until its parent is gone."""

import asyncio
import contextlib
import os
import signal
import sys
from datetime import datetime

from bot.clock import FastClock, SystemClock
from bot.sim.server import Simulator

SHORTEST_PUSH = 0.05  # real seconds between the prices of a market that runs fast


def main() -> None:
    """Arguments: the seed, and for a clock that runs fast its speed, start and beginning."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    asyncio.run(_serve(int(sys.argv[1]), *sys.argv[2:]))


async def _serve(seed: int, *fast: str) -> None:
    if fast:
        speed, started, began = fast
        clock = FastClock(float(speed), datetime.fromisoformat(started), float(began))
        # Requests that are spread over a virtual second arrive in a bunch: no limit is fair.
        push_every = max(1 / clock.speed, SHORTEST_PUSH)
        simulator = Simulator(seed, clock.now, limits=False, push_every=push_every)
    else:
        simulator = Simulator(seed, SystemClock().now)
    async with simulator:
        address = simulator.base_url.removeprefix("http://")
        with contextlib.suppress(BrokenPipeError):  # the parent is gone; its stdin says it, too
            os.write(sys.stdout.fileno(), f"{address}\n".encode())  # leaves nothing to flush
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    main()
