"""The network as a wire: one keep-alive session, each venue within its limits."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import msgspec

from bot.errors import SourceError
from bot.exchanges.throttle import Throttle

TIMEOUT = aiohttp.ClientTimeout(total=12)
USER_AGENT = "gammabell"
LARGEST = 1 << 25  # bytes of an answer, unpacked; the largest book has 2 MB
CHUNK = 1 << 16
KEPT_ALIVE = 75.0  # seconds


@dataclass(frozen=True, slots=True)
class Host:
    """Where a venue is asked, and how often."""

    address: str  # scheme and host
    throttle: Throttle
    prefix: str = ""  # of every path on the network; recordings name paths without it


Hosts = Mapping[str, Host]  # of a venue, by the beginning of the paths they serve


def host_of(hosts: Hosts, path: str) -> Host:
    """The one whose paths begin most like this one."""
    return hosts[max((begin for begin in hosts if path.startswith(begin)), key=len)]


class HttpWire:
    """Asks venues over HTTP."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        hosts: Mapping[str, Hosts],
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._session = session
        self._hosts = hosts
        self._timeout = timeout

    async def ask(self, venue: str, method: str, path: str, params: Mapping[str, object]) -> bytes:
        """The body of the answer; of a refusal in JSON too: venues put their errors there."""
        host = host_of(self._hosts[venue], path)
        async with host.throttle.admitted(path, params):
            try:
                return await self._ask(venue, host, method, path, params)
            except TimeoutError as error:
                raise SourceError(venue, f"no answer within {self._timeout.total:g} s") from error
            except (aiohttp.ClientError, OSError) as error:
                raise SourceError(venue, f"not reached: {str(error) or repr(error)}") from error

    async def _ask(
        self, venue: str, host: Host, method: str, path: str, params: Mapping[str, object]
    ) -> bytes:
        if self._session.closed:  # for which the library has no error of its own kind
            raise SourceError(venue, "not asked: the program is ending")
        query = {name: str(value) for name, value in params.items()} if method == "GET" else None
        body = msgspec.json.encode(params) if method == "POST" else None
        headers = {"Content-Type": "application/json"} if body else None
        async with self._session.request(
            method,
            host.address + host.prefix + path,
            params=query,
            data=body,
            headers=headers,
            timeout=self._timeout,
        ) as reply:
            answer = await _read(venue, reply)
            host.throttle.heed(reply.status, reply.headers, answer)
            is_json = answer.startswith((b"{", b"["))
            if reply.status >= 500 or (reply.status >= 400 and not is_json):
                raise SourceError(venue, f"HTTP {reply.status} {reply.reason}")
            return answer


async def _read(venue: str, reply: aiohttp.ClientResponse) -> bytes:
    """The whole body. Raises SourceError when it has no end."""
    body = bytearray()
    async for chunk in reply.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > LARGEST:
            raise SourceError(venue, f"an answer of more than {LARGEST >> 20} MB")
    return bytes(body)


def open_session() -> aiohttp.ClientSession:
    """The session for every venue; the caller closes it."""
    # A connection outlives the pause between two cycles; throttles say how many there may be.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_ALIVE)
    return aiohttp.ClientSession(
        connector=connector, timeout=TIMEOUT, headers={"User-Agent": USER_AGENT}
    )
