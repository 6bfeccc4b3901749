"""Writing the journal out, each entry once, however often the program is killed."""

import os
import select
from collections.abc import Callable
from pathlib import Path
from typing import Self

from bot.errors import BotError
from bot.ports import JournalEntry, Store

BATCH = 500
ATOMIC = 512  # bytes that a writable pipe takes at once, whole or not at all, on any system


class Printer:
    """Follows the journal, and notes in a small file how far it has written it.

    An entry is noted just before its last bytes are written, when the output is known to take
    them at once. A kill between the two system calls would lose the entry; a kill by a reader
    who has seen it repeats nothing; a kill while the output is full is before the note.
    """

    def __init__(
        self,
        store: Store,
        identity: str,
        cursor: Path,
        render: Callable[[JournalEntry], bytes],
        output: int,
    ) -> None:
        self._store = store
        self._identity = identity  # of the database: another one's cursor says nothing of this
        self._path = cursor
        self._render = render
        self._output = output  # file descriptor
        self.seq = 0  # of the last entry written
        self._file = -1

    def __enter__(self) -> Self:
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            known = os.pread(self._file, 200, 0).decode("ascii", "replace").split()
        except OSError as error:
            raise BotError(f"{self._path}: {error.strerror}; it must be writable") from error
        if len(known) == 2 and known[0] == self._identity and known[1].isdigit():
            self.seq = int(known[1])
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    async def catch_up(self) -> None:
        """Write what has not been written. Raises OSError as the output does."""
        while entries := await self._store.journal(self.seq, BATCH):
            for entry in entries:
                self._put(entry)

    def _put(self, entry: JournalEntry) -> None:
        line = self._render(entry)
        self._write(line[:-ATOMIC])
        select.select([], [self._output], [])
        self._note(entry.seq)
        try:
            self._write(line[-ATOMIC:])
        except OSError:
            self._note(self.seq)
            raise
        self.seq = entry.seq

    def _note(self, seq: int) -> None:
        os.pwrite(self._file, f"{self._identity} {seq:020d}\n".encode(), 0)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._output, data) :]
