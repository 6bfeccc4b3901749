"""Who may come in: keys as they are in the store, and what each may still ask."""

import ipaddress
import re
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.api.kept import Kept
from bot.api.quotas import Quotas, Share, nothing, unlimited
from bot.core.keys import BY_KEY, PER_MINUTE, ApiKey, digest_of, find_key

RELOAD_SECONDS = 1.0  # after which a key that was made or revoked counts
SESSION = "gammabell_session"  # the cookie of a browser that signed in
# The same where the page came by https: no neighbour below our domain and nobody on the way who
# speaks http can put another in its place.
SECURE_SESSION = f"__Host-{SESSION}"
UNDOTTED = re.compile(r"[a-z0-9_-]+")  # localhost, or what a container is called
HOSTS_KEPT = 256  # names: few lead here
LONGEST_KEY = 200  # characters: what is longer is not worth hashing
LONG_AGO = datetime.fromtimestamp(0, UTC)

Fetch = Callable[[], Coroutine[Any, Any, Sequence[ApiKey]]]
Holder = Callable[[str], Coroutine[Any, Any, str | None]]


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
        self._keys: Kept[Sequence[ApiKey]] = Kept(1)  # those of now

    async def admit(self, presented: str | None, session: str | None = None) -> Share | None:
        """What the bearer of this key may do, the request counted; None: it is no key of ours.

        A browser that signed in has a session in place of a key. Raises StoreError.
        """
        now = self._clock()
        keys = await self._newest(now)
        if self._is_free(keys):
            return unlimited(now)
        key = await self._key_of(presented, session, keys)
        if key is None:
            return None
        return await self._quotas.take(key.digest, key.per_minute, self._clock())  # it is later now

    async def tell(self, presented: str | None, session: str | None = None) -> Share:
        """What the bearer has left; nothing is counted. Raises StoreError."""
        now = self._clock()
        keys = await self._newest(now)
        if self._is_free(keys):
            return unlimited(now)
        key = await self._key_of(presented, session, keys)
        return self._quotas.left(key.digest, key.per_minute, now) if key else nothing(now)

    async def knows(self, presented: str | None, session: str | None = None) -> bool:
        """Whether the bearer would be admitted; nothing is counted. Raises StoreError."""
        keys = await self._newest(self._clock())
        if self._is_free(keys):
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

    def _is_free(self, keys: Sequence[ApiKey]) -> bool:
        """Whether everyone may come in."""
        return self._is_open and not keys

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
        """The keys, a second old at most; one reading serves, or fails, all who wait for it."""
        return await self._keys.of(now // RELOAD_SECONDS, self._fetch)


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


@lru_cache(HOSTS_KEPT)
def is_own_name(host: str, public_url: str = "") -> bool:
    """Whether no page of others can have this name, as the Host header tells it.

    A page may read what is served under its own name, and a name can be made to lead to this
    machine; not so an address, or a name without a dot, which the DNS gives to nobody. Whoever
    sends none is no browser.
    """
    name = _name(f"//{host}")
    is_ours = name != "" and name == _name(public_url)
    return not host or is_ours or UNDOTTED.fullmatch(name) is not None or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_own_page(request: web.BaseRequest) -> bool:
    """Whether a page that we served asks; programs, which send no Origin, are no pages."""
    origin, host = request.headers.get("Origin"), request.headers.get("Host")
    return bool(origin and host) and origin in (f"http://{host}", f"https://{host}")


def session_of(request: web.BaseRequest) -> str | None:
    """What the browser was given when it signed in."""
    cookies = request.cookies
    return cookies.get(SECURE_SESSION) or cookies.get(SESSION)
