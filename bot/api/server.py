"""The API on a port: connections, their limits, and the end."""

import asyncio
import errno
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, LineTooLong

from bot.api.api import Api, Parts
from bot.api.codes import (
    BAD_REQUEST,
    INTERNAL_ERROR,
    PAYLOAD_TOO_LARGE,
    Refused,
    method_not_allowed,
)
from bot.api.gate import is_loopback
from bot.errors import BotError, ConfigError

logger = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 75.0  # also for the headers of a first request to come
LINGERING_SECONDS = 2.0  # for a body that nobody reads
DRAIN_SECONDS = 5.0  # for answers under way at the end
BACKLOG = 1_024


class Connection(web.RequestHandler):
    """A connection whose errors are in the envelope as well."""

    __slots__ = ("_api",)

    def __init__(self, api: Api, server: "Server") -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=KEEPALIVE_SECONDS,
            lingering_time=LINGERING_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # None: no log of requests
        )
        self._api = api

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  it repeats what was sent
    ) -> web.StreamResponse:
        """The answer to what aiohttp could not read, or what went wrong outside of `handle`."""
        if status >= 500:
            logger.error("a request failed", exc_info=exc)
            refused = Refused(INTERNAL_ERROR, "an error of ours; our log knows it")
        else:
            refused = _refused(exc)
        response = self._api.malformed(request, refused)
        response.force_close()
        return response


def _refused(error: BaseException | None) -> Refused:
    if isinstance(error, LineTooLong):
        return Refused(PAYLOAD_TOO_LARGE, "a line of the request is too long")
    if isinstance(error, BadHttpMethod):
        return method_not_allowed()
    return Refused(BAD_REQUEST, "this is no HTTP request that can be read")


class Server(web.Server):
    """Makes connections that know the API."""

    def __init__(self, api: Api) -> None:
        super().__init__(api.handle)
        self._api = api

    def __call__(self) -> Connection:
        return Connection(self._api, self)


@asynccontextmanager
async def serving(parts: Parts, host: str, port: int) -> AsyncIterator[str]:
    """The API listens; its address. At the end it answers what was asked before.

    Raises ConfigError where everyone could ask and nobody has a key, BotError where the port
    cannot be had.
    """
    if not is_loopback(host) and not await parts.store.keys():
        raise ConfigError(
            f"[api] host {host} is reached from other machines and there is no key: make one with"
            ' `gammabell keys create NAME`, or set host = "127.0.0.1"'
        )
    api = Api(parts, is_open=is_loopback(host))
    runner = web.ServerRunner(Server(api), shutdown_timeout=DRAIN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=BACKLOG)
        await _start(site, host, port)
        bound_host, bound_port = runner.addresses[0][:2]
        yield f"http://{f'[{bound_host}]' if ':' in bound_host else bound_host}:{bound_port}"
    finally:
        api.close()
        await runner.cleanup()


async def _start(site: web.TCPSite, host: str, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken" if taken else f"cannot be had ({os.strerror(error.errno or 0)})"
        raise BotError(
            f"[api] {host} port {port} {why}; choose another, say by GAMMABELL_API__PORT"
        ) from error
