"""What a simulated venue answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer before it is written: the body is what JSON can hold."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)
