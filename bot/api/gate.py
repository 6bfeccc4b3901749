"""Who may come in: keys as they are in the store, and what each may still ask."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bot.api.quotas import Quotas, Share, nothing, unlimited
from bot.core.keys import BY_KEY, PER_MINUTE, ApiKey, digest_of, find_key

RELOAD_SECONDS = 1.0  # after which a key that was made or revoked counts
SESSION = "gammabell_session"  # the cookie of a browser that signed in
LONGEST_KEY = 200  # characters: what is longer is not worth hashing
LONG_AGO = datetime.fromtimestamp(0, UTC)

Fetch = Callable[[], Awaitable[Sequence[ApiKey]]]
Holder = Callable[[str], Awaitable[str | None]]


async def nobody(_: str) -> str | None:
    """Whose session it is, where there are none."""
    return None


class Gate:
    """Admits whoever has a key; everyone, while there is none and `is_open` says so."""

    def __init__(
        self,
        fetch: Fetch,
        quotas: Quotas,
        clock: Callable[[], float],
        holder: Holder = nobody,
        *,
        is_open: bool,
    ) -> None:
        self._fetch = fetch
        self._quotas = quotas
        self._clock = clock  # seconds since 1970
        self._holder = holder  # of a session
        self._is_open = is_open
        self._keys: Sequence[ApiKey] = ()
        self._read_at = float("-inf")
        self._turn = asyncio.Lock()

    async def admit(self, presented: str | None, session: str | None = None) -> Share | None:
        """What the bearer of this key may do, the request counted; None: it is no key of ours.

        A browser that signed in has a session in place of a key. Raises StoreError.
        """
        now = self._clock()
        keys = await self._newest(now)
        if not keys and self._is_open:
            return unlimited(now)
        key = await self._key_of(presented, session, keys)
        if key is None:
            return None
        return await self._quotas.take(key.digest, key.per_minute, self._clock())  # it is later now

    async def knows(self, presented: str | None, session: str | None = None) -> bool:
        """Whether the bearer would be admitted; nothing is counted. Raises StoreError."""
        keys = await self._newest(self._clock())
        if not keys and self._is_open:
            return True
        return await self._key_of(presented, session, keys) is not None

    async def asks_for_keys(self) -> bool:
        """Whether a key is needed. Raises StoreError."""
        return not self._is_open or bool(await self._newest(self._clock()))

    def free(self) -> Share:
        """What anyone may do where no key is asked for."""
        return unlimited(self._clock())

    def closed(self) -> Share:
        """What someone without a key is told."""
        return nothing(self._clock())

    async def _key_of(
        self, presented: str | None, session: str | None, keys: Sequence[ApiKey]
    ) -> ApiKey | None:
        if presented is None:
            return await self._behind(session, keys) if session else None
        return find_key(presented, keys) if len(presented) <= LONGEST_KEY else None

    async def _behind(self, session: str, keys: Sequence[ApiKey]) -> ApiKey | None:
        """What the session is counted by: the key that opened it, while there is one, or its own.

        Without keys nobody needs a session; where there are some, a link opens one as well.
        """
        holder = await self._holder(session)
        if holder is None:
            return None
        if holder.startswith(BY_KEY):
            digest = holder.removeprefix(BY_KEY)
            return next((key for key in keys if key.digest == digest), None)
        return ApiKey(holder, digest_of(f"session {holder}"), PER_MINUTE, LONG_AGO)

    async def _newest(self, now: float) -> Sequence[ApiKey]:
        """The keys, a second old at most; a clock that was set back makes no difference."""
        if abs(now - self._read_at) >= RELOAD_SECONDS:
            async with self._turn:
                if abs(now - self._read_at) >= RELOAD_SECONDS:
                    self._keys, self._read_at = await self._fetch(), now
        return self._keys


def is_loopback(host: str) -> bool:
    """Whether what listens there is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1
    return (mapped or address).is_loopback


def names_this_machine(host: str) -> bool:
    """Whether the Host header is a name that leads nowhere else, whoever made it up."""
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def is_own_page(origin: str | None, host: str | None) -> bool:
    """Whether a page that we served asks; programs, which send no Origin, are no pages."""
    return bool(origin and host) and origin in (f"http://{host}", f"https://{host}")
