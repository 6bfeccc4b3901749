import asyncio
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from bot.charts.price import render_price
from bot.charts.profile import render_profile
from bot.charts.worker import ChartError, ChartWorker
from bot.errors import BotError
from tests.charts.pictures import a_picture, a_price


@pytest.fixture
async def worker():
    worker = ChartWorker(patience_seconds=60)  # on a busy machine, too
    yield worker
    await worker.close()


class OnArrival:
    """A picture that calls a function in the process which receives it."""

    def __init__(self, function, *args):
        self._call = (function, args)

    def __reduce__(self):
        return self._call


def the_process():
    (process,) = multiprocessing.active_children()
    return process


async def started():
    """The process of the drawing just begun."""
    await asyncio.sleep(0)  # it starts in the drawing's first turn
    return the_process()


async def test_charts_are_the_same_from_the_process_as_from_here(worker):
    assert await worker.draw(a_picture()) == render_profile(a_picture())
    assert await worker.draw(a_price()) == render_price(a_price())


async def test_many_charts_at_once_come_from_one_process_while_the_loop_turns(worker):
    pictures = [a_picture(), a_picture(stale=True)]
    turns = 0

    drawing = asyncio.gather(*map(worker.draw, pictures))
    while not drawing.done():
        turns += 1
        await asyncio.sleep(0)

    assert len(set(await drawing)) == len(pictures)
    assert len(multiprocessing.active_children()) == 1
    assert turns > 100  # two charts drawn in the loop would give it two or three


async def test_a_process_that_was_killed_is_replaced(worker, caplog):
    first = await worker.draw(a_picture())
    killed = the_process().pid

    os.kill(killed, signal.SIGKILL)

    assert await worker.draw(a_picture()) == first
    assert the_process().pid != killed
    assert "the chart process died" in caplog.text


async def test_a_process_killed_while_it_draws_costs_no_chart(worker):
    drawing = asyncio.create_task(worker.draw(a_picture()))

    (await started()).kill()

    assert (await drawing).startswith(b"\x89PNG")


async def test_a_picture_that_kills_every_process_is_an_error(worker):
    with pytest.raises(ChartError, match="its process died"):
        await worker.draw(OnArrival(os._exit, 1))


async def test_a_picture_that_cannot_be_drawn_is_one_line_and_the_next_is_drawn(worker):
    with pytest.raises(BotError) as caught:
        await worker.draw(replace(a_picture(), ladder=None))

    assert (
        str(caught.value) == "no chart: AttributeError: 'NoneType' object has no attribute 'window'"
    )
    assert "in draw_profile" in caught.value.__notes__[0]
    assert (await worker.draw(a_picture())).startswith(b"\x89PNG")


async def test_a_picture_that_takes_too_long_ends_with_its_process():
    worker = ChartWorker(limit_seconds=0.2)

    with pytest.raises(ChartError, match=r"longer than 0\.2 s"):
        await worker.draw(OnArrival(time.sleep, 600))

    assert multiprocessing.active_children() == []


async def test_a_picture_behind_one_that_hangs_waits_no_longer_than_its_patience():
    worker = ChartWorker(limit_seconds=60.0, patience_seconds=0.05)
    hanging = asyncio.create_task(worker.draw(OnArrival(time.sleep, 600)))
    process = await started()

    with pytest.raises(ChartError, match=r"not its turn within 0\.05 s"):
        await worker.draw(a_picture())

    assert not hanging.done()
    assert process.is_alive()  # the one who waited ends nobody else's drawing
    await worker.close()
    with pytest.raises(ChartError, match="the program is ending"):
        await hanging


async def test_a_picture_nobody_waits_for_any_more_is_not_given_to_the_next(worker):
    drawing = asyncio.create_task(worker.draw(a_picture(stale=True)))
    await started()

    drawing.cancel()

    assert await worker.draw(a_picture()) == render_profile(a_picture())


async def test_closing_ends_the_process_and_every_drawing(worker):
    drawing = asyncio.create_task(worker.draw(a_picture()))
    await started()

    await worker.close()

    assert multiprocessing.active_children() == []
    with pytest.raises(ChartError, match="the program is ending"):
        await drawing
    with pytest.raises(ChartError, match="the program is ending"):
        await worker.draw(a_picture())


async def test_ctrl_c_does_not_reach_the_process(worker, capfd):
    drawing = asyncio.create_task(worker.draw(a_picture()))
    process = await started()

    os.kill(process.pid, signal.SIGINT)
    first = await drawing
    os.kill(process.pid, signal.SIGINT)

    assert await worker.draw(a_picture()) == first
    assert the_process().pid == process.pid
    assert capfd.readouterr().err == ""


async def test_the_process_holds_none_of_our_sockets(worker):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.set_inheritable(True)
        address = server.getsockname()
        await worker.draw(a_picture())

    with socket.socket() as again:
        again.bind(address)  # refused while anyone still listens there
        again.listen()


def test_the_module_brings_neither_matplotlib_nor_numpy():
    code = "import bot.charts.worker, sys; print({'matplotlib', 'numpy'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


async def test_a_process_that_was_started_before_draws_the_first_picture(worker):
    worker.start()
    process = the_process()

    await worker.draw(a_picture())

    assert the_process() is process
