"""Deribit: whole books by currency; IV in percent, open interest in coins, a forward a row."""

import asyncio
import math
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import msgspec

from bot.core.chain import OptionChain, milliseconds
from bot.core.snapshot import Tick
from bot.core.symbols import symbol_of
from bot.errors import NotListed, SourceError
from bot.exchanges.rows import (
    MONTH_NUMBERS,
    Row,
    decode,
    decode_row,
    expiry_of_day,
    join_parts,
    num,
    positive,
    to_chain,
)
from bot.ports import Wire

NAME = re.compile(r"([A-Z]+)(?:_(USDC|USDT))?-(\d{1,2})([A-Z]{3})(\d{2})-(\d+(?:d\d+)?)-([CP])")
INVERSE = ("BTC", "ETH")  # have a book of their own; their linear options are in the USDC book
LINEAR_BOOK = "USDC"
PERCENT = 100.0
ROOT = "/api/v2/public"


class Summary(msgspec.Struct):
    """One row of a book, untrusted: `num` reads its numbers."""

    instrument_name: object = None
    open_interest: object = None
    mark_iv: object = None
    underlying_price: object = None
    estimated_delivery_price: object = None
    creation_timestamp: object = None


class Failure(msgspec.Struct):
    """Why Deribit refused."""

    code: int = 0
    message: str = "no message"


class Books(msgspec.Struct):
    """The answer to get_book_summary_by_currency."""

    result: list[msgspec.Raw] | None = None
    error: Failure | None = None


class Prices(msgspec.Struct):
    """The result of get_index_price or of a perpetual's ticker."""

    index_price: object = None
    mark_price: object = None


class PricesAnswer(msgspec.Struct):
    """The answer to either."""

    result: Prices | None = None
    error: Failure | None = None


class Deribit:
    """Deribit's public JSON-RPC over HTTP."""

    name = "deribit"

    def __init__(self, wire: Wire, now: Callable[[], datetime]) -> None:
        self._wire = wire
        self._now = now
        self._asking: dict[str, asyncio.Task[bytes]] = {}  # books on their way, by currency

    async def fetch_chain(self, underlying: str) -> OptionChain:
        """The coin's inverse and USDC-linear options."""
        currencies = [underlying, LINEAR_BOOK] if underlying in INVERSE else [LINEAR_BOOK]
        answers = await asyncio.gather(
            *(self._book(currency) for currency in currencies), return_exceptions=True
        )
        parts = []
        for answer in answers:
            if isinstance(answer, NotListed):
                continue
            if isinstance(answer, BaseException):
                raise answer
            parts.append(parse_chain(underlying, answer, self._now()))
        return join_parts(underlying, self.name, parts)

    async def _book(self, currency: str) -> bytes:
        """The book of a currency; who asks while it is on its way gets the same answer.

        One USDC book holds seven coins in 1.7 MB, and all of them are due at one time.
        """
        task = self._asking.get(currency)
        if task is None:
            asked = self._ask("get_book_summary_by_currency", currency=currency, kind="option")
            task = self._asking[currency] = asyncio.create_task(asked)
            task.add_done_callback(lambda _: self._asking.pop(currency))
        return await asyncio.shield(task)

    async def fetch_spot(self, underlying: str) -> Tick:
        """The index price."""
        quote = "usd" if underlying in INVERSE else "usdc"
        prices = await self._prices("get_index_price", index_name=f"{underlying.lower()}_{quote}")
        price = self._price(prices.index_price)
        return Tick(symbol_of(underlying), self._now(), price, self.name)

    async def fetch_perpetual(self, underlying: str) -> float:
        """The perpetual's mark price, USD."""
        prefix = underlying if underlying in INVERSE else f"{underlying}_USDC"
        prices = await self._prices("ticker", instrument_name=f"{prefix}-PERPETUAL")
        return self._price(prices.mark_price)

    async def _prices(self, method: str, **params: str) -> Prices:
        answer = decode(self.name, await self._ask(method, **params), PricesAnswer)
        if answer.result is None:
            raise refused(answer.error)
        return answer.result

    def _price(self, value: object) -> float:
        price = positive(num(value))
        if math.isnan(price):
            raise SourceError(self.name, f"{value!r} is no price")
        return price

    async def _ask(self, method: str, **params: str) -> bytes:
        return await self._wire.ask(self.name, "GET", f"{ROOT}/{method}", params)


def parse_chain(underlying: str, body: bytes, now: datetime) -> OptionChain:
    """The coin's rows of one book; other coins are passed over. Raises SourceError."""
    answer = decode(Deribit.name, body, Books)
    if answer.result is None:
        raise refused(answer.error)
    now_ms = milliseconds(now)
    unreadable: Counter[str] = Counter()
    rows = []
    for raw in answer.result:
        summary = decode_row(raw, Summary)
        name = NAME.fullmatch(str(summary.instrument_name)) if summary else None
        if name and name[1] != underlying:
            continue
        row = _row(summary, name, now_ms) if summary and name else None
        if row:
            rows.append(row)
        else:
            unreadable["row_unreadable"] += 1
    return to_chain(underlying, Deribit.name, rows, unreadable)


def refused(error: Failure | None) -> SourceError:
    """What Deribit said instead of an answer."""
    why = f"{error.message} ({error.code})" if error else "no result"
    return SourceError(Deribit.name, why)


def _row(summary: Summary, name: re.Match[str], now_ms: float) -> Row | None:
    expiry = expiry_of_day(2000 + int(name[5]), MONTH_NUMBERS.get(name[4], 0), int(name[3]))
    strike = positive(float(name[6].replace("d", ".")))
    if expiry is None or math.isnan(strike):
        return None
    stamp = num(summary.creation_timestamp)
    return Row(
        expiry=expiry,
        strike=strike,
        is_call=name[7] == "C",
        oi=num(summary.open_interest),
        iv=num(summary.mark_iv) / PERCENT,
        forward=positive(num(summary.underlying_price)),
        index_price=positive(num(summary.estimated_delivery_price)),
        at=int(stamp if 0 < stamp < now_ms else now_ms),
    )
