"""Query parameters: each is described once, for the reader, the schema and the parser."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from bot.api.schema import Problem
from bot.core.breakdown import ALL, ODTE
from bot.core.words import MONTHS, suggest

DAY = (
    "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    rf"|(0?[1-9]|[12][0-9]|3[01])({'|'.join(MONTHS)}|{'|'.join(MONTHS).lower()})[0-9]{{2}}"
)
EXPIRY = f"{ALL}|{ODTE}|{DAY}"
SYMBOL = "[A-Za-z0-9_-]{1,32}"
SHOWN = 60  # characters of a bad value that an error repeats
MOST_UNKNOWN = 8  # names that an error repeats: a query has room for a thousand


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter; `read` gives its value or raises ValueError, which says what is wrong."""

    name: str
    text: str
    schema: Mapping[str, object]
    read: Callable[[str], object]
    example: object
    default: object = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters' values, defaults included, or what is wrong with them."""

    values: Mapping[str, object]
    problems: Sequence[Problem] = ()


def one_of(name: str, text: str, allowed: Sequence[str], default: str) -> Parameter:
    """One of these words."""

    def read(value: str) -> str:
        return known_word(value, allowed)

    schema = {"type": "string", "enum": list(allowed), "default": default}
    return Parameter(name, text, schema, read, default, default)


def some_of(name: str, text: str, allowed: Sequence[str]) -> Parameter:
    """Some of these words, parted by commas, in the table's order; none when left out."""

    def read(value: str) -> tuple[str, ...]:
        found = {known_word(word.strip(), allowed) for word in value.split(",")}
        return tuple(word for word in allowed if word in found)

    items = {"type": "string", "enum": list(allowed)}
    schema = {"type": "array", "items": items, "minItems": 1}
    return Parameter(name, text, schema, read, list(allowed), ())


def names(name: str, text: str, most: int, example: Sequence[str]) -> Parameter:
    """At most so many symbols, known or not; repeated ones are given once."""

    def read(value: str) -> tuple[str, ...]:
        words = [word.strip() for word in value.split(",")]
        if len(words) > most:
            raise ValueError(f"{len(words)} symbols; at most {most} go into one request")
        for word in words:
            if not re.fullmatch(SYMBOL, word):
                raise ValueError(f"{_shown(word)} is no symbol; write it like BTCUSDT,ETHUSDT")
        return tuple(dict.fromkeys(words))

    items = {"type": "string", "pattern": f"^{SYMBOL}$"}
    schema = {"type": "array", "items": items, "minItems": 1, "maxItems": most}
    return Parameter(name, text, schema, read, list(example), required=True)


def whole(name: str, text: str, low: int, high: int, default: int) -> Parameter:
    """A whole number of that range."""

    def read(value: str) -> int:
        if not re.fullmatch("-?[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise ValueError(f"{_shown(value)} is no whole number from {low} to {high}")
        return int(value)

    schema = {"type": "integer", "minimum": low, "maximum": high, "default": default}
    return Parameter(name, text, schema, read, default, default)


def text(name: str, about: str) -> Parameter:
    """Any words."""
    return Parameter(name, about, {"type": "string"}, str, "")


def expiry(name: str, text: str) -> Parameter:
    """All expiries, those within 24 hours, or one day's."""

    def read(value: str) -> str:
        if not re.fullmatch(EXPIRY, value):
            raise ValueError(
                f"{_shown(value)} is no expiry; write all, 0dte, 2026-03-27 or 27MAR26"
            )
        return value

    schema = {"type": "string", "pattern": f"^({EXPIRY})$", "default": ALL}
    return Parameter(name, text, schema, read, ALL, ALL)


def parse_query(text: str, parameters: Sequence[Parameter]) -> Query:
    """The query string's values, or what is wrong with it."""
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        given.setdefault(name, []).append(value)
    known = {parameter.name: parameter for parameter in parameters}
    unknown = [name for name in given if name not in known]
    problems = [
        Problem("unknown", ("query", _clean(name)), _unknown(name, list(known)))
        for name in unknown[:MOST_UNKNOWN]
    ]
    values: dict[str, object] = {}
    for name, parameter in known.items():
        found = _read(parameter, given.get(name, []))
        if isinstance(found, Problem):
            problems.append(found)
        else:
            values[name] = found
    return Query(values, problems)


def _read(parameter: Parameter, given: Sequence[str]) -> object:
    """The parameter's value, or the problem with it."""
    where = ("query", parameter.name)
    if not given:
        missing = Problem("missing", where, f"{parameter.name} is required: {parameter.text}")
        return missing if parameter.required else parameter.default
    if len(given) > 1:
        return Problem("repeated", where, f"{parameter.name} is given {len(given)} times")
    try:
        return parameter.read(given[0])
    except ValueError as error:
        return Problem("value", where, str(error))


def known_word(word: str, allowed: Sequence[str]) -> str:
    """The word, which is one of these. Raises ValueError."""
    if word in allowed:
        return word
    raise ValueError(f"no {_shown(word)}; {suggest(_clean(word), allowed, _listed(allowed))}")


def _unknown(name: str, known: Sequence[str]) -> str:
    if not known:
        return f"no parameter {_shown(name)}: this path takes none"
    return f"no parameter {_shown(name)}; {suggest(_clean(name), known, _listed(known))}"


def _listed(words: Sequence[str]) -> str:
    return f"choose among {', '.join(words)}"


def _shown(word: str) -> str:
    return repr(_clean(word))


def _clean(word: str) -> str:
    """Little enough to repeat, whatever was sent."""
    return word[:SHOWN].encode("utf-8", "replace").decode()
