"""Binance's combined stream of the futures' mark prices, chosen by the address."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.sim.streams.conversation import (
    PING,
    Conversation,
    HungUp,
    Message,
    Prices,
    names,
    said,
    usd,
)

COINS = ("BTC", "ETH", "SOL")
STREAMS = {f"{name.lower()}usdt@markPrice{every}": name for name in COINS for every in ("@1s", "")}
MOST = 200  # streams
LIFETIME = timedelta(hours=24)
PING_EVERY = timedelta(minutes=5)
FUNDING_EVERY = 8 * 3_600_000  # milliseconds


class Binance(Conversation):
    """What there is no such stream of is never told: not even that it is unknown."""

    path = "/market/stream"
    patience = timedelta(minutes=15)  # of silence, pongs included

    def __init__(self, at: datetime, query: Mapping[str, str]) -> None:
        super().__init__(at, query)
        self._began = self._pinged = at
        self._add(query.get("streams", "").split("/"))

    def reply(self, text: str, _: datetime) -> list[object]:
        request = said(text)
        if request is None or not isinstance(request.get("id"), int):
            return [{"error": {"code": 2, "msg": "Invalid request: request ID must be an integer"}}]
        streams = names(request.get("params"))
        match request.get("method"):
            case "SUBSCRIBE":
                self._add(streams)
            case "UNSUBSCRIBE":
                for stream in streams:
                    self.topics.pop(stream, None)
            case _:
                return [{"error": {"code": 2, "msg": "Invalid request: unknown method"}}]
        return [{"result": None, "id": request["id"]}]

    def tell(self, topic: str, prices: Prices) -> object:
        coin = STREAMS[topic]
        data: Message = {
            "e": "markPriceUpdate",
            "E": prices.ms,
            "s": f"{coin}USDT",
            "p": usd(coin, prices.mark[coin]),
            "i": usd(coin, prices.index[coin]),
            "P": usd(coin, prices.index[coin]),
            "r": "0.00010000",
            "T": (prices.ms // FUNDING_EVERY + 1) * FUNDING_EVERY,
        }
        return {"stream": topic, "data": data}

    def beat(self, at: datetime) -> list[object]:
        if at - self._began >= LIFETIME:
            raise HungUp("24 hours are over")
        if at - self._pinged < PING_EVERY:
            return super().beat(at)
        self._pinged = at
        return [*super().beat(at), PING]

    def _add(self, streams: list[str]) -> None:
        if len(self.topics) + len(streams) > MOST:
            raise HungUp(f"more than {MOST} streams")
        self.topics |= {name: STREAMS[name] for name in streams if name in STREAMS}
