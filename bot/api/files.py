"""The front page and the files it is made of: ours in bot/web, fetched ones in its vendor/."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from aiohttp import web

from bot.api.codes import NOT_FOUND, Refused
from bot.api.pages import HTML, Page, own_path

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
    """Every file of the folder and of its vendor/."""
    found = sorted([*folder.iterdir(), *folder.glob("vendor/*")])
    files = {
        path.relative_to(folder).as_posix(): Page(
            path.read_bytes(), KINDS[path.suffix], {**HEADERS, **FOREVER}
        )
        for path in found
        if path.suffix in KINDS
    }
    content = "".join(f"{name} {page.tag}\n" for name, page in files.items())
    version = hashlib.blake2b(content.encode(), digest_size=VERSION_BYTES).hexdigest()
    return Assets(files, version)


def front_page(
    assets: Assets, name: str = "index.html", *, simulated: bool, folder: Path = FILES
) -> Page:
    """The page itself, or another one; what is simulated says so before any script runs."""
    filled = (folder / name).read_text(encoding="utf-8")
    for word, value in {
        "simulated": str(simulated).lower(),
        "assets": assets.folder,
        "charts": str(CHARTS in assets.files).lower(),
        "mark": SIMULATED if simulated else "",
    }.items():
        filled = filled.replace(f"{{{word}}}", escape(value))
    return Page(filled.encode(), HTML, HEADERS)
