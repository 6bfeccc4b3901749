"""The outbox in SQL: who is served next, and what becomes of a message, a statement each."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate, Update

from bot.core.events import Alert, Delivery, redated
from bot.ports import Urgency, urgency_of
from bot.store import codec
from bot.store.addresses import messenger_of
from bot.store.engine import Row
from bot.store.tables import ENDED, UNFINISHED, alerts

PENDING, LEASED = "pending", "leased"  # states of alerts, beside the ends that deliveries name

Alerts = Select[tuple[object, ...]]


def heads(messenger: str, now: datetime) -> Alerts:
    """The first alert of each target, where it is due and none is under way, in their order.

    The end of a lease is when the alert is due again, so one condition finds them all. Each row
    asks for its own target: of a join the database would make a sort of everything that waits.
    """
    queue, sending = alerts.alias("queue"), alerts.alias("sending")
    first = (
        select(queue.c.number)
        .where(queue.c.target == alerts.c.target, queue.c.due_at.is_not(None))
        .where(or_(~queue.c.held, queue.c.due_at <= now))
        .order_by(queue.c.urgency, queue.c.at, queue.c.number)
    )
    under_way = select(sending.c.number).where(
        sending.c.target == alerts.c.target, sending.c.owner.is_not(None), sending.c.due_at > now
    )
    return (
        select(alerts)
        .where(alerts.c.messenger == messenger, alerts.c.due_at <= now)
        .where(alerts.c.number == _single(first), _single(under_way).is_(None))
        .order_by(alerts.c.urgency, alerts.c.at, alerts.c.number)
    )


def companions(head: Alert, now: datetime) -> Alerts:
    """What of the head's chat is due and can be told with it."""
    same = [alerts.c.target == head.target, alerts.c.held == head.held]
    if not head.held:
        same += [
            alerts.c.urgency == urgency_of(head),
            alerts.c.at == head.at,
            alerts.c.symbol == head.symbol,
        ]
    due = select(alerts).where(*same, alerts.c.due_at <= now)
    return due.order_by(alerts.c.at, alerts.c.number)


def held_of(target: str) -> Alerts:
    """What is held for the target, and not on its way."""
    return select(alerts).where(_waiting(target), alerts.c.held)


def ended_of(target: str) -> Select[tuple[str]]:
    """The bodies of the target's rings that ended, the newest first."""
    rings = and_(ENDED, alerts.c.target == target, alerts.c.urgency == Urgency.ALERT)
    return select(alerts.c.body).where(rings).order_by(alerts.c.at.desc(), alerts.c.number.desc())


def leasing(numbers: Collection[int], owner: str, until: datetime) -> Update:
    """These are the owner's until then."""
    leased = {"state": LEASED, "owner": owner, "due_at": until}
    return update(alerts).where(alerts.c.number.in_(numbers)).values(leased)


def beginning(owner: str, ids: Collection[str]) -> Update:
    """Requests with these leave now: from here on nobody knows, until an answer says."""
    held = and_(alerts.c.owner == owner, alerts.c.id.in_(ids))
    return update(alerts).where(held).values(doubts=alerts.c.doubts + 1)


def renewing(owner: str, ids: Collection[str], until: datetime) -> Update:
    """What of these is still the owner's is so until then."""
    held = and_(alerts.c.owner == owner, alerts.c.id.in_(ids))
    return update(alerts).where(held).values(due_at=until)


def releasing(owner: str) -> Update:
    """Nothing is the owner's any more."""
    values = {"state": PENDING, "owner": None, "due_at": alerts.c.at}
    return update(alerts).where(alerts.c.owner == owner).values(values)


def leased_to(owner: str, identity: str) -> ColumnElement[bool]:
    """Whether it is that alert, and the owner's."""
    return and_(alerts.c.id == identity, alerts.c.owner == owner)


def retrying(owner: str, alert: Alert, body: str, due_at: datetime) -> Update:
    """The owner's alert waits again; its attempts are counted."""
    values = {
        "state": PENDING,
        "owner": None,
        "due_at": due_at,
        "attempts": alerts.c.attempts + 1,
        "doubts": alert.doubts,
        "body": body,
    }
    return update(alerts).where(leased_to(owner, alert.id)).values(values)


def ending(owner: str, delivery: Delivery) -> ReturningUpdate[tuple[str]]:
    """The owner's alert ended; gives its symbol."""
    ended = {"state": delivery.state, "owner": None, "due_at": None}
    mine = leased_to(owner, delivery.alert)
    return update(alerts).where(mine).values(ended).returning(alerts.c.symbol)


def hastening(target: str, now: datetime) -> Update:
    """What waits for the target to be tried again is due now."""
    later = and_(_waiting(target), ~alerts.c.held, alerts.c.due_at > now)
    return update(alerts).where(later).values(due_at=now)


def redating(due_at: datetime) -> Update:
    """Alerts, each with its number and new body, are due then."""
    one = alerts.c.number == bindparam("redated")
    return update(alerts).where(one).values(due_at=due_at, body=bindparam("life"))


def leased_of(owner: str, ids: Collection[str]) -> Alerts:
    """What of these is the owner's."""
    return select(alerts).where(alerts.c.owner == owner, alerts.c.id.in_(ids)).with_for_update()


def holding(until: datetime) -> Update:
    """Alerts, each with its number and new body, are held until then."""
    values = {"state": PENDING, "owner": None, "held": True}
    return redating(until).values(values)


def redated_row(number: int, body: str, due_at: datetime, *, held: bool | None = None) -> Row:
    """What `redating` and `holding` are told of an alert."""
    later = redated(codec.from_json(body, Alert), due_at)
    later = later if held is None else replace(later, held=held)
    return {"redated": number, "life": codec.to_json(later)}


def alert_row(alert: Alert) -> Row:
    """A message that nobody has tried to send yet."""
    codec.check_card(alert)
    return {
        "id": alert.id,
        "at": alert.at,
        "symbol": alert.symbol,
        **addressed(alert),
        "urgency": urgency_of(alert),
        "held": alert.held,
        "state": PENDING,
        "due_at": alert.due_at or alert.at,
        "attempts": alert.attempts,
        "doubts": alert.doubts,
    }


def addressed(alert: Alert) -> dict[str, object]:
    """What changes with the target."""
    return {
        "messenger": messenger_of(alert.target),
        "target": alert.target,
        "body": codec.to_json(alert),
    }


def _waiting(target: str) -> ColumnElement[bool]:
    return and_(UNFINISHED, alerts.c.target == target, alerts.c.owner.is_(None))


def _single(query: Select[int]) -> ScalarSelect[int]:
    """What the query says first of the alert at hand; NULL when nothing."""
    return query.limit(1).correlate(alerts).scalar_subquery()
