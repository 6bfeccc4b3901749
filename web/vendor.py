"""Lays what npm fetched and the server serves into bot/web/vendor: python web/vendor.py."""

import base64
import re
import shutil
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from urllib.parse import unquote_to_bytes

HERE = Path(__file__).parent
FETCHED = HERE / "node_modules"
SERVED = HERE.parent / "bot" / "web" / "vendor"
TAKEN = {
    "lightweight-charts.js": "lightweight-charts/dist/lightweight-charts.standalone.production.mjs",
    "lightweight-charts.LICENSE.txt": "lightweight-charts/LICENSE",
    "lightweight-charts.README.txt": "lightweight-charts/README.md",  # whom the licence credits
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui-bundle.LICENSE.txt": "swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt",
    "swagger-ui.LICENSE.txt": "swagger-ui-dist/LICENSE",
    "swagger-ui.NOTICE.txt": "swagger-ui-dist/NOTICE",
}
STYLE = "swagger-ui-dist/swagger-ui.css"
PICTURE = re.compile(r"""url\((?:"(data:(?:[^"\\]|\\.)*)"|(data:[^)"']*))\)""")
ESCAPE = re.compile(r"\\(.)")
ENDINGS = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}


def main() -> None:
    """All or nothing: an interrupted run leaves what was there before."""
    new = SERVED.with_name("vendor.new")
    shutil.rmtree(new, ignore_errors=True)
    lay(FETCHED, new)
    shutil.rmtree(SERVED, ignore_errors=True)
    new.rename(SERVED)


def lay(fetched: Path, served: Path) -> None:
    """Fills the folder `served`, which is not there yet."""
    served.mkdir()
    for name, source in TAKEN.items():
        shutil.copyfile(fetched / source, served / name)
    style, pictures = without_data((fetched / STYLE).read_text(encoding="utf-8"))
    (served / "swagger-ui.css").write_text(style, encoding="utf-8")
    for name, content in pictures.items():
        (served / name).write_bytes(content)


def without_data(style: str) -> tuple[str, Mapping[str, bytes]]:
    """The style with each data: URL as a file beside it, which `default-src 'self'` allows."""
    pictures: dict[str, bytes] = {}

    def part(found: re.Match[str]) -> str:
        kind, content = read_data(ESCAPE.sub(r"\1", found[1] or found[2]))
        name = f"swagger-ui-{blake2b(content, digest_size=4).hexdigest()}.{ENDINGS[kind]}"
        pictures[name] = content
        return f"url({name})"

    return PICTURE.sub(part, style), pictures


def read_data(url: str) -> tuple[str, bytes]:
    """The media type and the content of a data: URL."""
    about, _, text = url.removeprefix("data:").partition(",")
    kind, *options = about.split(";")
    content = unquote_to_bytes(text)
    return kind, base64.b64decode(content) if "base64" in options else content


if __name__ == "__main__":
    main()
