"""The conversation with one open page: lines and presses in, cards and pictures out."""

import asyncio
import json
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from aiohttp import WSMsgType, web

from bot.chat.buttons import Signer
from bot.chat.drawing import drawing
from bot.chat.web.completing import offers
from bot.chat.web.guests import COOKIE, YEAR_SECONDS, Guest, Guests
from bot.chat.web.render import card_of, form_of, ring_of
from bot.chat.web.rooms import NAME, Page, Rooms
from bot.core.cards import THEMES
from bot.core.events import Alert
from bot.core.reply import Command, Reply, mark_simulated, parse_command
from bot.errors import BotError
from bot.ports import Allowance, CommandLayer

logger = logging.getLogger(__name__)

MOST_PAGES = 200  # open at once, in this process
MOST_PAGES_THERE = 20  # from one address
LONGEST_MESSAGE = 4_096  # bytes that a page may send at once
HEARTBEAT_SECONDS = 20.0
STAY_SECONDS = 600.0  # well within core.chats.LONGEST_ABSENCE
RINGS_TOLD = 20  # of those that rang before the page was opened
WAITING = 8  # lines of a page that wait for their turn
UNSIGNED = Reply("No answer", lines=("that button is not ours; ask again",), tone="error")
TOO_FAST = Reply("No answer", lines=("one thing after the other, please",), tone="error")

