"""How often each venue lets one address ask, by the simulated clock."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from bot.sim.refusals import refusal, too_often
from bot.sim.wire import Answer

BYBIT_BAN = 600.0  # seconds
BINANCE_BAN = 120.0  # seconds; the shortest that is documented
BINANCE_PATIENCE = 5  # requests refused within a minute before the ban
BINANCE_WEIGHT = 2400  # a minute and host
KEPT = 1000  # meters; the one longest unused makes room
OKX_USUAL = 20  # requests in two seconds
OKX_CALLS = {"instrument-tick-bands": 5, "candles": 40}


# Of WebSockets: how many an address may have.
CONNECTIONS = {"deribit": 32, "derive": 4}


class Meter(Protocol):
    """Counts what is spent against an allowance."""

    def spend(self, cost: float, now: float) -> float:
        """Seconds until the cost will be allowed; 0 when it is, and then it is spent."""
        ...


class Window:
    """So much in each span of time; spans begin at whole multiples of their seconds."""

    def __init__(self, limit: float, seconds: float) -> None:
        self.spent = 0.0  # within the span last asked in
        self._limit = limit
        self._seconds = seconds
        self._span = -1.0

    def spend(self, cost: float, now: float) -> float:
        span = now // self._seconds
        if span != self._span:
            self._span, self.spent = span, 0.0
        if self.spent + cost > self._limit:
            return (span + 1) * self._seconds - now
        self.spent += cost
        return 0.0


class Pool:
    """A store that is full at first and refills steadily."""

    def __init__(self, size: float, refill: float) -> None:
        self._size = size
        self._refill = refill  # a second
        self._left = size
        self._then = 0.0

    def spend(self, cost: float, now: float) -> float:
        self._left = min(self._size, self._left + self._refill * max(now - self._then, 0.0))
        self._then = now
        if cost > self._left:
            return (cost - self._left) / self._refill
        self._left -= cost
        return 0.0


HANDSHAKES: dict[str, Callable[[], Meter]] = {
    "bybit": partial(Window, 500, 300),
    "okx": partial(Window, 3, 1),
}
SUBSCRIBING = '"public/subscribe"'  # the only message that Deribit counts
MESSAGES: dict[str, Callable[[], Meter]] = {  # on one connection
    "deribit": partial(Pool, 10, 10 / 3),  # of 3,000 credits for each subscription
    "okx": partial(Window, 480, 3600),
    "binance": partial(Window, 10, 1),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, as far as limits care."""

    venue: str
    client: str  # its address
    path: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Charge:
    """What a request costs on one of the venue's meters."""

    meter: str  # one for each client
    cost: float
    make: Callable[[], Meter]


def _deribit(call: Call) -> Iterator[Charge]:
    yield Charge("calls", 1, partial(Pool, 100, 20))
    if call.path.endswith("/get_instruments"):
        yield Charge("instruments", 1, partial(Pool, 50, 1))


def _bybit(_: Call) -> Iterator[Charge]:
    yield Charge("calls", 1, partial(Window, 600, 5))


def _okx(call: Call) -> Iterator[Charge]:
    limit = OKX_CALLS.get(call.path.rpartition("/")[2], OKX_USUAL)
    family = call.params.get("instFamily", "")
    yield Charge(f"{call.path} {family}", 1, partial(Window, limit, 2))


def _binance(call: Call) -> Iterator[Charge]:
    yield Charge(_host(call), weight(call.path, call.params), partial(Window, BINANCE_WEIGHT, 60))


def _derive(_: Call) -> Iterator[Charge]:
    yield Charge("calls", 1, partial(Window, 25, 5))


CHARGES: dict[str, Callable[[Call], Iterator[Charge]]] = {
    "deribit": _deribit,
    "bybit": _bybit,
    "okx": _okx,
    "binance": _binance,
    "derive": _derive,
}


