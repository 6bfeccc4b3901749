"""Bybit's linear stream: a snapshot of a ticker, then what has changed."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.sim.coins import COINS
from bot.sim.streams.conversation import Conversation, Message, Prices, names, said, usd

TOPICS = {f"tickers.{name}USDT": name for name in COINS}
DAY_IN_MS = 86_400_000


class Bybit(Conversation):
    """A request with one unknown topic fails whole."""

    path = "/v5/public/linear"
    patience = timedelta(minutes=10)

    def __init__(self, at: datetime, query: Mapping[str, str]) -> None:
        super().__init__(at, query)
        self._told: dict[str, Message] = {}  # the fields last told, by topic

    def reply(self, text: str, _: datetime) -> list[object]:
        request = said(text) or {}
        op, topics = request.get("op"), names(request.get("args"))
        unknown = [topic for topic in topics if topic not in TOPICS]
        if op == "ping":
            return [_done(request, "pong")]
        if op not in ("subscribe", "unsubscribe"):
            return [_failed(request, "Params Error")]
        if unknown or not topics:
            return [_failed(request, f"error:handler not found,topic:{','.join(unknown)}")]
        for topic in topics:
            self._told.pop(topic, None)
            self.topics.pop(topic, None)
        if op == "subscribe":
            self.topics |= {topic: TOPICS[topic] for topic in topics}
        return [_done(request, "")]

    def tell(self, topic: str, prices: Prices) -> object:
        fields, told = _fields(topic, prices), self._told.get(topic)
        self._told[topic] = fields
        kind, data = "snapshot", fields
        if told is not None:
            changed = {name: value for name, value in fields.items() if told[name] != value}
            if not changed:
                return None
            kind, data = "delta", {"symbol": fields["symbol"], **changed}
        return {"topic": topic, "type": kind, "data": data, "cs": prices.ms, "ts": prices.ms}


def _fields(topic: str, prices: Prices) -> Message:
    coin = TOPICS[topic]
    mark = usd(coin, prices.mark[coin])
    return {
        "symbol": f"{coin}USDT",
        "lastPrice": mark,
        "markPrice": mark,
        "indexPrice": usd(coin, prices.index[coin]),
        "bid1Price": mark,
        "ask1Price": mark,
        "fundingRate": "0.0001",
        "volume24h": f"{prices.ms % DAY_IN_MS / 1000:.3f}",  # goes on while prices stand still
    }


def _done(request: Message, words: str) -> Message:
    return {
        "success": True,
        "ret_msg": words,
        "conn_id": "simulated",
        "req_id": request.get("req_id", ""),
        "op": request.get("op"),
    }


def _failed(request: Message, words: str) -> Message:
    return _done(request, words) | {"success": False}