Said = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Allowances:
    """How much may come from one address, whoever says that they are there."""

    lines: Allowance
    offers: Allowance  # asked for at every key that is typed


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is told of whom there is somebody, and of whom nobody any more; what rang for them."""

    arrived: Callable[[str], Awaitable[None]]
    left: Callable[[str], Awaitable[None]]
    rang: Callable[[str, int], Awaitable[Sequence[Alert]]]  # the newest, oldest first


class WebChat:
    """Answers the pages."""

    def __init__(
        self,
        commands: CommandLayer,
        rooms: Rooms,
        signer: Signer,
        guests: Guests,
        allowances: Allowances,
        presence: Presence,
        *,
        simulated: bool,
        stay_seconds: float = STAY_SECONDS,
    ) -> None:
        self._commands = commands
        self._rooms = rooms
        self._signer = signer
        self._guests = guests
        self._allowances = allowances
        self._presence = presence
        self._simulated = simulated
        self._stay_seconds = stay_seconds

    async def welcome(self, request: web.BaseRequest) -> Guest | None:
        """Who asks; None when there are too many. Raises StoreError."""
        if len(self._rooms) >= MOST_PAGES:
            return None
        guest = await self._guests.of(request)
        crowded = guest and self._rooms.count_from(guest.address) >= MOST_PAGES_THERE
        return None if crowded else guest

    async def run(
        self, guest: Guest, request: web.BaseRequest, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """The conversation, until the page is closed."""
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS, max_msg_size=LONGEST_MESSAGE, compress=False
        )
        socket.headers.update({k: v for k, v in headers.items() if k.startswith("X-")})
        _keep(guest, request, socket)
        await _shake_hands(socket, request)
        page = Page(socket, lambda: _abort(request), address=guest.address)
        target = f"{NAME}:{guest.name}"
        self._rooms.enter(target, page)
        try:
            rang = [ring_of(ring) for ring in await self._presence.rang(target, RINGS_TOLD)]
            await page.tell({"type": "hello", "signedIn": guest.signed_in, "rang": rang})
            await self._presence.arrived(target)
            await self._converse(page, target)
        except* (ConnectionError, BotError) as gone:  # tasks of a group raise theirs in one
            logger.info("a page of the dashboard is gone: %s", gone.exceptions[0])
        finally:
            await self._leave(page, target)
        return socket

    async def _leave(self, page: Page, target: str) -> None:
        self._rooms.leave(target, page)
        if self._rooms.of(target):
            return
        try:
            await self._presence.left(target)
        except BotError as error:
            logger.error("a page of the dashboard was closed: %s", error)

    async def _converse(self, page: Page, target: str) -> None:
        """One line after the other, so that a page has one at work; acknowledgements at once."""
        lines: asyncio.Queue[Said] = asyncio.Queue(WAITING)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._work(page, target, lines)),
                group.create_task(self._stay(target)),
            ]
            try:
                await self._hear(page, target, lines)
            finally:
                for task in tasks:
                    task.cancel()

    async def _stay(self, target: str) -> None:
        """Say again who is here: a page in another process may have said that they left."""
        while True:
            await asyncio.sleep(self._stay_seconds)
            await self._presence.arrived(target)

    async def _hear(self, page: Page, target: str, lines: "asyncio.Queue[Said]") -> None:
        async for message in page.socket:
            said = _read(message.data) if message.type is WSMsgType.TEXT else None
            if said is None:
                return
            if isinstance(said.get("heard"), str):
                page.acknowledge(said["heard"])
            elif "complete" in said:
                await self._offer(page, target, said)
            elif lines.full() or self._allowances.lines.spend(page.address):
                await page.tell(_answer(said, self._card(TOO_FAST)))
            else:
                lines.put_nowait(said)

    async def _offer(self, page: Page, target: str, said: Said) -> None:
        """Say what may be meant; nothing to whoever asks too often: they type on."""
        typed, field = str(said["complete"]), said.get("of")
        asker = Command("", (), target, target)
        found: list[dict[str, str]] = []
        if self._allowances.offers.spend(page.address):
            pass
        elif isinstance(field, list) and len(field) == len(("command", "argument")):
            values = await self._commands.complete(str(field[0]), str(field[1]), typed, asker)
            found = [{"line": value, "shown": value, "help": ""} for value in values]
        else:
            found = [asdict(one) for one in await offers(typed, asker, self._commands)]
        await page.tell({"type": "offers", "to": said.get("id"), "offers": found})

    async def _work(self, page: Page, target: str, lines: "asyncio.Queue[Said]") -> None:
        while True:
            await self._respond(page, target, await lines.get())

    async def _respond(self, page: Page, target: str, said: Said) -> None:
        """Answer what was typed or pressed."""
        line, beside = str(said.get("line", "")), True
        if "press" in said:
            press = self._signer.read(str(said["press"]))
            if press is None:
                await page.tell(_answer(said, self._card(UNSIGNED)))
                return
            line, beside = press.line, press.beside
        theme = said["theme"] if said.get("theme") in THEMES else ""
        command = replace(parse_command(line, target), person=target, theme=theme)
        form = self._commands.form(command)
        if form:
            await page.tell({"type": "form", "to": said.get("id"), "form": form_of(form)})
            return
        await self._show(page, said, command, beside=beside)

    async def _show(self, page: Page, said: Said, command: Command, *, beside: bool) -> None:
        """The card at once, its picture when it is drawn."""
        reply = await self._commands.answer(command)
        answer = _answer(said, card_of(reply, self._signer))
        has_picture = bool(reply.draw or reply.picture)
        await page.tell({**answer, "beside": beside, "waits": has_picture})
        if not has_picture:
            return
        async with drawing(reply) as drawn:
            finished = await drawn.finished()
        png = finished.picture and b64encode(finished.picture.png).decode()
        lines = finished.lines[len(reply.lines) :]
        await page.tell({"type": "picture", "to": said.get("id"), "png": png, "lines": lines})

    def _card(self, reply: Reply) -> dict[str, Any]:
        """The card of a reply that no command gave."""
        return card_of(mark_simulated(reply) if self._simulated else reply, self._signer)


async def _shake_hands(socket: web.WebSocketResponse, request: web.BaseRequest) -> None:
    """Raises web.HTTPBadRequest for what is no WebSocket."""
    try:
        await socket.prepare(request)
    except ValueError as error:  # of aiohttp, for a key that is not ASCII
        raise web.HTTPBadRequest from error


def _keep(guest: Guest, request: web.BaseRequest, socket: web.WebSocketResponse) -> None:
    """Let the browser keep who it is. The page says how it was opened: by https or not."""
    if guest.cookie:
        socket.set_cookie(
            COOKIE,
            guest.cookie,
            max_age=YEAR_SECONDS,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=request.headers.get("Origin", "").startswith("https:"),
        )


def _abort(request: web.BaseRequest) -> None:
    """Closing would wait for the page to read what was sent before."""
    if request.transport:
        request.transport.abort()


def _answer(said: Said, card: dict[str, Any]) -> dict[str, Any]:
    return {"type": "reply", "to": said.get("id"), "beside": True, "waits": False, "card": card}


def _read(data: str) -> Said | None:
    """What the page said; None when it is not a page of ours."""
    try:
        said = json.loads(data)
        json.dumps(said, ensure_ascii=False).encode()  # fails for half a character: \ud800
    except (ValueError, RecursionError):
        return None
    is_ours = isinstance(said, dict) and isinstance(said.get("id", 0), int)  # which is said again
    return said if is_ours else None
