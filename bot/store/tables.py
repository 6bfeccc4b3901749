"""The tables: columns are what queries look at, `body` is the value as codec.py writes it."""

from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

from bot.core.chain import EPOCH

MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """Whole microseconds since 1970: exact, sorted and the same on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """The moment as the database holds it. Raises ValueError for one without a zone."""
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """The moment, UTC-aware."""
        return None if value is None else EPOCH + value * MICROSECOND


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970. Raises ValueError for a moment without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return (moment - EPOCH) // MICROSECOND


# Constraints carry names so that a migration can drop them.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite counts up by itself in INTEGER columns alone; AUTOINCREMENT never gives a number twice.
COUNTER = BigInteger().with_variant(Integer, "sqlite")

chains = Table(  # one venue's rows, shared by every snapshot that rests on the same answer
    "chains",
    metadata,
    Column("id", Text, primary_key=True),  # digest of its content
    Column("underlying", Text, nullable=False),
    Column("venue", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

candles = Table(  # closed candles of a chart, the same for half an hour of snapshots
    "candles",
    metadata,
    Column("id", Text, primary_key=True),  # digest of its content
    Column("body", LargeBinary, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", Text, primary_key=True),
    Column("symbol", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("body", LargeBinary, nullable=False),  # without the closed candles
    Column("candles", Text, ForeignKey("candles.id"), index=True),
    Column("layout", LargeBinary),  # how its chain is made of parts; NULL when it came without
    Index(None, "symbol", "at"),
)

snapshot_chains = Table(
    "snapshot_chains",
    metadata,
    Column("snapshot", Text, ForeignKey("snapshots.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("chain", Text, ForeignKey("chains.id"), nullable=False, index=True),
)

latches = Table(
    "latches",
    metadata,
    Column("symbol", Text, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("body", Text, nullable=False),
)

rules = Table(
    "rules",
    metadata,
    Column("number", COUNTER, primary_key=True),
    Column("target", Text, nullable=False, index=True),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)

rule_states = Table(
    "rule_states",
    metadata,
    Column("rule", Text, primary_key=True),  # the default pack's rules have no row in `rules`
    Column("rang_at", UtcTime, nullable=False),
    Column("rings", Integer, nullable=False),
)

alerts = Table(  # the outbox, and what became of it
    "alerts",
    metadata,
    Column("number", COUNTER, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("symbol", Text, nullable=False),
    Column("messenger", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),  # pending, leased, or how it ended
    Column("due_at", UtcTime),  # when it may be claimed, while leased the lease's end; else NULL
    Column("owner", Text),  # of the lease
    Column("attempts", Integer, nullable=False),
    Column("target", Text, nullable=False),
    Column("urgency", Integer, nullable=False),  # of ports.Urgency
    Column("held", Boolean, nullable=False),
    Column("doubts", Integer, nullable=False),
    sqlite_autoincrement=True,
)
UNFINISHED = alerts.c.due_at.is_not(None)
ENDED = alerts.c.due_at.is_(None)
LEASED = alerts.c.owner.is_not(None)
for condition, columns in (
    (UNFINISHED, ("messenger", "urgency", "at", "number", "due_at")),  # who is served next
    (UNFINISHED, ("target", "urgency", "at", "number")),  # what is the first of a chat
    (LEASED, ("target",)),  # whether something is on its way to a chat
    (ENDED, ("target", "at", "number")),  # what rang there before
):
    Index(
        None,
        *(alerts.c[name] for name in columns),
        sqlite_where=condition,
        postgresql_where=condition,
    )

journal = Table(
    "journal",
    metadata,
    Column("seq", COUNTER, primary_key=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("symbol", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("snapshot", Text, ForeignKey("snapshots.id"), index=True),
    Column("body", Text),  # NULL where the line is a snapshot
    sqlite_autoincrement=True,
)

spot_minutes = Table(  # what our own ticks were in each minute, USD
    "spot_minutes",
    metadata,
    Column("symbol", Text, primary_key=True),
    Column("at", UtcTime, primary_key=True, index=True),  # its start
    Column("open", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("close", Double, nullable=False),
    Column("ticks", Integer, nullable=False),
)

newest_ticks = Table(  # told to the processes that hear no venue; a row a symbol, for ever
    "newest_ticks",
    metadata,
    Column("symbol", Text, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("spot", Double, nullable=False),  # USD
    Column("source", Text, nullable=False),
)

chats = Table(
    "chats",
    metadata,
    Column("target", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("has_feed", Boolean, nullable=False),
    Column("owner", Text, nullable=False),
    Column("fallback", Text, nullable=False),
    Column("body", Text, nullable=False),
)

notes = Table(  # what the program remembers by name
    "notes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

facts = Table(  # of the database itself
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False),  # of the key, which is kept nowhere
    Column("per_minute", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

request_counts = Table(  # of whoever asks the HTTP API, in the newest minute in which they did
    "request_counts",
    metadata,
    Column("identity", Text, primary_key=True),  # a key's digest, or what a session has instead
    Column("minute", BigInteger, nullable=False),  # since 1970
    Column("drawn", BigInteger, nullable=False),
)
