"""The terminal: typed commands in, cards and rings out; plain lines where it is no TTY."""

import asyncio
import contextlib
import errno
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bot.core.events import Alert
from bot.core.reply import (
    Command,
    Reply,
    Table,
    column_widths,
    link_lines,
    parse_command,
    plain_lines,
    with_picture,
)
from bot.errors import DeliveryError
from bot.ports import Begun, unnoticed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

logger = logging.getLogger(__name__)

Answer = Callable[[Command], Awaitable[Reply]]

LEAVE = ("quit", "exit", "/quit", "/exit")
TARGET = "terminal:"
BELL = "\a"
CHUNK = 65_536  # bytes read at once
FOREGROUND_SECONDS = 1.0  # between two looks whether we are the terminal's foreground job again
STYLES = {
    "neutral": "bold cyan",
    "positive": "bold green",
    "negative": "bold red",
    "stale": "bold yellow",
    "error": "bold red",
}


class Terminal:
    """The person at this terminal: a messenger for their rings, a prompt for their commands."""

    name = "terminal"
    repeats_are_safe = True  # nobody minds a line twice
    folds = False  # a line each

    def __init__(
        self, stdin: TextIO | None, stdout: TextIO, folder: Path, *, simulated: bool
    ) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._folder = folder  # where pictures are saved
        self._simulated = simulated
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()  # None: the person has left
        self._rest = b""  # of a line whose end has not come yet
        self._asking = False  # whether the prompt is on the screen, perhaps with typed text
        self._gone = False  # whether nobody can see what is written
        self._later: asyncio.TimerHandle | None = None  # until we may read again
        self._screen = Screen(stdout) if stdout.isatty() else None

    async def send(self, alert: Alert, begun: Begun = unnoticed) -> None:
        """Ring. Raises DeliveryError when the text could not be written."""
        del begun  # a line may be printed again, with its id: nothing to note
        marked = f"SIMULATED {alert.text}" if self._simulated else alert.text
        at = alert.at.astimezone(UTC)
        if self._screen is None:
            stamp = at.isoformat().replace("+00:00", "Z")
            self._write(f"RING {stamp} {alert.symbol} {printable(marked)}\n")
            return
        self._write(BELL + self._screen.ring(at, marked, at_prompt=self._asking))

    async def run(self, answer: Answer) -> None:
        """Answer typed lines until the person leaves: quit, Ctrl-D, or a closed output.

        Without a TTY the end of the input is only that: there is nothing more to read.
        """
        fd = descriptor(self._stdin)
        try:
            if fd is not None:
                self._listen(fd)
            self._ask()
            while (
                line := await self._lines.get()
            ) is not None and line.strip().lower() not in LEAVE:
                self._asking = False
                if line.strip():
                    command = replace(parse_command(line, TARGET), may_manage=True)
                    self.show(await drawn(await answer(command)))
                self._ask()
        finally:
            if self._later:
                self._later.cancel()
            if fd is not None:
                asyncio.get_running_loop().remove_reader(fd)

    def show(self, reply: Reply) -> None:
        """Print the reply; when that fails nobody sees it, and the log says so."""
        try:
            self.print(reply)
        except DeliveryError as error:
            logger.warning("a reply was not shown: %s", error)

    def print(self, reply: Reply) -> None:
        """Print the reply and save its picture and file. Raises DeliveryError."""
        picture, file = reply.picture, reply.file
        saved = [self._save("chart", picture.name, picture.png)] if picture else []
        saved += [self._save("file", file.name, file.content)] if file else []
        if self._screen:
            text = self._screen.card(reply, saved)
        else:
            lines = [printable(line) for line in (*plain_lines(reply), *saved)]
            text = "".join(f"{line}\n" for line in (*lines, ""))
        self._write(text)

    def _save(self, what: str, name: str, content: bytes) -> str:
        """Write it to a file of that name; what to say of it."""
        path = self._folder / name
        try:
            path.write_bytes(content)
        except OSError as error:
            return f"{what} not saved to {path}: {error.strerror}"
        return f"{what} saved to {path}"

    def _ask(self) -> None:
        """Show the prompt where someone can type at it."""
        fd = descriptor(self._stdin)
        if self._screen and fd is not None and os.isatty(fd):
            self._asking = True
            if is_foreground(fd):
                with contextlib.suppress(DeliveryError):
                    self._write(f"{'SIMULATED ' if self._simulated else ''}> ")

    def _write(self, text: str) -> None:
        """Write and flush. Raises DeliveryError."""
        if self._gone:
            raise DeliveryError("nobody reads the terminal any more")
        encoding = self._stdout.encoding or "utf-8"
        try:
            self._stdout.write(text.encode(encoding, "replace").decode(encoding))
            self._stdout.flush()
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.EIO):  # the reader, or the terminal, is gone
                self._leave()
            raise DeliveryError(f"not written to the terminal: {error.strerror}") from error

    def _leave(self) -> None:
        """End the prompt; what is still buffered may go nowhere at the interpreter's last flush."""
        self._gone = True
        self._lines.put_nowait(None)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stdout.fileno())
        os.close(nowhere)

    def _listen(self, fd: int) -> None:
        """Lines go to the queue as they are typed; the event loop is never held up."""
        try:
            asyncio.get_running_loop().add_reader(fd, self._read, fd)
        except PermissionError:  # a file, or /dev/null: cannot be watched, but never blocks
            with contextlib.suppress(OSError):  # a folder
                while self._take(os.read(fd, CHUNK)):
                    pass

    def _read(self, fd: int) -> None:
        loop = asyncio.get_running_loop()
        if not is_foreground(fd):  # reading now would stop the whole process
            loop.remove_reader(fd)
            self._later = loop.call_later(FOREGROUND_SECONDS, self._listen, fd)
            return
        try:
            chunk = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # the terminal was hung up
            chunk = b""
        if not self._take(chunk):
            loop.remove_reader(fd)
            if self._stdin and self._stdin.isatty():
                self._lines.put_nowait(None)
                with contextlib.suppress(DeliveryError):
                    self._write("\n")  # Ctrl-D leaves the cursor behind the prompt

    def _take(self, chunk: bytes) -> bool:
        """Queue the lines that the chunk ends; False at the end of the input."""
        unfinished = self._rest and not chunk
        *whole, self._rest = (self._rest + (b"\n" if unfinished else chunk)).split(b"\n")
        for line in whole:
            self._lines.put_nowait(line.decode("utf-8", "replace"))
        return bool(chunk)


