"""The API on a port: connections, their limits, and the end."""

import asyncio
import errno
import logging
import os
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

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
MOST_FILES = 65_536


class Connection(web.RequestHandler):
    """A connection whose errors are in the envelope as well, and that waits for no slow reader."""

    __slots__ = ("_api", "_reading")

    def __init__(self, api: Api, server: "Server", reading: float) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=KEEPALIVE_SECONDS,
            lingering_time=LINGERING_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # None: no log of requests
            auto_decompress=False,  # of bodies, which nobody reads
        )
        self._api = api
        self._reading = reading

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Whoever drains waits until the kernel has everything: nothing of ours is ever unsent."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.set_write_buffer_limits(high=0)
        super().connection_made(transport)

    def force_close(self) -> None:
        """Closed now: what the client has not taken yet would otherwise keep it open."""
        transport = self.transport
        super().force_close()
        if transport and transport.get_write_buffer_size():
            transport.abort()

    async def shutdown(self, timeout: float | None = DRAIN_SECONDS) -> None:  # noqa: ASYNC109  its name
        """Ended; an answer that nobody takes by then is thrown away, where aiohttp waits again."""
        timer = self._loop.call_later(timeout or 0.0, self.force_close)
        try:
            await super().shutdown(timeout)
        finally:
            timer.cancel()

    async def _drain_helper(self) -> None:
        """Waits for the client to read, but not for ever. Every answer and stream comes by here."""
        timer = self._loop.call_later(self._reading, self.force_close)
        try:
            await super()._drain_helper()
        finally:
            timer.cancel()

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

    def __init__(self, api: Api, reading: float) -> None:
        super().__init__(api.handle)
        self._api = api
        self._reading = reading

    def __call__(self) -> Connection:
        return Connection(self._api, self, self._reading)


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
    allow_files()
    api = Api(parts, is_open=is_loopback(host))
    runner = web.ServerRunner(Server(api, parts.reading), shutdown_timeout=DRAIN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=BACKLOG)
        await _start(site, host, port)
        bound_host, bound_port = runner.addresses[0][:2]
        yield f"http://{f'[{bound_host}]' if ':' in bound_host else bound_host}:{bound_port}"
    finally:
        api.close()
        await runner.cleanup()


def allow_files() -> None:
    """More open files than the 1,024 that shells and service managers give: a connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft not in (resource.RLIM_INFINITY, hard) and soft < wanted:
        with suppress(ValueError, OSError):  # a kernel may have a limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _start(site: web.TCPSite, host: str, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken" if taken else f"cannot be had ({os.strerror(error.errno or 0)})"
        raise BotError(
            f"[api] {host} port {port} {why}; choose another, say by GAMMABELL_API__PORT"
        ) from error
