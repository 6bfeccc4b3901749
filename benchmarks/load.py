"""A load generator of sockets and epoll: `python -m benchmarks.load`, its orders on stdin as JSON.

It has a process and a core of its own and costs some ten microseconds a request, so that what is
measured is the server. A closed loop asks again as soon as it is answered, which says how much a
server can do; an open one asks at random times whether or not it was answered, as people do, and
counts what a request waits for its turn.
"""

import json
import os
import random
import re
import select
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

SIZE = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
CHUNK = 1 << 20
PATIENCE = 10.0  # seconds without an answer
SEED = 7


class Line:
    """A connection that is kept, and what has come of an answer."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._received = b""

    def ask(self) -> None:
        """Send the request."""
        self.socket.sendall(self._request)

    def hear(self) -> tuple[int, int] | None:
        """The status and the bytes of the answer, once it is whole."""
        piece = self.socket.recv(CHUNK)
        if not piece:
            raise ConnectionError("the server hung up")
        self._received = self._received + piece if self._received else piece
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        found = SIZE.search(self._received, 0, end)
        whole = end + 4 + (int(found[1]) if found else 0)
        if len(self._received) < whole:
            return None
        status, self._received = int(self._received[9:12]), b""
        return status, whole


@contextmanager
def lines(port: int, request: bytes, count: int) -> Iterator[tuple[select.epoll, dict[int, Line]]]:
    """So many connections, and what wakes up for them."""
    epoll, opened = select.epoll(), [Line(port, request) for _ in range(count)]
    try:
        for one in opened:
            epoll.register(one.socket, select.EPOLLIN)
        yield epoll, {one.socket.fileno(): one for one in opened}
    finally:
        for one in opened:
            one.socket.close()
        epoll.close()


def closed_loop(port: int, request: bytes, connections: int, seconds: float) -> dict:
    """How many answers come when every connection always waits for one."""
    statuses: Counter[int] = Counter()
    size = 0
    with lines(port, request, connections) as (epoll, by_number):
        for one in by_number.values():
            one.ask()
        began, spent = time.perf_counter(), time.process_time()
        ends = began + seconds
        while time.perf_counter() < ends:
            for number, _ in _ready(epoll, PATIENCE):
                answer = by_number[number].hear()
                if answer:
                    statuses[answer[0]] += 1
                    size = answer[1]
                    by_number[number].ask()
        took, spent = time.perf_counter() - began, time.process_time() - spent
    return {
        "per_second": statuses.total() / took,
        "statuses": dict(statuses),
        "bytes": size,
        "busy": spent / took,
    }


def open_loop(port: int, request: bytes, connections: int, rate: float, seconds: float) -> dict:
    """How long an answer takes from the time at which it should have been asked for."""
    chance = random.Random(SEED)
    taken: list[float] = []
    with lines(port, request, connections) as (epoll, by_number):
        free, since, waiting = deque(by_number.values()), {}, deque[float]()
        began = due = time.perf_counter()
        while due - began < seconds or since or waiting:
            now = time.perf_counter()
            while due <= now and due - began < seconds:
                waiting.append(due)
                due += chance.expovariate(rate)
            while waiting and free:
                one = free.popleft()
                since[one.socket.fileno()] = waiting.popleft()
                one.ask()
            patience = max(0.0, due - time.perf_counter()) if due - began < seconds else PATIENCE
            for number, _ in epoll.poll(patience):
                if by_number[number].hear():
                    taken.append(time.perf_counter() - since.pop(number))
                    free.append(by_number[number])
    taken.sort()
    return {
        "n": len(taken),
        "p50_ms": taken[len(taken) // 2] * 1_000,
        "p99_ms": taken[len(taken) * 99 // 100] * 1_000,
        "max_ms": taken[-1] * 1_000,
    }


def _ready(epoll: select.epoll, patience: float) -> list[tuple[int, int]]:
    found = epoll.poll(patience)
    if not found:
        raise TimeoutError(f"no answer for {patience:.0f} s")
    return found


def main() -> None:
    """Follow the orders, one a line, and answer each with a line; the input's end is the end."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for line in sys.stdin:
        order = json.loads(line)
        request = order.pop("request").encode()
        act = open_loop if "rate" in order else closed_loop
        print(json.dumps(act(request=request, **order)), flush=True)


if __name__ == "__main__":
    main()
