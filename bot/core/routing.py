"""From events to alerts: which rule rings, whom, with what words."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import cache

from bot.core.chats import Chat, is_awaited, quiet_until
from bot.core.events import (
    Alert,
    Crossing,
    Event,
    Freshness,
    Moved,
    RegimeChange,
    event_object,
)
from bot.core.reply import Reply
from bot.core.rings import event_card
from bot.core.rules import Rule, RuleState, is_due
from bot.core.snapshot import Snapshot
from bot.core.text import event_text

ID_LENGTH = 12  # hex digits: short enough to type, and a Discord nonce has at most 25

Topic = tuple[str, str, str, float]  # kind, symbol, level, threshold
Rules = Mapping[Topic, Sequence[Rule]]


def by_topic(rules: Iterable[Rule]) -> Rules:
    """The rules under what they wait for, so that an event meets its own among thousands."""
    found: dict[Topic, list[Rule]] = {}
    for rule in rules:
        detail = ("", 0.0) if rule.kind == "regime" else (rule.level, rule.threshold)
        found.setdefault((rule.kind, rule.symbol, *detail), []).append(rule)
    return found


def route(
    events: Sequence[Event],
    rules: Rules,
    states: Mapping[str, RuleState],
    snapshot: Snapshot,
    now: datetime,
    chats: Mapping[str, Chat],
) -> tuple[list[Alert], dict[str, RuleState]]:
    """The alerts that the rules make of these events, and the new states of the rules that rang.

    What rings in a chat's quiet hours is held until they end.
    """
    alerts = []
    rang: dict[str, RuleState] = {}
    end_of_quiet = _quiet_ends(chats, now)
    for event in events:
        write = _writer(event, snapshot, now)
        for rule in hearers(event, rules):
            chat = chats.get(rule.target) or Chat(rule.target)
            before = rang.get(rule.id) or states.get(rule.id)
            if is_awaited(chat, now) and is_due(rule, before, now):
                text, card = write(chat.clock)
                alert = make_alert(rule, event, text, now, card)
                alert = replace(alert, snapshot=snapshot.id)
                alerts.append(_held(alert, rule, end_of_quiet(rule.target)))
                rang[rule.id] = RuleState(now, (before.rings if before else 0) + 1)
    return alerts, rang


def hearers(event: Event, rules: Rules) -> list[Rule]:
    """The rules that wait for this event and are not paused."""
    way = event.direction if isinstance(event, Crossing) else "any"
    return [
        rule
        for rule in rules.get(_topic(event), ())
        if not rule.paused and rule.way in ("any", way)
    ]


def make_alert(
    rule: Rule, event: Event, text: str, now: datetime, card: Reply | None = None
) -> Alert:
    """The message of one rule about one event; the same inputs give the same id."""
    identity = alert_id(rule, event)
    return Alert(
        identity,
        now,
        rule.id,
        rule.target,
        event.symbol,
        f"{text} #{identity}",
        now + rule.time_to_live,
        card=replace(card, footer=(*card.footer, f"#{identity}")) if card else None,
        event=str(event_object(event)["event"]),
    )


def alert_id(rule: Rule, event: Event) -> str:
    """The unique key of (rule, event, target), short."""
    return short_id(rule.id, rule.target, event.symbol, _what(event), event.at.isoformat())


def short_id(*parts: str) -> str:
    """A message's key: the same parts give the same."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:ID_LENGTH]


def _what(event: Event) -> str:
    """What tells the event from every other of its symbol and moment."""
    match event:
        case Crossing():
            return f"crossing {event.key} {event.price!r} {event.direction}"
        case Moved():
            return f"moved {event.key}"
        case RegimeChange() | Freshness():
            return type(event).__name__


def _topic(event: Event) -> Topic:
    """What a rule that rings on this event waits for."""
    match event:
        case Crossing():
            return "cross", event.symbol, event.key.rule_name, event.buffer
        case Moved():
            return "moved", event.symbol, event.key.rule_name, event.threshold
        case RegimeChange():
            return "regime", event.symbol, "", 0.0
        case Freshness():
            return "stale", event.symbol, "", 0.0


def _writer(
    event: Event, snapshot: Snapshot, now: datetime
) -> Callable[[tzinfo], tuple[str, Reply]]:
    """The event's text and card by time zone, written once however many hear of it."""

    @cache
    def write(zone: tzinfo) -> tuple[str, Reply]:
        told = event, snapshot, now, zone
        return event_text(*told), event_card(*told)

    return write


def _quiet_ends(chats: Mapping[str, Chat], now: datetime) -> Callable[[str], datetime | None]:
    """When each target's quiet ends, looked up once however much rings there."""

    @cache
    def end(target: str) -> datetime | None:
        return quiet_until(chats[target], now) if target in chats else None

    return end


def _held(alert: Alert, rule: Rule, until: datetime | None) -> Alert:
    """The alert, due when the quiet ends."""
    if until is None:
        return alert
    return replace(alert, held=True, due_at=until, expires_at=until + rule.time_to_live)
