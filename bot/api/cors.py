"""Which pages of other origins may read the answers."""

from collections.abc import Collection, Mapping

ANYONE = "*"
DAY_SECONDS = "86400"
ASKED = "X-API-Key, X-Request-ID, If-None-Match, Content-Type"
SHOWN = (
    "X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, ETag,"
    " X-Simulated"
)


class Cors:
    """The origins that are allowed; none unless configured."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = origins

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """What an answer to that origin says."""
        allowed = self._allowed(origin)
        if allowed is None:
            return {}
        return {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": SHOWN}

    def preflight(self, origin: str | None) -> Mapping[str, str] | None:
        """What a browser that asks beforehand is told; None: nothing, it is refused."""
        allowed = self._allowed(origin)
        if allowed is None:
            return None
        return {
            "Access-Control-Allow-Origin": allowed,
            "Access-Control-Allow-Methods": "GET, HEAD",
            "Access-Control-Allow-Headers": ASKED,
            "Access-Control-Max-Age": DAY_SECONDS,
        }

    def _allowed(self, origin: str | None) -> str | None:
        if origin is None:
            return None
        if ANYONE in self._origins:
            return ANYONE
        return origin if origin in self._origins else None
