"""Which of our questions are open: what people type in answer goes on with their lines.

Known as long as the process lives; after a restart only their buttons go on.
"""

from dataclasses import dataclass

from telegram import Message
from telegram.constants import ChatType

from bot.core.reply import Reply

MOST = 1_000  # open at a time; the oldest are forgotten


@dataclass(frozen=True, slots=True)
class Question:
    """A message of ours that asks for the rest of a line."""

    chat: int
    message: int
    line: str  # so far


class Questions:
    """The open ones of all chats."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], Question] = {}  # by chat and message, oldest first

    def note(self, chat: int, message: int, reply: Reply) -> None:
        """Keep what the message asks, now that it shows the reply."""
        self._open.pop((chat, message), None)
        if reply.unfinished:
            self._open[chat, message] = Question(chat, message, reply.unfinished)
            if len(self._open) > MOST:
                del self._open[next(iter(self._open))]

    def answered_by(self, message: Message) -> Question | None:
        """The one that the message replies to; without one, in private, the newest."""
        to = message.reply_to_message
        found = self._open.get((message.chat.id, to.id)) if to else None
        if found or message.chat.type != ChatType.PRIVATE:
            return found
        newest_first = reversed(self._open.values())
        return next((one for one in newest_first if one.chat == message.chat.id), None)

    def close(self, question: Question) -> None:
        """It has its answer."""
        self._open.pop((question.chat, question.message), None)
