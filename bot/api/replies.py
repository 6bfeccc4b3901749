"""Answers as HTTP: envelope, headers, ETag and gzip."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from aiohttp import web

from bot.api.body import Body
from bot.api.calls import Answer
from bot.api.codes import Refused
from bot.api.headers import accepts_gzip, entity_tag, has_changed
from bot.api.pages import JSON, Download, Page
from bot.api.quotas import Share
from bot.api.schema import VERSION, Failure, Meta, Trouble, meta

ALWAYS = {
    "Content-Type": JSON,
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Encoding, Origin",
    "X-Content-Type-Options": "nosniff",
    "Server": "gammabell",
}


@dataclass(slots=True)
class Visit:
    """What is known of a request before it is answered."""

    id: str
    share: Share
    cors: Mapping[str, str] = field(default_factory=dict)


class Replies:
    """Makes responses; `now` is what ages are counted to."""

    def __init__(
        self, now: Callable[[], datetime], stale_after: timedelta, *, simulated: bool
    ) -> None:
        self._now = now
        self._stale_after = stale_after
        self._simulated = simulated

    def answer(self, request: web.BaseRequest, visit: Visit, answer: Answer) -> web.Response:
        """The data part with meta, or 304 where the client has it."""
        body, headers = answer.body, self.headers(visit)
        packed = _wants_packed(request) and body.is_worth_packing
        headers["ETag"] = entity_tag(body.tag, packed=packed)
        if not has_changed(request.headers.get("If-None-Match"), body.tag):
            return _unchanged(headers)
        return _sent(body, self._meta_of(answer, visit), headers, packed=packed)

    def refusal(self, visit: Visit, refused: Refused) -> web.Response:
        """The envelope of an error."""
        trouble = Trouble(refused.code.name, str(refused), refused.details)
        encoded = msgspec.json.encode(Failure(False, trouble, self._meta(visit)))
        headers = {**self.headers(visit), **refused.headers, "Cache-Control": "no-store"}
        return web.Response(body=encoded, status=refused.code.status, headers=headers)

    def page(self, request: web.BaseRequest, visit: Visit, page: Page) -> web.Response:
        """A page as it is."""
        packed = _wants_packed(request)
        tag = entity_tag(page.tag, packed=packed)
        headers = {**self.headers(visit), **page.headers, "Content-Type": page.kind, "ETag": tag}
        if not has_changed(request.headers.get("If-None-Match"), page.tag):
            return _unchanged(headers)
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=page.packed if packed else page.content, headers=headers)

    def download(self, visit: Visit, download: Download) -> web.Response:
        """What was made for this request."""
        headers = {**self.headers(visit), **download.headers, "Content-Type": download.kind}
        return web.Response(body=download.content, headers=headers)

    def preflight(self, visit: Visit, headers: Mapping[str, str]) -> web.Response:
        """What a browser asks before it asks."""
        return web.Response(status=204, headers={**self.headers(visit), **headers})

    def headers(self, visit: Visit) -> dict[str, str]:
        """What every answer carries."""
        limit = visit.share.limit
        headers = {
            **ALWAYS,
            "X-Request-ID": visit.id,
            "X-RateLimit-Limit": str(limit.limit),
            "X-RateLimit-Remaining": str(limit.remaining),
            "X-RateLimit-Reset": str(limit.reset),
            **visit.cors,
        }
        if self._simulated:
            headers["X-Simulated"] = "true"
        return headers

    def _meta_of(self, answer: Answer, visit: Visit) -> Meta:
        if answer.of is None:
            found = self._meta(visit)
            if answer.venues is not None:
                found.exchanges_filtered = answer.venues
            return found
        now = self._now()
        found = meta(answer.of, now, visit.id, answer.venues)
        found.rate_limit = visit.share.limit
        if self._simulated:
            found.simulated = True
        if found.extra:
            found.extra.stale = answer.of.stale or now - answer.of.heard_at > self._stale_after
        return found

    def _meta(self, visit: Visit) -> Meta:
        found = Meta(VERSION, self._now(), visit.id, rate_limit=visit.share.limit)
        if self._simulated:
            found.simulated = True
        return found


def _wants_packed(request: web.BaseRequest) -> bool:
    return accepts_gzip(request.headers.get("Accept-Encoding", ""))


def _sent(body: Body, meta: Meta, headers: dict[str, str], *, packed: bool) -> web.Response:
    if packed:
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=body.packed(meta), headers=headers)
    return web.Response(body=body.plain(meta), headers=headers)


def _unchanged(headers: dict[str, str]) -> web.Response:
    del headers["Content-Type"]
    return web.Response(status=304, headers=headers)
