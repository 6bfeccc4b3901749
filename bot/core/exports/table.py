"""The levels as CSV (RFC 4180): a row a level, its time and origin in every row."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

from bot.core.events import ODTE_LEVELS, OTHER_LEVELS, SET_LEVELS, LevelKey, level_price
from bot.core.exports.export import Export, number_text, one_line
from bot.core.snapshot import Snapshot

COLUMNS = (
    "level",
    "price",  # USD
    "distance_pct",  # from spot
    "scope",
    "symbol",
    "spot",  # USD
    "computed_at",
    "exported_at",
    "venues",
    "stale",
    "simulated",
    "expiry",  # of max pain, which is of one alone
)

KEYS = (  # what every table has a row of, whatever the market
    *(LevelKey("all_expiry", name) for name in SET_LEVELS),
    *(LevelKey("odte", name) for name in ODTE_LEVELS),
    *(LevelKey("all_expiry", name) for name in OTHER_LEVELS),
)

Row = tuple[str, float | None, str]  # level, price in USD, scope


def csv_text(export: Export) -> str:
    """The table; a file that is cut into rows still says of each how old it is."""
    snapshot = export.snapshot
    stamp = (
        one_line(snapshot.symbol),
        number_text(snapshot.spot),
        _time(snapshot.at),
        _time(export.now),
        " ".join(source.venue for source in snapshot.sources),
        str(export.stale).lower(),
        str(export.simulated).lower(),
    )
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for level, price, scope in (*_levels(snapshot), *_zones(snapshot), *_ranked(snapshot)):
        expiry = _expiry(level, snapshot)
        writer.writerow((level, *_cells(price, snapshot.spot), scope, *stamp, expiry))
    return text.getvalue()


def _cells(price: float | None, spot: float) -> tuple[str, str]:
    """Price and distance; empty where there is no such level, which readers take for null."""
    if price is None:
        return "", ""
    return number_text(price), number_text((price / spot - 1) * 100)


def _expiry(level: str, snapshot: Snapshot) -> str:
    pain = snapshot.levels.max_pain
    return _time(pain.expiry) if pain is not None and level == "max_pain" else ""


def _levels(snapshot: Snapshot) -> Iterator[Row]:
    for key in KEYS:
        yield key.name, level_price(key, snapshot.levels), key.scope


def _zones(snapshot: Snapshot) -> Iterator[Row]:
    for number, zone in enumerate(snapshot.levels.gamma_flip_zones, 1):
        yield f"flip_{number}", zone.flip, "all_expiry"
        yield f"flip_{number}_lower", zone.lower, "all_expiry"
        yield f"flip_{number}_upper", zone.upper, "all_expiry"


def _ranked(snapshot: Snapshot) -> Iterator[Row]:
    """The strongest strikes of both sets, gex_1 first."""
    levels = snapshot.levels
    for scope, strikes in (("all_expiry", levels.ranked), ("odte", levels.ranked_odte)):
        for rank, strike in enumerate(strikes, 1):
            yield f"gex_{rank}", strike.strike, scope


def _time(moment: datetime) -> str:
    """ISO 8601, UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
