"""Updates that Telegram brings to us, instead of being asked for them."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

from aiohttp import web
from yarl import URL

from bot.errors import ConfigError

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
LARGEST_UPDATE = 1_000_000  # bytes; the largest real ones have some ten thousand

Take = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """Where Telegram finds us, and where we listen for what comes from there."""

    url: str
    host: str
    port: int


@asynccontextmanager
async def receive(address: WebhookAddress, secret: str, take: Take) -> AsyncIterator[None]:
    """Listen while entered; `take` gets each update that knows the secret. Raises ConfigError.

    What `take` raises is answered 500: Telegram brings the update again.
    """
    application = web.Application(client_max_size=LARGEST_UPDATE)
    application.router.add_post(URL(address.url).path or "/", _handler(secret, take))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await _listen(runner, address)
        yield
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, address: WebhookAddress) -> None:
    try:
        await web.TCPSite(runner, address.host, address.port).start()
    except OSError as error:
        raise ConfigError(
            f"telegram.webhook_host, webhook_port: cannot listen there: {error.strerror}"
        ) from error


def _handler(secret: str, take: Take) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        shown = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(shown.encode(), secret.encode()):
            return web.Response(status=403)
        try:
            update = await request.json()
        except (JSONDecodeError, UnicodeDecodeError):
            return web.Response(status=400)
        if not isinstance(update, dict) or "update_id" not in update:
            return web.Response(status=400)
        await asyncio.shield(take(update))
        return web.Response()

    return handle
