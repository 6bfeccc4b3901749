"""Every path for people to read; where swagger-ui was fetched, to try out as well."""

from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode

from bot.api.calls import Route
from bot.api.files import HEADERS, SIMULATED, Assets
from bot.api.pages import HTML, Described, Page
from bot.api.parameters import Parameter
from bot.api.schema import VERSION

BROWSER = "vendor/swagger-ui-bundle.js"
# Where no script runs, or the fetched ones are not there, the list below them stays.
SCRIPTS = (
    '<link rel="stylesheet" href="{0}/vendor/swagger-ui.css">'
    '<script src="{0}/vendor/swagger-ui-bundle.js" defer></script>'
    '<script type="module" src="{0}/docs.js"></script>'
)


def docs_page(
    routes: Sequence[Route],
    files: Sequence[Described],
    assets: Assets,
    *,
    simulated: bool,
) -> Page:
    """Every path with its parameters, as HTML that needs nothing else."""
    scripts = SCRIPTS.format(assets.folder) if BROWSER in assets.files else ""
    rows = "".join([*map(_section, routes), *map(_file_section, files)])
    mark = f'<aside class="mark" aria-label="Kind of data">{SIMULATED}</aside>' if simulated else ""
    return Page(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>gammabell API {VERSION}</title>"
            f'<link rel="icon" href="{assets.folder}/icon.svg" type="image/svg+xml">'
            f"{scripts}"
            f'<link rel="stylesheet" href="{assets.folder}/docs.css">'
            "</head><body>"
            f"{mark}<header>"
            f"<h1>gammabell API {VERSION}</h1>"
            "<p>Every path is served at the root and under <code>/v2</code>. "
            "Keys go into the header <code>X-API-Key</code>. "
            'The schema, OpenAPI 3.1: <a href="openapi.json">openapi.json</a>.</p>'
            f'</header><main id="list">{rows}</main><div id="browser"></div></body></html>'
        ).encode(),
        HTML,
        HEADERS,
    )


def _section(route: Route) -> str:
    asked = {one.name: _written(one.example) for one in route.parameters if one.required}
    example = f"{route.path}?{urlencode(asked, safe=',')}" if asked else route.path
    listed = "".join(map(_item, route.parameters))
    public = " (no key needed)" if route.is_public else ""
    return f"{_heading(route.path, example)}<p>{escape(route.summary)}{public}</p>" + (
        f"<ul>{listed}</ul>" if listed else ""
    )


def _heading(path: str, example: str) -> str:
    """The path, as a link to an answer of it; it holds under /v2 as well."""
    address = escape(example.removeprefix("/"))
    return f'<h2><code>GET <a href="{address}">{escape(path)}</a></code></h2>'


def _written(example: object) -> str:
    return ",".join(map(str, example)) if isinstance(example, list) else str(example)


def _file_section(file: Described) -> str:
    items = "".join(
        f"<li><code>{escape(name)}</code> {escape(', '.join(values))}</li>"
        for name, values in file.names.items()
    )
    example = file.path.format_map({name: values[0] for name, values in file.names.items()})
    return f"{_heading(file.path, example)}<p>{escape(file.summary)}</p><ul>{items}</ul>"


def _item(parameter: Parameter) -> str:
    allowed = parameter.schema.get("enum") or _items(parameter).get("enum") or ()
    words = f": {', '.join(map(str, allowed))}" if isinstance(allowed, list) else ""
    default = "required" if parameter.required else f"default {parameter.default or 'none'}"
    text = escape(f"{parameter.text}{words} ({default})")
    return f"<li><code>{escape(parameter.name)}</code> {text}</li>"


def _items(parameter: Parameter) -> dict[str, object]:
    items = parameter.schema.get("items")
    return items if isinstance(items, dict) else {}
