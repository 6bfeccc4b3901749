"""Pages that are no envelope: the list of paths for people, the schema, the counters."""

import hashlib
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from aiohttp import web

from bot.api.calls import Route
from bot.api.parameters import Parameter
from bot.api.schema import VERSION

DOCS_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}
HTML, JSON, TEXT = (
    "text/html; charset=utf-8",
    "application/json",
    "text/plain; version=0.0.4; charset=utf-8",
)
GZIP = 31  # zlib's word for a gzip stream
TAG_BYTES = 16


class Page:
    """Something that is served as it is."""

    def __init__(self, content: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.content = content
        self.kind = kind
        self.headers = headers or {}
        self.packed = _packed(content)
        self.tag = hashlib.blake2b(content, digest_size=TAG_BYTES).hexdigest()


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


Serve = Callable[[web.BaseRequest], Awaitable[Page | Download | Stream]]


@dataclass(frozen=True, slots=True)
class Place:
    """What answers a path, or every path below one that ends with a slash."""

    serve: Serve
    is_public: bool = False
    same_origin: bool = False  # whether only a page of ours may ask
    described: Described | None = None


def always(page: Page) -> Place:
    """The place of a page that is the same for everyone."""

    async def serve(_: web.BaseRequest) -> Page:
        return page

    return Place(serve, is_public=True)


def _packed(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=GZIP)
    return packer.compress(content) + packer.flush()


def docs_page(routes: Sequence[Route], files: Sequence[Described] = (), *, simulated: bool) -> Page:
    """Every path with its parameters, as HTML that needs nothing else."""
    rows = "".join([*map(_section, routes), *map(_file_section, files)])
    mark = "<p><strong>SIMULATED market data</strong></p>" if simulated else ""
    return Page(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>gammabell API {VERSION}</title></head><body><main>"
            f"<h1>gammabell API {VERSION}</h1>{mark}"
            "<p>Every path is served at the root and under <code>/v2</code>. "
            "Keys go into the header <code>X-API-Key</code>. "
            'The schema: <a href="openapi.json">openapi.json</a>.</p>'
            f"{rows}</main></body></html>"
        ).encode(),
        HTML,
        DOCS_HEADERS,
    )


def _section(route: Route) -> str:
    path = escape(route.path)
    listed = "".join(map(_item, route.parameters))
    public = " (no key needed)" if route.is_public else ""
    return f"<h2><code>GET {path}</code></h2><p>{escape(route.summary)}{public}</p>" + (
        f"<ul>{listed}</ul>" if listed else ""
    )


def _file_section(file: Described) -> str:
    items = "".join(
        f"<li><code>{escape(name)}</code> {escape(', '.join(values))}</li>"
        for name, values in file.names.items()
    )
    return (
        f"<h2><code>GET {escape(file.path)}</code></h2><p>{escape(file.summary)}</p>"
        f"<ul>{items}</ul>"
    )


def _item(parameter: Parameter) -> str:
    allowed = parameter.schema.get("enum") or _items(parameter).get("enum") or ()
    words = f": {', '.join(map(str, allowed))}" if isinstance(allowed, list) else ""
    default = "required" if parameter.required else f"default {parameter.default or 'none'}"
    text = escape(f"{parameter.text}{words} ({default})")
    return f"<li><code>{escape(parameter.name)}</code> {text}</li>"


def _items(parameter: Parameter) -> dict[str, object]:
    items = parameter.schema.get("items")
    return items if isinstance(items, dict) else {}
