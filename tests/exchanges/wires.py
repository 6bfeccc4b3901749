"""A wire whose answers are typed by hand, and rows in the venues' own shapes."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1_000)
AT_MS = NOW_MS - 4_000  # when the venue made its rows
SENT_MS = NOW_MS - 1_000  # when it sent them


class FakeWire:
    """Gives each request the answer that a function chooses, and remembers what was asked."""

    def __init__(self, answer: Callable[[str, Mapping[str, object]], object]) -> None:
        self.asked: list[tuple[str, str, Mapping[str, object]]] = []
        self._answer = answer

    async def ask(self, venue: str, method: str, path: str, params: Mapping[str, object]) -> bytes:
        self.asked.append((method, path, params))
        answer = self._answer(path, params)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else as_body(answer)


def as_body(value: object) -> bytes:
    return json.dumps(value).encode()


def deribit_row(name: object = "BTC-27MAR26-80000-C", **fields: object) -> dict:
    """A row of a book; a field given as ... is left out."""
    row = {
        "mid_price": 0.0415,
        "volume_usd": 1234.5,
        "quote_currency": "BTC",
        "estimated_delivery_price": 79_500.25,
        "creation_timestamp": AT_MS,
        "base_currency": "BTC",
        "underlying_index": "BTC-27MAR26",
        "underlying_price": 80_100.5,
        "volume": 3.5,
        "interest_rate": 0.0,
        "price_change": None,
        "open_interest": 120.5,
        "ask_price": 0.042,
        "bid_price": None,
        "instrument_name": name,
        "mark_price": 0.0414,
        "mark_iv": 51.25,
        "last": 0.04,
        "low": None,
        "high": 0.043,
    } | fields
    return {key: value for key, value in row.items() if value is not ...}


def deribit_body(*rows: object, **fields: object) -> bytes:
    return rpc_body(rows, **fields)


def rpc_body(result: object, **fields: object) -> bytes:
    """Deribit's answer with that result."""
    sent = SENT_MS * 1_000  # microseconds
    envelope = {"jsonrpc": "2.0", "usIn": sent - 250, "usOut": sent, "usDiff": 250}
    return as_body(envelope | {"result": result, "testnet": False} | fields)


def derive_ticker(**fields: object) -> dict:
    """A row of a ticker answer; a field given as ... is left out."""
    row = {
        "t": AT_MS,
        "A": "10",
        "a": "3.5",
        "B": "0",
        "b": "0",
        "f": None,
        "option_pricing": derive_pricing(),
        "I": "70.5",
        "M": "3.4",
        "stats": derive_stats(),
        "minp": "1",
        "maxp": "9",
    } | fields
    return {key: value for key, value in row.items() if value is not ...}


def derive_pricing(**fields: object) -> dict:
    row = {
        "d": "0.52",
        "t": "-0.1",
        "g": "0.01",
        "v": "0.2",
        "i": "0.715",
        "r": "0.5",
        "f": "70.75",
        "m": "3.4",
        "df": "0.99",
        "bi": "0",
        "ai": "0",
    } | fields
    return {key: value for key, value in row.items() if value is not ...}


def derive_stats(**fields: object) -> dict:
    row = {"c": "0", "v": "0", "pr": "0", "n": 0, "oi": "250.5", "h": "0", "l": "0"} | fields
    return {key: value for key, value in row.items() if value is not ...}


def derive_body(tickers: Mapping[str, object]) -> bytes:
    return as_body({"id": 1, "result": {"tickers": tickers}})


def derive_listing(*expiries: object, pages: int | None = None) -> bytes:
    """A page of the list of options, one of each expiry, s since 1970."""
    instruments = [
        {
            "instrument_name": f"HYPE-{number}-70-C",
            "option_details": {"expiry": expiry, "strike": "70", "option_type": "C"},
        }
        for number, expiry in enumerate(expiries)
    ]
    result: dict[str, object] = {"instruments": instruments}
    if pages is not None:
        result["pagination"] = {"num_pages": pages, "count": len(instruments)}
    return as_body({"id": 1, "result": result})


def kline(open_ms: int, *prices: str) -> list:
    values = prices or ("80000.10", "80100.00", "79900.50", "80050.25")
    tail = ["1000.0", 42, "5.0", "400.0", "0"]
    return [open_ms, *values, "12.5", open_ms + 1_799_999, *tail]
