"""Rings, notices and digests, sent to Telegram's chats at its pace."""

from dataclasses import replace

from telegram import LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import RetryAfter, TelegramError

from bot.chat.buttons import Signer
from bot.chat.telegram.address import NAME, Address, parse_address
from bot.chat.telegram.client import Client
from bot.chat.telegram.errors import translate, wait_seconds
from bot.chat.telegram.render import MESSAGE_LENGTH, Card, card, keyboard
from bot.core.cards import ring_card
from bot.core.events import Alert
from bot.core.reply import Reply
from bot.core.secret import Secret
from bot.errors import DeliveryError, DeliveryInDoubt
from bot.ports import Begun, Pace, unnoticed, urgency_of

CALL_LENGTH = 100  # what is kept free for the line that calls someone by name


class TelegramSender:
    """Sends alerts. Telegram knows no key by which it would see a repeat."""

    name = NAME
    repeats_are_safe = False
    folds = True

    def __init__(
        self, token: Secret, api_base: str, pace: Pace, signer: Signer, *, simulated: bool
    ) -> None:
        self._client = Client(token, api_base)
        self._pace = pace
        self._signer = signer
        self._simulated = simulated

    async def send(self, alert: Alert, begun: Begun = unnoticed) -> None:
        """Deliver one message, as the port promises."""
        address = parse_address(alert.target)
        reply = _marked(ring_card(alert, simulated=self._simulated), alert)
        shown = _called(card(reply, MESSAGE_LENGTH - CALL_LENGTH), alert.mention)
        async with self._pace.turn(address.place, urgency_of(alert)):
            if alert.doubts:
                await self._wait_for_answers(address)
            await begun()
            try:
                await self._send(address, shown, reply)
            except TelegramError as error:
                if isinstance(error, RetryAfter):
                    self._pace.hold(wait_seconds(error), address.place)
                raise translate(error, address) from error

    async def _wait_for_answers(self, address: Address) -> None:
        """Its one repeat is not spent while Telegram answers nobody. Raises DeliveryError."""
        try:
            await self._client.bot.get_me()
        except TelegramError as error:
            trouble = translate(error, address)
            if isinstance(trouble, DeliveryInDoubt):
                raise DeliveryError(str(trouble), trouble.retry_after) from error
            raise trouble from error

    async def close(self) -> None:
        """Give up the connections."""
        await self._client.close()

    async def _send(self, address: Address, html: str, reply: Reply) -> None:
        await self._client.bot.send_message(
            address.chat,
            html,
            ParseMode.HTML,
            message_thread_id=address.topic,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            # A ring stays as it is: what its buttons answer comes below it.
            reply_markup=keyboard(reply, self._signer, beside=lambda _: True),
        )


def _marked(reply: Reply, alert: Alert) -> Reply:
    """The card, saying so where it may have arrived before."""
    if not alert.doubts:
        return reply
    return replace(reply, footer=(*reply.footer, "(perhaps a repeat)"))


def _called(shown: Card, mention: str) -> str:
    """The card below a line that calls the person; their client rings as for a message."""
    if not mention:
        return shown.html
    person = parse_address(mention).chat
    return f'<a href="tg://user?id={person}">For you</a>\n{shown.html}'
