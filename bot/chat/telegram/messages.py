"""Making and changing single messages, in turn and as often as it takes."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from telegram import (
    Bot,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import RetryAfter, TelegramError

from bot.chat.buttons import Signer
from bot.chat.telegram.address import Address
from bot.chat.telegram.errors import Unchanged, translate, wait_seconds
from bot.chat.telegram.questions import Questions
from bot.chat.telegram.render import card, keyboard
from bot.core.reply import Action, File, Picture, Reply
from bot.errors import DeliveryError
from bot.ports import Pace, Urgency

LONGEST_WAIT = 60.0  # seconds: after these nobody looks at the screen any more
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

T = TypeVar("T")


class Messages:
    """Replies as messages, before everything that is pushed. Every method raises BotError.

    `beside` says of an action on a reply whether its answer comes as a message of its own.
    """

    def __init__(
        self,
        bot: Bot,
        pace: Pace,
        signer: Signer,
        questions: Questions,
        beside: Callable[[Reply, Action], bool],
    ) -> None:
        self._bot = bot
        self._pace = pace
        self._signer = signer
        self._questions = questions
        self._beside = beside

    async def send_words(self, to: Address, reply: Reply, answered: int | None) -> Message:
        """The reply's card, below the message that it answers."""
        said = await self._paced(
            to,
            lambda: self._bot.send_message(
                to.chat,
                card(reply).html,
                ParseMode.HTML,
                message_thread_id=to.topic,
                link_preview_options=NO_PREVIEW,
                reply_parameters=_answering(answered),
                reply_markup=self._keyboard(reply),
            ),
        )
        self._questions.note(to.chat, said.id, reply)
        return said

    async def send_photo(
        self, to: Address, reply: Reply, picture: Picture, answered: int | None = None
    ) -> Message:
        """The picture with the reply's card, which fits below it."""
        return await self._paced(
            to,
            lambda: self._bot.send_photo(
                to.chat,
                picture.png,
                card(reply).html,
                parse_mode=ParseMode.HTML,
                filename=picture.name,
                message_thread_id=to.topic,
                reply_parameters=_answering(answered),
                reply_markup=self._keyboard(reply),
            ),
        )

    async def send_file(
        self, to: Address, reply: Reply, file: File, answered: int | None = None
    ) -> Message:
        """The file with the reply's card, which fits below it."""
        return await self._paced(
            to,
            lambda: self._bot.send_document(
                to.chat,
                file.content,
                card(reply).html,
                parse_mode=ParseMode.HTML,
                filename=file.name,
                message_thread_id=to.topic,
                reply_parameters=_answering(answered),
                reply_markup=self._keyboard(reply),
            ),
        )

    async def change_words(self, at: Address, message: Message, reply: Reply) -> None:
        """The card in place of the message's text, or of the caption of a photo."""
        html, buttons = card(reply).html, self._keyboard(reply)
        if message.photo:
            await self._edit(
                at,
                lambda: self._bot.edit_message_caption(
                    at.chat, message.id, None, html, buttons, ParseMode.HTML
                ),
            )
        else:
            await self._edit(
                at,
                lambda: self._bot.edit_message_text(
                    html,
                    at.chat,
                    message.id,
                    parse_mode=ParseMode.HTML,
                    link_preview_options=NO_PREVIEW,
                    reply_markup=buttons,
                ),
            )
        self._questions.note(at.chat, message.id, reply)

    async def change_photo(
        self, at: Address, message: Message, reply: Reply, picture: Picture
    ) -> None:
        """Picture and caption in place of the message's; a text becomes a photo."""
        media = InputMediaPhoto(
            picture.png, card(reply).html, ParseMode.HTML, filename=picture.name
        )
        buttons = self._keyboard(reply)
        await self._edit(
            at,
            lambda: self._bot.edit_message_media(media, at.chat, message.id, reply_markup=buttons),
        )
        self._questions.note(at.chat, message.id, reply)

    async def give_sign(self, to: Address) -> None:
        """Show that an answer is on its way."""
        await self._once(
            to,
            lambda: self._bot.send_chat_action(
                to.chat, ChatAction.TYPING, message_thread_id=to.topic
            ),
        )

    async def _edit(self, at: Address, request: Callable[[], Awaitable[object]]) -> None:
        with suppress(Unchanged):
            await self._paced(at, request)

    async def _paced(self, to: Address, request: Callable[[], Awaitable[T]]) -> T:
        """What the request gives, in its turn; tried once more after a limit or a failure.

        An answer that comes twice is better than none, while someone looks at the screen.
        """
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                with suppress(DeliveryError):
                    return await self._in_turn(to, request)
                return await self._in_turn(to, request)
        except TimeoutError as error:
            raise DeliveryError(f"no turn for it in {LONGEST_WAIT:.0f} s") from error

    async def _in_turn(self, to: Address, request: Callable[[], Awaitable[T]]) -> T:
        async with self._pace.turn(to.place, Urgency.REPLY):
            return await self._once(to, request)

    async def _once(self, to: Address, request: Callable[[], Awaitable[T]]) -> T:
        try:
            return await request()
        except TelegramError as error:
            if isinstance(error, RetryAfter):
                self._pace.hold(wait_seconds(error), to.place)
            raise translate(error, to) from error

    def _keyboard(self, reply: Reply) -> InlineKeyboardMarkup | None:
        return keyboard(reply, self._signer, lambda action: self._beside(reply, action))


def _answering(message: int | None) -> ReplyParameters | None:
    return ReplyParameters(message, allow_sending_without_reply=True) if message else None
