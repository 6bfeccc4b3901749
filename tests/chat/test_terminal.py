import asyncio
import io
import logging
import os
import pty
import re
import sys
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.terminal import Screen, Terminal, above_line, printable
from bot.core.cards import levels_card
from bot.core.events import Alert
from bot.core.reply import (
    NO_PICTURE,
    Command,
    Field,
    File,
    Link,
    Picture,
    Reply,
    Table,
    plain_lines,
)
from bot.core.view import View
from bot.errors import DeliveryError
from tests.fakes import NOON, make_chain, make_snapshot

PATIENCE = 5.0  # seconds
RING = Alert("a1", NOON, "1", "terminal:", "BTCUSDT", "BTC crossed HVL #a1", NOON)


async def echo(command: Command) -> Reply:
    return Reply(f"{command.name} {command.arguments}")


class Person:
    """Someone at the other end of a terminal or of two pipes."""

    def __init__(self, terminal: Terminal, keyboard: int, screen: int) -> None:
        self.terminal = terminal
        self.seen = ""
        self._keyboard = keyboard
        self._screen = screen
        self._open = {keyboard, screen}
        os.set_blocking(screen, False)

    def type(self, text: str) -> None:
        os.write(self._keyboard, text.encode())

    def end_input(self) -> None:
        self._close(self._keyboard)

    def look_away(self) -> None:
        self._close(self._screen)

    def leave(self) -> None:
        for end in set(self._open):
            self._close(end)

    async def see(self, wanted: str) -> str:
        """Everything on the screen, as soon as the wanted text is there."""
        async with asyncio.timeout(PATIENCE):
            while wanted not in self.seen:
                with suppress(BlockingIOError):
                    self.seen += os.read(self._screen, 65_536).decode()
                await asyncio.sleep(0.005)
        return self.seen

    def _close(self, end: int) -> None:
        self._open.remove(end)
        os.close(end)


@asynccontextmanager
async def at_pipes(folder):
    stdin, keyboard = os.pipe()
    screen, stdout = os.pipe()
    with os.fdopen(stdin) as typed, os.fdopen(stdout, "w") as shown:
        person = Person(Terminal(typed, shown, folder, simulated=False), keyboard, screen)
        yield person
    person.leave()


@asynccontextmanager
async def at_a_tty(folder, monkeypatch, *, simulated=False):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, closefd=False) as typed, os.fdopen(theirs, "w") as shown:
        person = Person(Terminal(typed, shown, folder, simulated=simulated), ours, ours)
        yield person
    person.leave()


@asynccontextmanager
async def running(person, answer=echo):
    task = asyncio.create_task(person.terminal.run(answer))
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_typed_lines_are_answered_in_order(tmp_path):
    async with at_pipes(tmp_path) as person, running(person):
        person.type("/levels btc\n\nto")
        person.type("p\n")

        seen = await person.see("top ()")

    assert seen == "levels ('btc',)\n\ntop ()\n\n"


async def test_quit_ends_the_prompt(tmp_path):
    async with at_pipes(tmp_path) as person, running(person) as task:
        person.type("top\nquit\nlevels\n")

        await asyncio.wait_for(task, PATIENCE)
        assert person.seen == ""
        assert await person.see("top") == "top ()\n\n"


async def test_the_end_of_a_pipe_only_ends_the_reading(tmp_path):
    async with at_pipes(tmp_path) as person, running(person) as task:
        person.type("top")  # its line never ends
        person.end_input()

        await person.see("top ()")
        await person.terminal.send(RING)
        await person.see("#a1")
        assert not task.done()


@pytest.mark.parametrize("content", [b"", b"levels\ntop\n"])
async def test_a_file_is_read_like_a_pipe_and_its_end_only_ends_the_reading(tmp_path, content):
    file = tmp_path / "commands"
    file.write_bytes(content)
    stdout = io.StringIO()
    with file.open(encoding="utf-8") as stdin:
        task = asyncio.create_task(Terminal(stdin, stdout, tmp_path, simulated=False).run(echo))
        await asyncio.sleep(0.05)

        assert not task.done()
        task.cancel()
    assert stdout.getvalue() == ("levels ()\n\ntop ()\n\n" if content else "")


