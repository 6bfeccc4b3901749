"""OKX's public stream: indices and the swaps' marks; keep-alive by plain words."""

from datetime import datetime, timedelta

from bot.sim.coins import COINS
from bot.sim.streams.conversation import Conversation, Message, Prices, said, usd

INDEX, MARK = "index-tickers", "mark-price"
TOPICS = {f"{INDEX} {name}-{quote}": name for name in COINS for quote in ("USD", "USDT")} | {
    f"{MARK} {name}-USDT-SWAP": name for name in COINS
}


class Okx(Conversation):
    """Each argument is confirmed or refused on its own."""

    path = "/ws/v5/public"
    patience = timedelta(seconds=30)  # as long as nothing is subscribed

    def reply(self, text: str, _: datetime) -> list[object]:
        if text == "ping":
            return ["pong"]
        request = said(text) or {}
        op, arguments = request.get("op"), request.get("args")
        if op not in ("subscribe", "unsubscribe") or not isinstance(arguments, list):
            return [_error("60012", f"Invalid request: {text}")]
        return [self._change(op, one if isinstance(one, dict) else {}) for one in arguments]

    def tell(self, topic: str, prices: Prices) -> object:
        channel, name = topic.split(" ")
        coin, now = TOPICS[topic], str(prices.ms)
        data = {"instId": name, "ts": now}
        if channel == INDEX:
            data["idxPx"] = usd(coin, prices.index[coin])
        else:
            data |= {"instType": "SWAP", "markPx": usd(coin, prices.mark[coin])}
        return {"arg": {"channel": channel, "instId": name}, "data": [data]}

    def beat(self, at: datetime) -> list[object]:
        return [] if self.topics else super().beat(at)

    def _change(self, op: str, argument: Message) -> Message:
        topic = f"{argument.get('channel')} {argument.get('instId')}"
        if topic not in TOPICS:
            place = f"channel:{argument.get('channel')},instId:{argument.get('instId')}"
            return _error("60018", f"Wrong URL or {place} doesn't exist.")
        self.topics.pop(topic, None)
        if op == "subscribe":
            self.topics[topic] = TOPICS[topic]
        return {"event": op, "arg": argument, "connId": "simulated"}


def _error(code: str, words: str) -> Message:
    return {"event": "error", "code": code, "msg": words, "connId": "simulated"}
