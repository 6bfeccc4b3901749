"""Who may come in: keys as they are in the store, and what each may still ask."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from bot.api.quotas import Quotas, Share, nothing, unlimited
from bot.core.keys import ApiKey, find_key

RELOAD_SECONDS = 1.0  # after which a key that was made or revoked counts
COOKIE = "gammabell_key"  # of a browser that signed in
LONGEST_KEY = 200  # characters: what is longer is not worth hashing

Fetch = Callable[[], Awaitable[Sequence[ApiKey]]]


class Gate:
    """Admits whoever has a key; everyone, while there is none and `is_open` says so."""

    def __init__(
        self, fetch: Fetch, quotas: Quotas, clock: Callable[[], float], *, is_open: bool
    ) -> None:
        self._fetch = fetch
        self._quotas = quotas
        self._clock = clock  # seconds since 1970
        self._is_open = is_open
        self._keys: Sequence[ApiKey] = ()
        self._read_at = float("-inf")
        self._turn = asyncio.Lock()

    async def admit(self, presented: str | None) -> Share | None:
        """What the bearer of this key may do, the request counted; None: it is no key of ours.

        Raises StoreError.
        """
        now = self._clock()
        keys = await self._newest(now)
        if not keys and self._is_open:
            return unlimited(now)
        if presented is None or len(presented) > LONGEST_KEY:
            return None
        key = find_key(presented, keys)
        return await self._quotas.take(key, now) if key else None

    @property
    def asks_for_keys(self) -> bool:
        """Whether the last one who was admitted needed a key."""
        return bool(self._keys) or not self._is_open

    def free(self) -> Share:
        """What anyone may do where no key is asked for."""
        return unlimited(self._clock())

    def closed(self) -> Share:
        """What someone without a key is told."""
        return nothing(self._clock())

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
