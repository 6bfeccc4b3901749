"""From a line that someone typed, or the button that they pressed, to what they see.

Telegram has no message that one person of a group sees alone. So a private answer goes to the
person's own chat with us, unless it is about the group itself and they run it; where there is no
such chat it is said in the group, but for what lets in whoever reads it. A short one to a press is
shown in a small window.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from telegram import Bot, CallbackQuery, MaybeInaccessibleMessage, Message
from telegram.constants import ChatType
from telegram.error import BadRequest, TelegramError

from bot.chat.apologies import BROKEN, CROWDED, NOT_OURS
from bot.chat.buttons import Signer
from bot.chat.telegram.address import Address, parse_address
from bot.chat.telegram.answers import Answers
from bot.chat.telegram.dialogue import ask, choose
from bot.chat.telegram.errors import NotStarted, translate
from bot.chat.telegram.incoming import Asker, asker_of, is_old, line_of, names_us, text_of
from bot.chat.telegram.questions import Question, Questions
from bot.chat.telegram.render import START_ME, line_text
from bot.chat.telegram.rights import standing
from bot.core.menu import Entry
from bot.core.reply import Command, Reply, parse_command
from bot.errors import BotError, PermissionMissing, RecipientMoved
from bot.ports import ChatBook, CommandLayer

logger = logging.getLogger(__name__)

GRACE = 0.2  # seconds that a press waits for an answer that a small window can show
WINDOW_LENGTH = 200  # characters in that window

ALONE = Reply("", lines=("It is for you alone: ask me in our own chat.",), tone="error")
GREETING = Reply(
    "I ring on gamma levels.",
    lines=("/setup shows what works here, /feed on starts the feed.",),
)

Show = Callable[[Address], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Heard:
    """What someone typed for us: a whole line, and the question that it was the rest for."""

    line: str
    question: Question | None = None


class Conversation:
    """Answers messages and presses. Its methods raise BotError where nothing can be said."""

    def __init__(
        self,
        bot: Bot,
        commands: CommandLayer,
        chats: ChatBook,
        answers: Answers,
        signer: Signer,
        questions: Questions,
        now: Callable[[], datetime],
    ) -> None:
        self._bot = bot
        self._commands = commands
        self._chats = chats
        self._answers = answers
        self._signer = signer
        self._questions = questions
        self._now = now

    def heard(self, message: Message, *, pending: bool) -> Heard | None:
        """What was typed, if it is for us; of `pending` messages if someone still waits."""
        line = line_of(message, self._bot.username)
        is_meant = line is not None and (self._is_known(line) or names_us(line))
        found = None if is_meant else self._continued(message)
        if found is None and line is not None and (is_meant or not asker_of(message).is_shared):
            found = Heard(line)  # else some other bot's
        if found and pending and is_old(message, self._now()):
            logger.info("telegram: a command of %s came too late", message.date)
            return None
        return found

    async def answer(self, message: Message, heard: Heard) -> None:
        """Answer the line of the message."""
        asker = asker_of(message)
        async with self._answers.sign_of_life(asker.address):
            command, reply = await self._reply(await self._started(heard.line, asker), asker)
            if heard.question and not asker.is_shared and reply.tone != "error":
                self._questions.close(heard.question)
            await self._say(command, reply, asker, _answered(message, asker))

    async def greet(self, group: Address) -> None:
        """Say what we are there for."""
        await self._answers.say(group, GREETING)

    async def turn_away(self, message: Message) -> None:
        """Say that the chat asks for more than it can be told."""
        asker = asker_of(message)
        await self._answers.say(asker.address, CROWDED, _answered(message, asker))

    async def turn_press_away(self, query: CallbackQuery) -> None:
        """The same, to the one who pressed."""
        await self._acknowledge(query, line_text(CROWDED))

    async def pressed(self, query: CallbackQuery, *, pending: bool) -> None:
        """Answer a press; `pending` ones waited for us and count only while they show a spinner."""
        if pending and not await self._acknowledge(query):
            return
        press, message = self._signer.read(query.data or ""), query.message
        if press is None or message is None:
            await self._acknowledge(query, line_text(NOT_OURS))
            return
        shown = message if isinstance(message, Message) else None
        asker = asker_of(shown, query.from_user) if shown else _asker_of_lost(message, query)
        async with self._answers.sign_of_life(asker.address):
            work = asyncio.create_task(self._reply(press.line, asker))
            await asyncio.wait({work}, timeout=GRACE)
            window = _window(*work.result()) if work.done() and not pending else ""
            if not pending:
                await self._acknowledge(query, window)
            if not window:
                command, reply = await work
                in_place = None if press.beside else shown
                await self._show(command, reply, asker, in_place)

    def _continued(self, message: Message) -> Heard | None:
        """The line of an open question with what was typed in answer to it."""
        text = text_of(message)
        if not text or text.startswith("/"):
            return None
        question = self._questions.answered_by(message)
        return Heard(f"{question.line} {text}", question) if question else None

    async def _reply(self, line: str, asker: Asker) -> tuple[Command, Reply]:
        """The command that the line holds, and the answer to it or what it still lacks."""
        command = self._command(line, asker)
        try:
            group = self._group(command)
            entry = self._commands.entry(command) or next(iter(group), None)
            command = await self._with_rights(command, entry, asker)
            if group:
                return command, choose(command.name, group)
            form = self._commands.form(command)
            if form:
                return command, ask(form, self._commands.menu[form.name])
            return command, await self._commands.answer(command)
        except BotError as error:
            logger.warning("telegram: %s not answered: %s", command.name, error)
            return command, Reply("Not now", lines=(f"{error}; try again",), tone="error")
        except Exception:
            logger.exception("telegram: %s not answered", command.name)
            return command, BROKEN

    def _group(self, command: Command) -> Sequence[Entry]:
        """The commands that begin with that word, where it was said alone and is none itself."""
        if command.arguments or self._commands.entry(command):
            return ()
        return [e for n, e in self._commands.menu.items() if n.startswith(f"{command.name} ")]

    def _command(self, line: str, asker: Asker) -> Command:
        return replace(
            parse_command(line, asker.address.target),
            person=asker.person,
            may_manage=asker.runs_chat,
            place=asker.place,
        )

    async def _with_rights(self, command: Command, entry: Entry | None, asker: Asker) -> Command:
        """The command, with what they and we may do there if that matters. Raises BotError."""
        if entry is None or not entry.asks_rights or not asker.is_shared:
            return command
        try:
            found = await standing(self._bot, asker)
        except TelegramError as error:
            raise translate(error, asker.address) from error
        return replace(command, may_manage=found.manages, lacks=found.lacks)

    async def _started(self, line: str, asker: Asker) -> str:
        """The line, where it says /start the one that greets instead: they have us back."""
        if parse_command(line, "").name != "start":
            return line
        try:
            await self._chats.revive(asker.address.target)
        except BotError as error:
            logger.error("telegram: not noted: %s", error)
        return "setup" if asker.is_shared else "help"

    def _is_known(self, line: str) -> bool:
        name = parse_command(line, "").name
        return name == "start" or name in {entry.split()[0] for entry in self._commands.menu}

    async def _say(
        self, command: Command, reply: Reply, asker: Asker, answered: int | None = None
    ) -> None:
        if _is_for_one(command, reply):
            trouble = await self._said_alone(command, reply)
            if trouble is None:
                return
            if reply.secret:
                reply = replace(ALONE, title=reply.title)
            if isinstance(trouble, NotStarted):
                start = START_ME.format(self._bot.username)
                reply = replace(reply, lines=(*reply.lines, start))
        await self._delivered(
            command,
            asker,
            lambda to: self._answers.say(to, reply, answered if to == asker.address else None),
        )

    async def _show(
        self, command: Command, reply: Reply, asker: Asker, in_place: Message | None
    ) -> None:
        """What a press brings: in place where that suits, else below."""
        if in_place is None or _is_trouble(reply) or _is_for_one(command, reply):
            await self._say(command, reply, asker)
        else:
            await self._delivered(
                command, asker, lambda to: self._answers.change(to, in_place, reply)
            )

    async def _said_alone(self, command: Command, reply: Reply) -> BotError | None:
        """Say it in the person's own chat; what kept it from there."""
        try:
            await self._answers.say(parse_address(command.person), reply)
        except BotError as error:
            logger.debug("telegram: no private answer to %s: %s", command.person, error)
            return error
        return None

    async def _delivered(self, command: Command, asker: Asker, show: Show) -> None:
        """Show it in the chat, wherever that has moved to; tell the person where we may not."""
        try:
            await show(asker.address)
        except RecipientMoved as moved:
            new = parse_address(moved.to)
            await self._chats.move(Address(asker.address.chat).target, Address(new.chat).target)
            await show(new)
        except PermissionMissing as error:
            logger.info("telegram: not answered in %s: %s", command.target, error)
            if command.is_shared:
                title = f"I cannot answer in {command.place}"
                await self._said_alone(command, Reply(title, lines=(str(error),)))

    async def _acknowledge(self, query: CallbackQuery, text: str = "") -> bool:
        """End the spinner; False when nobody sees it any more."""
        try:
            await query.answer(text or None, show_alert=bool(text))
        except BadRequest:
            return False
        except TelegramError as error:
            logger.info("telegram: press not acknowledged: %s", translate(error, Address(0)))
        return True


def _answered(message: Message, asker: Asker) -> int | None:
    """The message below which the answer goes, where others read along."""
    return message.id if asker.is_shared and asker.user else None


def _asker_of_lost(message: MaybeInaccessibleMessage, query: CallbackQuery) -> Asker:
    """Who pressed a button of a message that Telegram shows no more."""
    chat = message.chat
    private = chat.type == ChatType.PRIVATE
    return Asker(chat, Address(chat.id), query.from_user.id, private)


def _is_for_one(command: Command, reply: Reply) -> bool:
    """Whether the group should not read it: private, and not about the group itself."""
    concerns_them = command.is_shared and (reply.secret or not command.may_manage)
    return reply.private and concerns_them and not _is_trouble(reply)


def _is_trouble(reply: Reply) -> bool:
    """Whether it only says why there is no answer: read where it was asked, over nothing else."""
    return reply.tone == "error" and not reply.actions


def _window(command: Command, reply: Reply) -> str:
    """What a small window can show of it; empty when it is to be a message."""
    text = line_text(reply)
    fits = len(text) <= WINDOW_LENGTH and not reply.actions
    return text if fits and (_is_trouble(reply) or _is_for_one(command, reply)) else ""
