"""What is no envelope: pages, files, streams, and the places that serve them."""

import hashlib
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from aiohttp import web

from bot.api.calls import Answer
from bot.api.codes import METHODS
from bot.api.parameters import Parameter

HTML, JSON, TEXT = (
    "text/html; charset=utf-8",
    "application/json",
    "text/plain; version=0.0.4; charset=utf-8",
)
PREFIX = "/v2"  # everything is served below it as well
GZIP = 31  # zlib's word for a gzip stream
TAG_BYTES = 16


class Page:
    """Something that is served as it is."""

    def __init__(self, content: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.content = content
        self.kind = kind
        self.headers = headers or {}
        self.tag = hashlib.blake2b(content, digest_size=TAG_BYTES).hexdigest()

    @cached_property
    def packed(self) -> bytes:
        """The content as gzip; most of what could be served nobody asks for."""
        packer = zlib.compressobj(wbits=GZIP)
        return packer.compress(self.content) + packer.flush()


@dataclass(frozen=True, slots=True)
class Download:
    """Something that is made for one request; it is not compressed."""

    content: bytes
    kind: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that goes on for as long as someone listens: `run` sends it, with these headers."""

    run: Callable[[web.BaseRequest, Mapping[str, str]], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Described:
    """What the schema says of a path that answers with a file."""

    path: str  # /export/{symbol}/{format}
    summary: str
    names: Mapping[str, Sequence[str]]  # what may stand for each name of the path
    kinds: Sequence[str]  # media types
    parameters: Sequence[Parameter] = ()


Serve = Callable[[web.BaseRequest], Awaitable[Page | Download | Stream | Answer]]


@dataclass(frozen=True, slots=True)
class Place:
    """What answers a path, or every path below one that ends with a slash."""

    serve: Serve
    is_public: bool = False
    same_origin: bool = False  # whether only a page of ours may ask
    methods: Sequence[str] = METHODS
    described: Described | None = None


def own_path(request: web.BaseRequest) -> str:
    """The path, whether it was asked for at the root or below the prefix."""
    path = request.rel_url.path
    return path.removeprefix(PREFIX) if path.startswith(f"{PREFIX}/") else path


def always(page: Page) -> Place:
    """The place of a page that is the same for everyone."""

    async def serve(_: web.BaseRequest) -> Page:
        return page

    return Place(serve, is_public=True)