async def test_a_picture_that_is_the_answer_is_drawn_and_saved(tmp_path):
    async def chart(command: Command) -> Reply:
        async def draw() -> Picture | None:
            return Picture("a.png", b"png") if command.arguments == ("btc",) else None

        return Reply("Chart", draw=draw, picture_first=command.name == "chart")

    async with at_pipes(tmp_path) as person, running(person, chart):
        person.type("levels btc\nchart btc\nchart eth\n")

        seen = await person.see(NO_PICTURE)

    assert seen.count("chart saved to") == 1
    assert (tmp_path / "a.png").read_bytes() == b"png"


async def test_a_closed_input_is_no_trouble(tmp_path):
    terminal = Terminal(None, io.StringIO(), tmp_path, simulated=False)
    task = asyncio.create_task(terminal.run(echo))
    await asyncio.sleep(0.01)

    assert not task.done()
    task.cancel()


async def test_waiting_for_a_line_holds_up_nothing_and_ends_when_cancelled(tmp_path):
    async with at_pipes(tmp_path) as person, running(person) as task:
        await asyncio.sleep(0.01)
        task.cancel()

        async with asyncio.timeout(1):
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


async def test_a_ring_without_a_tty_is_one_line_that_grep_finds(tmp_path):
    stdout = io.StringIO()
    terminal = Terminal(None, stdout, tmp_path, simulated=True)

    await terminal.send(RING)

    line = "RING 2026-03-02T12:00:00Z BTCUSDT SIMULATED BTC crossed HVL #a1\n"
    assert stdout.getvalue() == line


async def test_a_card_without_a_tty_has_no_escape_codes(tmp_path):
    stdout = io.StringIO()
    card = levels_card(make_snapshot(make_chain()), View(NOON, timedelta(minutes=3)))

    Terminal(None, stdout, tmp_path, simulated=False).show(card)

    assert "\x1b" not in stdout.getvalue()
    assert "Call Resistance    $90,000  +12.50%\n" in stdout.getvalue()


async def test_a_picture_is_saved_and_its_path_printed(tmp_path):
    stdout = io.StringIO()
    reply = Reply("BTC", picture=Picture("gammabell-BTCUSDT.png", b"\x89PNG"))

    Terminal(None, stdout, tmp_path, simulated=False).show(reply)

    path = tmp_path / "gammabell-BTCUSDT.png"
    assert path.read_bytes() == b"\x89PNG"
    assert f"chart saved to {path}\n" in stdout.getvalue()


async def test_a_file_is_saved_as_it_is_and_its_path_printed(tmp_path):
    stdout = io.StringIO()
    reply = Reply("BTC", file=File("gammabell.csv", b"a,b\r\n", "text/csv"))

    Terminal(None, stdout, tmp_path, simulated=False).show(reply)

    path = tmp_path / "gammabell.csv"
    assert path.read_bytes() == b"a,b\r\n"
    assert f"file saved to {path}\n" in stdout.getvalue()


async def test_a_picture_that_cannot_be_saved_is_said_to_be(tmp_path):
    stdout = io.StringIO()
    reply = Reply("BTC", picture=Picture("a.png", b""))

    Terminal(None, stdout, tmp_path / "missing", simulated=False).show(reply)

    assert "a.png: No such file or directory\n" in stdout.getvalue()


async def test_when_nobody_reads_the_prompt_ends_and_rings_are_not_called_sent(tmp_path, caplog):
    async with at_pipes(tmp_path) as person, running(person) as task:
        person.look_away()
        with pytest.raises(DeliveryError):
            await person.terminal.send(RING)
        await asyncio.wait_for(task, PATIENCE)

        with pytest.raises(DeliveryError, match="nobody reads"):
            await person.terminal.send(RING)


