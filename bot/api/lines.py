"""Headers as they are sent: a line each, joined once where they are always the same."""

from collections.abc import Mapping

END = "\r\n"


def lines(headers: Mapping[str, str]) -> str:
    """One line for each. Raises ValueError for a value that would be more than one."""
    text = "".join([f"{name}: {value}{END}" for name, value in headers.items()])
    if text.count("\n") != len(headers) or text.count("\r") != len(headers):
        raise ValueError(f"a header of {', '.join(headers)} has more than one line")
    return text


def unlined(text: str) -> dict[str, str]:
    """The headers again, for what sends them itself."""
    return dict(line.split(": ", 1) for line in text.split(END) if line)
