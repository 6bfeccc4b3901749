"""Alert rules: one line of text each, and whether one is due."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.core.crossings import BUFFER, MOVE, Watches
from bot.core.events import ODTE_LEVELS, OTHER_LEVELS, SET_LEVELS, plain_text
from bot.core.symbols import coin_of, find_symbol
from bot.core.words import suggest
from bot.errors import UserError

Kind = Literal["cross", "moved", "regime"]
Way = Literal["any", "up", "down"]

COOLDOWN = timedelta(minutes=15)
TIME_TO_LIVE = timedelta(minutes=15)
LONGEST_SECONDS = 3_650 * 86_400  # now + ttl stays within the calendar
LONGEST_TIME_TO_LIVE = timedelta(days=7)  # what nobody took by then is kept no longer
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LEVEL_NAMES = (*SET_LEVELS, *(f"odte.{name}" for name in ODTE_LEVELS), "flip", *OTHER_LEVELS)
CROSSED = ("hvl", "call_resistance", "put_support")
DEFAULT_PACK = (
    *(f"{level} cross any" for level in CROSSED),
    *(f"odte.{level} cross any" for level in CROSSED),
    "flip cross any",
    "regime",
    *(f"{level} moved 1%" for level in CROSSED),
)
USAGE = "write it like: btc hvl cross down buffer 0.1% cooldown 30m once"


@dataclass(frozen=True, slots=True)
class Rule:
    """When to ring whom."""

    id: str
    target: str
    symbol: str
    kind: Kind
    level: str = ""  # a name of LEVEL_NAMES or a price, USD; empty for regime
    way: Way = "any"
    threshold: float = BUFFER  # fraction: the buffer of a crossing, the size of a move
    cooldown: timedelta = COOLDOWN
    times: int = 0  # rings until it is done; 0 = always
    time_to_live: timedelta = TIME_TO_LIVE
    paused: bool = False


@dataclass(frozen=True, slots=True)
class RuleState:
    """What a rule remembers: when it rang last, and how often."""

    rang_at: datetime
    rings: int


def parse_rule(text: str, symbols: Iterable[str], target: str) -> Rule:
    """The rule that one line asks for. Raises UserError, which says what is wrong."""
    words = text.lower().split()
    if len(words) < 2:
        raise UserError(f"a rule needs a symbol and a level; {USAGE}")
    symbol, rest = find_symbol(words[0], symbols), words[2:]
    if words[1] == "regime":
        if rest[:1] in (["cross"], ["moved"]):
            raise UserError(f"regime has no event; write it like: {words[0]} regime")
        return _options(Rule("", target, symbol, "regime"), rest)
    rule = Rule("", target, symbol, "cross", _level(words[1]))
    match rest:
        case ["moved", *rest]:
            return _moved(rule, rest)
        case ["cross", "any" | "up" | "down" as way, *rest]:
            return _options(replace(rule, way=way), rest)
        case ["cross", *rest]:
            return _options(rule, rest)
        case [word, *_] if not _is_option(word):
            near = suggest(word, ("cross", "moved"), "choose cross or moved")
            raise UserError(f"{word!r} is no event; {near}")
        case _:
            return _options(rule, rest)


def rule_text(rule: Rule) -> str:
    """The line that makes this rule, every option that is not the default included."""
    words = [coin_of(rule.symbol).lower(), rule.level, rule.kind]
    if rule.kind == "cross":
        words.append(rule.way)
        if rule.threshold != BUFFER:
            words.append(f"buffer {plain_text(rule.threshold * 100)}%")
    if rule.kind == "moved":
        words.append(f"{plain_text(rule.threshold * 100)}%")
    if rule.cooldown != COOLDOWN:
        words.append(f"cooldown {duration_text(rule.cooldown)}")
    if rule.time_to_live != TIME_TO_LIVE:
        words.append(f"ttl {duration_text(rule.time_to_live)}")
    if rule.times:
        words.append("once" if rule.times == 1 else f"{rule.times} times")
    return " ".join(word for word in words if word)


def default_rules(symbol: str, target: str) -> list[Rule]:
    """The pack that rings where nobody wrote a rule of their own."""
    rules = [parse_rule(f"{symbol} {line}", [symbol], target) for line in DEFAULT_PACK]
    return [replace(rule, id=f"default: {rule_text(rule)}") for rule in rules]


def watches_of(rules: Iterable[Rule]) -> Watches:
    """What must be judged beyond the defaults so that every rule hears of its event."""
    buffers: dict[str, set[float]] = {}
    moves: dict[str, set[float]] = {}
    for rule in rules:
        if rule.kind != "regime":
            asked = buffers if rule.kind == "cross" else moves
            asked.setdefault(rule.level, set()).add(rule.threshold)
    return Watches(
        buffers={name: frozenset(sizes) for name, sizes in buffers.items()},
        moves={name: frozenset(sizes) for name, sizes in moves.items()},
        prices=frozenset(float(name) for name in buffers if name not in LEVEL_NAMES),
    )


def is_due(rule: Rule, state: RuleState | None, now: datetime) -> bool:
    """Whether the rule may ring now: not within its cooldown, not after its last time."""
    if state is None:
        return True
    spent = rule.times and state.rings >= rule.times
    return not spent and now - state.rang_at >= rule.cooldown


def parse_duration(text: str) -> timedelta:
    """The time that "30s", "15m", "2h" or "1d" means. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([smhd])", text)
    if not found:
        raise ValueError(f'{text!r} is no duration; write it like "30s", "15m" or "2h"')
    seconds = float(found[1]) * UNITS[found[2]]
    if seconds > LONGEST_SECONDS:
        raise ValueError(f"{text!r} is too long; at most 3650d")
    return timedelta(seconds=seconds)


