"""Ready-made sets of rules for a chat's feed."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from bot.core.chats import Chat
from bot.core.rules import DEFAULT_PACK, Rule, parse_rule, rule_text
from bot.core.text import level_text

PACKS: Mapping[str, tuple[str, ...]] = {
    "default": DEFAULT_PACK,
    "crossings": tuple(line for line in DEFAULT_PACK if " cross " in line),
}


def feed_rules(chat: Chat) -> list[Rule]:
    """The rules that the chat's feed stands for, none where it can no longer be reached.

    Their ids stay the same from start to start, and when the chat moves.
    """
    if chat.feed is None or chat.state == "gone":
        return []
    return [
        replace(rule, id=f"feed:{chat.key}:{text}", target=chat.target)
        for symbol in chat.feed.symbols
        for text, rule in _pack(chat.feed.pack, symbol)
    ]


def pack_text(name: str) -> str:
    """What the pack rings on: crossings of HVL, Flip; regime changes; moves by 1 % of HVL."""
    groups: dict[str, list[str]] = {}
    for _, rule in _pack(name, "BTCUSDT"):
        groups.setdefault(_event_text(rule), []).append(rule.level and level_text(rule.level))
    return "; ".join(f"{event} {', '.join(names)}".strip() for event, names in groups.items())


def _event_text(rule: Rule) -> str:
    if rule.kind == "moved":
        return f"moves by {rule.threshold * 100:g} % of"
    return "crossings of" if rule.kind == "cross" else "regime changes"


@cache  # thousands of chats share few packs
def _pack(name: str, symbol: str) -> tuple[tuple[str, Rule], ...]:
    """Each rule of the pack with its text; a pack that is no longer known is the default one."""
    lines = PACKS.get(name, DEFAULT_PACK)
    rules = [parse_rule(f"{symbol} {line}", [symbol], "") for line in lines]
    return tuple((rule_text(rule), rule) for rule in rules)
