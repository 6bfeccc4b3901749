"""The expiries as a calendar (RFC 5545) with open interest and max pain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from bot.core.chain import OptionChain, from_milliseconds
from bot.core.exports.export import Export, number_text
from bot.core.gex import live_rows
from bot.core.levels import MaxPain, max_pain
from bot.core.symbols import coin_of

ASK_AGAIN = "PT1H"  # open interest is not counted much more often
LINE = 75  # octets of a line, its end not counted
PUT_BEFORE = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class Expiry:
    """What one expiry holds."""

    at: datetime
    call_oi: float  # coins
    put_oi: float  # coins
    pain: MaxPain | None  # None without open interest

    @property
    def oi(self) -> float:
        """Coins."""
        return self.call_oi + self.put_oi


def find_expiries(chain: OptionChain, spot: float, now: datetime) -> Sequence[Expiry]:
    """Every expiry that is still to come, the nearest first."""
    live = live_rows(chain, spot, now)
    found = []
    for moment in np.unique(live.expiry):
        rows = live.take(live.expiry == moment)
        calls, puts = float(rows.oi[rows.is_call].sum()), float(rows.oi[~rows.is_call].sum())
        pain = max_pain(rows) if calls + puts > 0 else None
        found.append(Expiry(from_milliseconds(int(moment)), calls, puts, pain))
    return found


def ics_text(export: Export, expiries: Sequence[Expiry]) -> str:
    """The calendar; at least one expiry, since the format knows no empty one."""
    name = escaped(export.marked(f"{coin_of(export.snapshot.symbol)} option expiries"))
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//gammabell//option expiries//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        # Each of these twice: as RFC 7986 has it, and as programs did before.
        f"NAME:{name}",
        f"X-WR-CALNAME:{name}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{ASK_AGAIN}",
        f"X-PUBLISHED-TTL:{ASK_AGAIN}",
        *(line for expiry in expiries for line in _event(export, expiry)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def escaped(text: str) -> str:
    """The text as a value."""
    known = "".join(c for c in text if c == "\n" or c.isprintable())
    return known.translate(PUT_BEFORE)


def folded(line: str) -> str:
    """The line in pieces of at most 75 octets, no character cut in two."""
    pieces, size = [""], 0
    for char in line:
        octets = len(char.encode())
        if size + octets > LINE:
            pieces.append(" ")
            size = 1
        pieces[-1] += char
        size += octets
    return "\r\n".join(pieces)


def _event(export: Export, expiry: Expiry) -> Iterator[str]:
    """One expiry, under a name that stays the same in every later export.

    Simulated ones have names of their own: they never replace real ones in someone's calendar.
    """
    coin, at = coin_of(export.snapshot.symbol), _time(expiry.at)
    market = "simulated-" if export.simulated else ""
    yield "BEGIN:VEVENT"
    yield f"UID:{market}{escaped(coin)}-{at}@gammabell"
    yield f"DTSTAMP:{_time(export.snapshot.at)}"
    yield f"LAST-MODIFIED:{_time(export.snapshot.at)}"
    yield f"DTSTART:{at}"
    yield f"SUMMARY:{escaped(export.marked(_summary(coin, expiry)))}"
    yield f"DESCRIPTION:{escaped(chr(10).join([*_details(coin, expiry), *export.stamp]))}"
    yield "TRANSP:TRANSPARENT"  # nobody is busy because of it
    yield "END:VEVENT"


def _summary(coin: str, expiry: Expiry) -> str:
    pain = f", max pain {number_text(expiry.pain.strike)} USD" if expiry.pain else ""
    return f"{coin} options expire: OI {_coins(expiry.oi)} {coin}{pain}"


def _details(coin: str, expiry: Expiry) -> Iterator[str]:
    yield f"Open interest: {_coins(expiry.call_oi)} {coin} in calls"
    yield f"Open interest: {_coins(expiry.put_oi)} {coin} in puts"
    if expiry.pain:
        yield f"Max pain: {number_text(expiry.pain.strike)} USD"
        yield f"Paid to holders there: {expiry.pain.value:,.0f} USD"


def _coins(amount: float) -> str:
    return f"{amount:,.1f}".removesuffix(".0")


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
