"""First tables; times are microseconds since 1970."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Every table of the first version."""
    _snapshots()
    _rules()
    _events()


def _snapshots() -> None:
    op.create_table(
        "chains",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("underlying", sa.Text, nullable=False),
        sa.Column("venue", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "candles",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("candles", sa.Text, sa.ForeignKey("candles.id"), index=True),
        sa.Column("layout", sa.LargeBinary),
        sa.Index(None, "symbol", "at"),
    )
    op.create_table(
        "snapshot_chains",
        sa.Column("snapshot", sa.Text, sa.ForeignKey("snapshots.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("chain", sa.Text, sa.ForeignKey("chains.id"), nullable=False, index=True),
    )
    op.create_table(
        "latches",
        sa.Column("symbol", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )


def _rules() -> None:
    op.create_table(
        "rules",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("target", sa.Text, nullable=False, index=True),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "rule_states",
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("rang_at", sa.BigInteger, nullable=False),
        sa.Column("rings", sa.Integer, nullable=False),
    )


def _events() -> None:
    op.create_table(
        "alerts",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("messenger", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("owner", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Index(None, "messenger", "due_at"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "journal",
        sa.Column("seq", COUNTER, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("snapshot", sa.Text, sa.ForeignKey("snapshots.id"), index=True),
        sa.Column("body", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
