"""The open pages by guest, and the messenger that rings in them."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.chat.buttons import Signer
from bot.chat.web.render import card_of, ring_of
from bot.core.cards import ring_card
from bot.core.events import Alert
from bot.errors import DeliveryInDoubt, NobodyThere
from bot.ports import Begun, unnoticed

NAME = "web"
SEND_SECONDS = 5.0  # for a page to take what it is sent, and to say that it has it
AGAIN_SECONDS = 30.0  # while nobody has the page open; whoever opens it hears at once


class Page:
    """One open page; slow ones are closed, and come back by themselves."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        give_up: Callable[[], None],
        seconds: float = SEND_SECONDS,
        *,
        address: str = "",
    ) -> None:
        self.socket = socket
        self._give_up = give_up  # closes the connection without a word
        self.seconds = seconds
        self.address = address  # where it was opened
        self._heard: dict[str, asyncio.Future[None]] = {}

    async def tell(self, message: dict[str, Any]) -> None:
        """Send it. Raises ConnectionError when the page is gone, or does not read."""
        text = json.dumps(message, ensure_ascii=False)
        try:
            async with asyncio.timeout(self.seconds):
                await self.socket.send_str(text)
        except TimeoutError as error:
            self._give_up()
            raise ConnectionError("the page does not read") from error

    async def ring(self, identity: str, message: dict[str, Any]) -> bool | None:
        """Send it; whether the page said that it has it, None when the page is gone."""
        heard = self._heard.setdefault(identity, asyncio.get_running_loop().create_future())
        try:
            await self.tell(message)
            await asyncio.wait({heard}, timeout=self.seconds)
            return heard.done()
        except ConnectionError:
            return None
        finally:
            self._heard.pop(identity, None)

    def acknowledge(self, identity: str) -> None:
        """The page has it."""
        heard = self._heard.get(identity)
        if heard and not heard.done():
            heard.set_result(None)


class Rooms:
    """Which pages each guest has open here."""

    def __init__(self) -> None:
        self._pages: dict[str, set[Page]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._pages.values()))

    def count_from(self, address: str) -> int:
        """How many were opened there."""
        pages = (page for room in self._pages.values() for page in room)
        return sum(page.address == address for page in pages)

    def enter(self, target: str, page: Page) -> None:
        """The guest opened a page."""
        self._pages.setdefault(target, set()).add(page)

    def leave(self, target: str, page: Page) -> None:
        """The guest closed it."""
        pages = self._pages.get(target, set())
        pages.discard(page)
        if not pages:
            self._pages.pop(target, None)

    def of(self, target: str) -> tuple[Page, ...]:
        """The guest's open pages."""
        return tuple(self._pages.get(target, ()))


class WebSender:
    """Reaches "web:GUEST" while one of the guest's pages is open."""

    name = NAME
    repeats_are_safe = True  # a page shows each id once
    folds = True

    def __init__(self, rooms: Rooms, signer: Signer, *, simulated: bool) -> None:
        self._rooms = rooms
        self._signer = signer
        self._simulated = simulated

    async def send(self, alert: Alert, begun: Begun = unnoticed) -> None:
        """Deliver the alert to every page of the guest. Raises what Messenger says."""
        pages = self._rooms.of(alert.target)
        if not pages:
            raise NobodyThere("the dashboard is not open", AGAIN_SECONDS)
        card = card_of(ring_card(alert, simulated=self._simulated), self._signer, beside=True)
        message = {"type": "ring", **ring_of(alert), "kind": alert.kind, "card": card}
        await begun()
        told = await asyncio.gather(*(page.ring(alert.id, message) for page in pages))
        if True in told:
            return
        if False in told:
            raise DeliveryInDoubt("the dashboard did not say that it rang")
        raise NobodyThere("the dashboard was closed just now", AGAIN_SECONDS)
