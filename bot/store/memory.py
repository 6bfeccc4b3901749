"""The store of tests and single answers: the same promises, and nothing survives."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from uuid import uuid4

from bot.core.chain import OptionChain
from bot.core.chats import Chat, is_forgotten
from bot.core.crossings import Latches
from bot.core.events import Alert, Delivery, redated
from bot.core.history import Past, PastLevels
from bot.core.keys import ApiKey
from bot.core.minutes import Minute, merge
from bot.core.quota import Count, Drawn, allowed, draw, minute_of, start_of
from bot.core.rules import Rule, RuleState
from bot.core.snapshot import Snapshot, Tick
from bot.errors import StoreError
from bot.ports import JournalEntry, Record, urgency_of
from bot.store import codec
from bot.store.addresses import follow, follow_chat, messenger_of, moved
from bot.store.tables import MICROSECOND, microseconds

MARKET, POSITION, IDENTITY = "market", "position", "identity"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An alert on its way: due while it waits and, once leased, when its lease ends."""

    alert: Alert
    due_at: datetime | None
    owner: str | None = None

    def is_leased(self, now: datetime) -> bool:
        """Whether someone may be sending it."""
        return self.owner is not None and self.due_at is not None and self.due_at > now

    def is_held_at(self, now: datetime) -> bool:
        """Whether it still waits for quiet hours to end: then it keeps nothing back."""
        return self.alert.held and self.due_at is not None and self.due_at > now

    @property
    def rank(self) -> tuple[int, datetime]:
        """Its place among those that wait."""
        return urgency_of(self.alert), self.alert.at


@dataclass
class Stored:
    """What SqlStore keeps in its tables."""

    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    layouts: dict[str, tuple[codec.Layout, Sequence[str]]] = field(default_factory=dict)
    chains: dict[str, bytes] = field(default_factory=dict)
    latches: dict[str, Latches] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    rule_states: dict[str, RuleState] = field(default_factory=dict)
    alerts: dict[str, Outgoing] = field(default_factory=dict)
    journal: dict[int, codec.Line] = field(default_factory=dict)
    minutes: dict[tuple[str, datetime], Minute] = field(default_factory=dict)
    newest_ticks: dict[str, Tick] = field(default_factory=dict)
    chats: dict[str, Chat] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    api_keys: dict[str, ApiKey] = field(default_factory=dict)
    request_counts: dict[str, Count] = field(default_factory=dict)
    last_rule: int = 0
    last_line: int = 0


