"""What meta says of a snapshot."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.api.schema import Meta, RateLimit, meta
from bot.core.snapshot import Snapshot


class Facts:
    """Most of meta is made once for a snapshot; each request changes the rest."""

    def __init__(
        self,
        snapshot: Snapshot,
        venues: Sequence[str] | None,
        stale_after: timedelta,
        *,
        simulated: bool,
    ) -> None:
        self.of = snapshot
        self._heard = [(source.venue, source.at) for source in snapshot.sources]
        self._fresh_until = snapshot.fresh_until(stale_after)
        self._meta = meta(snapshot, snapshot.at, "", venues)
        if simulated:
            self._meta.simulated = True

    def at(self, now: datetime, request_id: str, limit: RateLimit) -> Meta:
        """Meta of this request, to be encoded before the next one is made."""
        found = self._meta
        found.timestamp, found.request_id, found.rate_limit = now, request_id, limit
        found.freshness_seconds = (now - self.of.at).total_seconds()
        if found.extra:
            found.extra.stale = now > self._fresh_until
            found.extra.venue_ages_seconds = {
                venue: (now - at).total_seconds() for venue, at in self._heard
            }
        return found
