"""What /status says of the venues."""

from collections.abc import Mapping, Sequence

from bot.core.reply import Field
from bot.core.text import age_text
from bot.exchanges.stream import Stream
from bot.exchanges.throttle import Usage
from bot.markets import Market
from bot.service.ticker import Ticker


def clock_fields(ticker: Ticker) -> list[Field]:
    """A line where this machine's clock seems wrong: then no price counts and nothing rings."""
    off = ticker.clock_is_off_by
    return [Field("Clock", f"every price comes {age_text(off)} old: set it")] if off else []


def venue_fields(market: Market, unlisted: Mapping[str, Sequence[str]]) -> list[Field]:
    """A line a venue: its prices, what is asked of it beside what it allows, what it lacks."""
    streams = {stream.name: stream for stream in market.streams}
    return [
        Field(name, _line(streams[name], throttle.usage(), unlisted.get(name, ())))
        for name, throttle in market.throttles.items()
    ]


def _line(stream: Stream, usage: Usage, unlisted: Sequence[str]) -> str:
    requests = f"{usage.per_minute:.0f} a minute asked, {usage.allowed:,.0f} allowed"
    missing = f"lists no {', '.join(unlisted)}" if unlisted else ""
    return "; ".join(filter(None, (usage.shut, _prices(stream), requests, missing)))


def _prices(stream: Stream) -> str:
    if stream.live_since:
        return f"prices live since {stream.live_since:%H:%M:%S} UTC"
    return f"prices polled ({stream.trouble or 'stream not open yet'})"
