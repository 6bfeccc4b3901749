"""Binance's answers typed by hand, and a venue that gives them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tests.exchanges.wires import AT_MS, FakeWire

MARCH = int(datetime(2026, 3, 27, 8, tzinfo=UTC).timestamp() * 1_000)
APRIL = int(datetime(2026, 4, 24, 8, tzinfo=UTC).timestamp() * 1_000)
CALL, PUT = "BTC-260327-80000-C", "BTC-260424-75000-P"


def listed(symbol: str = CALL, expiry: object = MARCH, **fields: object) -> dict:
    """An option of the list; a field given as ... is left out."""
    row = {
        "symbol": symbol,
        "side": "CALL" if symbol.endswith("C") else "PUT",
        "strikePrice": symbol.split("-")[2],
        "expiryDate": expiry,
        "underlying": "BTCUSDT",
        "unit": 1,
        "status": "TRADING",
        "contractType": "CRYPTO_OPTIONS",
        "underlyingType": "CRYPTO",
    } | fields
    return {key: value for key, value in row.items() if value is not ...}


def info(*options: object) -> dict:
    contracts = [{"baseAsset": "BTC", "quoteAsset": "USDT", "underlying": "BTCUSDT"}]
    return {"serverTime": AT_MS, "optionContracts": contracts, "optionSymbols": options}


def mark(symbol: object = CALL, **fields: object) -> dict:
    """The marks of an option; a field given as ... is left out."""
    row = {
        "symbol": symbol,
        "markPrice": "1012.5",
        "bidIV": "-1.0",
        "askIV": "0.62",
        "markIV": "0.5125",
        "delta": "0.45",
        "theta": "-30.5",
        "gamma": "0.00004",
        "vega": "50.5",
        "highPriceLimit": "6474",
        "lowPriceLimit": "5",
        "riskFreeInterest": "0.1",
    } | fields
    return {key: value for key, value in row.items() if value is not ...}


def interest(symbol: object = CALL, **fields: object) -> dict:
    """The open interest of an option; a field given as ... is left out."""
    row = {
        "symbol": symbol,
        "sumOpenInterest": "12.5",
        "sumOpenInterestUsd": "993753.125",
        "timestamp": str(AT_MS),
    } | fields
    return {key: value for key, value in row.items() if value is not ...}


def premium(**fields: object) -> dict:
    return {
        "symbol": "BTCUSDT",
        "markPrice": "79510.50",
        "indexPrice": "79500.25",
        "estimatedSettlePrice": "79490.00",
        "lastFundingRate": "0.0001",
        "time": AT_MS,
    } | fields


def refusal(code: int, text: str = "Refused.") -> dict:
    return {"code": code, "msg": text}


class Venue:
    """Two BTC options in two expiries; whatever a test puts in `said` is said instead.

    Its keys are the last part of a path, for open interest with the day: "openInterest 260327".
    """

    def __init__(self, **said: object) -> None:
        self.said = {
            "exchangeInfo": info(listed(), listed(PUT, APRIL)),
            "mark": [mark(), mark(PUT, markIV="0.61")],
            "index": {"time": AT_MS, "indexPrice": "79500.25"},
            "openInterest 260327": [interest()],
            "openInterest 260424": [interest(PUT, sumOpenInterest="4.25")],
        } | said
        self.wire = FakeWire(self._answer)

    def asked(self, what: str) -> int:
        """How often that was asked."""
        return sum(_key(path, params) == what for _, path, params in self.wire.asked)

    def _answer(self, path: str, params: Mapping[str, object]) -> object:
        return self.said.get(_key(path, params), refusal(-1121, "Invalid symbol."))


def _key(path: str, params: Mapping[str, object]) -> str:
    return f"{path.rpartition('/')[2]} {params.get('expiration', '')}".rstrip()
