"""Ready-made sets of rules for a chat's feed."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from bot.core.chats import Feed
from bot.core.rules import DEFAULT_PACK, Rule, parse_rule, rule_text
from bot.core.text import level_text

PACKS: Mapping[str, tuple[str, ...]] = {
    "default": DEFAULT_PACK,
    "crossings": tuple(line for line in DEFAULT_PACK if " cross " in line),
}


def feed_rules(feed: Feed, target: str) -> list[Rule]:
    """The rules that the feed stands for; their ids stay the same from start to start."""
    return [
        replace(rule, id=f"feed:{target}:{text}", target=target)
        for symbol in feed.symbols
        for text, rule in _pack(feed.pack, symbol)
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
