"""Alert rules as people see them: each with what can be done to it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.reply import Action, Field, Menu, Reply
from bot.core.rules import Rule, RuleState, rule_text
from bot.core.text import age_text
from bot.core.words import MOST

ALL_ALERTS = Action("All alerts", "alert list")


def rule_card(title: str, rule: Rule) -> Reply:
    """One rule and its buttons."""
    word = "resume" if rule.paused else "pause"
    return Reply(
        title,
        fields=(Field("Rings on", rule_text(rule)),),
        actions=(
            Action(word.capitalize(), f"alert {word} {rule.id}"),
            Action("Delete", f"alert delete {rule.id}"),
            ALL_ALERTS,
        ),
        private=True,
    )


def rules_card(
    rules: Sequence[Rule],
    states: Mapping[str, RuleState],
    lines: tuple[str, ...],
    now: datetime,
) -> Reply:
    """Every rule, how often it rang, and menus of what can be done."""
    return Reply(
        "Alerts",
        fields=tuple(Field(f"#{r.id}", _history(r, states.get(r.id), now)) for r in rules),
        lines=lines,
        actions=(Action("Add", "alert add"),),
        menus=_menus(rules),
        private=True,
    )


def choice_text(rule: Rule) -> str:
    """What a menu shows of it; the first word is its id."""
    return f"{rule.id} {rule_text(rule)}"


def _menus(rules: Sequence[Rule]) -> tuple[Menu, ...]:
    """A choice among the rules for whatever can be done to some of them."""
    choices = {
        "pause": [rule for rule in rules if not rule.paused],
        "resume": [rule for rule in rules if rule.paused],
        "delete": rules,
    }
    return tuple(
        Menu(word.capitalize(), tuple(_choice(word, rule) for rule in found[:MOST]))
        for word, found in choices.items()
        if found
    )


def _choice(word: str, rule: Rule) -> Action:
    return Action(f"{word.capitalize()} #{rule.id}", f"alert {word} {rule.id}")


def _history(rule: Rule, state: RuleState | None, now: datetime) -> str:
    """The rule and how often it rang."""
    paused = "; paused" if rule.paused else ""
    if state is None:
        return f"{rule_text(rule)}; has not rung{paused}"
    done = ", done" if rule.times and state.rings >= rule.times else ""
    last = age_text(now - state.rang_at)
    return f"{rule_text(rule)}; rang {state.rings}x, last {last} ago{done}{paused}"
