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


async def offer(query: InlineQuery, commands: CommandLayer) -> None:
    """Answer with what fits the words so far."""
    person = Address(query.from_user.id).target
    lines = await _lines(plain(query.query), person, commands)
    replies = [(line, await commands.answer(_command(line, person))) for line in lines]
    articles = [_article(line, reply) for line, reply in replies if _is_public(reply)]
    try:
        await query.answer(articles, CACHE_SECONDS, is_personal=True)
    except TelegramError as error:  # mostly typed on meanwhile
        logger.debug("telegram: inline query not answered: %s", translate(error, Address(0)))


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
    return Command(command.name, command.arguments, person, person)


def _is_public(reply: Reply) -> bool:
    return not reply.private and reply.tone != "error"


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
