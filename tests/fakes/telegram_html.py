"""Telegram's HTML, parsed as its server does it: text and entities, or the server's complaint.

Offsets and lengths of entities are UTF-16 units; offsets in complaints are bytes of UTF-8.
"""

import re
from dataclasses import dataclass, field

from tests.fakes.telegram_errors import bad

KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}  # all others stay as they are
TOKEN = re.compile(r"&(?:(lt|gt|amp|quot)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));?|<")
OPENING = re.compile(
    r"<([^\s>]*)((?:\s+[^\s=>]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?)*)\s*>"
)
CLOSING = re.compile(r"</([^\s>]*)\s*>")
ATTRIBUTE = re.compile(r"([^\s=>]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+)))?")
# What every client makes of plain text, whether the sender wanted it or not.
FOUND = re.compile(
    r"(?P<url>https?://[^\s<>]+)"
    r"|(?<![\w/@.])(?P<mention>@[A-Za-z]\w{2,31})\b"
    r"|(?<![\w/@<>])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?)(?![\w/])"
    r"|(?<!\w)(?P<cashtag>\$[A-Z]{1,8})(?![\w$])"
    r"|(?<!\w)(?P<hashtag>#(?=\w*[^\W\d])\w{1,256})",
    re.ASCII,
)
MOST_ENTITIES = 100  # the rest is dropped without a word
OPAQUE = {"code", "pre", "text_link"}  # nothing is found within these


def utf16(text):
    """Length as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


@dataclass
class Parsing:
    """Where the parser is."""

    source: str
    text: str = ""
    entities: list = field(default_factory=list)
    open: list = field(default_factory=list)  # (tag, entity)

    def complaint(self, reason, at):
        where = len(self.source[:at].encode())
        return bad(f"can't parse entities: {reason.format(where=f'at byte offset {where}')}")


def parse_html(source):
    """(text, entities); raises ApiError."""
    parsing, at = Parsing(source), 0
    while token := TOKEN.search(source, at):
        parsing.text += source[at : token.start()]
        at = _take(parsing, token)
    parsing.text += source[at:]
    if parsing.open:
        tag = parsing.open[-1][0]
        raise bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{tag}\"")
    return _trimmed(parsing.text, [e for e in parsing.entities if e["length"]])


def _take(parsing, token):
    if token.group() != "<":
        named, decimal, hexadecimal = token.groups()
        parsing.text += NAMED[named] if named else _character(decimal, hexadecimal, token.group())
        return token.end()
    begin = token.start()
    return (
        _close(parsing, begin) if parsing.source[begin:].startswith("</") else _open(parsing, begin)
    )


def _character(decimal, hexadecimal, written):
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else written


def _open(parsing, begin):
    tag = re.match(r"[^\s>]*", parsing.source[begin + 1 :]).group().lower()
    found = OPENING.match(parsing.source, begin)
    if begin + 1 + len(tag) == len(parsing.source):
        raise parsing.complaint("Unclosed start tag {where}", begin)
    if tag not in KINDS:
        raise parsing.complaint(f'Unsupported start tag "{_safe(tag)}" {{where}}', begin)
    if found is None:
        raise parsing.complaint("Unclosed start tag {where}", begin)
    attributes = _attributes(found.group(2))
    spoiler = attributes.get("class") == "tg-spoiler"
    if tag == "span" and not spoiler:
        raise parsing.complaint('Tag "span" must have class "tg-spoiler" {where}', begin)
    entity = {"type": KINDS[tag], "offset": utf16(parsing.text), "length": 0}
    parsing.open.append((tag, entity | _details(tag, attributes, parsing)))
    return found.end()


def _safe(tag):
    return tag.replace("{", "{{").replace("}", "}}")


def _attributes(written):
    return {
        name.lower(): _plain(double or single or bare)
        for name, double, single, bare in ATTRIBUTE.findall(written)
    }


def _plain(value):
    def decode(token):
        named, decimal, hexadecimal = token.groups()
        return NAMED[named] if named else _character(decimal, hexadecimal, token.group())

    return re.sub(TOKEN.pattern.removesuffix("|<"), decode, value)


def _details(tag, attributes, parsing):
    if tag == "a" and attributes.get("href"):
        return {"url": attributes["href"]}
    if tag == "code" and parsing.open and parsing.open[-1][0] == "pre":
        language = attributes.get("class", "").removeprefix("language-")
        parsing.open[-1][1].update({"language": language} if language else {})
    if tag == "blockquote" and "expandable" in attributes:
        return {"type": "expandable_blockquote"}
    return {}


def _close(parsing, begin):
    if not parsing.open:
        raise parsing.complaint("Unexpected end tag {where}", begin)
    found = CLOSING.match(parsing.source, begin)
    if found is None:
        raise parsing.complaint("Unclosed end tag {where}", begin)
    tag, entity = parsing.open.pop()
    name = found.group(1).lower()
    if name not in ("", tag):
        reason = f'Unmatched end tag {{where}}, expected "</{tag}>", found "</{_safe(name)}>"'
        raise parsing.complaint(reason, begin)
    entity["length"] = utf16(parsing.text) - entity["offset"]
    if (tag != "a" or "url" in entity) and not _inside_pre(tag, parsing):
        parsing.entities.append(entity)
    return found.end()


def _inside_pre(tag, parsing):
    """<pre><code> is one entity."""
    return tag == "code" and any(outer == "pre" for outer, _ in parsing.open)


def _trimmed(text, entities):
    """Telegram strips white space from both ends of a message."""
    lead = utf16(text) - utf16(text.lstrip())
    text = text.strip()
    size, kept = utf16(text), []
    for entity in entities:
        start = max(0, entity["offset"] - lead)
        end = min(size, entity["offset"] + entity["length"] - lead)
        kept += [entity | {"offset": start, "length": end - start}] if end > start else []
    return text, sorted(kept, key=lambda e: (e["offset"], -e["length"]))


def find_entities(text, known=()):
    """The known entities with what clients find in the rest: mentions, links, commands."""
    closed = [(e["offset"], e["offset"] + e["length"]) for e in known if e["type"] in OPAQUE]
    found = []
    for match in FOUND.finditer(text):
        start = utf16(text[: match.start()])
        if not any(begin <= start < end for begin, end in closed):
            length = utf16(match.group())
            found.append({"type": match.lastgroup, "offset": start, "length": length})
    return sorted([*known, *found], key=lambda e: (e["offset"], -e["length"]))


def formatted(text, parse_mode="", entities=None):
    """(text, entities) as the message will have them; raises ApiError."""
    if parse_mode.lower() == "html":
        text, known = parse_html(text)
    elif parse_mode:
        raise bad("unsupported parse_mode")  # of the real three this project uses one
    else:
        text, known = _trimmed(text, entities or [])
    return text, find_entities(text, known)[:MOST_ENTITIES]
