"""An event loop with real sockets and a time of its own: every wait is over at once.

Time moves only while nothing else is left to do, and then to the next moment that somebody waits
for. The twelve seconds that a venue hangs cost nothing, and every run is like the last one.
"""

import asyncio
import os
import selectors
from datetime import timedelta


class Selector(selectors.DefaultSelector):
    """Looks at the sockets, and skips the time in which they are silent."""

    def __init__(self):
        super().__init__()
        self.time = 0.0  # seconds
        self.threads = 0  # that work for the loop

    def select(self, timeout=None):
        ready = self._look() or self._look()  # what was just sent may not have arrived
        if ready or timeout == 0:
            return ready
        if self.threads or timeout is None:
            return super().select()
        self.time += timeout
        return []

    def _look(self):
        os.sched_yield()
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """Begins at zero seconds."""

    def __init__(self):
        self._sockets = Selector()
        super().__init__(self._sockets)

    def time(self):
        return self._sockets.time

    def run_in_executor(self, executor, func, *args):
        work = super().run_in_executor(executor, func, *args)
        self._sockets.threads += 1
        work.add_done_callback(self._finished)
        return work

    def _finished(self, _):
        self._sockets.threads -= 1


class LoopClock:
    """The running loop's time, from a date on."""

    def __init__(self, start):
        self._start = start

    def now(self):
        return self._start + timedelta(seconds=self.time())

    def time(self):
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


def played(story):
    """What the coroutine returns, as soon as its work is done."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(story)
