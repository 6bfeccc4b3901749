"""Chats, their queues in the outbox, and notes; times are microseconds since 1970."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ALERT = 1  # the urgency of all that there was


def upgrade() -> None:
    """The tables of chats and notes; the outbox learns what belongs to which chat."""
    op.create_table(
        "chats",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("has_feed", sa.Boolean, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("fallback", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "notes",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    _widen_alerts()
    _index_alerts()


def _widen_alerts() -> None:
    op.drop_index("ix_alerts_messenger_due_at", "alerts")
    op.add_column("alerts", sa.Column("target", sa.Text))
    op.add_column("alerts", sa.Column("urgency", sa.Integer))
    op.add_column("alerts", sa.Column("held", sa.Boolean))
    op.add_column("alerts", sa.Column("doubts", sa.Integer))
    body = sa.column("body", sa.Text)
    target = (
        sa.func.json_extract(body, "$.target")
        if op.get_bind().dialect.name == "sqlite"
        else sa.cast(body, sa.JSON)["target"].as_string()
    )
    alerts = sa.table("alerts", *map(sa.column, ("target", "urgency", "held", "doubts")))
    values = {"target": target, "urgency": ALERT, "held": sa.false(), "doubts": 0}
    op.execute(sa.update(alerts).values(values))
    with op.batch_alter_table("alerts", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("target", nullable=False)
        table.alter_column("urgency", nullable=False)
        table.alter_column("held", nullable=False)
        table.alter_column("doubts", nullable=False)


def _index_alerts() -> None:
    unfinished, leased = sa.text("due_at IS NOT NULL"), sa.text("owner IS NOT NULL")
    for condition, columns in (
        (unfinished, ["messenger", "urgency", "at", "number", "due_at"]),
        (unfinished, ["target", "urgency", "at", "number"]),
        (leased, ["target"]),
    ):
        name = "_".join(["ix_alerts", *columns])
        op.create_index(name, "alerts", columns, sqlite_where=condition, postgresql_where=condition)
