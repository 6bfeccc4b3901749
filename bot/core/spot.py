"""From the venues' index prints to one spot price a symbol.

One venue's bad print must ring no bell, and one venue's trouble must not silence the others: a
print far from the last price counts when another venue agrees, or when it has lasted and nobody
speaks against it; and every dispute ends after a minute.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from bot.core.snapshot import Tick

FRESH = timedelta(seconds=10)  # since a print was heard
STALE_STAMP = timedelta(seconds=15)  # since the venue made it
FROZEN = timedelta(seconds=30)  # of one price while another venue's moved
MOVED = 0.001  # fraction of a price
OUTLIER = 0.01  # fraction of a price that venues which agree lie within
AGREED = 0.003  # fraction of a price that two venues alone lie within: indices differ by 0.2 %
SETTLED = timedelta(seconds=2)  # that a lone far price must last
DISPUTE = timedelta(minutes=1)  # how long the last price, or a word against another, has weight


class Quote(NamedTuple):
    """A venue's newest print, with what it takes to judge it."""

    tick: Tick  # its `at` is the venue's stamp
    heard: datetime
    before: float  # USD, the print before it
    changed: datetime  # when this price was heard first
    beside: Mapping[str, float]  # USD, the other venues' prices at that time
    level: float  # USD, that it has stayed within 1 % of
    level_since: datetime

    @property
    def price(self) -> float:
        """USD."""
        return self.tick.spot

    @property
    def lasted(self) -> timedelta:
        """From the first print near this price to the newest."""
        return self.heard - self.level_since


Quotes = Mapping[str, Quote]  # by venue, of one symbol


def take(quotes: Quotes, tick: Tick, now: datetime) -> Quotes:
    """The quotes after a print of the venue `tick.source`; an older one than its last is no news.

    `tick.at` is the venue's stamp, not after `now`.
    """
    old = quotes.get(tick.source)
    if old is None:
        return _joined(quotes, tick, now)
    if tick.at < old.tick.at <= now:  # a stamp to come is of before the clock was set back
        return quotes
    new = old._replace(tick=tick, heard=now, before=old.price)
    if tick.spot != old.price:
        new = new._replace(changed=now, beside=_prices(quotes, tick.source))
    if not _agree(tick.spot, old.level):
        new = new._replace(level=tick.spot, level_since=now)
    return {**quotes, tick.source: new}


def consensus(quotes: Quotes, last: Tick | None, now: datetime) -> Tick | None:
    """The symbol's price now, given the last one; None while no print can be relied on."""
    fresh = {venue: quote for venue, quote in quotes.items() if _is_fresh(quote, now)}
    usable = [quote for quote in fresh.values() if not _is_frozen(quote, fresh)]
    if not usable:
        return None
    prints = [quote.tick for quote in usable]
    agreed = agreeing(prints)
    if len(agreed) > 1:
        return joint(agreed, now)
    foremost = min(usable, key=lambda quote: _rank(quote, last))
    if len(usable) > 1:
        counts = _wins(foremost, last, now)
    else:
        counts = _is_near(foremost, last) or _has_settled(foremost, quotes, fresh, now)
    reach = OUTLIER if len(prints) > 2 else AGREED
    return joint(_around(foremost.price, prints, reach), now) if counts else None


def agreeing(prints: Sequence[Tick]) -> list[Tick]:
    """Those within 1 % of their median; of two that differ by more than 0.3 %, none."""
    middle = median([one.spot for one in prints])
    # Two stand on either side of their median: half as far from it as from each other.
    return _around(middle, prints, OUTLIER if len(prints) > 2 else AGREED / 2)


def joint(prints: Sequence[Tick], now: datetime) -> Tick:
    """One tick of now at the median of the prints, which names their venues."""
    names = "+".join(sorted(one.source for one in prints))
    return Tick(prints[0].symbol, now, median([one.spot for one in prints]), f"{names} index")


def is_current(tick: Tick, now: datetime) -> bool:
    """Whether the venue made the print just now, by its stamp."""
    return now - tick.at <= STALE_STAMP


def _joined(quotes: Quotes, tick: Tick, now: datetime) -> Quotes:
    """The quotes with a venue not heard before: its moves are counted from here."""
    others = {
        name: quote._replace(beside={**quote.beside, tick.source: tick.spot})
        for name, quote in quotes.items()
    }
    new = Quote(tick, now, tick.spot, now, _prices(quotes, tick.source), tick.spot, now)
    return {**others, tick.source: new}


def _prices(quotes: Quotes, venue: str) -> Mapping[str, float]:
    """What the other venues say."""
    return {name: quote.price for name, quote in quotes.items() if name != venue}


def _is_fresh(quote: Quote, now: datetime) -> bool:
    return now - quote.heard <= FRESH and is_current(quote.tick, now)


def _is_frozen(quote: Quote, fresh: Quotes) -> bool:
    """Whether the venue repeats itself while the market, most of the other venues, moves."""
    if quote.heard - quote.changed < FROZEN:
        return False
    moved = [
        _has_moved(fresh[venue], then) for venue, then in quote.beside.items() if venue in fresh
    ]
    return sum(moved) > len(moved) / 2


def _has_moved(quote: Quote, then: float) -> bool:
    """Whether two prints in a row say so: by a single bad one no venue disowns the others."""
    return min(abs(quote.price - then), abs(quote.before - then)) > MOVED * then


def _wins(quote: Quote, last: Tick | None, now: datetime) -> bool:
    """Whether the foremost of venues that disagree counts.

    While the last price is young it decides, else whoever stays at a level for a minute.
    """
    if last is None or now - last.at > DISPUTE:
        return quote.lasted >= DISPUTE
    return _is_near(quote, last) or quote.lasted >= SETTLED


def _has_settled(quote: Quote, quotes: Quotes, fresh: Quotes, now: datetime) -> bool:
    """Whether the only usable venue stays at its level, and none spoke of another since it does.

    The word of a venue that has died is remembered for a minute: when the good one dies, the
    price of the bad one is no move of the market.
    """
    return quote.lasted >= SETTLED and not any(
        quote.level_since <= other.tick.at
        and now - other.tick.at <= DISPUTE
        and not _agree(other.price, quote.price)
        and not _is_frozen(other, fresh)
        for other in quotes.values()
    )


def _rank(quote: Quote, last: Tick | None) -> tuple[float, float]:
    """The least is the one to believe: nearest to the last price, else longest at its level.

    Between equals the price decides, never the order of the venues.
    """
    if last is None:
        return quote.level_since.timestamp(), quote.price
    return abs(quote.price - last.spot), quote.price


def _is_near(quote: Quote, last: Tick | None) -> bool:
    return last is not None and _agree(quote.price, last.spot)


def _agree(price: float, other: float) -> bool:
    return abs(price - other) <= OUTLIER * other


def _around(price: float, prints: Sequence[Tick], reach: float = OUTLIER) -> list[Tick]:
    return [one for one in prints if abs(one.spot - price) <= reach * price]
