"""OKX's answers and pushes in its own shapes, typed by hand."""

import json
from collections.abc import Mapping

from tests.exchanges.wires import AT_MS, NOW_MS, FakeWire, as_body

PUBLIC, MARKET = "/api/v5/public", "/api/v5/market"
TICK_BANDS, INSTRUMENTS = f"{PUBLIC}/instrument-tick-bands", f"{PUBLIC}/instruments"
SUMMARY, INTEREST = f"{PUBLIC}/opt-summary", f"{PUBLIC}/open-interest"
INDEX, MARK, CANDLES = f"{MARKET}/index-tickers", f"{PUBLIC}/mark-price", f"{MARKET}/candles"
INVERSE, LINEAR = "BTC-USD-260327-80000-C", "BTC-USD_UM-260327-80000-C"


def body_of(*rows: object, **fields: object) -> bytes:
    """An answer with these rows; a field given as ... is left out."""
    return as_body(_without_gaps({"code": "0", "msg": "", "data": rows} | fields))


def refusal(code: object = "50011", message: object = "Too Many Requests") -> bytes:
    return body_of(code=code, msg=message)


def families(*names: object) -> bytes:
    band = {"minPx": "0", "maxPx": "", "tickSz": "0.0001"}
    return body_of(
        *({"instType": "OPTION", "instFamily": name, "tickBand": [band]} for name in names)
    )


def instrument(name: object = INVERSE, **fields: object) -> dict:
    """A listed option; a field given as ... is left out."""
    row = {
        "instType": "OPTION",
        "instId": name,
        "stk": "80000",
        "optType": "C",
        "expTime": "1774598400000",
        "ctVal": "1",
        "ctMult": "0.01",
        "ctType": "",
        "state": "live",
    } | fields
    return _without_gaps(row)


def summary(name: object = INVERSE, **fields: object) -> dict:
    """The marks of an option; a field given as ... is left out."""
    row = {
        "instType": "OPTION",
        "instId": name,
        "uly": "BTC-USD",
        "delta": "0.5",
        "gamma": "-1.5",
        "gammaBS": "0.00001",
        "markVol": "0.5125",
        "bidVol": "0",
        "askVol": "",
        "fwdPx": "80100.5",
        "ts": str(AT_MS),
    } | fields
    return _without_gaps(row)


def interest(name: object = INVERSE, **fields: object) -> dict:
    """The open interest of an option; a field given as ... is left out."""
    row = {
        "instId": name,
        "instType": "OPTION",
        "oi": "12050",
        "oiCcy": "120.5",
        "oiUsd": "9579780.13",
        "ts": str(AT_MS),
    } | fields
    return _without_gaps(row)


def index(pair: object = "BTC-USDT", **fields: object) -> dict:
    """An index price; a field given as ... is left out."""
    row = {"instId": pair, "idxPx": "79500.25", "high24h": "80000", "ts": str(AT_MS)} | fields
    return _without_gaps(row)


def mark(name: object = "BTC-USDT-SWAP", **fields: object) -> dict:
    """A perpetual's mark price; a field given as ... is left out."""
    row = {"instType": "SWAP", "instId": name, "markPx": "79520.75", "ts": str(AT_MS)} | fields
    return _without_gaps(row)


def candle(opened: object = NOW_MS, *prices: object, confirm: str = "1") -> list:
    values = prices or ("79900", "80100", "79800", "80000")
    return [str(opened), *values, "1250", "12.5", "1000000", confirm]


def push(*rows: object, **fields: object) -> str:
    """A message of the stream; a field given as ... is left out."""
    topic = {"channel": "index-tickers", "instId": "BTC-USDT"}
    return json.dumps(_without_gaps({"arg": topic, "data": rows or (index(),)} | fields))


def venue_wire(answers: Mapping[object, object] | None = None) -> FakeWire:
    """OKX with one option in each family of BTC; answers by path, or by path and family."""
    given = {} if answers is None else answers  # as it is when asked

    def answer(path: str, params: Mapping[str, object]) -> object:
        family = params.get("instFamily", "BTC-USD")
        name = f"{family}-260327-80000-C"
        usual = {
            TICK_BANDS: families("BTC-USD", "BTC-USD_UM", "SOL-USD_UM"),
            INSTRUMENTS: body_of(instrument(name)),
            SUMMARY: body_of(summary(name)),
            INTEREST: body_of(interest(name)),
            INDEX: body_of(index(params.get("instId"))),
            MARK: body_of(mark(params.get("instId"))),
            CANDLES: body_of(candle()),
        }
        return given.get((path, family), given.get(path, usual[path]))

    return FakeWire(answer)


def _without_gaps(row: Mapping[str, object]) -> dict:
    return {key: value for key, value in row.items() if value is not ...}
