"""Who asks, by address: what limits of those who have no name are counted by."""

import ipaddress
import logging
from collections.abc import Sequence

from aiohttp import web

logger = logging.getLogger(__name__)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
UNTRUSTED = (
    "api: %s hands on requests of others, who share one address's limits: "
    "if it is your proxy, name it in [api] trusted_proxies"
)
HOME = 64  # bits of an IPv6 address that name a household: the rest it chooses itself


class Addresses:
    """Tells the client behind the proxies that are trusted, and no others."""

    def __init__(self, proxies: Sequence[str]) -> None:
        self._proxies: list[Network] = [ipaddress.ip_network(one) for one in proxies]
        self._told = False

    def of(self, request: web.BaseRequest) -> str:
        """Where the request comes from: the last address that no trusted proxy has.

        Each proxy adds whom it heard at the end of X-Forwarded-For; what stands before that
        anyone can write.
        """
        named = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        address = request.remote or ""
        if any(named) and not self._proxies:
            self._tell(address)
        while named and self._is_proxy(address):
            address = _without_port(named.pop().strip()) or address
        return _household(address)

    def _tell(self, proxy: str) -> None:
        """Say once what may be amiss."""
        if not self._told:
            logger.warning(UNTRUSTED, proxy)
        self._told = True

    def _is_proxy(self, address: str) -> bool:
        known = _parsed(address)
        return known is not None and any(known in network for network in self._proxies)


def _without_port(named: str) -> str:
    """The address alone: some proxies add the port that it asked from."""
    if named.startswith("["):
        return named[1:].partition("]")[0]
    return named.partition(":")[0] if named.count(":") == 1 else named


def _household(address: str) -> str:
    known = _parsed(address)
    if known is None or known.version == 4:
        return str(known or "unknown")
    return str(ipaddress.ip_network((known, HOME), strict=False))


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(known, "ipv4_mapped", None) or known
