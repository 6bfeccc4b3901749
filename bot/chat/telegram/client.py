"""The library's client, pointed where the configuration says, and discreet."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from telegram import Bot
from telegram.request import HTTPXRequest

from bot.chat.telegram.updates import legible
from bot.core.secret import Secret

CONNECTIONS = 64
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0  # Telegram answers in a tenth of a second, or is in trouble
POLL = timedelta(seconds=30)  # shorter than what proxies on the way cut off

# Without it the library warns whenever it reads how long to wait after a 429.
os.environ["PTB_TIMEDELTA"] = "true"


class Requests(HTTPXRequest):
    """Requests of which one update that the library cannot read spoils none of the others."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """What Telegram answers."""
        answer = HTTPXRequest.parse_json_payload(payload)
        result = answer.get("result")
        if isinstance(result, list):
            answer["result"] = [legible(one) if "update_id" in one else one for one in result]
        return answer


class Client:
    """A bot and its connections.

    The library's own `initialize` is not called: its error would show the token.
    """

    def __init__(self, token: Secret, api_base: str) -> None:
        _hush()
        # One for polls and all else: each reads every certificate of the machine, for 50 ms.
        self._request = Requests(
            connection_pool_size=CONNECTIONS,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            pool_timeout=CONNECT_SECONDS,
        )
        self.bot = Bot(
            token.reveal(),
            base_url=f"{api_base}/bot",
            base_file_url=f"{api_base}/file/bot",
            request=self._request,
            get_updates_request=self._request,
        )

    def __repr__(self) -> str:
        return "Client(...)"

    async def close(self) -> None:
        """Give up the connections."""
        await self._request.shutdown()


@asynccontextmanager
async def connect(token: Secret, api_base: str) -> AsyncIterator[Bot]:
    """A bot that knows who it is. Raises TelegramError."""
    client = Client(token, api_base)
    try:
        await client.bot.get_me()
        yield client.bot
    finally:
        await client.close()


def _hush() -> None:
    """Keep the libraries from logging addresses, which hold the token, and every error twice."""
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)
