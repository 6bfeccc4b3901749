"""Bodies as they should not be: each function gives an altered copy of what JSON can hold."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from bot.core.words import MONTHS
from bot.sim.coins import COINS
from bot.sim.listing import Kind, kind_of, live_expiries

Leaf = Callable[[str, object], object]  # the field's name, its value -> another value

# What venues call their stamps; `result` is Deribit's time, `t` and `E` are short for time.
STAMPS = frozenset(("usIn", "usOut", "result", "creation_timestamp", "timestamp")) | frozenset(
    ("time", "timeSecond", "timeNano", "ts", "serverTime", "E", "t")
)
UNITS = (1, 10**3, 10**6, 10**9)  # of stamps, in a second
MICROSECOND = timedelta(microseconds=1)
NEAR = timedelta(days=1)  # what is further from the moment is no stamp of it
INDEXES = {  # what venues call the price of the coin itself
    "deribit": frozenset(("index_price", "estimated_delivery_price", "price")),
    "bybit": frozenset(("indexPrice",)),
    "okx": frozenset(("idxPx",)),
    "binance": frozenset(("indexPrice", "i")),
    "derive": frozenset(("I", "price")),
}


def each_leaf(body: object, leaf: Leaf, name: str = "") -> object:
    """The body with every value that holds no others replaced."""
    if isinstance(body, Mapping):
        return {key: each_leaf(value, leaf, key) for key, value in body.items()}
    if isinstance(body, list | tuple):
        return [each_leaf(value, leaf, name) for value in body]
    return leaf(name, body)


def wrong_types(body: object, share: float, random: Random) -> object:
    """Of so many values: numbers as objects and lists, texts as numbers."""
    return _some_leaves(body, share, random, lambda value: _wrong_type(value, random))


def nulls(body: object, share: float, random: Random) -> object:
    """So many values null."""
    return _some_leaves(body, share, random, lambda _: None)


def bad_print(body: object, venue: str, by: float) -> object:
    """The coin's own price off by this fraction."""

    def leaf(name: str, value: object) -> object:
        return _scaled(value, 1 + by) if name in INDEXES[venue] else value

    return each_leaf(body, leaf)


def empty(body: object, name: str = "") -> object:
    """No rows in the envelope; Derive's rows are an object by name."""
    if isinstance(body, list | tuple):
        return []
    if isinstance(body, Mapping):
        return {} if name == "tickers" else {key: empty(one, key) for key, one in body.items()}
    return body


def without_expiry(body: object, at: datetime) -> object:
    """Nothing of the nearest expiry at a month's end, which every venue lists."""
    expiry = next(
        one for one in live_expiries(COINS["BTC"], at) if kind_of(one.date()) >= Kind.MONTHLY
    )
    return _without(body, days_of(expiry))


def days_of(expiry: datetime) -> frozenset[str]:
    """An expiry's day as the venues write it."""
    month = MONTHS[expiry.month - 1]
    return frozenset((f"{expiry.day}{month}{expiry:%y}", f"{expiry:%y%m%d}", f"{expiry:%Y%m%d}"))


def restamped(body: object, told: datetime, now: datetime) -> object:
    """The time stamps of one moment moved to another."""

    def leaf(name: str, value: object) -> object:
        return _shifted(value, told, now) if name in STAMPS else value

    return each_leaf(body, leaf)


def _some_leaves(
    body: object, share: float, random: Random, change: Callable[[object], object]
) -> object:
    def leaf(_: str, value: object) -> object:
        return change(value) if random.random() < share else value

    return each_leaf(body, leaf)


def _wrong_type(value: object, random: Random) -> object:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return random.choice(([value], {"value": value}))
    return len(value) if isinstance(value, str) else value


def _scaled(value: object, factor: float) -> object:
    """A price times the factor, as a text again with as many decimals if it was one."""
    if isinstance(value, int | float):
        return round(value * factor, 4)
    if not isinstance(value, str) or not value:
        return value
    return f"{float(value) * factor:.{len(value.partition('.')[2])}f}"


def _without(body: object, days: frozenset[str]) -> object:
    if isinstance(body, Mapping):
        kept = {key: one for key, one in body.items() if not _names(key, days)}
        return {key: _without(one, days) for key, one in kept.items()}
    if isinstance(body, list | tuple):
        return [_without(one, days) for one in body if not _is_of(one, days)]
    return body


def _is_of(row: object, days: frozenset[str]) -> bool:
    """Whether a row belongs to one of the days."""
    if isinstance(row, Mapping):
        return any(isinstance(value, str) and _names(value, days) for value in row.values())
    return isinstance(row, str) and row in days


def _names(text: str, days: frozenset[str]) -> bool:
    """Whether this is the name of an option of one of the days."""
    return not days.isdisjoint(text.split("-"))


def _shifted(value: object, told: datetime, now: datetime) -> object:
    """A stamp near the moment told as one of now, in its own unit and type."""
    if isinstance(value, str) and value.isdecimal():
        return str(_shifted(int(value), told, now))
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    for unit in UNITS:
        if abs(value / unit - told.timestamp()) < NEAR.total_seconds():
            return value + (now - told) // MICROSECOND * unit // 10**6
    return value
