"""What a venue's call is answered from: the market, the time and the parameters."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np

from bot.sim.market import Candles, Chain, Market

Params = Mapping[str, object]
Row = dict[str, object]

INTEGER = re.compile(r"-?\d{1,15}")


class Refused(Exception):
    """The request is wrong; its sender is told so in the venue's words."""

    def __init__(self, status: int, code: int, message: str, **data: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True)
class Request(ABC):
    """A call; a parameter that is missing or wrong is refused when it is read."""

    market: Market
    at: datetime
    params: Params

    @abstractmethod
    def missing(self, name: str) -> Refused: ...

    @abstractmethod
    def wrong(self, name: str, reason: str) -> Refused: ...

    def text(self, name: str, default: str | None = None) -> str:
        value = self.params.get(name)
        if value is not None and value != "":
            return str(value)
        if default is None:
            raise self.missing(name)
        return default

    def choice(self, name: str, allowed: Collection[str], default: str | None = None) -> str:
        text = self.text(name, default)
        if text not in allowed:
            raise self.wrong(name, f"must be one of: {', '.join(allowed)}")
        return text

    def number(self, name: str, default: int | None = None) -> int:
        text = self.text(name, None if default is None else str(default))
        if not INTEGER.fullmatch(text):
            raise self.wrong(name, "must be an integer")
        return int(text)

    def count(self, name: str, usual: int, most: int) -> int:
        """How many rows are wanted; more than the most are cut down to it."""
        wanted = self.number(name, usual)
        if wanted < 1:
            raise self.wrong(name, "must be positive")
        return min(wanted, most)

    @property
    def milliseconds(self) -> int:
        return milliseconds(self.at)

    def spot(self, coin: str) -> float:
        """USD."""
        return self.market.spot(coin, self.at)

    def perpetual(self, coin: str) -> float:
        """USD."""
        return self.market.perpetual(coin, self.at)

    def chain(self, coin: str) -> Chain:
        """Of the last whole second, so that the calls of one cycle share it."""
        return chain_at(self.market, coin, self.at.replace(microsecond=0))

    def candles(self, coin: str, width: int, span: tuple[int, int], most: int) -> Candles:
        """Those that open within a span of Unix seconds, ascending; of too many the newest.

        The candle that is open now is the last there is.
        """
        newest = min(span[1], int(self.at.timestamp())) // width * width
        oldest = max(-(-span[0] // width) * width, newest - (most - 1) * width)
        start = np.arange(oldest, newest + 1, width)
        return self.market.candles(coin, self.at, start, width)


@lru_cache(maxsize=32)
def chain_at(market: Market, coin: str, at: datetime) -> Chain:
    return market.chain(coin, at)


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
