"""Supervision: what ends a client, and when the next one comes."""

import asyncio
import logging
from itertools import pairwise

from bot.chat.connection import LONGEST_PAUSE, REFUSED_PAUSE, Connection, supervise
from bot.errors import DeliveryError, TokenRefused
from tests.service.builders import VirtualTimer, run_virtually, virtual_now


async def supervised(*ends, seconds=300.0):
    """When each client began, and the last state; each ends as told, the last one goes on."""
    connection, began, left = Connection("telegram", virtual_now), [], list(ends)

    async def serve():
        began.append(asyncio.get_running_loop().time())
        if not left:
            connection.note("connected")
            await asyncio.Event().wait()
        lasted, error = left.pop(0)
        await asyncio.sleep(lasted)
        raise error

    task = asyncio.create_task(supervise(connection, serve, VirtualTimer()))
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait({task})
    return began, connection.text


def test_each_try_waits_longer_and_never_more_than_the_longest_pause():
    down = (0.0, DeliveryError("not reached"))

    began, _ = run_virtually(supervised(*[down] * 8))

    pauses = [round(later - earlier) for earlier, later in pairwise(began)]
    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_a_connection_that_held_is_tried_again_soon():
    began, _ = run_virtually(supervised(*[(61.0, DeliveryError("reset"))] * 3))

    assert [round(moment) for moment in began] == [0, 62, 124, 186]


def test_a_refused_token_is_an_error_and_tried_again_each_minute(caplog):
    began, state = run_virtually(supervised((0.0, TokenRefused("token refused"))))

    assert began == [0.0, REFUSED_PAUSE]
    assert state.startswith("connected, for ")
    assert [one.levelno for one in caplog.records if "token refused" in one.message] == [
        logging.ERROR
    ]


def test_a_mistake_of_the_library_ends_one_client_alone_and_is_logged_whole(caplog):
    began, state = run_virtually(supervised((0.0, TypeError("no such argument"))))

    assert len(began) == 2
    assert state.startswith("connected, for ")
    assert any(one.exc_info for one in caplog.records)
