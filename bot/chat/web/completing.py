"""A line as far as it is typed, and the lines that it may become."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.core.menu import Argument, Entry
from bot.core.reply import Command
from bot.core.words import MOST, fitting
from bot.ports import CommandLayer

LONGEST_TYPED = 400  # characters: nobody types more who waits for offers
MOST_WORDS = 8  # of one value that is half typed

Complete = Callable[[Argument, str], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Offer:
    """One line that may be meant."""

    line: str
    shown: str  # the part of it that is new
    help: str


async def offers(typed: str, asker: Command, commands: CommandLayer) -> Sequence[Offer]:
    """At most 25 lines that begin as typed: names of commands, then values of arguments."""
    line = typed.lstrip().removeprefix("/")
    if len(line) > LONGEST_TYPED:
        return ()
    entry = _entry(line, commands)
    if entry is None:
        names = fitting(line, commands.menu)
        return [_named(commands.menu[name]) for name in names]

    async def complete(argument: Argument, text: str) -> Sequence[str]:
        return await commands.complete(entry.name, argument.name, text, asker)

    head = f"{entry.name} "
    return await _of_arguments(head, line[len(head) :].lstrip(), entry.arguments, complete)


def _entry(line: str, commands: CommandLayer) -> Entry | None:
    """The command whose name is typed, and left behind."""
    low = line.lower()
    found = [name for name in commands.menu if low.startswith(f"{name} ")]
    return commands.menu[max(found, key=len)] if found else None


def _named(entry: Entry) -> Offer:
    end = " " if entry.arguments else ""
    return Offer(f"{entry.name}{end}", entry.usage, entry.help)


async def _of_arguments(
    head: str, rest: str, arguments: Sequence[Argument], complete: Complete
) -> Sequence[Offer]:
    """What may come behind the values that are whole already."""
    for position, argument in enumerate(arguments):
        values = await complete(argument, rest)
        if " " not in rest or _going_on(rest, values):
            return await _from(head, rest, arguments[position:], complete)
        if argument is arguments[-1]:
            return await _of_last(head, rest, argument, complete)
        taken = await _taken(rest, argument, complete)
        head, rest = f"{head}{taken} ", rest[len(taken) :].lstrip()
    return ()


async def _from(
    head: str, rest: str, arguments: Sequence[Argument], complete: Complete
) -> Sequence[Offer]:
    """Values of the first argument, and of those behind it as long as each may be left out."""
    found: list[Offer] = []
    for argument in arguments:
        values = await complete(argument, rest)
        found += _valued(head, values, argument)
        if argument.required:
            break
    return found[:MOST]


async def _of_last(head: str, rest: str, argument: Argument, complete: Complete) -> Sequence[Offer]:
    """The last argument may have several values: what was typed of the newest one counts."""
    words = rest.split(" ")
    for count in range(max(1, len(words) - MOST_WORDS), len(words)):
        before, tail = " ".join(words[:count]), " ".join(words[count:])
        values = await complete(argument, tail)
        if _going_on(tail, values):
            return _valued(f"{head}{before} ", values, argument)
    return ()


def _valued(head: str, values: Sequence[str], argument: Argument) -> list[Offer]:
    """An offer a value; the first says what they are."""
    return [
        Offer(f"{head}{value} ", value, "" if position else argument.help)
        for position, value in enumerate(values)
    ]


async def _taken(rest: str, argument: Argument, complete: Complete) -> str:
    """What the argument takes of the words: its longest value among them, else one word."""
    first = rest.split(" ", maxsplit=1)[0]
    values = await complete(argument, first)
    whole = [value for value in values if f"{rest} ".lower().startswith(f"{value} ".lower())]
    return rest[: max(map(len, whole), default=len(first))]


def _going_on(typed: str, values: Sequence[str]) -> bool:
    """Whether what is typed begins one of them."""
    return any(value.lower().startswith(typed.lower()) for value in values)
