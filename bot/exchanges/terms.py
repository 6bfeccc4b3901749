"""What a venue allows, and how it says that it was too much."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` within `seconds`, of each path that begins with `path` apart or of all."""

    amount: float  # requests, or the weight that the venue gives them
    seconds: float
    path: str = ""
    each_path: bool = False  # every such path has the limit to itself


def one(path: str, params: Mapping[str, object]) -> float:  # noqa: ARG001  the signature of a cost
    """Each request counts once."""
    return 1.0


def never(body: bytes) -> bool:  # noqa: ARG001  likewise
    """Too many requests are told by the HTTP status alone."""
    return False


@dataclass(frozen=True, slots=True)
class Terms:
    """A venue's documented limits; the program keeps to half of each."""

    limits: tuple[Limit, ...]  # the one that matters most comes first
    cost: Callable[[str, Mapping[str, object]], float] = one  # of a request by path and parameters
    is_too_many: Callable[[bytes], bool] = never  # whether a short answer says so in its body
    connections: int = 6  # at once; a venue that documents a limit gets half of it