async def drawn(reply: Reply) -> Reply:
    """The reply with its picture, where that is the answer: a terminal shows the others' words."""
    if reply.draw is None or not reply.picture_first:
        return reply
    return with_picture(reply, await reply.draw())


class Screen:
    """Cards and rings with colour, laid out for the width of a TTY."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def card(self, reply: Reply, saved: list[str]) -> str:
        """The reply as it goes to the screen."""
        console = self._console()
        with console.capture() as capture:
            console.print(_text(reply.title, STYLES[reply.tone]))
            if reply.fields:
                console.print(_fields(reply))
            widths = column_widths(reply.tables)
            for table in reply.tables:
                console.print()
                console.print(_table(table, widths))
            if reply.tables and (reply.lines or reply.links or reply.footer):
                console.print()
            for line in reply.lines:
                console.print(_text(line))
            for line in link_lines(reply):
                console.print(_text(line), soft_wrap=True)  # so that it can be copied
            for line in (*reply.footer, *saved):
                console.print(_text(line, "dim"))
            if reply.actions:
                tries = " · ".join(action.line for action in reply.actions)
                console.print(_text(f"try: {tries}", "dim"))
            console.print()
        return capture.get()

    def ring(self, at: datetime, text: str, *, at_prompt: bool) -> str:
        """An alert as it goes to the screen; `at_prompt`: someone may be typing."""
        console = self._console()
        with console.capture() as capture:
            console.print(_text(f"🔔 {at:%H:%M:%S} UTC {text}", "bold yellow"))
        if not at_prompt:
            return capture.get()
        return f"\n{capture.get()}> " if console.is_dumb_terminal else above_line(capture.get())

    def _console(self) -> "Console":
        """A console as wide as the screen is now."""
        from rich.console import Console

        try:
            columns = os.get_terminal_size(self._stdout.fileno()).columns
        except OSError:  # hung up: writing will say so
            columns = 0
        return Console(
            file=self._stdout,
            width=columns or 80,
            markup=False,
            highlight=False,
            emoji=False,
            soft_wrap=False,
        )


def above_line(text: str) -> str:
    """The text and the codes that put it above the line of the cursor, left as it is.

    What was typed so far is unknown here; the saved cursor keeps its column, and going down
    stops at the last row, where scrolling has put the line.
    """
    lines = text.removesuffix("\n").split("\n")
    count = len(lines)
    make_room = "\n" * count + f"\x1b[{count}A\x1b[{count}L"
    return "\x1b7\r" + make_room + "\r\n".join(lines) + f"\x1b8\x1b[{count}B"


def printable(text: str) -> str:
    """The text in one line, without what could move the cursor or change a colour."""
    return "".join(" " if c.isspace() else c if c.isprintable() else "�" for c in text)


def descriptor(stdin: TextIO | None) -> int | None:
    """What can be read from; None when the program was started without an input."""
    try:
        return stdin.fileno() if stdin else None
    except OSError:  # a stand-in for a file
        return None


def is_foreground(fd: int) -> bool:
    """Whether reading is allowed: a background job that reads its terminal is stopped."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:  # no terminal, or not the one that controls us
        return True


def _text(text: str, style: str = "") -> "Text":
    from rich.text import Text

    return Text(printable(text), style=style)


def _fields(reply: Reply) -> "RichTable":
    from rich.table import Table as RichTable

    grid = RichTable.grid(padding=(0, 2))
    for field in reply.fields:
        grid.add_row(_text(field.name, "dim"), _text(field.value))
    return grid


def _table(table: Table, widths: dict[int, list[int]]) -> "RichTable":
    from rich.table import Table as RichTable

    grid = RichTable(
        title=_text(table.title, "bold") if table.title else None,
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        show_header=bool(table.columns),
        header_style="dim",
    )
    shape = len(table.header_and_rows[0]) if table.header_and_rows else 0
    for position, width in enumerate(widths.get(shape, ())):
        header = _text(table.columns[position], "dim") if table.columns else ""
        grid.add_column(
            header, justify="right" if position else "left", min_width=width, no_wrap=True
        )
    for name, *numbers in table.rows:
        grid.add_row(_text(name), *(_text(cell, _tint(cell)) for cell in numbers))
    return grid


def _tint(cell: str) -> str:
    return {"+": "green", "-": "red"}.get(cell[:1], "")
