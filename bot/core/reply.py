"""What people ask and what they get back, in words that every chat can show."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Tone = Literal["neutral", "positive", "negative", "stale", "error"]

SIMULATED = "SIMULATED · "  # begins the title of every screen of simulated data
NO_PICTURE = "no chart can be drawn here; levels has the same in words"
GAP = "  "  # between the columns of a table


@dataclass(frozen=True, slots=True)
class Command:
    """What someone typed, or the line behind the button that they pressed."""

    name: str
    arguments: tuple[str, ...]
    target: str  # where it was asked: "terminal:", "telegram:-100123/7", "discord:42"
    person: str = ""  # where the one who asked is reached alone: "telegram:7", "discord:@7"
    may_manage: bool = False  # whether they may decide what this shared chat gets
    place: str = ""  # the chat's name for people: "#alerts in Traders"
    lacks: tuple[
        str, ...
    ] = ()  # rights that we need there and have not, as the platform calls them
    inline: bool = False  # an offer while they type, for them to send themselves
    wants: tuple[str, ...] = ()  # rights without which something is left out there: charts
    theme: str = ""  # the colours of where it is shown, dark or light, as far as that is known

    @property
    def is_shared(self) -> bool:
        """Whether others read what is said here."""
        return self.person not in ("", self.target)

    @property
    def decides(self) -> bool:
        """Whether they may decide what the chat gets: it is theirs alone, or they manage it."""
        return self.may_manage or self.person == self.target

    @property
    def home(self) -> str:
        """Whose settings and rules this command is about: the chat's, else the person's own."""
        return self.target if self.decides else self.person


@dataclass(frozen=True, slots=True)
class Field:
    """One thing and what is said of it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equal length: the first column names things, the others are numbers.

    Without `columns` the title says it all.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def header_and_rows(self) -> tuple[tuple[str, ...], ...]:
        """Everything in cells."""
        return (self.columns, *self.rows) if self.columns else self.rows


@dataclass(frozen=True, slots=True)
class Action:
    """A button, where there are buttons: pressing it is typing its line."""

    label: str
    line: str


@dataclass(frozen=True, slots=True)
class Link:
    """A button that opens an address. In texts there are none: whatever is typed stays text."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Menu:
    """A choice among many, where there are menus; else buttons."""

    label: str
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image and the name that its file or attachment gets."""

    name: str
    png: bytes


@dataclass(frozen=True, slots=True)
class File:
    """Something to take away, for another program to read."""

    name: str
    content: bytes
    media_type: str  # text/csv


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command, from top to bottom; plain text, no chat's markup."""

    title: str
    fields: tuple[Field, ...] = ()
    tables: tuple[Table, ...] = ()
    lines: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()  # age and origin of the data
    picture: Picture | None = None
    draw: Callable[[], Awaitable[Picture | None]] | None = None  # a picture that may come later
    picture_first: bool = False  # whether the picture is the answer, and the words go with it
    file: File | None = None
    actions: tuple[Action, ...] = ()
    menus: tuple[Menu, ...] = ()
    links: tuple[Link, ...] = ()
    tone: Tone = "neutral"
    private: bool = False  # concerns only the one who asked
    secret: bool = False  # lets in whoever reads it: shown to the one who asked, or to nobody
    unfinished: str = ""  # of a question: the line so far, that its answer goes on with


def parse_command(line: str, target: str) -> Command:
    """The command in a line: `/levels@gammabell btc` and `levels btc` are the same."""
    name, *arguments = line.strip().removeprefix("/").split() or [""]
    return Command(name.partition("@")[0].lower(), tuple(arguments), target)


def plain_lines(reply: Reply) -> list[str]:
    """The reply without its picture and buttons, for a place that only knows lines."""
    widths = column_widths(reply.tables)
    sections = [[reply.title, *(f"{field.name}: {field.value}" for field in reply.fields)]]
    last = [] if reply.tables else sections[0]
    sections += [
        [*([table.title] if table.title else []), *table_lines(table, widths)]
        for table in reply.tables
    ]
    last += [*reply.lines, *link_lines(reply), *reply.footer]
    sections += [last] if reply.tables else []
    return [line for section in sections if section for line in ("", *section)][1:]


def link_lines(reply: Reply) -> list[str]:
    """The reply's links, for a place without buttons."""
    return [f"{link.label}: {link.url}" for link in reply.links]


def column_widths(tables: Iterable[Table]) -> dict[int, list[int]]:
    """How wide each column is, by the number of columns: tables of one shape stand aligned."""
    widths: dict[int, list[int]] = {}
    for table in tables:
        for row in table.header_and_rows:
            known = widths.setdefault(len(row), [0] * len(row))
            widths[len(row)] = [max(w, len(cell)) for w, cell in zip(known, row, strict=True)]
    return widths


def table_lines(table: Table, widths: Mapping[int, Sequence[int]]) -> list[str]:
    """The table in a fixed-width font: names to the left, numbers to the right."""
    lines = []
    for name, *numbers in table.header_and_rows:
        first, *others = widths[1 + len(numbers)]
        cells = [cell.rjust(width) for cell, width in zip(numbers, others, strict=True)]
        lines.append(GAP.join([name.ljust(first), *cells]).rstrip())
    return lines


def with_picture(reply: Reply, picture: Picture | None) -> Reply:
    """The reply once it is known what was drawn; where a picture was the answer it says if none."""
    if picture is None and reply.picture_first:
        return replace(reply, lines=(*reply.lines, NO_PICTURE), draw=None)
    return replace(reply, picture=picture, draw=None)


def mark_simulated(reply: Reply) -> Reply:
    """The reply with the word that every screen of simulated data carries."""
    return replace(reply, title=f"{SIMULATED}{reply.title}")
