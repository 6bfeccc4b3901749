"""The venues' HTTP answers: within their limits, and as the faults would have them."""

from datetime import datetime

import msgspec
from aiohttp import web

from bot.sim.faults import Active, Channel, Clock, Faults
from bot.sim.limits import Call, Limits
from bot.sim.market import Market
from bot.sim.mutations import restamped
from bot.sim.venues import Params, Venue
from bot.sim.wire import Answer

DRIPS = 8  # pieces that a slow answer comes in


class Replies:
    """Answers every venue's calls."""

    def __init__(self, market: Market, clock: Clock, faults: Faults, limits: Limits | None) -> None:
        self._market = market
        self._clock = clock
        self._faults = faults
        self._limits = limits

    async def reply(self, venue: Venue, request: web.Request) -> web.StreamResponse:
        channel = Channel(venue.name, "http", request.path)
        hang = self._faults.strike(channel, ("hang",))
        if hang is not None:
            await self._faults.outlast(hang)
        if hang is not None or self._faults.strike(channel, ("reset",)):
            return aborted(request)
        slow = self._faults.strike(channel, ("slow",))
        if slow is not None:
            await self._faults.outlast(slow, slow.fault.amount)
        answer = await self._answer(venue, channel, request)
        text = encoded(answer.body)
        if self._faults.strike(channel, ("truncated",)):
            text = text[: len(text) // 2]
        if slow is None:
            return response(request, answer, text)
        return await self._drip(request, answer, text, slow)

    async def _answer(self, venue: Venue, channel: Channel, request: web.Request) -> Answer:
        params = await _params(request)
        if params is None:
            return Answer(400, "not an object in JSON")
        at, call = self._clock(), Call(venue.name, request.remote or "", request.path, params)
        refused = self._limits.refusal(call, at) if self._limits else None
        refused = refused or self._faults.refusal(channel, at)
        answer = refused or self._told(venue, channel, request.method, params, at)
        counted = self._limits.headers(call) if self._limits else {}
        return Answer(answer.status, answer.body, {**answer.headers, **counted})

    def _told(
        self, venue: Venue, channel: Channel, method: str, params: Params, at: datetime
    ) -> Answer:
        of, said = self._faults.times(channel, at)
        answer = venue.answer(self._market, of, method, channel.path, params)
        body = answer.body if of == said else restamped(answer.body, of, said)
        return Answer(answer.status, self._faults.altered(body, channel, at), answer.headers)

    async def _drip(
        self, request: web.Request, answer: Answer, text: bytes, slow: Active
    ) -> web.StreamResponse:
        """The answer in pieces, over as many seconds as it was held back before."""
        reply = web.StreamResponse(status=answer.status, headers=_headers(answer))
        await reply.prepare(request)
        size = len(text) // DRIPS + 1
        for start in range(0, len(text), size):
            await reply.write(text[start : start + size])
            await self._faults.outlast(slow, slow.fault.amount / DRIPS)
        await reply.write_eof()
        return reply


def response(request: web.Request, answer: Answer, text: bytes) -> web.Response:
    """The answer as it is sent, compressed for those who accept it."""
    reply = web.Response(body=text, status=answer.status, headers=_headers(answer))
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        reply.enable_compression(web.ContentCoding.gzip)  # left alone it prefers deflate
    return reply


def aborted(request: web.Request) -> web.Response:
    """Nothing: the connection is cut."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def encoded(body: object) -> bytes:
    """As it is sent: a text as it stands, all else as JSON."""
    return body.encode() if isinstance(body, str) else msgspec.json.encode(body)


def _headers(answer: Answer) -> dict[str, str]:
    kind = "text/html" if isinstance(answer.body, str) else "application/json"
    return {"Content-Type": kind, **answer.headers}


async def _params(request: web.Request) -> Params | None:
    """Of the query or, for a POST, the body; None when that is no object in JSON."""
    if request.method != "POST":
        return request.query
    try:
        return msgspec.json.decode(await request.read() or b"{}", type=dict[str, object])
    except msgspec.DecodeError:
        return None
