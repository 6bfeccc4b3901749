"""The venues that are simulated, each with its two wires."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.sim import binance, bybit, deribit, derive, okx
from bot.sim.market import Market
from bot.sim.streams.binance import Binance
from bot.sim.streams.bybit import Bybit
from bot.sim.streams.conversation import Conversation
from bot.sim.streams.deribit import Deribit
from bot.sim.streams.derive import Derive
from bot.sim.streams.okx import Okx
from bot.sim.wire import Answer

Params = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Venue:
    """How one venue is asked, and how it tells."""

    name: str
    roots: tuple[str, ...]  # that the paths of its HTTP interface begin with
    answer: Callable[[Market, datetime, str, str, Params], Answer]
    stream: type[Conversation]


# Their paths differ, so one address serves them all.
VENUES = (
    Venue("deribit", deribit.ROOTS, deribit.answer, Deribit),
    Venue("bybit", bybit.ROOTS, bybit.answer, Bybit),
    Venue("okx", okx.ROOTS, okx.answer, Okx),
    Venue("binance", binance.ROOTS, binance.answer, Binance),
    Venue("derive", derive.ROOTS, derive.answer, Derive),
)
