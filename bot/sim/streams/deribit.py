"""Deribit's stream: JSON-RPC, index prices and the perpetuals' tickers, a heartbeat."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.sim.streams.conversation import (
    Conversation,
    HungUp,
    Message,
    Prices,
    milliseconds,
    names,
    said,
)

VERSION = "1.2.26"
SHORTEST = 10  # seconds between heartbeats
INDEXES = {"BTC": "btc_usd", "ETH": "eth_usd", "SOL": "sol_usdc", "HYPE": "hype_usdc"}
PERPETUALS = {
    "BTC": "BTC-PERPETUAL",
    "ETH": "ETH-PERPETUAL",
    "SOL": "SOL_USDC-PERPETUAL",
    "HYPE": "HYPE_USDC-PERPETUAL",
}
INDEX, TICKER, EVERY = "deribit_price_index.", "ticker.", (".100ms", ".agg2")
CHANNELS = {INDEX + index: coin for coin, index in INDEXES.items()} | {
    f"{TICKER}{name}{every}": coin for coin, name in PERPETUALS.items() for every in EVERY
}


class Refused(Exception):
    """The call is wrong; its sender is told so."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.error = {"message": message, "code": code}


class Deribit(Conversation):
    """Calls are answered by number; a heartbeat that is not answered ends the connection."""

    path = "/ws/api/v2"

    def __init__(self, at: datetime, query: Mapping[str, str]) -> None:
        super().__init__(at, query)
        self._beats_every: timedelta | None = None
        self._next_beat = at
        self._awaited = False  # whether a test is asked for

    def reply(self, text: str, at: datetime) -> list[object]:
        call = said(text)
        if call is None:
            return [_envelope(None, at) | {"error": Refused(-32700, "Parse error").error}]
        try:
            outcome: Message = {"result": self._call(call, at)}
        except Refused as refused:
            outcome = {"error": refused.error}
        return [_envelope(call.get("id"), at) | outcome]

    def tell(self, topic: str, prices: Prices) -> object:
        data = _index(topic, prices) if topic.startswith(INDEX) else _ticker(topic, prices)
        params = {"channel": topic, "data": data}
        return {"jsonrpc": "2.0", "method": "subscription", "params": params}

    def beat(self, at: datetime) -> list[object]:
        if self._beats_every is None or at < self._next_beat:
            return []
        if self._awaited:
            raise HungUp("no answer to the heartbeat")
        self._awaited, self._next_beat = True, at + self._beats_every
        params = {"type": "test_request"}
        return [{"jsonrpc": "2.0", "method": "heartbeat", "params": params}]

    def _call(self, call: Message, at: datetime) -> object:
        params = call.get("params") or {}
        if not isinstance(params, dict):
            raise Refused(-32602, "Invalid params")
        match call.get("method"):
            case "public/subscribe":
                return self._subscribe(names(params.get("channels")))
            case "public/unsubscribe":
                return [one for one in names(params.get("channels")) if self.topics.pop(one, None)]
            case "public/set_heartbeat":
                return self._set_heartbeat(params.get("interval"), at)
            case "public/test":
                self._awaited = False
                return {"version": VERSION}
            case "public/get_time":
                return milliseconds(at)
            case _:
                raise Refused(-32601, "Method not found")

    def _subscribe(self, channels: list[str]) -> list[str]:
        """Those that there are; the others are left out without a word."""
        if any(channel.endswith(".raw") for channel in channels):
            raise Refused(13778, "raw_subscriptions_not_available_for_unauthorized")
        known = [channel for channel in channels if channel in CHANNELS]
        self.topics |= {channel: CHANNELS[channel] for channel in known}
        return known

    def _set_heartbeat(self, interval: object, at: datetime) -> str:
        if not isinstance(interval, int) or not SHORTEST <= interval <= 86_400:
            raise Refused(-32602, "Invalid params")
        self._beats_every = timedelta(seconds=interval)
        self._next_beat = at + self._beats_every
        return "ok"


def _index(topic: str, prices: Prices) -> Message:
    name, coin = topic.removeprefix(INDEX), CHANNELS[topic]
    return {"index_name": name, "price": prices.index[coin], "timestamp": prices.ms}


def _ticker(topic: str, prices: Prices) -> Message:
    coin = CHANNELS[topic]
    mark = prices.mark[coin]
    return {
        "instrument_name": PERPETUALS[coin],
        "timestamp": prices.ms,
        "state": "open",
        "index_price": prices.index[coin],
        "mark_price": mark,
        "last_price": mark,
        "best_bid_price": mark,
        "best_ask_price": mark,
    }


def _envelope(number: object, at: datetime) -> Message:
    now = milliseconds(at) * 1000
    stamps = {"usIn": now, "usOut": now, "usDiff": 0, "testnet": False}
    return {"jsonrpc": "2.0", **({} if number is None else {"id": number}), **stamps}
