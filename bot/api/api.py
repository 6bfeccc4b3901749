"""A request from its headers to its answer: found, admitted, understood, answered."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import getrandbits
from time import perf_counter

from aiohttp import hdrs, web

from bot.api.bodies import check_body
from bot.api.calls import Answer, Asked, Route
from bot.api.codes import (
    BAD_REQUEST,
    FORBIDDEN,
    INTERNAL_ERROR,
    METHODS,
    NOT_FOUND,
    PAYLOAD_TOO_LARGE,
    UNAUTHORIZED,
    UPSTREAM_ERROR,
    Refused,
    invalid,
    method_not_allowed,
    too_many,
)
from bot.api.cors import Cors
from bot.api.docs import docs_page
from bot.api.endpoints import MOST_QUERY_BYTES, Endpoints
from bot.api.files import Assets
from bot.api.gate import (
    Gate,
    Holder,
    is_loopback,
    is_own_name,
    is_own_page,
    nobody,
    session_of,
)
from bot.api.headers import request_id
from bot.api.kept import Kept
from bot.api.metrics import OTHER, Metrics
from bot.api.openapi import make_document
from bot.api.pages import JSON, TEXT, Download, Page, Place, Stream, always, own_path
from bot.api.parameters import parse_query
from bot.api.patience import within
from bot.api.quotas import Quotas
from bot.api.replies import Replies, Visit
from bot.api.routes import make_routes
from bot.api.soon import STORE_SECONDS, soon
from bot.api.streams import RECHECK_SECONDS, Streams
from bot.api.views import Newest, Views
from bot.errors import StoreError
from bot.ports import Store

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
READ_SECONDS = 30.0
NO_DATABASE = "the database does not answer"
UNREAD = (BAD_REQUEST, PAYLOAD_TOO_LARGE)  # what comes after is perhaps no request of its own
TARGETS_KEPT = 1_024  # of requests understood before


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API stands on."""

    store: Store
    newest: Newest  # the newest snapshot of a symbol, read once for all who ask at about that time
    symbols: Sequence[str]
    venues: Sequence[str]
    now: Callable[[], datetime]  # of the market: what ages are counted to
    clock: Callable[[], float]  # seconds since 1970: what limits are counted by
    stale_after: timedelta
    simulated: bool = False
    cors: Sequence[str] = ()
    metrics_anywhere: bool = False
    patience: float = ANSWER_SECONDS
    asking: float = STORE_SECONDS  # that the store may take for one answer
    recheck: float = RECHECK_SECONDS
    reading: float = READ_SECONDS  # that a client may let an answer wait
    places: Mapping[str, Place] = field(default_factory=dict)  # of the dashboard, by path
    assets: Assets = field(default_factory=Assets)  # what the dashboard and /docs are made of
    holder: Holder = nobody  # who signed in with a browser
    public_url: str = ""  # where people open the dashboard, if that is known


@dataclass(frozen=True, slots=True)
class Found:
    """What a request's target means; neither, where there is no such path."""

    label: str = OTHER
    route: Route | None = None
    asked: Asked | None = None
    place: Place | None = None


