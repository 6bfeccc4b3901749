"""The levels that a chart names, those that matter most first."""

from dataclasses import dataclass
from typing import Literal

from bot.core.events import LevelKey, levels_of
from bot.core.snapshot import Snapshot
from bot.core.text import label

Kind = Literal["spot", "hvl", "call", "put", "flip", "max_pain", "move"]

# The levels drawn: the first ones keep their label when there is no room for all.
KINDS: dict[str, Kind] = {
    "call_resistance": "call",
    "put_support": "put",
    "hvl": "hvl",
    "flip": "flip",
    "max_pain": "max_pain",
    "em_upper_1sd": "move",
    "em_lower_1sd": "move",
    "call_wall_2": "call",
    "put_wall_2": "put",
    "call_wall_3": "call",
    "put_wall_3": "put",
}


@dataclass(frozen=True, slots=True)
class Level:
    """A level by name; those that matter most come first in a picture."""

    name: str
    kind: Kind
    price: float  # USD
    odte: bool = False


def drawn_levels(snapshot: Snapshot) -> tuple[Level, ...]:
    """The levels that a chart names: those that matter most first, then those nearest to spot."""
    order = list(KINDS)

    def rank(item: tuple[LevelKey, float]) -> tuple[int, bool, float]:
        key, price = item
        return order.index(key.name), key.scope == "odte", abs(price - snapshot.spot)

    known = [item for item in levels_of(snapshot).items() if item[0].name in KINDS]
    return tuple(
        Level(label(key), KINDS[key.name], price, odte=key.scope == "odte")
        for key, price in sorted(known, key=rank)
    )
