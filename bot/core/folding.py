"""Several rings of one chat as one message."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import chain

from bot.core.clocks import minute_text, until_text
from bot.core.events import Alert
from bot.core.reply import Action, Reply
from bot.core.rings import BELL
from bot.core.routing import short_id
from bot.core.symbols import coin_of
from bot.core.text import age_text

LINES_SHOWN = 10
LATE_AFTER = timedelta(minutes=1)  # more than any pace takes, unless something was wrong
ROLL = time(8)  # UTC: the options of the day expire
ROLL_LASTS = timedelta(minutes=5)  # until every venue has left out what expired
ROLLED = ("moved", "regime")  # what the end of options does to levels


def fold_moment(alerts: Sequence[Alert]) -> Alert:
    """What rang at one moment, as one message: each fact once, in order, and every id."""
    if len(alerts) == 1:
        return alerts[0]
    cards = [_card(alert) for alert in alerts]
    facts = list(dict.fromkeys(card.title for card in cards))
    title = _roll_title(alerts[0]) if _is_roll(alerts) and len(facts) > 1 else _title(facts)
    told = facts[0] if title.startswith(facts[0]) else ""
    tones = {card.tone for card in cards}
    card = Reply(
        title,
        lines=_blocks(cards, told),
        footer=(*_once(card.footer for card in cards), _ids(alerts)),
        tone=tones.pop() if len(tones) == 1 else "neutral",
    )
    return _folded(alerts, card)


def fold_held(alerts: Sequence[Alert], zone: tzinfo) -> Alert:
    """What rang while a chat was quiet, as one message with its times on that zone's clock."""
    told = sorted(alerts, key=lambda alert: alert.at)
    title = f"While quiet: rang {len(told)}x" if len(told) > 1 else "While quiet: rang once"
    card = Reply(title, lines=_lines(told, zone), actions=(Action("Alerts", "alert list"),))
    return _folded(told, card)


def mark_late(alert: Alert, now: datetime, zone: tzinfo) -> Alert:
    """The message, saying so where it could not be sent when it rang: its facts are older."""
    age = now - alert.at
    if alert.card is None or alert.kind != "alert" or age < LATE_AFTER:
        return alert
    late = f"LATE: this was at {minute_text(alert.at, zone)}, {age_text(age)} ago"
    return replace(alert, card=replace(alert.card, lines=(late, *alert.card.lines)))


def _folded(alerts: Sequence[Alert], card: Reply) -> Alert:
    """The message; the same alerts make the same id, so that a repeat can be told from news."""
    newest = alerts[-1]
    return Alert(
        short_id("fold", *sorted(alert.id for alert in alerts)),
        newest.at,
        _shared(alert.rule for alert in alerts),
        newest.target,
        _shared(alert.symbol for alert in alerts),
        "\n".join([card.title, *card.lines, *card.footer]),
        max(alert.expires_at for alert in alerts),
        attempts=max(alert.attempts for alert in alerts),
        card=card,
        doubts=max(alert.doubts for alert in alerts),
    )


def _card(alert: Alert) -> Reply:
    """What it tells, but for its id."""
    if alert.card is None:
        return Reply(f"{BELL} {coin_of(alert.symbol)}", lines=(_fact(alert),))
    footer = tuple(part for part in alert.card.footer if part != f"#{alert.id}")
    return replace(alert.card, footer=footer)


def _title(facts: Sequence[str]) -> str:
    return f"{facts[0]} and {len(facts) - 1} more" if len(facts) > 1 else facts[0]


def _is_roll(alerts: Sequence[Alert]) -> bool:
    """Whether all of it is what the day's expiry did to levels."""
    at = alerts[0].at.astimezone(UTC)
    since = at - datetime.combine(at.date(), ROLL, UTC)
    all_rolled = all(alert.event in ROLLED for alert in alerts)
    return all_rolled and timedelta() <= since < ROLL_LASTS


def _roll_title(alert: Alert) -> str:
    return f"{BELL} {coin_of(alert.symbol)} expiry roll, {ROLL:%H:%M} UTC"


def _blocks(cards: Sequence[Reply], told: str) -> tuple[str, ...]:
    """Every fact but the one told already, each above its lines; equal lines stand once."""
    titles: dict[tuple[str, ...], list[str]] = {}
    for card in cards:
        titles.setdefault(card.lines, []).append(card.title)
    return tuple(
        line
        for lines, facts in titles.items()
        for line in (*(_bare(fact) for fact in dict.fromkeys(facts) if fact != told), *lines)
    )


def _lines(told: Sequence[Alert], zone: tzinfo) -> tuple[str, ...]:
    """The newest facts, a line each with every id, in the order in which they rang."""
    facts: dict[tuple[datetime, str], list[Alert]] = {}
    for alert in told:
        facts.setdefault((alert.at, _fact(alert)), []).append(alert)
    hidden = len(told) - sum(map(len, list(facts.values())[-LINES_SHOWN:]))
    earlier = (f"… and {hidden} earlier",) if hidden > 0 else ()
    shown = list(facts.items())[-LINES_SHOWN:]
    newest = told[-1].at
    return (
        *earlier,
        *(f"{until_text(at, zone, newest)}: {fact} {_ids(same)}" for (at, fact), same in shown),
    )


def _fact(alert: Alert) -> str:
    """What rang, in a line, but for its id."""
    return _bare(alert.card.title) if alert.card else alert.text.removesuffix(f" #{alert.id}")


def _bare(title: str) -> str:
    return title.removeprefix(f"{BELL} ")


def _ids(alerts: Iterable[Alert]) -> str:
    return " ".join(f"#{alert.id}" for alert in alerts)


def _once(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(parts)))


def _shared(values: Iterable[str]) -> str:
    """What they have in common, "" when they differ."""
    different = set(values)
    return different.pop() if len(different) == 1 else ""
