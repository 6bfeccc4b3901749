"""What the venues' conversations have in common, and the prices they tell."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from bot.sim.coins import COINS
from bot.sim.market import Market

Message = dict[str, object]
PING = object()  # stands for the WebSocket protocol's own ping


class HungUp(Exception):
    """The venue ends the connection; the reason goes with the closing frame."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Every coin's prices at one time."""

    at: datetime  # that messages are stamped with
    index: Mapping[str, float]  # USD by coin
    mark: Mapping[str, float]  # USD by coin, of the perpetual

    @property
    def ms(self) -> int:
        return milliseconds(self.at)


def prices_of(market: Market, of: datetime, at: datetime) -> Prices:
    """The prices of one time, told as those of another."""
    return Prices(
        at,
        {name: market.spot(name, of) for name in COINS},
        {name: market.perpetual(name, of) for name in COINS},
    )


class Conversation(ABC):
    """One connection with a venue; it knows nothing of sockets.

    A message is what JSON can hold; a text is sent as it stands, PING as a ping.
    """

    path: ClassVar[str]  # of the venue's stream
    patience = timedelta.max  # with a client that says nothing

    def __init__(self, at: datetime, _query: Mapping[str, str]) -> None:
        self.topics: dict[str, str] = {}  # subscribed: the coin by the venue's word for the stream
        self.heard = at  # the last word of the client, or its pong

    @abstractmethod
    def reply(self, text: str, at: datetime) -> list[object]:
        """What the venue says to a client's message. Raises HungUp."""

    @abstractmethod
    def tell(self, topic: str, prices: Prices) -> object:
        """The message of a topic; None when it has nothing new."""

    def beat(self, at: datetime) -> list[object]:
        """What keeps the connection alive. Raises HungUp when the client seems gone."""
        if at - self.heard >= self.patience:
            raise HungUp("idle")
        return []


def said(text: str) -> Message | None:
    """The object in a client's message; None when there is none."""
    try:
        return msgspec.json.decode(text, type=Message)
    except msgspec.DecodeError:
        return None


def names(value: object) -> list[str]:
    """The texts in what should be a list of them."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def usd(coin: str, price: float) -> str:
    """A price as text, with the decimals of the coin."""
    return f"{price:.{COINS[coin].decimals}f}"


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
