"""The option chain: one row an option, kept as columns."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


# Of what a venue's chain had a moment ago: less is no whole chain. Binance is known to tell no open
# interest for an expiry now and then, and goes without.
WHOLE = {"rows": 0.9, "IVs": 0.9, "open interests": 0.5}


@dataclass(frozen=True, slots=True)
class Source:
    """A venue that was heard: `at` is the time of its oldest part, `rows` what it gave."""

    venue: str
    at: datetime
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class OptionChain:
    """The options of one coin on one venue or several, a row each; NaN means "not given"."""

    underlying: str
    sources: tuple[Source, ...]
    venue: Ints  # (n,) position in `sources`
    expiry: Ints  # (n,) ms since 1970, UTC
    strike: Floats  # (n,) USD
    is_call: Bools  # (n,)
    oi: Floats  # (n,) coins of the underlying
    iv: Floats  # (n,) a year, fraction
    forward: Floats  # (n,) USD, of the row's expiry
    index: Floats  # (n,) USD
    at: Ints  # (n,) ms since 1970, UTC: when the venue made the row
    unreadable: Mapping[str, int] = field(default_factory=dict)  # rows the adapter dropped

    def __len__(self) -> int:
        return len(self.strike)

    def take(self, rows: Bools | Ints) -> "OptionChain":
        """The same chain with these rows alone; the sources stay."""
        columns = {name: getattr(self, name)[rows] for name in COLUMNS}
        return OptionChain(self.underlying, self.sources, **columns, unreadable=self.unreadable)


COLUMNS = ("venue", "expiry", "strike", "is_call", "oi", "iv", "forward", "index", "at")


def merge(underlying: str, chains: Sequence[OptionChain]) -> OptionChain:
    """All rows of all venues as one chain; an option on two venues stays two rows."""
    sources = tuple(source for chain in chains for source in chain.sources)
    offsets = np.cumsum([0, *(len(chain.sources) for chain in chains)])
    venue = [chain.venue + offset for chain, offset in zip(chains, offsets, strict=False)]
    columns = {
        name: np.concatenate([getattr(chain, name) for chain in chains])
        for name in COLUMNS[1:]
        if chains
    } or _no_columns()
    return OptionChain(
        underlying,
        sources,
        venue=np.concatenate(venue) if venue else np.empty(0, np.int64),
        **columns,
        unreadable=_total(chain.unreadable for chain in chains),
    )


def only_venues(chain: OptionChain, venues: Iterable[str]) -> OptionChain:
    """The rows of these venues alone, and no other venue among the sources."""
    wanted = set(venues)
    kept = [position for position, source in enumerate(chain.sources) if source.venue in wanted]
    rows = chain.take(np.isin(chain.venue, kept))
    renumbered = np.searchsorted(kept, rows.venue)
    columns = {name: getattr(rows, name) for name in COLUMNS[1:]}
    sources = tuple(chain.sources[position] for position in kept)
    # Which venue sent an unreadable row is not known any more.
    unreadable = chain.unreadable if len(kept) == len(chain.sources) else {}
    return OptionChain(
        chain.underlying, sources, venue=renumbered, **columns, unreadable=unreadable
    )


def without_old_rows(chain: OptionChain, oldest: datetime) -> OptionChain:
    """One venue's rows that were made since then; the others are counted as row_stale."""
    young = chain.at >= milliseconds(oldest)
    if young.all():
        return chain
    rows = chain.take(young)
    sources = tuple(replace(source, rows=len(rows)) for source in chain.sources)
    dropped = {**chain.unreadable, "row_stale": len(chain) - len(rows)}
    return replace(rows, sources=sources, unreadable=dropped)


def missing(before: OptionChain, after: OptionChain, now: datetime) -> str:
    """What of a venue's chain before is not in the one after, and cannot just have expired.

    An expiry, a tenth of the rows or IVs, half of the open interest; "" for nothing.
    """
    lost = np.setdiff1d(_alive(before, now).expiry, after.expiry)
    if len(lost):
        return f"no rows of {from_milliseconds(lost[0]):%d %b %Y}"
    was, now_is = _figures(_alive(before, now)), _figures(_alive(after, now))
    for what, count in was.items():
        if now_is[what] < WHOLE[what] * count:
            return f"{now_is[what]} of {count} {what}"
    return ""


def _alive(chain: OptionChain, now: datetime) -> OptionChain:
    return chain.take(chain.expiry > milliseconds(now))


def _figures(chain: OptionChain) -> dict[str, int]:
    """How many rows there are, and how many of them have a figure."""
    return {
        "rows": len(chain),
        "IVs": int(np.count_nonzero(chain.iv > 0)),
        "open interests": int(np.count_nonzero(chain.oi >= 0)),
    }


def sum_by(position: Ints, size: int, values: Floats) -> Floats:
    """(size,): the values summed at each position."""
    return np.bincount(position, values, size).astype(np.float64)


def milliseconds(moment: datetime) -> float:
    """Milliseconds since 1970, exact to the microsecond."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds / 1_000


def from_milliseconds(value: float) -> datetime:
    """The UTC moment that many milliseconds after 1970."""
    return datetime.fromtimestamp(value / 1_000, UTC)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def _no_columns() -> dict[str, NDArray[np.generic]]:
    dtypes = {"expiry": np.int64, "is_call": np.bool_, "at": np.int64}
    return {name: np.empty(0, dtypes.get(name, np.float64)) for name in COLUMNS[1:]}
