"""Answers as HTTP: envelope, headers, ETag and gzip."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus

import msgspec
from aiohttp import web

from bot.api.calls import Answer
from bot.api.codes import Refused
from bot.api.facts import Facts
from bot.api.headers import accepts_gzip, entity_tag, has_changed
from bot.api.kept import Kept
from bot.api.lines import END, lines, unlined
from bot.api.pages import JSON, Download, Page
from bot.api.quotas import Share
from bot.api.schema import VERSION, Failure, Meta, Trouble
from bot.api.whole import WholeResponse

ALWAYS = {
    "Vary": "Accept-Encoding, Origin",
    "X-Content-Type-Options": "nosniff",
    "Server": "gammabell",
}
CACHE = {"Cache-Control": "private, no-cache"}
ENVELOPE = {"Content-Type": JSON, **CACHE}
ANSWERED, UNCHANGED = lines(ENVELOPE), lines(CACHE)
REFUSED = {"Content-Type": JSON, "Cache-Control": "no-store"}
PACKED = {"Content-Encoding": "gzip"}
PACKED_TOO = lines(PACKED)
FACTS_KEPT = 128  # of snapshots, whole and of some venues alone


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
        self._always = lines({**ALWAYS, "X-Simulated": "true"} if simulated else ALWAYS)
        self._facts: Kept[Facts] = Kept(FACTS_KEPT)

    def answer(self, request: web.BaseRequest, visit: Visit, answer: Answer) -> WholeResponse:
        """The data part with meta, or 304 where the client has it."""
        body, asked = answer.body, request.headers
        packed = body.is_worth_packing and accepts_gzip(asked.get("Accept-Encoding", ""))
        head = f"{self._head(visit)}ETag: {entity_tag(body.tag, packed=packed)}{END}"
        if answer.headers:
            head += lines(answer.headers)
        if not has_changed(asked.get("If-None-Match"), body.tag):
            return WholeResponse(head + UNCHANGED, status=HTTPStatus.NOT_MODIFIED)
        meta = self._meta_of(answer, visit)
        if packed:
            return WholeResponse(head + ANSWERED + PACKED_TOO, body.packed(meta))
        return WholeResponse(head + ANSWERED, body.plain(meta))

    def refusal(self, visit: Visit, refused: Refused) -> WholeResponse:
        """The envelope of an error."""
        trouble = Trouble(refused.code.name, str(refused), refused.details)
        encoded = msgspec.json.encode(Failure(False, trouble, self._meta(visit)))
        head = self._head(visit) + lines({**refused.headers, **REFUSED})
        return WholeResponse(head, encoded, refused.code.status)

    def page(self, request: web.BaseRequest, visit: Visit, page: Page) -> WholeResponse:
        """A page as it is."""
        packed = accepts_gzip(request.headers.get("Accept-Encoding", ""))
        own = {**CACHE, **page.headers, "ETag": entity_tag(page.tag, packed=packed)}
        if not has_changed(request.headers.get("If-None-Match"), page.tag):
            head = self._head(visit) + lines(own)
            return WholeResponse(head, status=HTTPStatus.NOT_MODIFIED)
        own |= {"Content-Type": page.kind} | (PACKED if packed else {})
        head = self._head(visit) + lines(own)
        return WholeResponse(head, page.packed if packed else page.content)

    def download(self, visit: Visit, download: Download) -> WholeResponse:
        """What was made for this request."""
        own = {**CACHE, **download.headers, "Content-Type": download.kind}
        return WholeResponse(self._head(visit) + lines(own), download.content)

    def preflight(self, visit: Visit, headers: Mapping[str, str]) -> WholeResponse:
        """What a browser asks before it asks."""
        head = self._head(Visit(visit.id, visit.share)) + lines({**CACHE, **headers})
        return WholeResponse(head, status=HTTPStatus.NO_CONTENT)

    def headers(self, visit: Visit) -> dict[str, str]:
        """What a stream carries."""
        return {**unlined(self._head(visit)), **ENVELOPE}

    def _head(self, visit: Visit) -> str:
        """The lines that every answer carries."""
        limit = visit.share.limit
        return (
            f"{self._always}X-Request-ID: {visit.id}{END}X-RateLimit-Limit: {limit.limit}{END}"
            f"X-RateLimit-Remaining: {limit.remaining}{END}X-RateLimit-Reset: {limit.reset}{END}"
            f"{lines(visit.cors) if visit.cors else ''}"
        )

    def _meta_of(self, answer: Answer, visit: Visit) -> Meta:
        snapshot, venues = answer.of, answer.venues
        if snapshot is None:
            found = self._meta(visit)
            if venues is not None:
                found.exchanges_filtered = venues
            return found
        key = (snapshot.id, venues and tuple(venues))
        facts = self._facts.get(key)
        if facts is None or facts.of is not snapshot:
            facts = Facts(snapshot, venues, self._stale_after, simulated=self._simulated)
            self._facts.put(key, facts)
        return facts.at(self._now(), visit.id, visit.share.limit)

    def _meta(self, visit: Visit) -> Meta:
        found = Meta(VERSION, self._now(), visit.id, rate_limit=visit.share.limit)
        if self._simulated:
            found.simulated = True
        return found
