"""The network as a wire: one keep-alive session, one address a venue."""

from collections.abc import Mapping

import aiohttp
import msgspec

from bot.errors import SourceError

TIMEOUT = aiohttp.ClientTimeout(total=12)
USER_AGENT = "gammabell"


class HttpWire:
    """Asks venues over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, addresses: Mapping[str, str]) -> None:
        self._session = session
        self._addresses = addresses  # venue -> scheme and host, with the prefix of its paths

    async def ask(self, venue: str, method: str, path: str, params: Mapping[str, object]) -> bytes:
        """The body of the answer, whatever its status says: venues put their errors there."""
        url = self._addresses[venue] + path
        query = {name: str(value) for name, value in params.items()} if method == "GET" else None
        body = msgspec.json.encode(params) if method == "POST" else None
        headers = {"Content-Type": "application/json"} if body else None
        try:
            async with self._session.request(
                method, url, params=query, data=body, headers=headers
            ) as reply:
                answer = await reply.read()
                if reply.status >= 400 and not answer.startswith((b"{", b"[")):
                    raise SourceError(venue, f"HTTP {reply.status} {reply.reason}")
                return answer
        except TimeoutError as error:
            raise SourceError(venue, f"no answer within {TIMEOUT.total:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise SourceError(venue, f"not reached: {error}") from error


def open_session() -> aiohttp.ClientSession:
    """The session for every venue; the caller closes it."""
    return aiohttp.ClientSession(timeout=TIMEOUT, headers={"User-Agent": USER_AGENT})
