"""Requests of the HTTP API in the running minute, counted for all processes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """The table of counts."""
    op.create_table(
        "request_counts",
        sa.Column("identity", sa.Text, primary_key=True),
        sa.Column("minute", sa.BigInteger, nullable=False),
        sa.Column("drawn", sa.BigInteger, nullable=False),
    )
