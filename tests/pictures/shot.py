"""What the documentation shows."""

from base64 import b64encode
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shot:
    """A page to take a picture of, and what people see on it."""

    name: str  # of the picture's file
    caption: str
    html: str


def data_address(png):
    """The picture as an address that a page can hold."""
    return f"data:image/png;base64,{b64encode(png).decode()}"
