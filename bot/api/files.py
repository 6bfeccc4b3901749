"""The front page and the files it is made of: ours in bot/web, fetched ones in its vendor/."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from aiohttp import web

from bot.api.codes import NOT_FOUND, Refused
from bot.api.pages import HTML, Page, own_path
from bot.api.scripts import joined, later

FILES = Path(__file__).parents[1] / "web"
CHARTS = "vendor/lightweight-charts.js"
KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".txt": "text/plain; charset=utf-8",  # the licences of what was fetched
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
VERSION_BYTES = 8
OWN_SCRIPT = re.compile(r"[^/]+\.js")
STYLES = ("dashboard.css", "plots.css", "chat.css")  # told as the first of them
AHEAD = '<link rel="modulepreload" href="{}/{}" fetchpriority="low">'
SIMULATED = "SIMULATED market data: nothing here is a real price"


@dataclass(frozen=True, slots=True)
class Assets:
    """Files below an address that changes with any of them: browsers keep them unasked."""

    files: Mapping[str, Page] = field(default_factory=dict)  # by name: vendor/swagger-ui.css
    version: str = "none"

    @property
    def folder(self) -> str:
        """Their address, from the pages'."""
        return f"assets/{self.version}"

    async def serve(self, request: web.BaseRequest) -> Page:
        """The file. Raises Refused."""
        path = own_path(request)
        page = self.files.get(path.removeprefix(f"/{self.folder}/"))
        if page is None:
            raise Refused(NOT_FOUND, "no such file in this version; load the page again")
        return page


def find_assets(folder: Path) -> Assets:
    """Every file of the folder and of its vendor/; ours are joined to few."""
    found = sorted([*folder.iterdir(), *folder.glob("vendor/*")])
    contents = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in found
        if path.suffix in KINDS
    }
    files = {
        name: Page(content, KINDS[Path(name).suffix], {**HEADERS, **FOREVER})
        for name, content in _joined(contents).items()
    }
    content = "".join(f"{name} {page.tag}\n" for name, page in files.items())
    version = hashlib.blake2b(content.encode(), digest_size=VERSION_BYTES).hexdigest()
    return Assets(files, version)


def _joined(contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files with the scripts of the folder itself, and its pages' styles, joined."""
    scripts = {name: text.decode() for name, text in contents.items() if OWN_SCRIPT.match(name)}
    others = {name: one for name, one in contents.items() if name not in {*scripts, *STYLES}}
    whole = {name: text.encode() for name, text in joined(scripts).items()}
    styles = b"".join(contents[name] for name in STYLES if name in contents)
    return {**others, **whole, **({STYLES[0]: styles} if styles else {})}


def front_page(
    assets: Assets, name: str = "index.html", *, simulated: bool, folder: Path = FILES
) -> Page:
    """The page itself, or another one; what is simulated says so before any script runs."""
    filled = (folder / name).read_text(encoding="utf-8").replace("{ahead}", _ahead(assets))
    for word, value in {
        "simulated": str(simulated).lower(),
        "assets": assets.folder,
        "charts": str(CHARTS in assets.files).lower(),
        "mark": SIMULATED if simulated else "",
    }.items():
        filled = filled.replace(f"{{{word}}}", escape(value))
    return Page(filled.encode(), HTML, HEADERS)


def _ahead(assets: Assets) -> str:
    """The lines that load the price chart while the page is being made: nothing waits for it."""
    scripts = {
        name: page.content.decode() for name, page in assets.files.items() if OWN_SCRIPT.match(name)
    }
    names = later("dashboard.js", scripts)
    hints = [AHEAD.format(assets.folder, name) for name in names]
    return "\n".join(hints) if assets.files.keys() >= {*names} else ""
