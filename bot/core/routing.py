"""From events to alerts: which rule rings, whom, with what words."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bot.core.events import Alert, Crossing, Event, Moved, RegimeChange
from bot.core.rules import Rule, RuleState, is_due
from bot.core.snapshot import Snapshot
from bot.core.text import event_text

ID_LENGTH = 12  # hex digits: short enough to type, and a Discord nonce has at most 25


def route(
    events: Sequence[Event],
    rules: Iterable[Rule],
    states: Mapping[str, RuleState],
    snapshot: Snapshot,
    now: datetime,
) -> tuple[list[Alert], dict[str, RuleState]]:
    """The alerts that the rules make of these events, and the new states of the rules that rang."""
    alerts = []
    rang: dict[str, RuleState] = {}
    for event in events:
        for rule in rules:
            if not matches(rule, event):
                continue
            before = rang.get(rule.id) or states.get(rule.id)
            if is_due(rule, before, now):
                alerts.append(make_alert(rule, event, snapshot, now))
                rang[rule.id] = RuleState(now, (before.rings if before else 0) + 1)
    return alerts, rang


def matches(rule: Rule, event: Event) -> bool:
    """Whether this is the event that the rule waits for."""
    match event:
        case Crossing():
            return (
                rule.kind == "cross"
                and rule.symbol == event.symbol
                and rule.level == event.key.rule_name
                and rule.threshold == event.buffer
                and rule.way in ("any", event.direction)
            )
        case Moved():
            return (
                rule.kind == "moved"
                and rule.symbol == event.symbol
                and rule.level == event.key.rule_name
                and rule.threshold == event.threshold
            )
        case RegimeChange():
            return rule.kind == "regime" and rule.symbol == event.symbol
        case _:
            return False


def make_alert(rule: Rule, event: Event, snapshot: Snapshot, now: datetime) -> Alert:
    """The message of one rule about one event; the same inputs give the same id."""
    identity = alert_id(rule, event)
    text = f"{event_text(event, snapshot, now)} #{identity}"
    return Alert(identity, now, rule.id, rule.target, event.symbol, text, now + rule.time_to_live)


def alert_id(rule: Rule, event: Event) -> str:
    """The unique key of (rule, event, target), short."""
    match event:
        case Crossing():
            what = f"crossing {event.key} {event.price!r} {event.direction}"
        case Moved():
            what = f"moved {event.key}"
        case _:
            what = type(event).__name__
    whole = f"{rule.id}|{rule.target}|{event.symbol}|{what}|{event.at.isoformat()}"
    return hashlib.sha256(whole.encode()).hexdigest()[:ID_LENGTH]
