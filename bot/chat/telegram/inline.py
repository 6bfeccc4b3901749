"""`@bot btc` in any chat: cards to choose from, that the one who asks sends themselves."""

import hashlib
import logging
from collections.abc import Sequence

from telegram import (
    InlineQuery,
    InlineQueryResultArticle,
    InputTextMessageContent,
    LinkPreviewOptions,
)
from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot.chat.telegram.address import Address
from bot.chat.telegram.errors import translate
from bot.chat.telegram.render import card, plain
from bot.core.reply import Command, Reply, parse_command
from bot.ports import CommandLayer

logger = logging.getLogger(__name__)

MOST_SYMBOLS = 3  # offered at once: each costs a card, and this is asked at every key typed
CACHE_SECONDS = 10  # that Telegram may show the same person the same cards
DEFAULT = "levels"
DESCRIPTION_LENGTH = 120


class Offers:
    """Answers what people type behind our name; of each person what they typed last."""

    def __init__(self, commands: CommandLayer) -> None:
        self._commands = commands
        self._newest: dict[int, str] = {}  # query, by person

    async def answer(self, query: InlineQuery) -> None:
        """Answer with what fits the words so far, unless they type on meanwhile."""
        person = query.from_user.id
        self._newest[person] = query.id
        try:
            await self._offer(query)
        finally:
            if self._is_newest(query):
                del self._newest[person]

    async def _offer(self, query: InlineQuery) -> None:
        person = Address(query.from_user.id).target
        articles = []
        for line in await _lines(plain(query.query), person, self._commands):
            reply = await self._commands.answer(_command(line, person))
            if not self._is_newest(query):
                return
            articles += [_article(line, reply)] if _is_public(reply) else []
        try:
            await query.answer(articles, CACHE_SECONDS, is_personal=True)
        except TelegramError as error:  # mostly typed on meanwhile
            logger.debug("telegram: inline query not answered: %s", translate(error, Address(0)))

    def _is_newest(self, query: InlineQuery) -> bool:
        return self._newest.get(query.from_user.id) == query.id


async def _lines(text: str, person: str, commands: CommandLayer) -> Sequence[str]:
    """The commands that may be meant: the words themselves, or the symbols that begin so."""
    words = text.lower().split()
    entry = commands.entry(_command(text, person)) if words else None
    if entry:
        return [] if entry.private or entry.asks_rights else [text]
    if len(words) > 1:
        return [f"{DEFAULT} {text}"]
    asked = _command(DEFAULT, person)
    symbols = await commands.complete(DEFAULT, "symbol", "".join(words), asked)
    return [f"{DEFAULT} {symbol}" for symbol in symbols[:MOST_SYMBOLS]]


def _command(line: str, person: str) -> Command:
    """Asked in the person's own chat: where the card goes is nobody's business."""
    command = parse_command(line, person)
    return Command(command.name, command.arguments, person, person, inline=True)


def _is_public(reply: Reply) -> bool:
    """Whether all of it can be shown to everyone; a file cannot."""
    return not reply.private and reply.tone != "error" and reply.file is None


def _article(line: str, reply: Reply) -> InlineQueryResultArticle:
    said = " · ".join(f"{field.name} {field.value}" for field in reply.fields) or "".join(
        reply.lines[:1]
    )
    return InlineQueryResultArticle(
        hashlib.sha256(line.encode()).hexdigest()[:32],
        reply.title,
        InputTextMessageContent(
            card(reply).html,
            ParseMode.HTML,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        ),
        description=said[:DESCRIPTION_LENGTH],
    )
