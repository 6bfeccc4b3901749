"""What the library's logs say once they are made quiet."""

import logging

import aiohttp

from bot.chat.discord.quiet import shorten


def record(message, error=None):
    info = (type(error), error, None) if error else None
    return logging.LogRecord("discord.client", logging.ERROR, "", 1, message, (), info)


def test_nobody_is_told_that_voice_is_not_there():
    assert not shorten(record("PyNaCl is not installed, voice will NOT be supported"))
    assert not shorten(record("davey is not installed, voice will NOT be supported"))


def test_a_lost_connection_is_one_line():
    lost = record("Attempting a reconnect", aiohttp.ServerDisconnectedError("a\nb"))

    assert shorten(lost)
    assert lost.getMessage() == "Attempting a reconnect (ServerDisconnectedError: a b)"
    assert lost.exc_info is None


def test_a_mistake_keeps_its_traceback():
    mistake = record("Ignoring exception in on_ready", ZeroDivisionError())

    assert shorten(mistake)
    assert mistake.exc_info is not None
