"""The front page and the files it is made of: ours in bot/web, fetched ones in its vendor/."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from bot.api.pages import HTML, Page

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
SIMULATED = "SIMULATED market data: nothing here is a real price"


def find_files(folder: Path) -> Mapping[str, Page]:
    """Every file of the folder and of its vendor/, by the path it is served at."""
    found = sorted([*folder.iterdir(), *folder.glob("vendor/*")])
    return {
        f"/{path.relative_to(folder).as_posix()}": Page(
            path.read_bytes(), KINDS[path.suffix], HEADERS
        )
        for path in found
        if path.suffix in KINDS
    }


def front_page(folder: Path, name: str = "index.html", *, simulated: bool) -> Page:
    """The page itself, or another one; what is simulated says so before any script runs."""
    filled = (folder / name).read_text(encoding="utf-8")
    for word, value in {
        "simulated": str(simulated).lower(),
        "charts": str((folder / CHARTS).is_file()).lower(),
        "mark": SIMULATED if simulated else "",
    }.items():
        filled = filled.replace(f"{{{word}}}", escape(value))
    return Page(filled.encode(), HTML, HEADERS)
