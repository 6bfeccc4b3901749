"""${message.capitalize()}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message.capitalize()}; the way back is a backup."""
    ${upgrades if upgrades else "pass"}
