"""The levels by venue: what each would say alone, and how far they agree."""

from collections.abc import Sequence

from bot.core.crossings import MOVE
from bot.core.events import LevelKey, level_price
from bot.core.reply import Action, Field, Reply, Table
from bot.core.snapshot import Snapshot
from bot.core.symbols import coin_of
from bot.core.text import label, percent_text, price_text
from bot.core.view import View

COMPARED = (
    LevelKey("all_expiry", "hvl"),
    LevelKey("all_expiry", "call_resistance"),
    LevelKey("all_expiry", "put_support"),
    LevelKey("all_expiry", "flip", 0),
    LevelKey("all_expiry", "max_pain"),
    LevelKey("all_expiry", "em_upper_1sd"),
)


def compare_card(snapshot: Snapshot, alone: Sequence[Snapshot], view: View) -> Reply:
    """Each level by venue beside that of all together; `alone` has one snapshot a venue."""
    coin = coin_of(snapshot.symbol)
    agreement = tuple(_agreement(key, snapshot, alone) for key in COMPARED)
    prices = tuple(_prices(key, snapshot, alone) for key in COMPARED)
    card = Reply(
        f"{coin} levels by venue",
        fields=(
            Field("Spot", price_text(snapshot.spot)),
            Field("Regime", snapshot.levels.regime or "not known"),
        ),
        tables=(
            Table(
                f"Venues within {MOVE * 100:g} % of all", ("Level", "Agree", "Spread"), agreement
            ),
            Table("Regime alone", (), tuple(_regime(one) for one in alone)),
            *prices,
        ),
        actions=(
            Action("Refresh", f"compare {coin.lower()}"),
            Action("Levels", f"levels {coin.lower()}"),
        ),
    )
    return view.dated(card, snapshot)


def _agreement(key: LevelKey, whole: Snapshot, alone: Sequence[Snapshot]) -> tuple[str, str, str]:
    """How many venues have the level near that of all, and how far they lie apart."""
    level = _price(key, whole)
    prices = [price for one in alone if (price := _price(key, one)) is not None]
    near = sum(level is not None and abs(price / level - 1) <= MOVE for price in prices)
    spread = f"{(max(prices) - min(prices)) / whole.spot * 100:.2f} %" if prices else "none"
    return label(key), f"{near} of {len(alone)}", spread


def _prices(key: LevelKey, whole: Snapshot, alone: Sequence[Snapshot]) -> Table:
    """The level of all together, then of each venue with its distance from that."""
    level = _price(key, whole)
    rows = [("all", price_text(level), "")]
    for one in alone:
        price = _price(key, one)
        away = percent_text(price / level - 1) if price is not None and level else ""
        rows.append((one.sources[0].venue, price_text(price), away))
    return Table(label(key), (), tuple(rows))


def _price(key: LevelKey, snapshot: Snapshot) -> float | None:
    """Where the level stands; of the flips the nearest to spot."""
    flips = [flip for zone in snapshot.levels.gamma_flip_zones for flip in zone.flips]
    if key.name == "flip":
        return min(flips, key=lambda flip: abs(flip - snapshot.spot), default=None)
    return level_price(key, snapshot.levels)


def _regime(one: Snapshot) -> tuple[str, str, str]:
    return one.sources[0].venue, one.levels.regime or "not known", ""