def duration_text(value: timedelta) -> str:
    """The duration in its largest whole unit: "15m", not "900s"."""
    seconds = value.total_seconds()
    unit = next((u for u, size in reversed(UNITS.items()) if seconds % size == 0), "s")
    return f"{plain_text(seconds / UNITS[unit])}{unit}"


def _moved(rule: Rule, words: list[str]) -> Rule:
    """The rule for a level that moves, by the size that may come first."""
    if rule.level not in LEVEL_NAMES:
        raise UserError("a price does not move; only a level does")
    has_size = words and words[0][0].isdigit() and words[1:2] != ["times"]
    size = words[0] if has_size else f"{MOVE * 100:g}%"
    rest = words[1:] if has_size else words
    return _options(replace(rule, kind="moved", threshold=_percent(size)), rest)


def _is_option(word: str) -> bool:
    return word[0].isdigit() or word in ("once", "always", "buffer", "cooldown", "ttl")


def _level(word: str) -> str:
    name = word.replace("0dte.", "odte.")
    if name in LEVEL_NAMES:
        return name
    price = re.fullmatch(r"\$?(\d{1,12}(?:\.\d+)?)(k?)", word.replace(",", ""))
    if price:
        value = float(price[1]) * (1_000 if price[2] else 1)
        if value > 0:
            return plain_text(value)
        raise UserError("a price is above 0")
    hint = suggest(name, LEVEL_NAMES, f"levels: {', '.join(LEVEL_NAMES)}, or a price")
    raise UserError(f"no level {word!r}; {hint}")


def _options(rule: Rule, words: list[str]) -> Rule:
    """The rule with the options that follow its event."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "once":
            rule = replace(rule, times=1)
        elif word == "always":
            rule = replace(rule, times=0)
        elif re.fullmatch(r"[1-9]\d{0,5}", word) and rest[:1] == ["times"]:
            rule = replace(rule, times=int(word))
            rest.pop(0)
        elif word in ("buffer", "cooldown", "ttl") and rest:
            rule = _valued(rule, word, rest.pop(0))
        else:
            raise UserError(f"{word!r} is not understood; {USAGE}")
    return rule


def _valued(rule: Rule, option: str, value: str) -> Rule:
    if option == "buffer":
        if rule.kind != "cross":
            raise UserError(f"{rule.kind} has no buffer; only cross has")
        return replace(rule, threshold=_percent(value, at_least=0.0))
    try:
        duration = parse_duration(value)
    except ValueError as error:
        raise UserError(str(error)) from error
    if option == "cooldown":
        return replace(rule, cooldown=duration)
    if duration > LONGEST_TIME_TO_LIVE:
        raise UserError(f"a ring waits {LONGEST_TIME_TO_LIVE.days}d at most; write ttl 7d or less")
    return replace(rule, time_to_live=duration)


def _percent(text: str, at_least: float = 0.01) -> float:
    """The fraction that a percentage means, within reason."""
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)%?", text)
    if not found or not at_least <= float(found[1]) <= 50:
        raise UserError(f"{text!r} is no percentage from {at_least:g}% to 50%")
    return float(found[1]) / 100
