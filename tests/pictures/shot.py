"""A picture as the documentation shows it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shot:
    """What to show under which name, and what people see on it."""

    name: str  # of its file
    caption: str
    html: str
