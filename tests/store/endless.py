"""Records for as long as it lives and says after each record which it was: `endless.py URL`."""

import asyncio
import sys

from bot.store.migrate import open_store
from tests.store.values import (
    CHAIN,
    NOON,
    SECOND,
    make_alert,
    make_candles,
    make_latches,
    make_record,
    make_snapshot,
)


async def record_for_ever(url: str) -> None:
    store = await open_store(url)
    for n in range(int(await store.position() or -1) + 1, sys.maxsize):
        await store.record(record_of(n))
        print(n, flush=True)  # noqa: T201 (its parent reads it)


def record_of(n: int):
    at = NOON + n * SECOND
    return make_record(
        at=at,
        latches=make_latches(float(n)),
        snapshot=make_snapshot(at=at, candles=make_candles(3, at)),
        chain=CHAIN.take(CHAIN.strike > n),
        events=[],
        alerts=[make_alert(f"a{n}", at)],
        position=str(n),
    )


if __name__ == "__main__":
    asyncio.run(record_for_ever(sys.argv[1]))
