"""What rang in a chat before, found without reading everyone's."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """The index of messages that ended."""
    ended = sa.text("due_at IS NULL")
    columns = ["target", "at", "number"]
    name = "ix_alerts_target_at_number"
    op.create_index(name, "alerts", columns, sqlite_where=ended, postgresql_where=ended)
