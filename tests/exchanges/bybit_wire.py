"""Bybit's answers and pushes in its own shapes, typed by hand."""

import json
from collections.abc import Callable, Mapping

from tests.exchanges.wires import AT_MS, NOW_MS, FakeWire, as_body

TICKERS, INSTRUMENTS = "/v5/market/tickers", "/v5/market/instruments-info"


def option(symbol: object = "BTC-27MAR26-80000-C-USDT", **fields: object) -> dict:
    """A row of the chain; a field given as ... is left out."""
    row = {
        "symbol": symbol,
        "bid1Price": "0",
        "bid1Size": "0",
        "bid1Iv": "0",
        "ask1Price": "4200",
        "ask1Iv": "0.53",
        "markPrice": "4100.5",
        "indexPrice": "79500.25",
        "markIv": "0.5125",
        "underlyingPrice": "80100.5",
        "openInterest": "120.5",
        "delta": "0.51",
        "gamma": "0.00001",
        "predictedDeliveryPrice": "0",
    } | fields
    return {key: value for key, value in row.items() if value is not ...}


def instrument(symbol: object = "BTC-27MAR26-80000-C-USDT", **fields: object) -> dict:
    """A listed option; a field given as ... is left out."""
    row = {
        "symbol": symbol,
        "status": "Trading",
        "baseCoin": "BTC",
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "optionsType": "Call",
        "launchTime": "1743669649000",
        "deliveryTime": "1774598400000",
    } | fields
    return {key: value for key, value in row.items() if value is not ...}


def page(*rows: object, cursor: object = "") -> bytes:
    """A page of the list of options."""
    return body_of(result={"category": "option", "nextPageCursor": cursor, "list": rows})


def linear(symbol: object = "BTCUSDT", **fields: object) -> dict:
    """The ticker of a perpetual; a field given as ... is left out."""
    row = {
        "symbol": symbol,
        "lastPrice": "79510.1",
        "indexPrice": "79500.25",
        "markPrice": "79520.75",
        "fundingRate": "-0.0001",
    } | fields
    return {key: value for key, value in row.items() if value is not ...}


def body_of(*rows: object, **fields: object) -> bytes:
    """An answer with these rows; a field given as ... is left out."""
    answer = {
        "retCode": 0,
        "retMsg": "OK",
        "result": {"category": "option", "list": rows},
        "retExtInfo": {},
        "time": AT_MS,
    } | fields
    return as_body({key: value for key, value in answer.items() if value is not ...})


def refusal(code: int = 10_006, why: str = "Too many visits!") -> bytes:
    return as_body({"retCode": code, "retMsg": why, "result": {}, "time": NOW_MS})


def venue_wire(chain: Callable[[Mapping[str, object]], object], listing: object = None) -> FakeWire:
    """Bybit with these chains by parameters; its list of options by cursor, "" the first page."""
    pages = (
        listing if isinstance(listing, Mapping) else {"": refusal() if listing is None else listing}
    )
    return FakeWire(
        lambda path, params: (
            pages[params.get("cursor", "")] if path == INSTRUMENTS else chain(params)
        )
    )


def candle(open_ms: object, *values: object) -> list:
    prices = values or ("80000.1", "80100", "79900.5", "80050.25", "12.5")
    return [str(open_ms), *prices, "1000000.5"]


def push(kind: object = "snapshot", price: object = "79500.25", **fields: object) -> str:
    """A push of the stream; a price or a field given as ... is left out."""
    data = {"symbol": "BTCUSDT", "lastPrice": "79510.1", "indexPrice": price}
    message = {
        "topic": "tickers.BTCUSDT",
        "type": kind,
        "data": {key: value for key, value in data.items() if value is not ...},
        "cs": 7,
        "ts": AT_MS,
    } | fields
    return json.dumps({key: value for key, value in message.items() if value is not ...})
