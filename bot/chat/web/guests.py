"""Who chats: a browser by its cookie, or a person whom the bot let in, wherever they are."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex

from aiohttp import web

from bot.chat.buttons import Signer
from bot.core.keys import BY_KEY
from bot.core.places import PASSING
from bot.ports import Allowance

COOKIE = "gammabell_guest"
YEAR_SECONDS = 365 * 86_400
GUEST_BYTES = 8
LONGEST_TOKEN = 200

Holder = Callable[[web.BaseRequest], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Guest:
    """Someone before a page."""

    name: str
    address: str  # where they come from: what limits hold that no new cookie lifts
    signed_in: bool = False
    cookie: str = ""  # what their browser is known by from now on; empty: by its session


class Guests:
    """Knows guests again; new ones are welcome while there are not too many."""

    def __init__(
        self,
        signer: Signer,
        holder: Holder,
        address_of: Callable[[web.BaseRequest], str],
        newcomers: Allowance,
    ) -> None:
        self._signer = signer  # with a key of its own: no button is a guest
        self._holder = holder  # of the session of a browser that signed in
        self._address_of = address_of
        self._newcomers = newcomers

    async def of(self, request: web.BaseRequest) -> Guest | None:
        """Who asks; None when too many new ones came from there. Raises StoreError.

        Someone whom the bot let in is the same guest in every browser. With a key, which many
        may share, and without either, each browser is a guest of its own.
        """
        holder, address = await self._holder(request), self._address_of(request)
        if holder and not holder.startswith(BY_KEY):
            return Guest(_name_of(holder), address, signed_in=True)
        name = self._known(request.cookies.get(COOKIE, "")) or self._new(address)
        if name is None:
            return None
        cookie = self._signer.sign(name, LONGEST_TOKEN) or ""
        return Guest(name, address, holder is not None, cookie)

    def _known(self, token: str) -> str | None:
        press = self._signer.read(token) if len(token) < LONGEST_TOKEN else None
        return press.line if press else None

    def _new(self, address: str) -> str | None:
        if self._newcomers.spend(address):
            return None
        return PASSING.partition(":")[2] + token_hex(GUEST_BYTES)


def _name_of(holder: str) -> str:
    return sha256(f"guest of {holder}".encode()).hexdigest()[: 2 * GUEST_BYTES]