class MemoryStore:
    """The store in memory; a change that fails leaves everything as it was."""

    def __init__(self) -> None:
        self._stored = Stored()

    async def record(self, record: Record) -> None:
        """Write the record whole or not at all."""
        _check_times(record)
        with self._changing() as stored:
            if record.snapshot:
                _add_snapshot(stored, record.snapshot, record.chain)
            stored.latches[record.symbol] = record.latches
            stored.rule_states |= record.rule_states or {}
            if record.position is not None:
                stored.facts[POSITION] = record.position
            _append(stored, codec.record_lines(record, _add_alerts(stored, record.alerts)))

    async def latches(self, symbol: str) -> Latches:
        """What was stored last for the symbol."""
        return self._stored.latches.get(symbol, Latches())

    async def snapshot(self, symbol: str, at: datetime | None = None) -> Snapshot | None:
        """The newest snapshot of the symbol, not after `at` when it is given."""
        past = [
            one for one in self._by_time() if one.symbol == symbol and (at is None or one.at <= at)
        ]
        return past[-1] if past else None

    async def chain(self, snapshot: Snapshot) -> OptionChain | None:
        """The chain that the snapshot was computed from; None when pruned."""
        if snapshot.id not in self._stored.layouts:
            return None
        layout, parts = self._stored.layouts[snapshot.id]
        return codec.join_chain(layout, [self._stored.chains[part] for part in parts])

    async def rules(self, target: str | None = None) -> Sequence[Rule]:
        """Every rule, or every rule of the target, oldest first."""
        known = self._stored.rules.values()
        return [rule for rule in known if target in (None, rule.target)]

    async def add_rule(self, rule: Rule) -> Rule:
        """Store the rule and give it back with its id."""
        with self._changing() as stored:
            stored.last_rule += 1
            added = replace(rule, id=str(stored.last_rule))
            stored.rules[added.id] = added
        return added

    async def delete_rule(self, rule_id: str, target: str) -> bool:
        """Forget the target's rule; False when it has no such rule."""
        rule = self._stored.rules.get(rule_id)
        if rule is None or rule.target != target:
            return False
        with self._changing() as stored:
            del stored.rules[rule_id]
            stored.rule_states.pop(rule_id, None)
        return True

    async def change_rule(self, rule: Rule) -> bool:
        """Store the rule in place of the one with its id and target; False when there is none."""
        known = self._stored.rules.get(rule.id)
        if known is None or known.target != rule.target:
            return False
        with self._changing() as stored:
            stored.rules[rule.id] = rule
        return True

    async def rule_states(self) -> Mapping[str, RuleState]:
        """When each rule rang last and how often, by rule id."""
        return dict(self._stored.rule_states)

    async def post(self, messages: Sequence[Alert]) -> Sequence[Alert]:
        """Put messages that no market event caused into the outbox; returns those that are new."""
        _check_messages(messages)
        with self._changing() as stored:
            added = _add_alerts(stored, messages)
            _append(stored, [codec.event_line(alert, alert.symbol) for alert in added])
        return added

    async def claim(
        self, messenger: str, owner: str, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[Alert]:
        """At most `limit` due alerts of the messenger's targets, one each, leased to `owner`."""
        heads = [
            waiting[0]
            for queue in self._queues(messenger).values()
            if (waiting := [one for one in queue if not one.is_held_at(now)])
            and not any(one.is_leased(now) for one in queue)
        ]
        return self._lease(_due(heads, now)[:limit], owner, now + lease)

    async def claim_companions(
        self, head: Alert, owner: str, now: datetime, lease: timedelta
    ) -> Sequence[Alert]:
        """Every other due alert that can be told with this one, leased to `owner`."""
        queue = self._queues(messenger_of(head.target)).get(head.target, [])
        found = [one for one in _due(queue, now) if _go_together(one.alert, head)]
        return self._lease(sorted(found, key=lambda one: one.alert.at), owner, now + lease)

    async def settle(self, owner: str, *deliveries: Delivery) -> int:
        """End leased alerts and write their deliveries to the journal; how many they were."""
        with self._changing() as stored:
            return sum([_end(stored, owner, delivery) for delivery in deliveries])

    async def retry(self, owner: str, alert: Alert, due_at: datetime) -> None:
        """Give a leased alert back, due again at that time."""
        held = self._stored.alerts.get(alert.id)
        if held and held.owner == owner:
            with self._changing() as stored:
                again = replace(
                    held.alert,
                    attempts=held.alert.attempts + 1,
                    doubts=alert.doubts,
                    doubted_at=alert.doubted_at,
                )
                stored.alerts[alert.id] = Outgoing(again, due_at)

    async def renew(self, owner: str, ids: Collection[str], until: datetime) -> None:
        """Prolong the owner's leases of these alerts."""
        with self._changing() as stored:
            for identity in ids:
                leased = self._stored.alerts.get(identity)
                if leased and leased.owner == owner:
                    stored.alerts[identity] = replace(leased, due_at=until)

    async def begin(self, owner: str, ids: Collection[str]) -> None:
        """Requests that carry these leave now: each has one more doubt."""
        with self._changing() as stored:
            for identity in ids:
                leased = self._stored.alerts.get(identity)
                if leased and leased.owner == owner:
                    alert = replace(leased.alert, doubts=leased.alert.doubts + 1)
                    stored.alerts[identity] = replace(leased, alert=alert)

    async def hold(self, owner: str, ids: Collection[str], until: datetime) -> None:
        """Give leased alerts back to be told when a silence ends."""
        with self._changing() as stored:
            for identity in ids:
                leased = self._stored.alerts.get(identity)
                if leased and leased.owner == owner:
                    alert = replace(redated(leased.alert, until), held=True)
                    stored.alerts[identity] = Outgoing(alert, until)

    async def release(self, owner: str) -> None:
        """Give back everything leased to the owner, due at once."""
        with self._changing() as stored:
            for identity, leased in self._stored.alerts.items():
                if leased.owner == owner:
                    stored.alerts[identity] = Outgoing(leased.alert, leased.alert.at)

    async def rang(self, target: str, limit: int) -> Sequence[Alert]:
        """The target's newest rings that ended, told or not, oldest first: at most `limit`."""
        ended = (one.alert for one in self._stored.alerts.values() if one.due_at is None)
        rings = (one for one in ended if one.target == target and one.kind == "alert")
        return sorted(rings, key=lambda ring: ring.at)[-limit:]

    async def chat(self, target: str) -> Chat | None:
        """What is known of the chat."""
        return self._stored.chats.get(target)

    async def chats(self, within: str | None = None) -> Sequence[Chat]:
        """Every chat that something is known of, or of these the one and its topics; by target."""
        known = sorted(self._stored.chats.items())
        return [
            chat
            for target, chat in known
            if within is None or target == within or target.startswith(f"{within}/")
        ]

    async def put_chat(self, chat: Chat) -> None:
        """Store the chat, over what was known of it."""
        with self._changing() as stored:
            stored.chats[chat.target] = chat

    async def change_chat(self, target: str, change: Callable[[Chat], Chat]) -> tuple[Chat, Chat]:
        """The chat before and after the change."""
        before = self._stored.chats.get(target) or Chat(target)
        after = change(before)
        if after != before:
            with self._changing() as stored:
                stored.chats[target] = after
        return before, after

    async def move_target(self, target: str, to: str) -> None:
        """Everything of the one address, topics included, is the other's from now on."""
        with self._changing() as stored:
            stored.rules = {
                identity: follow(rule, target, to) for identity, rule in stored.rules.items()
            }
            stored.alerts = {
                identity: replace(one, alert=follow(one.alert, target, to)) if one.due_at else one
                for identity, one in stored.alerts.items()
            }
            stored.chats = {
                moved(one.target, target, to): follow_chat(one, target, to)
                for one in sorted(
                    stored.chats.values(),
                    key=lambda one: moved(one.target, target, to) == one.target,  # the last wins
                )
            }

    async def fact(self, name: str) -> str | None:
        """What is stored under the name."""
        return self._stored.notes.get(name)

    async def put_fact(self, name: str, value: str) -> None:
        """Store it, over what was there."""
        with self._changing() as stored:
            stored.notes[name] = value

    async def first_fact(self, name: str, value: str) -> str:
        """What is stored under the name; this value, stored now, where nothing was."""
        with self._changing() as stored:
            return stored.notes.setdefault(name, value)

    async def swap_fact(self, name: str, known: str, value: str) -> bool:
        """Store it where `known` is stored; False where it is not."""
        if self._stored.notes.get(name) != known:
            return False
        with self._changing() as stored:
            stored.notes[name] = value
        return True

    async def hasten(self, target: str, now: datetime) -> None:
        """What waits for the chat to be tried again is due now."""
        with self._changing() as stored:
            for identity, one in self._waiting(target, held=False):
                if one.due_at and one.due_at > now:
                    stored.alerts[identity] = replace(one, due_at=now)

    async def redate_held(self, target: str, due_at: datetime) -> None:
        """What is held for the chat is due then, and lives as long from then on."""
        with self._changing() as stored:
            for identity, one in self._waiting(target, held=True):
                stored.alerts[identity] = Outgoing(redated(one.alert, due_at), due_at)

    async def journal(self, after: int, limit: int) -> Sequence[JournalEntry]:
        """At most `limit` entries that come after the one numbered `after`, in their order."""
        unseen = [seq for seq in self._stored.journal if seq > after][:limit]
        return [self._entry(seq, self._stored.journal[seq]) for seq in unseen]

    async def position(self) -> str | None:
        """How far a replay into this store has come."""
        return self._stored.facts.get(POSITION)

    async def add_minutes(self, minutes: Sequence[Minute]) -> None:
        """Store the minutes, each merged to what is known of it already."""
        with self._changing() as stored:
            for minute in minutes:
                microseconds(minute.at)  # refuses times without a zone, as the database does
                key = minute.symbol, minute.at
                stored.minutes[key] = merge(stored.minutes.get(key), minute)

    async def minutes(self, symbol: str, since: datetime, until: datetime) -> Sequence[Minute]:
        """The symbol's minutes that began since then and before `until`, ascending."""
        found = (one for one in self._stored.minutes.values() if one.symbol == symbol)
        return sorted((one for one in found if since <= one.at < until), key=lambda one: one.at)

    async def put_ticks(self, ticks: Sequence[Tick]) -> None:
        """Store each as the newest tick of its symbol."""
        with self._changing() as stored:
            for tick in ticks:
                microseconds(tick.at)  # refuses times without a zone, as the database does
                stored.newest_ticks[tick.symbol] = tick

    async def newest_ticks(self) -> Sequence[Tick]:
        """The newest tick of each symbol."""
        return list(self._stored.newest_ticks.values())

    async def history(
        self, symbol: str, since: datetime, until: datetime, step: timedelta
    ) -> Sequence[Past]:
        """The newest of the symbol's snapshots in each step of that time, ascending."""
        newest = {
            microseconds(one.at) // (step // MICROSECOND): one
            for one in self._by_time()
            if one.symbol == symbol and since <= one.at <= until
        }
        return [_past(one) for one in newest.values()]

    async def add_key(self, key: ApiKey) -> bool:
        """Store the key; False when its name is taken."""
        with self._changing() as stored:
            return stored.api_keys.setdefault(key.name, key) is key

    async def keys(self) -> Sequence[ApiKey]:
        """Every key of the HTTP API, by name."""
        return sorted(self._stored.api_keys.values(), key=lambda key: key.name)

    async def delete_key(self, name: str) -> bool:
        """Forget the key; False when there is none of that name."""
        with self._changing() as stored:
            gone = stored.api_keys.pop(name, None)
            if gone:
                stored.request_counts.pop(gone.digest, None)
        return gone is not None

    async def draw_requests(self, identity: str, minute: int, wanted: int, limit: int) -> Drawn:
        """Count so many more requests of that minute; which of them the limit allows."""
        count = draw(self._stored.request_counts.get(identity), minute, wanted)
        self._stored.request_counts[identity] = count
        return allowed(count.drawn, wanted, limit)

    async def asked_at(self) -> Mapping[str, datetime]:
        """By identity the newest minute in which it asked."""
        return {
            identity: start_of(count.minute)
            for identity, count in self._stored.request_counts.items()
        }

    async def open_market(self, market: str) -> str:
        """This store's own name. Raises StoreError when it holds another market's data."""
        with self._changing() as stored:
            held = stored.facts.setdefault(MARKET, market)
            identity = stored.facts.setdefault(IDENTITY, uuid4().hex)
        if held != market:
            raise StoreError(f"this store holds {held} data, not {market}")
        return identity

    async def market(self) -> str | None:
        """Whose data this store holds."""
        return self._stored.facts.get(MARKET)

    async def prune(self, chains_before: datetime, all_before: datetime) -> int:
        """Delete chains, and everything else that grows, older than this; returns rows deleted."""
        newest = {one.symbol: one.at for one in self._by_time()}
        old = {one.id: one.at for one in self._by_time() if one.at < newest[one.symbol]}
        with self._changing() as stored:
            for identity, at in old.items():
                if at < max(chains_before, all_before):
                    stored.layouts.pop(identity, None)
                if at < all_before:
                    del stored.snapshots[identity]
            used = {part for _, parts in stored.layouts.values() for part in parts}
            stored.chains = {part: body for part, body in stored.chains.items() if part in used}
            stored.journal = {
                seq: line for seq, line in stored.journal.items() if line.at >= all_before
            }
            stored.minutes = {
                key: one for key, one in stored.minutes.items() if one.at >= all_before
            }
            stored.alerts = {
                identity: one
                for identity, one in stored.alerts.items()
                if one.due_at or one.alert.at >= all_before
            }
            _forget_guests(stored, all_before)
            known = {key.digest for key in stored.api_keys.values()}
            stored.request_counts = {
                identity: count
                for identity, count in stored.request_counts.items()
                if identity in known or count.minute >= minute_of(all_before.timestamp())
            }
            return _rows(self._stored) - _rows(stored)

    async def health(self) -> Mapping[str, object]:
        """Counts for /status."""
        stored = self._stored
        states = [chat.state for chat in stored.chats.values()]
        return {
            "snapshots": len(stored.snapshots),
            "chains": len(stored.chains),
            "rules": len(stored.rules),
            "chats": len(states),
            "chats_suspended": states.count("suspended"),
            "chats_gone": states.count("gone"),
            "feeds": sum(chat.feed is not None for chat in stored.chats.values()),
            "alerts_pending": sum(one.due_at is not None for one in stored.alerts.values()),
            "journal_at": max((line.at for line in stored.journal.values()), default=None),
        }

    async def close(self) -> None:
        """Nothing to give up."""

    def _queues(self, messenger: str) -> dict[str, list[Outgoing]]:
        """By target what waits for it or is leased, the most urgent and then oldest first."""
        waiting = [
            one
            for one in self._stored.alerts.values()
            if one.due_at is not None and messenger_of(one.alert.target) == messenger
        ]
        queues: dict[str, list[Outgoing]] = {}
        for one in sorted(waiting, key=lambda one: one.rank):
            queues.setdefault(one.alert.target, []).append(one)
        return queues

    def _waiting(self, target: str, *, held: bool) -> list[tuple[str, Outgoing]]:
        """By id what waits for the target and nobody has leased."""
        return [
            (identity, one)
            for identity, one in self._stored.alerts.items()
            if one.due_at and one.owner is None
            if (one.alert.target, one.alert.held) == (target, held)
        ]

    def _lease(self, due: Sequence[Outgoing], owner: str, until: datetime) -> list[Alert]:
        """The alerts, leased."""
        leased = [one.alert for one in due]
        with self._changing() as stored:
            stored.alerts |= {alert.id: Outgoing(alert, until, owner) for alert in leased}
        return leased

    def _by_time(self) -> list[Snapshot]:
        return sorted(self._stored.snapshots.values(), key=lambda one: one.at)

    @contextmanager
    def _changing(self) -> Iterator[Stored]:
        """A copy to change, which becomes what is stored when the block ends well."""
        columns = {one.name: copy(getattr(self._stored, one.name)) for one in fields(Stored)}
        changed = Stored(**columns)
        yield changed
        self._stored = changed

    def _entry(self, seq: int, line: codec.Line) -> JournalEntry:
        body = codec.event_body(line.kind, line.body) if line.body else None
        return JournalEntry(
            seq, body, self._stored.snapshots[line.snapshot] if line.snapshot else None
        )


def _past(snapshot: Snapshot) -> Past:
    levels = snapshot.levels
    followed = PastLevels(levels.all_expiry, levels.net_gex, levels.regime)
    return Past(snapshot.at, snapshot.spot, followed)


def _check_times(record: Record) -> None:
    """Refuses times without a zone, as the database's columns do."""
    shown = [record.snapshot.at] if record.snapshot else []
    happened = [event.at for event in record.events]
    rang = [state.rang_at for state in (record.rule_states or {}).values()]
    for moment in (record.at, *shown, *happened, *rang):
        microseconds(moment)
    _check_messages(record.alerts)


def _check_messages(messages: Sequence[Alert]) -> None:
    """Refuses times without a zone, and pictures."""
    for alert in messages:
        codec.check_card(alert)
        microseconds(alert.at)
        microseconds(alert.due_at or alert.at)


def _due(queue: Iterable[Outgoing], now: datetime) -> list[Outgoing]:
    return [one for one in queue if one.due_at is not None and one.due_at <= now]


def _go_together(one: Alert, head: Alert) -> bool:
    """Whether two alerts of a chat can be told in one message."""
    if head.held or one.held:
        return head.held and one.held
    return (one.kind, one.symbol, one.at) == (head.kind, head.symbol, head.at)


def _end(stored: Stored, owner: str, delivery: Delivery) -> bool:
    """Whether the alert was the owner's to end."""
    held = stored.alerts.get(delivery.alert)
    if held is None or held.owner != owner:
        return False
    stored.alerts[delivery.alert] = Outgoing(held.alert, due_at=None)
    _append(stored, [codec.event_line(delivery, held.alert.symbol)])
    return True


def _add_snapshot(stored: Stored, snapshot: Snapshot, chain: OptionChain | None) -> None:
    if snapshot.id in stored.snapshots:
        raise StoreError(f"snapshot {snapshot.id} is recorded already")
    stored.snapshots[snapshot.id] = snapshot
    if chain is not None:
        layout, parts = codec.split_chain(chain)
        stored.layouts[snapshot.id] = layout, [part.id for part in parts]
        stored.chains |= {part.id: codec.pack_columns(part.columns) for part in parts}


def _add_alerts(stored: Stored, alerts: Sequence[Alert]) -> list[Alert]:
    """The alerts that were not known yet."""
    added = []
    for alert in alerts:
        if alert.id not in stored.alerts:
            stored.alerts[alert.id] = Outgoing(alert, alert.due_at or alert.at)
            added.append(alert)
    return added


def _append(stored: Stored, lines: Sequence[codec.Line]) -> None:
    for line in lines:
        stored.last_line += 1
        stored.journal[stored.last_line] = line


def _forget_guests(stored: Stored, before: datetime) -> None:
    """Without the rules and chats of guests who stay away."""
    gone = {chat.target for chat in stored.chats.values() if is_forgotten(chat, before)}
    left = {identity for identity, rule in stored.rules.items() if rule.target in gone}
    stored.chats = {target: chat for target, chat in stored.chats.items() if target not in gone}
    stored.rules = {key: rule for key, rule in stored.rules.items() if key not in left}
    stored.rule_states = {key: one for key, one in stored.rule_states.items() if key not in left}


def _rows(stored: Stored) -> int:
    counts = (len(stored.snapshots), len(stored.chains), len(stored.journal), len(stored.alerts))
    wanted = len(stored.rules) + len(stored.chats)
    return sum(counts) + wanted + len(stored.minutes) + len(stored.request_counts)
