"""How each venue does for each symbol, told from the newest snapshots alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import get_args

from bot.api.answers import Health, Status, VenueState
from bot.core.snapshot import Snapshot

ORDER: Sequence[Health] = get_args(Health)  # from good to bad


def status_of(
    snapshots: Mapping[str, Snapshot | None],
    venues: Sequence[str],
    now: datetime,
    stale_after: timedelta,
) -> Status:
    """The grid and the worst of it."""
    symbols = {
        symbol: _row(snapshot, now, stale_after)
        if snapshot
        else {venue: VenueState("unavailable", None, "no data yet") for venue in venues}
        for symbol, snapshot in snapshots.items()
    }
    states = [cell.status for row in symbols.values() for cell in row.values()]
    return Status(max(states, key=ORDER.index, default="unavailable"), symbols)


def _row(snapshot: Snapshot, now: datetime, stale_after: timedelta) -> dict[str, VenueState]:
    """Each venue that lists the symbol."""
    heard = {
        source.venue: _heard((now - source.at).total_seconds(), stale_after)
        for source in snapshot.sources
    }
    return heard | {
        venue: VenueState("unhealthy", None, why) for venue, why in snapshot.left_out.items()
    }


def _heard(age: float, stale_after: timedelta) -> VenueState:
    """Half way to being stale something is wrong already: it should come every half minute."""
    limit = stale_after.total_seconds()
    if age > limit:
        return VenueState("unhealthy", age, "stale")
    if age > limit / 2:
        return VenueState("degraded", age, "slow")
    return VenueState("healthy", age, None)
