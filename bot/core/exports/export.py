"""What goes out of the program, and what every file of it says of its age and origin."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from bot.core.clocks import date_text
from bot.core.snapshot import Snapshot
from bot.core.text import sources_text


@dataclass(frozen=True, slots=True)
class Export:
    """A snapshot as someone takes it away: from then on nobody keeps it fresh."""

    snapshot: Snapshot
    now: datetime
    stale: bool
    simulated: bool

    @property
    def marks(self) -> tuple[str, ...]:
        """What must stand on everything that shows these numbers."""
        marks = {"SIMULATED": self.simulated, "STALE": self.stale}
        return tuple(mark for mark, applies in marks.items() if applies)

    @property
    def stamp(self) -> tuple[str, ...]:
        """In lines: what must be known, when it was computed, from whom it was heard."""
        return (
            *self.marks,
            f"computed at {date_text(self.snapshot.at, UTC)}",
            f"exported at {date_text(self.now, UTC)}",
            one_line(sources_text(self.snapshot, self.now)),
        )

    def marked(self, title: str) -> str:
        """The title behind the marks: SIMULATED · STALE · BTC gamma levels."""
        return " · ".join([*self.marks, title])

    def file_name(self, ending: str) -> str:
        """Of this snapshot alone, so that an old file is never taken for a new one."""
        return f"{'-'.join(['gammabell', self.snapshot.id, *self.marks])}.{ending}"


def number_text(value: float) -> str:
    """The number to its last digit, without exponent or separators: reading it gives it back."""
    return f"{Decimal(repr(float(value))):f}".removesuffix(".0")


def one_line(text: str) -> str:
    """The text without line ends and what cannot be printed."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
