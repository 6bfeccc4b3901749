"""The conversation with one open page: lines and presses in, cards and pictures out."""

import asyncio
import json
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Any

from aiohttp import WSMsgType, web

from bot.chat.buttons import Signer
from bot.chat.drawing import drawing
from bot.chat.web.render import card_of, form_of
from bot.chat.web.rooms import NAME, Page, Rooms
from bot.core.reply import Command, Reply, mark_simulated, parse_command
from bot.errors import BotError
from bot.ports import CommandLayer

logger = logging.getLogger(__name__)

COOKIE = "gammabell_guest"
YEAR_SECONDS = 365 * 86_400
LONGEST_MESSAGE = 4_096  # bytes that a page may send at once
HEARTBEAT_SECONDS = 20.0
GUEST_BYTES = 8
LONGEST_TOKEN = 200
UNSIGNED = Reply("No answer", lines=("that button is not ours; ask again",), tone="error")

Arrived = Callable[[str], Awaitable[None]]
Newcomers = Callable[[], bool]


class WebChat:
    """Answers the pages; each browser is one guest, known by a signed cookie."""

    def __init__(
        self,
        commands: CommandLayer,
        rooms: Rooms,
        signer: Signer,
        guests: Signer,
        arrived: Arrived,
        newcomer: Newcomers,
        *,
        simulated: bool,
    ) -> None:
        self._commands = commands
        self._rooms = rooms
        self._signer = signer
        self._guests = guests  # with a key of its own: no button is a guest
        self._arrived = arrived  # told who may be reached again
        self._newcomer = newcomer  # whether one more new guest is welcome now
        self._simulated = simulated

    def knows(self, request: web.BaseRequest) -> str | None:
        """The guest whose cookie it is; a new one; None when there are too many new ones."""
        token = request.cookies.get(COOKIE, "")
        press = self._guests.read(token) if len(token) < LONGEST_TOKEN else None
        if press:
            return press.line
        return token_hex(GUEST_BYTES) if self._newcomer() else None

    async def run(
        self, guest: str, request: web.BaseRequest, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """The conversation, until the page is closed."""
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_SECONDS, max_msg_size=LONGEST_MESSAGE, compress=False
        )
        socket.headers.update({k: v for k, v in headers.items() if k.startswith("X-")})
        token = self._guests.sign(guest, LONGEST_TOKEN) or ""
        socket.set_cookie(
            COOKIE, token, max_age=YEAR_SECONDS, path="/", httponly=True, samesite="Strict"
        )
        await socket.prepare(request)
        page, target = Page(socket, lambda: _abort(request)), f"{NAME}:{guest}"
        self._rooms.enter(target, page)
        try:
            await page.tell(self._greeting())
            await self._arrived(target)
            await self._converse(page, target)
        except (ConnectionError, BotError) as error:
            logger.info("a page of the dashboard is gone: %s", error)
        finally:
            self._rooms.leave(target, page)
        return socket

    def _greeting(self) -> dict[str, Any]:
        menu = [[entry.name, entry.usage, entry.help] for entry in self._commands.menu.values()]
        return {"type": "hello", "menu": menu, "simulated": self._simulated}

    async def _converse(self, page: Page, target: str) -> None:
        """One line after the other, so that a page has one at work; acknowledgements at once."""
        lines: asyncio.Queue[dict[str, Any]] = asyncio.Queue(8)
        async with asyncio.TaskGroup() as group:
            working = group.create_task(self._work(page, target, lines))
            try:
                await self._hear(page, lines)
            finally:
                working.cancel()

    async def _hear(self, page: Page, lines: "asyncio.Queue[dict[str, Any]]") -> None:
        async for message in page.socket:
            said = _read(message.data) if message.type is WSMsgType.TEXT else None
            if said is None:
                return
            if isinstance(said.get("heard"), str):
                page.acknowledge(said["heard"])
            elif lines.full():
                await page.tell(_answer(said, card_of(_too_fast(), self._signer)))
            else:
                lines.put_nowait(said)

    async def _work(self, page: Page, target: str, lines: "asyncio.Queue[dict[str, Any]]") -> None:
        try:
            while True:
                said = await lines.get()
                await self._respond(page, target, said)
        except ConnectionError as error:
            logger.info("a page of the dashboard is gone: %s", error)

    async def _respond(self, page: Page, target: str, said: dict[str, Any]) -> None:
        """Answer what was typed or pressed."""
        line, beside = str(said.get("line", "")), True
        if "press" in said:
            press = self._signer.read(str(said["press"]))
            if press is None:
                card = mark_simulated(UNSIGNED) if self._simulated else UNSIGNED
                await page.tell(_answer(said, card_of(card, self._signer)))
                return
            line, beside = press.line, press.beside
        command = replace(parse_command(line, target), person=target)
        form = self._commands.form(command)
        if form:
            await page.tell({"type": "form", "to": said.get("id"), "form": form_of(form)})
            return
        await self._show(page, said, command, beside=beside)

    async def _show(
        self, page: Page, said: dict[str, Any], command: Command, *, beside: bool
    ) -> None:
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


def _abort(request: web.BaseRequest) -> None:
    """Closing would wait for the page to read what was sent before."""
    if request.transport:
        request.transport.abort()


def _answer(said: dict[str, Any], card: dict[str, Any]) -> dict[str, Any]:
    return {"type": "reply", "to": said.get("id"), "beside": True, "waits": False, "card": card}


def _too_fast() -> Reply:
    return Reply("No answer", lines=("one thing after the other, please",), tone="error")


def _read(data: str) -> dict[str, Any] | None:
    """What the page said; None when it is not a page of ours."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
