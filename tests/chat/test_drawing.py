"""Words that do not wait for their picture, and a picture that nobody waits for."""

import asyncio
from dataclasses import replace

from bot.chat.drawing import LONGEST, drawing
from bot.core.reply import NO_PICTURE, Picture, Reply
from bot.errors import SourceError
from tests.service.builders import run_virtually

PICTURE = Picture("gex.png", b"png")
CARD = Reply("BTC levels")


def drawn(seconds=0.0, error=None):
    """A card whose picture takes so long, or fails then."""

    async def draw():
        await asyncio.sleep(seconds)
        if error:
            raise error
        return PICTURE

    return replace(CARD, draw=draw)


async def shown(reply, soon=0.2):
    """What is shown soon, and what in the end."""
    async with drawing(reply) as work:
        return await work.soon(soon), await work.finished()


def test_a_quick_picture_comes_with_the_words():
    whole = replace(CARD, picture=PICTURE)

    assert run_virtually(shown(drawn(0.1))) == (whole, whole)


def test_a_slow_picture_comes_after_the_words():
    assert run_virtually(shown(drawn(3.0))) == (CARD, replace(CARD, picture=PICTURE))


def test_a_picture_that_takes_too_long_is_done_without():
    assert run_virtually(shown(drawn(LONGEST + 1))) == (CARD, CARD)


def test_where_the_picture_was_the_answer_the_words_say_that_there_is_none():
    chart = replace(drawn(error=ValueError("no ink")), picture_first=True)

    assert run_virtually(shown(chart))[1].lines == (NO_PICTURE,)


def test_a_failure_leaves_the_words_and_is_logged_a_mistake_whole(caplog):
    expected, mistake = SourceError("deribit", "no candles"), ValueError("no ink")

    for error in (expected, mistake):
        assert run_virtually(shown(drawn(error=error))) == (CARD, CARD)

    assert [one.exc_info is None for one in caplog.records] == [True, False]


def test_a_reply_without_a_picture_does_not_wait():
    assert run_virtually(shown(CARD)) == (CARD, CARD)


def test_a_picture_is_given_up_when_nobody_waits_for_it():
    async def leave():
        ended = asyncio.Event()

        async def draw():
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        async with drawing(replace(CARD, draw=draw)) as work:
            await work.soon(1.0)
        return ended.is_set()

    assert run_virtually(leave())
