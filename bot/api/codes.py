"""What can be wrong with a request: the codes of `error`, and the refusal that carries one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import UNSET

from bot.api.schema import Details, Problem


@dataclass(frozen=True, slots=True)
class Code:
    """An error code and the status that goes with it."""

    name: str
    status: int
    when: str


UNAUTHORIZED = Code("UNAUTHORIZED", 401, "the key is missing, malformed, unknown or revoked")
FORBIDDEN = Code("FORBIDDEN", 403, "the resource is not for you")
NOT_FOUND = Code("NOT_FOUND", 404, "no data for this symbol, expiry or venue now, or no such path")
VALIDATION_ERROR = Code(
    "VALIDATION_ERROR", 422, "a bad, unknown, missing or repeated parameter; details.errors"
)
RATE_LIMIT_EXCEEDED = Code(
    "RATE_LIMIT_EXCEEDED", 429, "too many requests this minute; details.retry_after_seconds"
)
UPSTREAM_ERROR = Code("UPSTREAM_ERROR", 503, "the database does not answer")
INTERNAL_ERROR = Code("INTERNAL_ERROR", 500, "a bug of ours")
BAD_REQUEST = Code("BAD_REQUEST", 400, "not HTTP as it should be")
METHOD_NOT_ALLOWED = Code("METHOD_NOT_ALLOWED", 405, "another method than GET or HEAD")
PAYLOAD_TOO_LARGE = Code("PAYLOAD_TOO_LARGE", 413, "too long a query, header or body")

CODES = (
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    VALIDATION_ERROR,
    RATE_LIMIT_EXCEEDED,
    UPSTREAM_ERROR,
    INTERNAL_ERROR,
    BAD_REQUEST,
    METHOD_NOT_ALLOWED,
    PAYLOAD_TOO_LARGE,
)
NOTHING = Details()


METHODS = ("GET", "HEAD")


class Refused(Exception):
    """The request is answered with an error; `headers` go with it."""

    def __init__(
        self,
        code: Code,
        message: str,
        details: Details = NOTHING,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.details = details
        self.headers = headers or {}


def method_not_allowed(methods: Sequence[str] = METHODS) -> Refused:
    """The refusal of every other method: nearly everywhere, of all that could change something."""
    text = f"only {' and '.join(methods)} are answered"
    return Refused(METHOD_NOT_ALLOWED, text, headers={"Allow": ", ".join(methods)})


def invalid(problems: Sequence[Problem]) -> Refused:
    """The refusal of parameters that cannot be meant, all problems at once."""
    text = "; ".join(problem.msg for problem in problems)
    return Refused(VALIDATION_ERROR, text, Details(errors=problems))


def too_many(text: str, seconds: int, limit: int | None = None) -> Refused:
    """The refusal of what is answered again so much later; `limit` is in requests a minute."""
    details = Details(retry_after_seconds=seconds, limit=UNSET if limit is None else limit)
    headers = {"Retry-After": str(seconds)}
    return Refused(RATE_LIMIT_EXCEEDED, f"{text}; ask again in {seconds} s", details, headers)
