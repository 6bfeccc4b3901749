"""Each update to whoever deals with it, and no more of one chat than others have room beside."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from telegram import Bot, CallbackQuery, InlineQuery, Message, Update

from bot.chat.buttons import Signer
from bot.chat.telegram.answers import Answers
from bot.chat.telegram.conversation import Conversation
from bot.chat.telegram.incoming import is_about_chat
from bot.chat.telegram.inline import Offers
from bot.chat.telegram.membership import new_group, note
from bot.chat.telegram.messages import Messages
from bot.chat.telegram.questions import Questions
from bot.chat.telegram.room import Room
from bot.chat.telegram.tasks import Tasks, logged
from bot.core.reply import Action, Reply, parse_command
from bot.ports import ChatBook, CommandLayer, Facts, Pace

MOST_ANSWERS = 20  # of one chat at a time: who asks the last of them waits for some 20 s
MOST_TURNED_AWAY = 20  # presses that are told so at a time; further ones are just dropped


@dataclass(frozen=True, slots=True)
class Backing:
    """What of the program stands behind the answers."""

    commands: CommandLayer
    chats: ChatBook
    facts: Facts
    pace: Pace
    signer: Signer
    now: Callable[[], datetime]


class Handling:
    """Hands each update to whoever deals with it."""

    def __init__(self, bot: Bot, backing: Backing, tasks: Tasks, questions: Questions) -> None:
        self._commands = backing.commands
        self._chats = backing.chats
        self._tasks = tasks
        self._answered, self._told = Room(MOST_ANSWERS), Room(1)
        self._windows = Room(MOST_TURNED_AWAY)
        self._offers = Offers(backing.commands)
        messages = Messages(bot, backing.pace, backing.signer, questions, self._is_beside)
        self._conversation = Conversation(
            bot,
            backing.commands,
            backing.chats,
            Answers(messages),
            backing.signer,
            questions,
            backing.now,
        )

    async def take(self, update: Update, *, pending: bool) -> None:
        """Begin to deal with it; what becomes of chats is kept before this returns."""
        if is_about_chat(update):
            await logged(note(update, self._chats))
            if group := new_group(update):
                await self._tasks.start(self._conversation.greet(group))
        elif update.callback_query:
            await self._tasks.start(self._pressed(update.callback_query, pending=pending))
        elif update.inline_query:
            await self._tasks.start(self._offer(update.inline_query))
        elif message := update.message or update.channel_post:
            await self._tasks.start(self._hear(message, pending=pending))

    async def _hear(self, message: Message, *, pending: bool) -> None:
        """Answer it, or say once that there is too much; what else comes meanwhile is dropped."""
        heard = self._conversation.heard(message, pending=pending)
        if heard is None:
            return
        place = str(message.chat.id)
        with self._answered.enter(place) as has_room:
            if has_room:
                await self._conversation.answer(message, heard)
                return
        with self._told.enter(place) as is_first:
            if is_first:
                await self._conversation.turn_away(message)

    async def _pressed(self, query: CallbackQuery, *, pending: bool) -> None:
        """The same for a press, whose window costs the chat no message."""
        place = str(query.message.chat.id if query.message else query.from_user.id)
        with self._answered.enter(place) as has_room:
            if has_room:
                await self._conversation.pressed(query, pending=pending)
                return
        with self._windows.enter(place) as may_be_told:
            if may_be_told:
                await self._conversation.turn_press_away(query)

    async def _offer(self, query: InlineQuery) -> None:
        """Offer something, unless this person waits for too much."""
        with self._answered.enter(str(query.from_user.id)) as has_room:
            if has_room:
                await self._offers.answer(query)

    def _is_beside(self, reply: Reply, action: Action) -> bool:
        """Below what everyone reads, a private answer does not take its place."""
        entry = self._commands.entry(parse_command(action.line, ""))
        return not reply.private and entry is not None and entry.private
