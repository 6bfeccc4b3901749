"""A request as an endpoint sees it, and what an endpoint gives."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.api.body import Body
from bot.api.parameters import Parameter
from bot.api.schema import Problem, RateLimit
from bot.core.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters' values, or what is wrong with them."""

    values: Mapping[str, Any]
    identity: tuple[object, ...] = ()  # equal for requests that ask the same
    problems: Sequence[Problem] = ()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  each parameter has its own type
        return self.values[name]


@dataclass(frozen=True, slots=True)
class Answer:
    """The data part of an answer, and what meta says of it."""

    body: Body
    of: Snapshot | None = None
    venues: Sequence[str] | None = None  # asked for alone
    headers: Mapping[str, str] = field(default_factory=dict)


Endpoint = Callable[[Asked, RateLimit], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """A path: `data` is the type of its answer's data part."""

    path: str
    summary: str
    data: Any
    endpoint: Endpoint
    parameters: Sequence[Parameter] = ()
    is_public: bool = False
