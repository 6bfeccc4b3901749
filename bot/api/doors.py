"""The doors of the dashboard: a key, or a link from the bot, becomes a session in the browser."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from aiohttp import web

from bot.api.codes import FORBIDDEN, UNAUTHORIZED, Refused, too_many
from bot.api.files import Assets, front_page
from bot.api.gate import LONGEST_KEY, SECURE_SESSION, SESSION, session_of
from bot.api.pages import Download, Place, always
from bot.core.keys import BY_KEY, ApiKey, find_key
from bot.core.sessions import SESSION_SECONDS
from bot.ports import Allowance

TEXT = "text/plain; charset=utf-8"
PASS_HEADER = "X-Pass"  # noqa: S105  the header's name
LONGEST_PASS = 400

AddressOf = Callable[[web.BaseRequest], str]
Keys = Callable[[], Awaitable[Sequence[ApiKey]]]


class Access(Protocol):
    """What makes sessions. Every method raises StoreError."""

    async def enter(self, given: str) -> str | None:
        """The session of the person whose pass it is; None when it is no good."""
        ...

    async def begin(self, holder: str) -> str:
        """A session of that holder."""
        ...

    async def end(self, session: str) -> None:
        """It is no session any more."""
        ...


class Doors:
    """Opens and ends sessions."""

    def __init__(self, access: Access, keys: Keys, tries: Allowance, address_of: AddressOf) -> None:
        self._access = access
        self._keys = keys
        self._tries = tries
        self._address_of = address_of

    def places(self, assets: Assets, *, simulated: bool) -> Mapping[str, Place]:
        """The paths.

        What changes something is asked by pages of ours alone, and never by GET: the previews
        that chats make of links follow those.
        """
        page = front_page(assets, "sign-on.html", simulated=simulated)
        return {
            "/sign-on": always(page),
            "/session": Place(
                self.serve, is_public=True, same_origin=True, methods=("POST", "DELETE")
            ),
        }

    async def serve(self, request: web.BaseRequest) -> Download:
        """The session begins, or ends. Raises Refused, StoreError."""
        if request.method == "DELETE":
            await self._access.end(session_of(request) or "")
            return _kept("", 0, request)
        self._count(self._address_of(request))
        given, key = request.headers.get(PASS_HEADER), request.headers.get("X-API-Key")
        session = await (self._of_pass(given) if given else self._of_key(key or ""))
        return _kept(session, SESSION_SECONDS, request)

    def _count(self, address: str) -> None:
        """Nobody guesses a key; what is spared is the work of looking. Raises Refused."""
        if seconds := self._tries.spend(address):
            raise too_many("too many tries", int(seconds) + 1)

    async def _of_pass(self, given: str) -> str:
        session = await self._access.enter(given) if len(given) <= LONGEST_PASS else None
        if session is None:
            text = "this link was used, or is older than 10 minutes; ask the bot again: /dashboard"
            raise Refused(FORBIDDEN, text)
        return session

    async def _of_key(self, presented: str) -> str:
        known = find_key(presented, await self._keys()) if len(presented) <= LONGEST_KEY else None
        if known is None:
            raise Refused(UNAUTHORIZED, "this key is not known here; copy it once more")
        return await self._access.begin(f"{BY_KEY}{known.digest}")


def _kept(session: str, seconds: int, request: web.BaseRequest) -> Download:
    """The cookie, which no script reads. The page says how it was opened: by https or not."""
    is_secure = request.headers.get("Origin", "").startswith("https:")
    name, secure = (SECURE_SESSION, "; Secure") if is_secure else (SESSION, "")
    cookie = f"{name}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    return Download(b"done\n", TEXT, {"Set-Cookie": cookie, "Cache-Control": "no-store"})