def weight(path: str, params: Mapping[str, object]) -> int:
    """What a request costs at Binance."""
    match path:
        case "/eapi/v1/openInterest":
            return 0
        case "/eapi/v1/mark" | "/eapi/v1/ticker":
            return 5
        case "/api/v3/klines":
            return 2
        case "/fapi/v1/klines":
            count = str(params.get("limit", 500))
            return candles_weight(int(count)) if count.isdecimal() else 1
        case "/fapi/v1/premiumIndex":
            return 1 if "symbol" in params else 10
        case _:
            return 1


def candles_weight(count: int) -> int:
    """What so many candles of a future cost."""
    return next((cost for most, cost in ((99, 1), (499, 2), (1000, 5)) if count <= most), 10)


class Limits:
    """Refuses whoever asks too often, in the venue's words."""

    def __init__(self) -> None:
        self._meters: OrderedDict[tuple[str, ...], Meter] = OrderedDict()
        self._banned: dict[tuple[str, str], float] = {}  # by meter's owner: until, Unix seconds

    def refusal(self, call: Call, at: datetime) -> Answer | None:
        """The venue's answer to a request too many; None for one that is allowed."""
        now = at.timestamp()
        owner = (call.venue, call.client)
        banned = self._banned.get(owner, now) - now
        if banned > 0:
            return _ban(call.venue, at, banned)
        waits = [self._meter(call, one).spend(one.cost, now) for one in CHARGES[call.venue](call)]
        if not any(waits):
            return None
        ban = self._ban_seconds(call, now)
        if not ban:
            return too_often(call.venue, at, max(waits))
        self._banned[owner] = now + ban
        return _ban(call.venue, at, ban)

    def handshake(self, venue: str, client: str, has: int, at: datetime) -> Answer | None:
        """The answer to one connection too many for who has so many; None when it is allowed."""
        call, wait = Call(venue, client, "", {}), 0.0
        if venue in HANDSHAKES:
            charge = Charge("handshakes", 1, HANDSHAKES[venue])
            wait = self._meter(call, charge).spend(1, at.timestamp())
        if wait or has >= CONNECTIONS.get(venue, has + 1):
            return too_often(venue, at, wait)
        return None

    def headers(self, call: Call) -> dict[str, str]:
        """What the venue tells of its count with every answer."""
        meter = self._meters.get((call.venue, call.client, _host(call)))
        if call.venue != "binance" or not isinstance(meter, Window):
            return {}
        return {"X-MBX-USED-WEIGHT-1M": f"{meter.spent:.0f}"}

    def _ban_seconds(self, call: Call, now: float) -> float:
        """How long one more request too many is punished."""
        if call.venue == "bybit":
            return BYBIT_BAN
        patience = Charge("refused", 1, partial(Window, BINANCE_PATIENCE, 60))
        spent = call.venue == "binance" and self._meter(call, patience).spend(1, now) > 0
        return BINANCE_BAN if spent else 0.0

    def _meter(self, call: Call, charge: Charge) -> Meter:
        key = (call.venue, call.client, charge.meter)
        if key not in self._meters:
            self._meters[key] = charge.make()
        self._meters.move_to_end(key)
        if len(self._meters) > KEPT:
            self._meters.popitem(last=False)
        return self._meters[key]


def _ban(venue: str, at: datetime, wait: float) -> Answer:
    return refusal(venue, 418, at, wait) if venue == "binance" else too_often(venue, at, wait)


def _host(call: Call) -> str:
    """Of Binance, whose hosts' paths begin differently."""
    return call.path.split("/")[1]


class Listener:
    """How often a client may speak on one connection."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._meter = MESSAGES[venue]() if venue in MESSAGES else None

    def allows(self, text: str, at: datetime) -> bool:
        """Whether the venue still listens to this message."""
        counts = SUBSCRIBING in text if self._venue == "deribit" else text != "ping"
        return self._meter is None or not counts or not self._meter.spend(1, at.timestamp())