async def test_a_reply_to_a_broken_pipe_ends_the_prompt_quietly(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    async with at_pipes(tmp_path) as person, running(person) as task:
        person.look_away()
        person.type("top\n")

        await asyncio.wait_for(task, PATIENCE)
    assert "a reply was not shown" in caplog.text


async def test_a_tty_shows_a_prompt_and_colours(tmp_path, monkeypatch):
    async with at_a_tty(tmp_path, monkeypatch, simulated=True) as person, running(person):
        await person.see("SIMULATED > ")
        person.type("top\n")

        seen = await person.see("top ()\x1b[0m")

    assert "\x1b[1;36mtop ()\x1b[0m" in seen


async def test_control_d_at_a_tty_ends_the_prompt(tmp_path, monkeypatch):
    async with at_a_tty(tmp_path, monkeypatch) as person, running(person) as task:
        await person.see("> ")
        person.type("\x04")

        await asyncio.wait_for(task, PATIENCE)


async def test_a_ring_at_a_tty_sounds_and_leaves_what_is_typed_alone(tmp_path, monkeypatch):
    async with at_a_tty(tmp_path, monkeypatch) as person, running(person):
        await person.see("> ")
        person.type("levels b")
        await person.see("levels b")
        await person.terminal.send(RING)
        seen = await person.see("\x1b[1B")
        person.type("tc\n")
        await person.see("levels ('btc',)")

    assert "\a\x1b7\r\n\x1b[1A\x1b[1L" in seen.replace("\r\n", "\n")
    assert "🔔 12:00:00 UTC BTC crossed HVL #a1" in seen


async def test_a_ring_during_an_answer_needs_no_room_above_a_prompt(tmp_path, monkeypatch):
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(command: Command) -> Reply:
        asked.set()
        await go_on.wait()
        return Reply("done")

    async with at_a_tty(tmp_path, monkeypatch) as person, running(person, slow):
        person.type("chart\n")
        await asked.wait()
        await person.terminal.send(RING)
        go_on.set()
        seen = await person.see("done")

    assert "\x1b7" not in seen


def test_several_lines_above_the_prompt_make_as_much_room():
    assert above_line("one\ntwo\n") == "\x1b7\r\n\n\x1b[2A\x1b[2Lone\r\ntwo\x1b8\x1b[2B"


async def test_a_line_typed_meanwhile_waits_its_turn(tmp_path):
    answers = []

    async def slow(command: Command) -> Reply:
        answers.append(f"begin {command.name}")
        await asyncio.sleep(0.01)
        answers.append(f"end {command.name}")
        return Reply(command.name)

    async with at_pipes(tmp_path) as person, running(person, slow):
        person.type("a\nb\n")
        await person.see("b")

    assert answers == ["begin a", "end a", "begin b", "end b"]


async def test_rich_is_loaded_for_a_tty_alone(tmp_path):
    code = (
        "import io, sys; from pathlib import Path; from bot.chat.terminal import Terminal;"
        "from bot.core.reply import Reply;"
        "Terminal(None, sys.stdout, Path(), simulated=False).show(Reply('hello'));"
        "assert 'rich' not in sys.modules"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )

    out, _ = await process.communicate()

    assert (process.returncode, out) == (0, b"hello\n\n")


class Wide(io.StringIO):
    """A TTY in memory."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd


@pytest.fixture(scope="module")
def screen():
    ours, theirs = pty.openpty()
    yield Screen(Wide(theirs))
    os.close(ours)
    os.close(theirs)


@given(
    text=st.text(max_size=30), markup=st.sampled_from(["[red]", "[/]", "\x1b[31m", ":bell:", "\a"])
)
def test_what_people_type_never_becomes_markup(screen, text, markup):
    said = f"x{text}{markup}y"
    table = Table(said, ("a", "b"), ((said, said),))
    reply = Reply(said, (Field(said, said),), (table,), (said,), (said,))

    shown = screen.card(reply, [said]) + screen.ring(NOON, said, at_prompt=False)

    visible = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    styles = set(re.findall(r"\x1b\[([0-9;]*)m", shown))
    assert styles <= {"0", "1", "2", "1;36", "1;33", "1;2", "3", "1;3"}
    assert not set("\a\x1b\r\b") & set(visible)
    assert printable(markup) in visible.replace("\n", "")


def test_a_link_is_written_out_in_one_piece(screen):
    url = f"https://bell.example.org/sign-on#{'a' * 200}"
    reply = Reply("Dashboard", links=(Link("Open", url),))

    assert url in screen.card(reply, [])
    assert f"Open: {url}" in plain_lines(reply)


@given(st.text())
def test_printable_text_is_one_line_of_the_same_length(text):
    clean = printable(text)

    assert len(clean) == len(text)
    assert clean.isprintable()
