"""Derive's stream: JSON-RPC, the spot feeds."""

from datetime import datetime

from bot.sim.coins import COINS
from bot.sim.streams.conversation import Conversation, Message, Prices, names, said, usd

FEED = "spot_feed."
FEEDS = {FEED + name: name for name in COINS}


class Derive(Conversation):
    """Each channel is confirmed or refused on its own."""

    path = "/v3/ws"

    def reply(self, text: str, _: datetime) -> list[object]:
        call = said(text) or {}
        params = call.get("params")
        channels = names(params.get("channels")) if isinstance(params, dict) else []
        match call.get("method"):
            case "subscribe":
                self.topics |= {one: FEEDS[one] for one in channels if one in FEEDS}
            case "unsubscribe":
                for channel in channels:
                    self.topics.pop(channel, None)
            case _:
                error = {"code": -32601, "message": "Method not found"}
                return [{"id": call.get("id", ""), "error": error}]
        return [{"id": call.get("id", ""), "result": self._state(channels)}]

    def tell(self, topic: str, prices: Prices) -> object:
        coin = FEEDS[topic]
        feeds = {coin: {"price": usd(coin, prices.index[coin]), "confidence": "1"}}
        data = {"timestamp": prices.ms, "feeds": feeds}
        return {"method": "subscription", "params": {"channel": topic, "data": data}}

    def _state(self, channels: list[str]) -> Message:
        status = {one: "ok" if one in FEEDS else "channel not found" for one in channels}
        return {"status": status, "current_subscriptions": list(self.topics)}
