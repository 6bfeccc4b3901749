"""The levels by venue: what each would say alone, and how far they agree."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.crossings import MOVE
from bot.core.events import LevelKey, level_price
from bot.core.reply import Action, Field, Reply, Table
from bot.core.snapshot import Snapshot
from bot.core.symbols import coin_of
from bot.core.text import label, percent_text, price_text
from bot.core.view import View

SHORT = {  # names that leave room for two prices
    LevelKey("all_expiry", "hvl"): "HVL",
    LevelKey("all_expiry", "call_resistance"): "Call Res.",
    LevelKey("all_expiry", "put_support"): "Put Supp.",
    LevelKey("all_expiry", "flip", 0): "Flip",
    LevelKey("all_expiry", "max_pain"): "Max Pain",
    LevelKey("all_expiry", "em_upper_1sd"): "1D Max",
}
AGREED = f"within {MOVE * 100:g}%"


@dataclass(frozen=True, slots=True)
class Compared:
    """One level as all venues together have it, and each alone; USD."""

    key: LevelKey
    whole: float | None
    alone: tuple[tuple[str, float | None], ...]  # by venue

    @property
    def agreed(self) -> bool:
        """Whether every venue has it near where all have it, or none has it at all."""
        return all(_is_near(price, self.whole) for _, price in self.alone)

    @property
    def prices(self) -> Sequence[float]:
        """Where it is for those that have it."""
        return [price for _, price in self.alone if price is not None]


def compare_card(snapshot: Snapshot, alone: Sequence[Snapshot], view: View) -> Reply:
    """The levels' spread over the venues, and those on which they disagree, venue by venue.

    `alone` has one snapshot a venue.
    """
    coin = coin_of(snapshot.symbol)
    compared = [_compared(key, snapshot, alone) for key in SHORT]
    apart = [one for one in compared if not one.agreed]
    rows = tuple(_spread(one, snapshot.spot) for one in compared)
    card = Reply(
        f"{coin} levels by venue",
        fields=(
            Field("Spot", price_text(snapshot.spot)),
            Field("Regime", _regimes(snapshot, alone)),
            Field("Agreement", _agreement(apart, len(alone))),
        ),
        tables=(
            Table("", ("Level", "Lowest", "Highest", "Spread"), rows),
            *map(_by_venue, apart),
        ),
        actions=(
            Action("Refresh", f"compare {coin.lower()}"),
            Action("Levels", f"levels {coin.lower()}"),
        ),
    )
    return view.dated(card, snapshot)


def _compared(key: LevelKey, whole: Snapshot, alone: Sequence[Snapshot]) -> Compared:
    each = tuple((one.sources[0].venue, _price(key, one)) for one in alone)
    return Compared(key, _price(key, whole), each)


def _is_near(price: float | None, level: float | None) -> bool:
    if price is None or level is None:
        return price == level
    return abs(price / level - 1) <= MOVE


def _agreement(apart: Sequence[Compared], venues: int) -> str:
    if apart:
        return f"not on {', '.join(label(one.key) for one in apart)}"
    return f"all {venues} venues {AGREED}" if venues > 1 else "one venue alone was heard"


def _spread(one: Compared, spot: float) -> tuple[str, str, str, str]:
    """How far the venues lie apart, as a part of spot."""
    name, prices = SHORT[one.key], one.prices
    if not prices:
        return name, "none", "none", ""
    low, high = min(prices), max(prices)
    width = percent_text((high - low) / spot).removeprefix("+")
    return name, _whole_text(low), _whole_text(high), width


def _by_venue(one: Compared) -> Table:
    """The level of all together, then of each venue with its distance from that."""
    rows = [("all", price_text(one.whole), "")]
    for venue, price in one.alone:
        away = percent_text(price / one.whole - 1) if price is not None and one.whole else ""
        rows.append((venue, price_text(price), away))
    return Table(label(one.key), (), tuple(rows))


def _price(key: LevelKey, snapshot: Snapshot) -> float | None:
    """Where the level stands; of the flips the nearest to spot."""
    flips = [flip for zone in snapshot.levels.gamma_flip_zones for flip in zone.flips]
    if key.name == "flip":
        return min(flips, key=lambda flip: abs(flip - snapshot.spot), default=None)
    return level_price(key, snapshot.levels)


def _regimes(whole: Snapshot, alone: Sequence[Snapshot]) -> str:
    """That of all together, and who alone would say another."""
    told = _regime(whole)
    others = [f"{one.sources[0].venue} {_regime(one)}" for one in alone if _regime(one) != told]
    return f"{told}; alone {', '.join(others)}" if others else told


def _regime(one: Snapshot) -> str:
    return one.levels.regime or "not known"


def _whole_text(price: float) -> str:
    """Without the cents, which no comparison needs: $75,825, $38.50."""
    return price_text(float(round(price)) if price >= 1_000 else price)
