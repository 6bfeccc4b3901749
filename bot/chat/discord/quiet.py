"""What the library logs, without the noise: one line for trouble that it gets over by itself."""

import logging

import aiohttp
import discord

from bot.chat.discord.trouble import one_line

VOICE = ("PyNaCl", "davey")  # two warnings at every start about what nobody speaks here
PASSING = (  # the client comes back by itself
    OSError,
    TimeoutError,
    aiohttp.ClientError,
    discord.DiscordException,
)


def quieten() -> None:
    """Drop the warnings about voice, and the tracebacks of connections that were lost."""
    for name in ("discord.client", "discord.shard", "discord.gateway"):
        logger = logging.getLogger(name)
        if shorten not in logger.filters:
            logger.addFilter(shorten)


def shorten(record: logging.LogRecord) -> bool:
    """Whether the record is worth a line; its traceback is left out where it tells nothing."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, PASSING):
        record.msg, record.args = f"{record.getMessage()} ({one_line(error)})", ()
        record.exc_info = None
    return not record.getMessage().startswith(VOICE)
