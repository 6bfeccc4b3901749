"""A past for a new database, so that curves have something to show."""

from bot.core.crossings import Latches
from bot.markets import SIMULATED
from bot.ports import Record
from bot.store.migrate import open_store


async def remember(url, looks):
    """Write the snapshots with their chains into the database of a simulated market."""
    store = await open_store(url)
    try:
        await store.open_market(SIMULATED)
        for snapshot, chain in looks:
            record = Record(snapshot.symbol, snapshot.at, Latches(), snapshot=snapshot, chain=chain)
            await store.record(record)
    finally:
        await store.close()
