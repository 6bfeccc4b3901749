"""What goes wrong on the way to the fake Discord: faults that wait for a matching request."""

import asyncio
import re
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Answer:
    """This status and body in place of the real answer; nothing was done."""

    status: int
    body: str = "upstream connect error"
    via: bool = True
    headers: dict = field(default_factory=dict)


LOST = web.ResponseKey("lost", bool)  # of a response: whether it never left
CLOUDFLARE_BAN = Answer(429, "<html>error code: 1015</html>", via=False)


def too_many(retry_after, scope="user"):
    """A 429 as Discord itself gives it: scope "user", "global" or "shared"."""
    everywhere = scope == "global"
    flag = "true" if everywhere else "false"
    body = '{"message": "You are being rate limited.", "retry_after": %s, "global": %s}'
    headers = {"Content-Type": "application/json", "Retry-After": str(int(retry_after) + 1)}
    headers["X-RateLimit-Scope"] = scope
    if everywhere:
        headers["X-RateLimit-Global"] = "true"
    return Answer(429, body % (retry_after, flag), headers=headers)


@dataclass(frozen=True)
class Reset:
    """The connection breaks: before the work, or after it, so that the reply is lost."""

    after_work: bool = False


@dataclass(frozen=True)
class Hang:
    """Nothing comes until `until` is set (never, without one); then the real answer."""

    until: asyncio.Event | None = None


@dataclass(frozen=True)
class Slow:
    """The real answer, so many seconds later."""

    seconds: float


@dataclass
class Planned:
    method: str
    path: re.Pattern
    fault: object
    times: int


class Faults:
    """The faults that are still to happen, first planned first."""

    def __init__(self):
        self._planned = []

    def plan(self, method, path, fault, times=1):
        """Let the next `times` requests with that method and a path that matches fail so."""
        self._planned.append(Planned(method, re.compile(path), fault, times))

    def clear(self):
        self._planned.clear()

    def take(self, method, path):
        """The fault for this request, or None."""
        for plan in self._planned:
            if plan.times > 0 and plan.method in ("*", method) and plan.path.search(path):
                plan.times -= 1
                return plan.fault
        return None


async def before_work(fault, request, closing):
    """Let the fault happen; an answer when the work must not be done."""
    if isinstance(fault, Answer):
        body = fault.body.encode()
        return web.Response(status=fault.status, body=body, headers=answer_headers(fault))
    if fault == Reset():
        return cut(request)
    if isinstance(fault, Hang):
        await first_of(closing, fault.until)
    if isinstance(fault, Slow):
        await first_of(closing, seconds=fault.seconds)
    return cut(request) if closing.is_set() else None


def after_work(fault, request, response):
    return cut(request) if fault == Reset(after_work=True) else response


def cut(request):
    """Break the connection; the response that is returned never leaves."""
    if request.transport is not None:
        request.transport.abort()
    response = web.Response(status=500)
    response[LOST] = True
    return response


def answer_headers(fault):
    headers = {"Content-Type": "text/plain", **fault.headers}
    return {**headers, "Via": "1.1 google"} if fault.via else headers


async def first_of(closing, until=None, seconds=None):
    """Wait for the fake's end, the event, or the time."""
    waits = [asyncio.ensure_future(e.wait()) for e in (closing, until) if e is not None]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
