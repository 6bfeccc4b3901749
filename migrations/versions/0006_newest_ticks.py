"""Each symbol's newest price, for the processes that hear no venue; times are microseconds."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """The table of newest ticks."""
    op.create_table(
        "newest_ticks",
        sa.Column("symbol", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("spot", sa.Double, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
