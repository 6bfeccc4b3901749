"""Writing a recording of what the venues say, second by second, so that a kill costs little.

Each second is written when it is over, in the order that the format asks for. The header is
written first, stored without compression, so that its final words fit exactly where it stood.
"""

import gzip
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from bot.core.snapshot import Tick
from bot.errors import BotError, UsageError
from bot.ports import Wire
from bot.recording.format import PART, VERSION, sent_params
from bot.recording.lines import (
    AnswerLine,
    FullHeader,
    Second,
    SpotLine,
    good_body,
    is_readable,
)

SECOND = timedelta(seconds=1)
FAR_FUTURE = datetime.max.replace(tzinfo=UTC)
COMPRESSION = 6  # 9 would take five times as long for the last twentieth


class Recorder:
    """A recording that is being written; the file has its name when the `with` block is left.

    Until then, and when the block is left by an error, it is a readable recording whose name
    ends in ".part". Whoever stops the program (a cancelled task) ends the recording well.
    """

    def __init__(
        self,
        path: Path,
        title: str,
        symbols: Sequence[str],
        venues: Sequence[str],
        now: Callable[[], datetime],
    ) -> None:
        self._path = path
        self._part = path.with_name(path.name + PART)
        self._title = title
        self._symbols = symbols
        self._venues = venues
        self._now = now
        self._held: dict[datetime, Second] = {}  # not written yet
        self._seen: set[str] = set()  # symbols and venues that were written
        self._begin: datetime | None = None  # of the first line
        self._end: datetime | None = None  # of the last

    def __enter__(self) -> Self:
        """Make the file. Raises UsageError when it is there already, or cannot be made."""
        _refuse(self._path, "is there already; name another file or move it away")
        _refuse(self._part, "a recording that did not end; it can be replayed; move or delete it")
        self._next = _whole_second(self._now())
        header = self._header(self._symbols, self._venues, self._next, self._next)
        self._room = len(header)
        try:
            self._file = FileIO(self._part, "x")
        except OSError as error:
            raise UsageError(f"{self._part}: cannot be made: {error.strerror}") from error
        with ExitStack() as stack:
            stack.enter_context(self._file)
            self._append(_stored(header))
            stack.pop_all()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Give the file its name. Raises BotError when it cannot be written or holds nothing."""
        with self._file:
            if not isinstance(error, Exception):
                self._write_until(FAR_FUTURE)
                self._finish()

    def tick(self, tick: Tick) -> None:
        """Take the tick; of each symbol the newest of a second is recorded."""
        _, second = self._second(tick.at)
        held = second.ticks.get(tick.symbol)
        if held is None or held.at <= tick.at:
            second.ticks[tick.symbol] = tick

    def answer(
        self, venue: str, method: str, path: str, params: Mapping[str, object], body: bytes
    ) -> None:
        """Take what the venue has just answered; a refusal, or what is no JSON, is left out."""
        good = good_body(body)
        if good is None:
            return
        at, second = self._second(self._now())
        sent = sent_params(method, params)
        second.answers.append(AnswerLine(at, venue, method, path, sent, 200, good))

    def flush(self) -> None:
        """Write the seconds that are over; to be called every few seconds. Raises BotError."""
        self._write_until(self._now())

    def _second(self, moment: datetime) -> tuple[datetime, Second]:
        """The second that takes what is of that moment: never one that is written already."""
        at = max(_whole_second(moment), self._next)
        return at, self._held.setdefault(at, Second())

    def _write_until(self, end: datetime) -> None:
        texts = []
        for at in sorted(at for at in self._held if at < end):
            for line in self._held.pop(at).lines(at):
                text = msgspec.json.encode(line)
                if is_readable(text):
                    texts.append(text + b"\n")
                    self._note(line)
            self._next = at + SECOND
        if texts:
            self._append(gzip.compress(b"".join(texts), COMPRESSION, mtime=0))

    def _note(self, line: SpotLine | AnswerLine) -> None:
        """Remember what the header will say."""
        self._seen.add(line.symbol if isinstance(line, SpotLine) else line.venue)
        self._begin = self._begin or line.at
        self._end = line.at

    def _finish(self) -> None:
        if self._begin is None or self._end is None:
            self._part.unlink()
            raise BotError(f"{self._path}: not made, for nothing came that could be recorded")
        symbols, venues = (
            [name for name in names if name in self._seen]
            for names in (self._symbols, self._venues)
        )
        header = self._header(symbols, venues, self._begin, self._end)
        with self._writing():
            self._file.seek(0)
            self._file.write(_stored(header.ljust(self._room)))
            os.fsync(self._file.fileno())
            self._part.replace(self._path)

    def _header(
        self, symbols: Sequence[str], venues: Sequence[str], begin: datetime, end: datetime
    ) -> bytes:
        header = FullHeader(VERSION, self._title, symbols, venues, begin, end)
        return msgspec.json.encode(header)

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        with self._writing():
            while rest:
                rest = rest[self._file.write(rest) :]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Says in one line what the disk refuses in this block."""
        try:
            yield
        except OSError as error:
            kept = f"{self._part.name} has what came before"
            raise BotError(f"{self._path}: not written: {error.strerror}; {kept}") from error


class RecordingWire:
    """A wire whose good answers are recorded."""

    def __init__(self, wire: Wire, recorder: Recorder) -> None:
        self._wire = wire
        self._recorder = recorder

    async def ask(self, venue: str, method: str, path: str, params: Mapping[str, object]) -> bytes:
        """The body of the venue's answer. Raises SourceError; NotListed for what is not there."""
        body = await self._wire.ask(venue, method, path, params)
        self._recorder.answer(venue, method, path, params, body)
        return body


def _refuse(path: Path, why: str) -> None:
    if path.exists():
        raise UsageError(f"{path}: {why}")


def _whole_second(moment: datetime) -> datetime:
    """Rounded up, so that no line is stamped before what it holds."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + SECOND


def _stored(header: bytes) -> bytes:
    """The header as gzip that is as long whatever the header says, if that is as long."""
    return gzip.compress(header + b"\n", compresslevel=0, mtime=0)
