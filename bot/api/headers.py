"""What the headers of a request ask for; whatever is in them, nothing here fails."""

import re
from functools import lru_cache

WELL_FORMED_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}")
CODING = re.compile(r"\s*([^\s;,]+)\s*(?:;\s*q\s*=\s*([0-9.]{1,6})\s*)?")
TAG = re.compile(r'(?:W/)?"([0-9a-f]+)(?:-gzip)?"')
REMEMBERED = 256  # headers: clients send few different ones


def request_id(given: str | None, ours: str) -> str:
    """The client's own id if it is well-formed, else ours."""
    return given if given and WELL_FORMED_ID.fullmatch(given) else ours


@lru_cache(REMEMBERED)
def accepts_gzip(header: str) -> bool:
    """Whether Accept-Encoding names gzip, or anything at all, and does not refuse it."""
    weights = {}
    for part in header.lower().split(","):
        found = CODING.fullmatch(part)
        if found:
            weights[found[1]] = _weight(found[2])
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def entity_tag(tag: str, *, packed: bool) -> str:
    """The strong ETag of a body: compressed it is another one."""
    return f'"{tag}-gzip"' if packed else f'"{tag}"'


def has_changed(header: str | None, tag: str) -> bool:
    """Whether If-None-Match knows the body, in whichever form, not yet."""
    if header is None:
        return True
    return header.strip() != "*" and tag not in TAG.findall(header)


def _weight(text: str | None) -> float:
    try:
        return 1.0 if text is None else float(text)
    except ValueError:
        return 0.0
