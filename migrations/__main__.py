"""Writes the next migration from what changed in bot/store/tables.py.

`python -m migrations "what changed"`; then read the script, and set NEWEST in
bot/store/migrate.py to its number.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from bot.store.engine import SQLITE, open_engine, parse_url, transaction
from bot.store.migrate import NEWEST, config, migrate


async def write(message: str) -> None:
    """A new script in versions/, from a scratch database at the newest revision to tables.py."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"{SQLITE}:///{Path(folder) / 'scratch.db'}"
        await migrate(url)
        async with transaction(open_engine(parse_url(url), migrating=True)) as database:
            await database.call(_compare, message)


def _compare(connection: Connection, message: str) -> None:
    settings = config()
    settings.attributes["connection"] = connection
    number = f"{int(NEWEST) + 1:04}"
    command.revision(settings, message, autogenerate=True, rev_id=number)


asyncio.run(write(" ".join(sys.argv[1:])))
