"""From columns to a venue's rows: names, numbers as text, one object an option."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bot.core.words import MONTHS
from bot.sim.calls import Row
from bot.sim.listing import Listing
from bot.sim.market import Candles, Chain
from bot.sim.noise import Bools, Floats, Ints


def rows(**columns: Iterable[object]) -> list[Row]:
    """One object a row; a column is a list or a value repeated for ever."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=False)]


def some(chain: Chain, which: Bools | slice) -> Chain:
    """The chain's rows that are meant."""
    columns: dict[str, Any] = {
        name: column[which]
        for name, column in vars(chain).items()
        if isinstance(column, np.ndarray)
    }
    return replace(chain, **columns)


def of_expiry(chain: Chain, expiry: datetime) -> Chain:
    """The chain's rows of one expiry, which lie together."""
    second = expiry.timestamp()
    first, last = np.searchsorted(chain.expiry, (second, second + 1)).tolist()
    return some(chain, slice(first, last))


def plain(values: Floats | Ints) -> list[str]:
    """Numbers as text without losing a digit: 0.3912, 77.5, 60000."""
    listed = values.tolist()
    told = {value: str(value).removesuffix(".0") for value in set(listed)}  # many are alike
    return [told[value] for value in listed]


def fixed(values: Floats, digits: int) -> list[str]:
    """Numbers as text with so many decimals."""
    form = f"%.{digits}f"
    return [form % value for value in values.tolist()]


def candle_rows(bars: Candles, decimals: int) -> list[tuple[int, list[str], float]]:
    """Ascending: start in ms; open, high, low and close in USD as text; volume in coins."""
    prices = [fixed(prices, decimals) for prices in (bars.open, bars.high, bars.low, bars.close)]
    starts, volumes = (bars.start * 1000).tolist(), bars.volume.tolist()
    return [
        (start, ohlc, volume) for start, *ohlc, volume in zip(starts, *prices, volumes, strict=True)
    ]


def names(
    options: Listing,
    prefix: str,
    day: Callable[[datetime], str],
    point: str = ".",
    suffix: str = "",
) -> list[str]:
    """Such as BTC-4SEP26-60000-C; day, decimal point and suffix are the venue's."""
    strikes = [strike.replace(".", point) for strike in plain(options.strike)]
    return [
        f"{prefix}-{expiry}-{strike}-{side}{suffix}"
        for expiry, strike, side in zip(
            days(options, day), strikes, sides(options, "C", "P"), strict=True
        )
    ]


def sides(options: Listing, call: str, put: str) -> list[str]:
    return [call if is_call else put for is_call in options.is_call.tolist()]


def days(options: Listing, day: Callable[[datetime], str]) -> list[str]:
    expiries = options.expiry.tolist()
    told = {expiry: day(datetime.fromtimestamp(expiry, UTC)) for expiry in set(expiries)}
    return [told[expiry] for expiry in expiries]


def day_in_letters(expiry: datetime) -> str:
    """Such as 4SEP26."""
    # strftime's month would follow the locale, its day be padded.
    return f"{expiry.day}{MONTHS[expiry.month - 1]}{expiry:%y}"


def day_in_digits(expiry: datetime) -> str:
    """Such as 260904."""
    return f"{expiry:%y%m%d}"
