"""Sessions of browsers: their names, and which of a holder's were ended before their time."""

from collections.abc import Sequence

SESSION_SECONDS = 30 * 86_400  # that one lasts, and that the browser keeps its cookie
MOST_ENDED = 100  # names kept for one holder, so that nobody's signing out fills the database


def name_session(at: float, random: str) -> str:
    """What no other session of its holder is called; by name they stand in order of opening."""
    return f"{int(at):010}{random}"


def has_ended(name: str, ended: Sequence[str]) -> bool:
    """Whether a session was ended; where names were forgotten, all that are as old have."""
    return name in ended or (len(ended) >= MOST_ENDED and name < ended[0])


def with_ended(name: str, ended: Sequence[str]) -> Sequence[str]:
    """The ended sessions and this one, ascending; the oldest are forgotten, and stay ended."""
    return sorted({name, *ended})[-MOST_ENDED:]
