"""Replies as Telegram shows them: HTML within its limits, and buttons below.

Nothing in a text becomes formatting, a mention or a link: it is escaped, and what Telegram would
recognise by itself is parted by a character that nobody sees (and that `plain` takes out again).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import islice

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chat.buttons import Signer
from bot.core.reply import Action, Reply, Table, column_widths

MESSAGE_LENGTH = 4096  # UTF-16 units, without the markup
CAPTION_LENGTH = 1024
DATA_BYTES = 64  # of what a button carries

ROW_LENGTH = 30  # characters in a row of buttons that a phone shows whole
ROW_BUTTONS = 4
MOST_BUTTONS = 100
LONGEST_LABEL = 40

JOINER = "\u2060"  # a word joiner: no width, and no part of a name
DETECTED = re.compile(r"@(?=\w)|(?<=\w)\.(?=[^\W\d_])|:(?=//)")
START_ME = "I cannot write to you yet: open https://t.me/{} and press Start."
OUR_LINK = re.compile(re.escape(START_ME).replace(r"\{\}", r"\w+"))
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines in one formatting; without a tag they are plain."""

    tag: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A reply as HTML; `length` is what Telegram counts of it."""

    html: str
    length: int

    @property
    def is_caption(self) -> bool:
        """Whether all of it fits below a picture."""
        return self.length <= CAPTION_LENGTH


def card(reply: Reply, limit: int = MESSAGE_LENGTH) -> Card:
    """The reply, cut at the end of a line where it is too long."""
    shown = list(_cut(_blocks(reply), limit))
    texts = ["\n".join(block.lines) for block in shown]
    html = "\n".join(
        f"<{block.tag}>{escape(text, quote=False)}</{block.tag}>"
        if block.tag
        else escape(text, quote=False)
        for block, text in zip(shown, texts, strict=True)
    )
    return Card(html, _length("\n".join(texts)))


def line_text(reply: Reply) -> str:
    """The reply in plain lines without title and tables, for a small window."""
    fields = [f"{field.name}: {field.value}" for field in reply.fields]
    return "\n".join([*fields, *reply.lines]) or reply.title


def plain(text: str) -> str:
    """What someone typed, even where it was copied from a message of ours."""
    return text.replace(JOINER, "")


def keyboard(
    reply: Reply, signer: Signer, beside: Callable[[Action], bool]
) -> InlineKeyboardMarkup | None:
    """The reply's buttons, in rows that fit a phone; a line that is too long has none.

    `beside` says whose answers come as messages of their own, instead of in place.
    """
    rows = [[InlineKeyboardButton(_label(link.label), url=link.url)] for link in reply.links]
    for group in (reply.actions, *(menu.actions for menu in reply.menus)):
        free = MOST_BUTTONS - sum(map(len, rows))
        rows += _rows(islice(_buttons(group, signer, beside), free))
    return InlineKeyboardMarkup(rows) if rows else None


def _buttons(
    actions: Iterable[Action], signer: Signer, beside: Callable[[Action], bool]
) -> Iterator[InlineKeyboardButton]:
    for action in actions:
        data = signer.sign(action.line, DATA_BYTES, beside=beside(action))
        if data:
            yield InlineKeyboardButton(_label(action.label), callback_data=data)


def _label(text: str) -> str:
    clean = UNPRINTABLE.sub(" ", text).strip() or "…"
    return clean if len(clean) <= LONGEST_LABEL else f"{clean[: LONGEST_LABEL - 1]}…"


def _rows(buttons: Iterable[InlineKeyboardButton]) -> list[list[InlineKeyboardButton]]:
    """As many side by side as a phone shows with their whole labels."""
    rows: list[list[InlineKeyboardButton]] = []
    for button in buttons:
        row = rows[-1] if rows else []
        length = sum(len(other.text) + 3 for other in [*row, button])
        if row and length <= ROW_LENGTH + 3 and len(row) < ROW_BUTTONS:
            row.append(button)
        else:
            rows.append([button])
    return rows


def _blocks(reply: Reply) -> Iterator[Block]:
    """From top to bottom."""
    yield _words("b", [reply.title])
    yield _words("", [f"{field.name}: {field.value}" for field in reply.fields])
    for table in reply.tables:
        yield Block("", ("",))
        yield _words("b", [table.title] if table.title else [])
        yield Block("pre", _clean_lines(_table_lines(table)))
    yield _words("", [*([""] if reply.lines else []), *reply.lines])
    yield _words("i", reply.footer)


def _table_lines(table: Table) -> Iterator[str]:
    """Columns as near to each other as can be: a phone shows about 35 characters in a line."""
    widths = next(iter(column_widths([table]).values()), [])
    for name, *numbers in table.header_and_rows:
        yield " ".join([name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])])


def _words(tag: str, texts: Iterable[str]) -> Block:
    """Text outside of tables, where Telegram looks for names and links."""
    return Block(tag, tuple(_quiet(line) for line in _clean_lines(texts)))


def _quiet(line: str) -> str:
    """The line without links and names, but for the one line in which we want a link."""
    if OUR_LINK.fullmatch(line):
        return line
    return DETECTED.sub(lambda found: found[0] + JOINER, line)


def _clean_lines(texts: Iterable[str]) -> tuple[str, ...]:
    lines = (line for text in texts for line in text.split("\n"))
    return tuple(UNPRINTABLE.sub(" ", line).rstrip() for line in lines)


def _cut(blocks: Iterable[Block], limit: int) -> Iterator[Block]:
    """The blocks up to the limit, whole lines; a first line that is too long is shortened."""
    left = limit
    for block in blocks:
        kept = []
        for line in block.lines:
            if _length(line) > left:
                kept += [_shorten(line, left)] if left == limit else []
                left = 0
                break
            kept.append(line)
            left -= _length(line) + 1  # the line's end
        if kept:
            yield Block(block.tag, tuple(kept))
        if left <= 0:
            return


def _shorten(line: str, limit: int) -> str:
    """At most so many UTF-16 units, with a sign that there was more."""
    units = line.encode("utf-16-le")[: 2 * (limit - 1)]
    return f"{units.decode('utf-16-le', 'ignore')}…"


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
