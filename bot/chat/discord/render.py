"""A reply as Discord shows it: an embed that reads well on a phone and without its picture."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import discord

from bot.core.reply import GAP, Field, Picture, Reply, Table, Tone, column_widths

TITLE, DESCRIPTION, FOOTER = 256, 4_096, 1_500  # characters; an embed has 6,000 in all
PHONE = 34  # columns of a fixed-width font that fit a phone
NARROW = " "  # between the columns of a table that would be wider
FENCE = "```"
CUT = "…"
COLOURS: Mapping[Tone, int] = {
    "neutral": 0x4C7DDB,
    "positive": 0x2E9E6B,
    "negative": 0xD1495B,
    "stale": 0xE0A100,
    "error": 0x7A7F87,
}
MARKS = re.compile(r"([\\`*_~|<>\[\]@#]|:(?=\S))")  # a colon begins an emoji, or ends "http"
LIST = re.compile(r"^([-+]|\d+(?=\.))(?=\.?(?: |$))")  # what begins a line of a list


def embed_of(reply: Reply, picture: Picture | None = None) -> discord.Embed:
    """The reply in Discord's limits; what does not fit is cut between two lines."""
    embed = discord.Embed(
        title=clipped(escaped(reply.title), TITLE),
        description=_description(reply),
        colour=COLOURS[reply.tone],
    )
    if reply.footer:
        embed.set_footer(text=clipped("\n".join(map(clean, reply.footer)), FOOTER))
    if picture:
        embed.set_image(url=f"attachment://{picture.name}")
    return embed


def escaped(text: str) -> str:
    """The text so that it looks the same in a message: no mark-up, mention, link or emoji."""
    marked = MARKS.sub(r"\\\1", clean(text))
    return LIST.sub(lambda found: _unlisted(found[1]), marked)


def clean(text: str) -> str:
    """The text in one line, without what cannot be seen."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def clipped(text: str, limit: int) -> str:
    """The text, or as much of it as fits; never ends within an escape."""
    if len(text) <= limit:
        return text
    return re.sub(r"(?<!\\)((?:\\\\)*)\\$", r"\1", text[: limit - len(CUT)]) + CUT


def _unlisted(start: str) -> str:
    return f"{start}\\" if start[0].isdigit() else f"\\{start}"


def _description(reply: Reply) -> str:
    """Fields, tables and lines, from top to bottom."""
    fields = [[_field(field) for field in reply.fields]]
    tables = [[_titled(table), *blocks] for table, blocks in _tables(reply.tables)]
    lines = [[escaped(line) for line in reply.lines]]
    parts = [line for group in (fields, tables, lines) for part in group for line in part if line]
    return "\n".join(_fitting(parts))


def _field(field: Field) -> str:
    name = clipped(escaped(field.name), TITLE)
    return clipped(f"**{name}** {escaped(field.value)}", DESCRIPTION // 2)


def _titled(table: Table) -> str:
    return f"**{escaped(table.title)}**" if table.title else ""


def _tables(tables: Sequence[Table]) -> Iterator[tuple[Table, list[str]]]:
    """Each table and its code block; tables of one shape stand aligned where there is room."""
    shared = column_widths(tables)
    for table in tables:
        shape = len(next(iter(table.header_and_rows), ()))
        widths, gap = _layout(shared.get(shape, []), column_widths([table]).get(shape, []))
        rows = [_row(row, widths, gap) for row in table.header_and_rows]
        body = "\n".join(_fitting(rows, DESCRIPTION // 2))
        yield table, [f"{FENCE}\n{body}\n{FENCE}"] if body else []


def _layout(shared: Sequence[int], own: Sequence[int]) -> tuple[Sequence[int], str]:
    """The widths of the columns and what stands between them: the airiest that fits a phone."""
    for widths, gap in ((shared, GAP), (shared, NARROW), (own, GAP)):
        if sum(widths) + len(gap) * (len(widths) - 1) <= PHONE:
            return widths, gap
    return own, NARROW


def _row(row: Sequence[str], widths: Sequence[int], gap: str) -> str:
    """Names to the left, numbers to the right."""
    cells = [
        cell.rjust(width) if position else cell.ljust(width)
        for position, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    text = gap.join(cells).rstrip()
    return "".join(c if c.isprintable() else " " for c in text).replace("`", "'")


def _fitting(lines: Iterable[str], limit: int = DESCRIPTION) -> list[str]:
    """As many lines as fit, whole ones, and a mark where some are missing."""
    kept: list[str] = []
    left = limit - len(CUT)
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            return [*kept, CUT]
        kept.append(line)
    return kept
