"""The file of `--events`: every event as a line, none lost or half written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.api.printer import Printer
from bot.errors import BotError, UsageError

LONGEST_LINE = 1 << 22  # bytes; a snapshot has some 20,000


@contextmanager
def event_file(path: Path) -> Iterator[int]:
    """The file of events, open at its end; as a file descriptor."""
    try:
        file = path.open("ab", buffering=0)
    except OSError as error:
        raise UsageError(f"--events {path}: {error.strerror}") from error
    with file:
        if path.is_file():
            drop_fragment(path)
        yield file.fileno()


def drop_fragment(path: Path) -> None:
    """Cut off what follows the last line: a kill left it, and it is written again."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - LONGEST_LINE)
        file.seek(start)
        whole = file.read().rfind(b"\n") + 1
        if start + whole < end and (whole or not start):
            file.truncate(start + whole)


async def write_events(printer: Printer, path: Path) -> None:
    """Bring the file of events up to date. Raises BotError when there is no room for it."""
    try:
        await printer.catch_up()
    except OSError as error:
        raise BotError(f"--events {path}: {error.strerror}") from error
