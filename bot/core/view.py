"""For whom, and when, a snapshot is shown."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from bot.core.clocks import date_text
from bot.core.reply import Reply
from bot.core.snapshot import Snapshot
from bot.core.text import age_text, sources_text


@dataclass(frozen=True, slots=True)
class View:
    """What a card depends on beside its data."""

    now: datetime
    stale_after: timedelta
    zone: tzinfo = UTC  # of the reader

    def is_stale(self, snapshot: Snapshot) -> bool:
        """Whether the data is too old to ring on."""
        return snapshot.is_stale(self.now, self.stale_after)

    def dated(self, card: Reply, snapshot: Snapshot) -> Reply:
        """The card with the age and origin of its data, marked when it is too old."""
        footer = (
            *card.footer,
            f"as of {date_text(snapshot.at, self.zone)}",
            sources_text(snapshot, self.now),
        )
        if not self.is_stale(snapshot):
            return replace(card, footer=footer)
        warning = f"STALE: older than {age_text(self.stale_after)}, nothing rings on it"
        return replace(card, title=f"{card.title} · STALE", footer=(warning, *footer), tone="stale")
