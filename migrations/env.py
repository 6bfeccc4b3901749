"""Runs the migrations on the connection, and in the transaction, of bot/store/migrate.py."""

from alembic import context

from bot.store.tables import UtcTime, metadata


def render(_kind: str, item: object, _context: object) -> str | bool:
    """What a migration says for a column type of ours: it must not change when ours does."""
    return "sa.BigInteger()" if isinstance(item, UtcTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column by copying its table
    render_item=render,
)
context.run_migrations()