class Api:
    """Answers requests; where it is open nobody needs a key while there is none."""

    def __init__(self, parts: Parts, *, is_open: bool) -> None:
        store = parts.store
        views = Views(parts.newest, soon(store.chain, parts.asking))
        history = soon(store.history, parts.asking)
        endpoints = Endpoints(
            views, history, parts.symbols, parts.venues, parts.now, parts.stale_after
        )
        routes = make_routes(endpoints, parts.symbols)
        files = [place.described for place in parts.places.values() if place.described]
        self._parts = parts
        self._views = views
        self._routes = {route.path: route for route in routes}
        self._places: Mapping[str, Place] = {
            **parts.places,
            "/openapi.json": always(Page(make_document(routes, files, is_open=is_open), JSON)),
            "/docs": always(docs_page(routes, files, parts.assets, simulated=parts.simulated)),
            "/assets/": Place(parts.assets.serve, is_public=True),
            "/metrics": Place(self._metrics_page, is_public=True),
        }
        self._streams = Streams(self._knows, parts.recheck)
        self._gate = Gate(
            soon(store.keys, parts.asking),
            Quotas(soon(store.draw_requests, parts.asking)),
            parts.clock,
            soon(parts.holder, parts.asking),
            is_open=is_open,
        )
        self._cors = Cors(parts.cors)
        self._replies = Replies(parts.now, parts.stale_after, simulated=parts.simulated)
        self._metrics = Metrics()
        self._found: Kept[Found] = Kept(TARGETS_KEPT)
        self._store_fails = False

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer, whatever happens."""
        began = perf_counter()
        visit = self._visit(request)
        found = self._find(request)
        try:
            response = await within(self._parts.patience, self._answer(request, visit, found))
        except Refused as refused:
            response = self._replies.refusal(visit, refused)
            if refused.code in UNREAD:
                response.force_close()
        except (StoreError, TimeoutError) as error:
            response = self._replies.refusal(visit, self._upstream(error))
        except Exception:
            logger.exception("request %s failed", visit.id)
            text = f"an error of ours; our log knows it as {visit.id}"
            response = self._replies.refusal(visit, Refused(INTERNAL_ERROR, text))
        seconds = perf_counter() - began  # of a stream, those before it begins
        if isinstance(response, Stream):
            response = await self._stream(request, visit, response)
        self._metrics.count(found.label, response.status, seconds)
        return response

    def close(self) -> None:
        """End the answers that would go on."""
        self._streams.close()

    def malformed(self, request: web.BaseRequest, refused: Refused) -> web.StreamResponse:
        """The answer to something that is no HTTP request."""
        self._metrics.count(OTHER, refused.code.status, 0.0)
        return self._replies.refusal(self._visit(request), refused)

    async def _answer(
        self, request: web.BaseRequest, visit: Visit, found: Found
    ) -> web.StreamResponse | Stream:
        if request.method not in METHODS:
            told = self._preflight(request)
            if told is not None:
                return self._replies.preflight(visit, told)
        if not self._is_own_name(request):
            await self._check_name(found)
        try:
            if request.can_read_body:
                await check_body(request)
            self._check(request, found)
        except Refused:
            await self._recognise(request, visit)
            raise
        if found.place:
            return await self._serve(request, visit, found.place)
        if found.route and found.asked:
            return await self._tell(request, visit, found.route, found.asked)
        await self._recognise(request, visit)
        raise Refused(NOT_FOUND, "no such path; /docs lists all there are")

    async def _tell(
        self, request: web.BaseRequest, visit: Visit, route: Route, asked: Asked
    ) -> web.StreamResponse:
        if not route.is_public:
            await self._admit(request, visit)
        if asked.problems:
            raise invalid(asked.problems)
        answer = await route.endpoint(asked, visit.share.limit)
        self._store_fails = self._store_fails and route.is_public  # which do not look at it
        return self._replies.answer(request, visit, answer)

    async def _serve(
        self, request: web.BaseRequest, visit: Visit, place: Place
    ) -> web.StreamResponse | Stream:
        if not place.is_public:
            await self._admit(request, visit)
        if place.same_origin and not is_own_page(request):
            raise Refused(FORBIDDEN, "only the dashboard itself may ask this")
        served = await place.serve(request)
        if isinstance(served, Stream):
            if request.method != "GET":
                raise method_not_allowed()
            return served
        if isinstance(served, Download):
            return self._replies.download(visit, served)
        if isinstance(served, Answer):
            return self._replies.answer(request, visit, served)
        return self._replies.page(request, visit, served)

    def _is_own_name(self, request: web.BaseRequest) -> bool:
        return is_own_name(request.headers.get("Host", ""), self._parts.public_url)

    async def _check_name(self, found: Found) -> None:
        """Raises Refused for a name that may be another's, made to lead here, and StoreError.

        Where keys are asked for, a page there has none: the browser keeps each for its own name.
        Monitors have names of their own for whatever they watch.
        """
        is_for_monitors = found.route is not None and found.route.is_public
        if not (is_for_monitors or await self._gate.asks_for_keys()):
            hint = "ask http://127.0.0.1, set [api] public_url, or make a key"
            raise Refused(FORBIDDEN, f"without keys any web page could ask by this name: {hint}")

    async def _stream(
        self, request: web.BaseRequest, visit: Visit, stream: Stream
    ) -> web.StreamResponse:
        try:
            return await self._streams.run(request, stream, self._replies.headers(visit))
        except web.HTTPException:  # aiohttp's, of a handshake that is none
            return self._replies.refusal(visit, Refused(BAD_REQUEST, "this is no WebSocket"))

    async def _knows(self, request: web.BaseRequest) -> bool:
        return await self._gate.knows(*_shown(request))

    def _check(self, request: web.BaseRequest, found: Found) -> None:
        """Raises Refused for too long a query, and for methods that change something."""
        if len(request.rel_url.raw_query_string) > MOST_QUERY_BYTES:
            raise Refused(PAYLOAD_TOO_LARGE, f"a query has at most {MOST_QUERY_BYTES} bytes")
        known = found.route or found.place
        methods = found.place.methods if found.place else METHODS
        if known and request.method not in methods:
            raise method_not_allowed(methods)

    async def _recognise(self, request: web.BaseRequest, visit: Visit) -> None:
        """Refusals that nobody is admitted for tell what the asker has, too; they do not count."""
        with suppress(StoreError):
            visit.share = await self._gate.tell(*_shown(request))

    async def _admit(self, request: web.BaseRequest, visit: Visit) -> None:
        """Counts the request. Raises Refused, StoreError."""
        visit.share = self._gate.closed()
        share = await self._gate.admit(*_shown(request))
        if share is None:
            raise Refused(UNAUTHORIZED, "the header X-API-Key needs a key that is known")
        visit.share = share
        if not share.allowed:
            most, seconds = share.limit.limit, share.limit.reset - self._parts.clock()
            text = f"{most} requests a minute are used up"
            raise too_many(text, max(1, math.ceil(seconds)), most)

    def _visit(self, request: web.BaseRequest) -> Visit:
        headers = request.headers
        ours = f"{getrandbits(128):032x}"  # a name for the log: it guards nothing
        identity = request_id(headers.get("X-Request-ID"), ours)
        return Visit(identity, self._gate.free(), self._cors.headers(headers.get("Origin")))

    def _preflight(self, request: web.BaseRequest) -> Mapping[str, str] | None:
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        return self._cors.preflight(request.headers.get("Origin"))

    def _find(self, request: web.BaseRequest) -> Found:
        """What the target means; one that was understood before is not parsed again."""
        if request.method == hdrs.METH_CONNECT:
            return Found()  # its target is a host's name, whatever it looks like
        target = request.raw_path
        return self._found.get(target) or self._found.put(target, self._parse(request))

    def _parse(self, request: web.BaseRequest) -> Found:
        path = own_path(request)
        label = path if path in self._places else f"/{path[1:].partition('/')[0]}/"
        if label in self._places:
            return Found(label, place=self._places[label])
        route = self._routes.get(path)
        if route is None:
            return Found()
        query = parse_query(request.rel_url.raw_query_string[:MOST_QUERY_BYTES], route.parameters)
        identity = (path, *sorted(query.values.items()))
        return Found(path, route, Asked(query.values, identity, query.problems))

    def _upstream(self, error: Exception) -> Refused:
        """Says it once when it begins."""
        if not self._store_fails:
            logger.error("the API cannot answer: %r", error)
        self._store_fails = True
        what = "this takes too long" if isinstance(error, TimeoutError) else NO_DATABASE
        return Refused(UPSTREAM_ERROR, f"{what}; ask again in some seconds")

    async def _metrics_page(self, request: web.BaseRequest) -> Page:
        if not (self._parts.metrics_anywhere or _is_local(request)):
            raise Refused(FORBIDDEN, "the counters are shown to this machine alone")
        now = self._parts.now()
        newest = {symbol: await self._views.newest(symbol) for symbol in self._parts.symbols}
        ages = {symbol: (now - one.at).total_seconds() for symbol, one in newest.items() if one}
        return Page(self._metrics.text(ages).encode(), TEXT)


def _shown(request: web.BaseRequest) -> tuple[str | None, str | None]:
    """The key, or the session of a browser that signed in."""
    key = request.headers.get("X-API-Key")
    has_cookies = "Cookie" in request.headers  # to look for one in vain takes its time
    return key, session_of(request) if has_cookies and not key else None


def _is_local(request: web.BaseRequest) -> bool:
    """Whether someone on this machine asks by its own name, and nobody hands on another's."""
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
    named = is_own_name(request.headers.get("Host", ""))
    return named and not forwarded and is_loopback(request.remote or "")
