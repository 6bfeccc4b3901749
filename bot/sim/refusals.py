"""What each venue says when it refuses to answer."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.sim.wire import Answer

VENUES = ("deribit", "bybit", "okx", "binance", "derive")
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")

# By venue and status; what is not here is a page of the servers in front of the venue.
WORDS: dict[tuple[str, int], tuple[int, str]] = {
    ("deribit", 429): (10028, "too_many_requests"),
    ("deribit", 500): (11094, "internal_server_error"),
    ("deribit", 503): (11051, "system_maintenance"),
    ("bybit", 429): (10006, "Too many visits!"),
    ("bybit", 500): (10016, "Internal server error."),
    ("bybit", 503): (10016, "Service is restarting. Please try again later."),
    ("okx", 429): (50011, "Too Many Requests"),
    ("okx", 500): (50026, "System error. Try again later."),
    ("okx", 503): (50001, "Service temporarily unavailable. Try again later."),
    ("binance", 418): (-1003, "Way too many requests; IP banned until {until}."),
    ("binance", 429): (-1003, "Too many requests; current limit is 2400 weight per 1 MINUTE."),
    ("binance", 451): (0, "Service unavailable from a restricted location."),
    ("binance", 500): (-1000, "An unknown error occurred while processing the request."),
    ("binance", 503): (-1008, "Server is currently overloaded. Please try again later."),
    ("derive", 429): (-32000, "Rate limit exceeded"),
    ("derive", 500): (-32603, "Internal error"),
    ("derive", 503): (-32603, "Internal error"),
}
PAGES = {
    403: "Forbidden. This service is not available from your country.",
    418: "I'm a teapot",
    429: "Too Many Requests",
    451: "Unavailable For Legal Reasons",
    502: "Bad Gateway",
}
ACCESS_TOO_FREQUENT = "403, access too frequent"  # Bybit's only word for its limit per address


def refusal(venue: str, status: int, at: datetime, wait: float | None = None) -> Answer:
    """The answer of that status; `wait` seconds are told in Retry-After, rounded up."""
    headers = {} if wait is None else {"Retry-After": str(math.ceil(wait))}
    if (venue, status) not in WORDS:
        return Answer(status, _page(f"{status} {PAGES.get(status, 'Refused')}"), headers)
    code, words = WORDS[venue, status]
    until = _microseconds(at + timedelta(seconds=wait or 0)) // 1000
    return Answer(status, BODIES[venue](code, words.format(until=until), at), headers)


def too_often(venue: str, at: datetime, wait: float) -> Answer:
    """The answer to one who asks more often than the venue allows; `wait` in seconds."""
    if venue == "bybit":
        return Answer(403, _page(ACCESS_TOO_FREQUENT))
    return refusal(venue, 429, at, wait if venue == "binance" else None)


def maintenance(venue: str, path: str, at: datetime) -> Answer:
    """The answer of a venue that is being worked on."""
    if venue == "deribit" and path.endswith("public/status"):
        stamps = _stamps(at)
        return Answer(200, {"jsonrpc": "2.0", "result": {"locked": "true"}, **stamps})
    closed = refusal(venue, 503, at)
    # These two say so in the body alone.
    return Answer(200, closed.body) if venue in ("bybit", "derive") else closed


def _deribit(code: int, words: str, at: datetime) -> object:
    return {"jsonrpc": "2.0", "error": {"message": words, "code": code}, **_stamps(at)}


def _bybit(code: int, words: str, at: datetime) -> object:
    now = _microseconds(at) // 1000
    return {"retCode": code, "retMsg": words, "result": {}, "retExtInfo": {}, "time": now}


def _okx(code: int, words: str, _: datetime) -> object:
    return {"code": str(code), "msg": words, "data": []}


def _binance(code: int, words: str, _: datetime) -> object:
    return {"code": code, "msg": words}


def _derive(code: int, words: str, _: datetime) -> object:
    return {"id": "", "error": {"code": code, "message": words}}


BODIES: dict[str, Callable[[int, str, datetime], object]] = {
    "deribit": _deribit,
    "bybit": _bybit,
    "okx": _okx,
    "binance": _binance,
    "derive": _derive,
}


def _page(words: str) -> str:
    return f"<html><head><title>{words}</title></head><body><h1>{words}</h1></body></html>"


def _stamps(at: datetime) -> dict[str, object]:
    now = _microseconds(at)
    return {"usIn": now, "usOut": now, "usDiff": 0, "testnet": False}


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND
