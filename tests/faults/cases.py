"""The cells of the matrix: every fault of the simulator at every venue and on either channel."""

from datetime import timedelta
from itertools import cycle
from typing import NamedTuple

from bot.sim.faults import FAULTS, Fault
from bot.sim.refusals import VENUES

CYCLE = timedelta(seconds=30)
STALE_AFTER = timedelta(minutes=3)
LISTED = {"BTCUSDT": VENUES, "HYPEUSDT": ("deribit", "derive")}

BLOCKED = timedelta(minutes=30)
WAITS = {  # how long a venue that refuses is left alone, by kind and value
    ("403", None): BLOCKED,
    ("451", None): BLOCKED,
    ("refuse", 403): BLOCKED,
    ("418", None): timedelta(seconds=FAULTS["418"].value),
    ("429", None): timedelta(seconds=FAULTS["429"].value),
    ("refuse", 429): timedelta(minutes=1),
}
USABLE = ("slow", "nulls", "wrong_types", "missing_expiry", "bad_print")  # such answers may count


class Row(NamedTuple):
    """A way to fail on a channel."""

    kind: str
    channel: str
    value: float | None = None  # unless it is the usual one

    def __str__(self):
        return self.kind if self.value is None else f"{self.kind} {self.value:g}"

    @property
    def wait(self):
        """How long the venue is not asked after it refused."""
        return WAITS.get((self.kind, self.value), timedelta(0))

    @property
    def lasts(self):
        """Until the venue's last answer, or one told again and again, is too old."""
        if self.channel == "ws" or self.kind == "bad_print":
            return 2 * CYCLE
        return STALE_AFTER + (2 if self.kind == "frozen" else 1) * CYCLE


class Case(NamedTuple):
    """One cell."""

    row: Row
    venue: str
    symbol: str = "BTCUSDT"

    def __str__(self):
        return f"{self.symbol} {self.venue} {self.row.channel} {self.row}"

    @property
    def faults(self):
        """The fault; before a connection can be refused the one that is open must break."""
        kind, channel, value = self.row
        fault = Fault(self.venue, kind, channel, value=value)
        breach = Fault(self.venue, "drop", channel, count=1) if kind == "refuse" else None
        return (breach, fault) if breach else (fault,)


ROWS = (
    *(Row(kind, "http") for kind, one in FAULTS.items() if "http" in one.channels),
    *(Row(kind, "ws") for kind, one in FAULTS.items() if "ws" in one.channels),
    *(Row("refuse", "ws", status) for status in (403, 429)),
)
MATRIX = tuple(
    Case(row, venue, symbol)
    for symbol, venues in LISTED.items()
    for row in ROWS
    for venue in venues
)
# Each row at one venue, and each venue in several rows of both channels. HYPE where it is listed:
# one other chain alone goes on there, which is harder, and takes half the time.
DIAGONAL = tuple(
    Case(row, venue, "HYPEUSDT" if venue in LISTED["HYPEUSDT"] else "BTCUSDT")
    for row, venue in zip(ROWS, cycle(VENUES), strict=False)
)
