"""Asking for what a command lacks, one question after the other.

Each button holds the whole line as far as it is known, so that a dialogue goes on after a restart
and with whoever presses; an answer that is typed goes on with the line of its question.
"""

from collections.abc import Sequence
from itertools import takewhile

from bot.core.menu import Entry, Form, Question
from bot.core.reply import Action, Reply


def ask(form: Form, entry: Entry) -> Reply:
    """The first question that is open, of the form of that command."""
    known = [q.value for q in takewhile(lambda question: question.value, form.questions)]
    question = form.questions[len(known)]
    line = " ".join([form.name, *known])
    return Reply(
        form.title,
        lines=(
            f"{question.title or question.name}: {question.help}",
            *_other_way(line, question, entry.usage),
        ),
        actions=tuple(
            Action(question.label(choice), f"{line} {choice}") for choice in question.choices
        ),
        private=entry.private,
        unfinished=line,
    )


def choose(word: str, entries: Sequence[Entry]) -> Reply:
    """Which of the commands that begin with the word: Telegram's menu shows single words."""
    return Reply(
        word,
        lines=tuple(f"/{entry.name}: {entry.help}" for entry in entries),
        actions=tuple(Action(entry.name.partition(" ")[2], entry.name) for entry in entries),
        private=all(entry.private for entry in entries),
    )


def _other_way(line: str, question: Question, usage: str) -> Sequence[str]:
    examples = question.choices[:1]
    example = f", for example: /{line} {examples[0]}" if examples else ""
    start = "Choose, reply to this message" if question.choices else "Reply to this message"
    return (f"{start}, or write it whole: /{usage}{example}",)
