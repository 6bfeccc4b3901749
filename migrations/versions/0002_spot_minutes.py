"""One-minute prices of our own ticks; times are microseconds since 1970."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """The table of minutes."""
    op.create_table(
        "spot_minutes",
        sa.Column("symbol", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True, index=True),
        sa.Column("open", sa.Double, nullable=False),
        sa.Column("high", sa.Double, nullable=False),
        sa.Column("low", sa.Double, nullable=False),
        sa.Column("close", sa.Double, nullable=False),
        sa.Column("ticks", sa.Integer, nullable=False),
    )
