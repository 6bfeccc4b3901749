"""The process that draws: matplotlib's memory and seconds are its own, not the event loop's."""

import asyncio
import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import traceback
from collections.abc import AsyncIterator, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from bot.errors import BotError

if TYPE_CHECKING:  # the drawing process sets its surroundings before numpy is imported
    from bot.charts.picture import Picture

logger = logging.getLogger(__name__)

SPAWN = multiprocessing.get_context("spawn")  # a forked process would hold our sockets open
ATTEMPTS = 2  # a worker may have died of another's picture, or while nobody looked


class ChartError(BotError):
    """A chart was not drawn; the answer goes out without it."""


class ChartWorker:
    """Draws one picture after another in a process that starts with the first.

    A picture that hangs costs those behind it no more than their patience.
    """

    def __init__(self, limit_seconds: float = 20.0, patience_seconds: float = 5.0) -> None:
        self._limit = limit_seconds  # for one picture, the process's start included
        self._patience = patience_seconds  # until its turn comes
        self._drawing = asyncio.Lock()
        self._drawer: _Drawer | None = None
        self._closed = False

    async def draw(self, picture: "Picture") -> bytes:
        """The chart as PNG. Raises ChartError."""
        async with self._turn():
            for _ in range(ATTEMPTS):
                try:
                    answer = await self._ask(picture)
                except (EOFError, OSError):
                    logger.warning("the chart process died; the next one takes over")
                    continue
                if isinstance(answer, bytes):
                    return answer
                raise _refused(answer)
        raise ChartError("no chart: its process died")

    def start(self) -> None:
        """Have the process ready before the first picture is asked for."""
        self._started()

    async def close(self) -> None:
        """End the process, also in the middle of a picture."""
        self._closed = True
        self._discard()

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """The process is ours within. Raises ChartError when it was not free in time."""
        # Time that was waited does not shorten the drawing: else a picture whose turn comes at
        # its last moment would end a healthy process, and the next one after it.
        try:
            async with asyncio.timeout(self._patience):
                await self._drawing.acquire()
        except TimeoutError:
            raise ChartError(f"no chart: not its turn within {self._patience:g} s") from None
        try:
            yield
        finally:
            self._drawing.release()

    async def _ask(self, picture: "Picture") -> bytes | str:
        """What the process answers. Raises EOFError or OSError when it dies."""
        if self._closed:
            raise ChartError("no chart: the program is ending")
        drawer = self._started()
        try:
            async with asyncio.timeout(self._limit):
                return await asyncio.to_thread(drawer.ask, picture)
        except TimeoutError:
            self._discard()
            raise ChartError(f"no chart: it took longer than {self._limit:g} s") from None
        except BaseException:
            self._discard()  # its answer, should one come, is nobody's
            raise

    def _started(self) -> "_Drawer":
        if self._drawer is None:
            self._drawer = _Drawer()
        return self._drawer

    def _discard(self) -> None:
        if self._drawer is not None:
            self._drawer.end()
            self._drawer = None


class _Drawer:
    """The process and our end of the pipe to it. Losing the other end, it ends by itself."""

    def __init__(self) -> None:
        self._pipe, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_draw_forever, args=(theirs,), daemon=True)
        resource_tracker.ensure_running()  # its start would let go of the signal held below
        with _interrupts_held():
            self._process.start()
        theirs.close()

    def ask(self, picture: "Picture") -> bytes | str:
        """Blocks until the answer is there. Raises EOFError or OSError when the process dies."""
        self._pipe.send(picture)
        answer: bytes | str = self._pipe.recv()
        return answer

    def end(self) -> None:
        # The pipe stays open: a thread may be reading it, and sees its end.
        self._process.kill()
        self._process.join(1.0)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started within never see Ctrl-C, which a terminal sends to all of a program."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _draw_forever(pipe: Connection) -> None:
    """Answer each picture with its PNG, or with the traceback of why there is none."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads cost memory and draw nothing
    with contextlib.suppress(Exception):  # what is wrong with it, each picture says
        import bot.charts.render  # noqa: F401 - its second is over before the first picture comes
    with contextlib.suppress(EOFError, BrokenPipeError):  # the program has ended
        while True:
            pipe.send(_draw(pipe.recv()))
            gc.collect()  # a figure is a ring of references around 6 MB of pixels


def _draw(picture: "Picture") -> bytes | str:
    try:
        from bot.charts.render import render

        return render(picture)
    except Exception:  # noqa: BLE001 - whatever it is, the picture is refused and the next drawn
        return traceback.format_exc()


def _refused(text: str) -> ChartError:
    error = ChartError(f"no chart: {text.rstrip().splitlines()[-1]}")
    error.add_note(text)
    return error
