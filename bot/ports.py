"""What the service needs of the world, in words of the domain; adapters fit by shape."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Protocol

from bot.core.chain import OptionChain
from bot.core.chats import Chat
from bot.core.crossings import Latches
from bot.core.events import Alert, Delivery, Event
from bot.core.history import Past
from bot.core.keys import ApiKey
from bot.core.menu import Entry, Form
from bot.core.minutes import Minute
from bot.core.quota import Drawn
from bot.core.reply import Command, Reply
from bot.core.rules import Rule, RuleState
from bot.core.snapshot import Candle, Snapshot, Tick


class Clock(Protocol):
    """Where the time comes from: the system, or a recording's virtual clock."""

    def now(self) -> datetime:
        """The present moment, UTC-aware."""
        ...


class Timeline(Clock, Protocol):
    """A clock that someone moves."""

    def advance(self, to: datetime) -> None:
        """Make `to` the present; time never runs backwards."""
        ...


class Timer(Protocol):
    """How waiting is done: as fast as time runs, or faster in a simulated market."""

    def time(self) -> float:
        """Seconds since some moment; never runs backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        ...


@dataclass(frozen=True, slots=True)
class Moment:
    """What a recording holds at one time."""

    ticks: Sequence[Tick] = ()
    renewed: frozenset[str] = frozenset()  # symbols with a new chain


class Wire(Protocol):
    """The way to a venue: the network, or a recording of it."""

    async def ask(self, venue: str, method: str, path: str, params: Mapping[str, object]) -> bytes:
        """The body of the venue's answer. Raises SourceError; NotListed for what is not there."""
        ...


class ChainSource(Protocol):
    """A venue's option chains."""

    name: str

    async def fetch_chain(self, underlying: str) -> OptionChain:
        """The chain right now. Raises SourceError; NotListed when the venue has no such coin."""
        ...


class SpotSource(Protocol):
    """A venue's prices."""

    name: str

    async def fetch_spot(self, underlying: str) -> Tick:
        """The index price right now. Raises SourceError."""
        ...

    async def fetch_perpetual(self, underlying: str) -> float:
        """The perpetual's mark price right now, USD. Raises SourceError."""
        ...


class SpotStream(Protocol):
    """A venue's prices as they come."""

    name: str

    async def run(self, coins: Sequence[str], take: Callable[[Tick], None]) -> None:
        """Hand over every index price of the coins until cancelled; reconnects by itself."""
        ...


class Judge(Protocol):
    """Whoever judges the ticks of one symbol."""

    symbol: str
    tick: Tick | None  # the last one

    async def judge(self, tick: Tick) -> bool:
        """Judge one tick; whether anything was stored. Raises StoreError."""
        ...


class CandleSource(Protocol):
    """Where the candles of a chart come from."""

    async def fetch_candles(self, symbol: str) -> Sequence[Candle]:
        """The 30-minute candles of the last 48 hours, ascending. Raises SourceError."""
        ...


Begun = Callable[[], Awaitable[None]]


async def unnoticed() -> None:
    """What a send without an outbox says of its beginning."""


class Messenger(Protocol):
    """A way to reach people; `name` is the part of a target before the colon."""

    name: str
    repeats_are_safe: bool  # whether the same alert sent twice in a minute or two is one message
    folds: bool  # whether what rang in a chat at one moment goes out as one message

    async def send(self, alert: Alert, begun: Begun) -> None:
        """Deliver one message, at the platform's pace; `begun` is awaited when it leaves us.

        Raises DeliveryError (later), DeliveryInDoubt (perhaps arrived), RecipientGone,
        PermissionMissing, RecipientMoved, MessageRefused (never) or TokenRefused.
        """
        ...


class Urgency(IntEnum):
    """Who goes first where a platform's limit makes them wait."""

    REPLY = 0  # someone is looking at the screen
    ALERT = 1
    NOTICE = 2
    DIGEST = 3


def urgency_of(alert: Alert) -> Urgency:
    """Its place among the messages of one chat, and among the chats."""
    return Urgency[alert.kind.upper()]


class Pace(Protocol):
    """The limits of one token: everything that is sent with it takes its turn here."""

    def turn(self, place: str, urgency: Urgency) -> AbstractAsyncContextManager[None]:
        """Waits until a request to that chat may go; within it one is made."""
        ...

    def hold(self, seconds: float, place: str | None = None) -> None:
        """The platform asked to wait: with this chat, or with everything."""
        ...

    def refused(self) -> None:
        """A request was answered 401, 403 or 429: too many of them end in a ban."""
        ...


class CommandLayer(Protocol):
    """What answers people; a chat only translates `Command` and `Reply`."""

    @property
    def menu(self) -> Mapping[str, Entry]:
        """Every command, by name."""
        ...

    def entry(self, command: Command) -> Entry | None:
        """The command that is meant, once the two words of a name are put together."""
        ...

    async def answer(self, command: Command) -> Reply:
        """The reply; trouble that is expected is a reply as well. Never raises BotError."""
        ...

    def form(self, command: Command) -> Form | None:
        """What to ask first when a required argument is missing; None when nothing is."""
        ...

    async def complete(
        self, name: str, argument: str, text: str, command: Command
    ) -> Sequence[str]:
        """At most 25 values that fit what was typed of that command's argument so far.

        `command` says who asks and where; its own name and arguments do not matter.
        """
        ...


class ChatBook(Protocol):
    """Where it is kept which chats can be reached."""

    async def revive(self, target: str) -> None:
        """The chat is there, with all rights: people added us, or wrote to us."""
        ...

    async def lose(self, target: str, trouble: str) -> None:
        """We were thrown out, or blocked."""
        ...

    async def bar(self, target: str, trouble: str) -> None:
        """We are there, but may not write."""
        ...

    async def move(self, target: str, to: str) -> None:
        """The chat goes on under another address."""
        ...


class Allowance(Protocol):
    """How often something may be done, by the name of who or what does it."""

    def spend(self, name: str) -> float:
        """Seconds until it may be done; 0: now, and that is counted."""
        ...


class Facts(Protocol):
    """Small things that outlive the process, by name. All of them raise StoreError."""

    async def fact(self, name: str) -> str | None:
        """What is stored under the name."""
        ...

    async def put_fact(self, name: str, value: str) -> None:
        """Store it, over what was there."""
        ...

    async def first_fact(self, name: str, value: str) -> str:
        """What is stored under the name; this value, stored now, where nothing was."""
        ...

    async def swap_fact(self, name: str, known: str, value: str) -> bool:
        """Store it where `known` is stored; False where it is not, whoever was faster."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """All that one tick or one cycle changed: written whole or not at all."""

    symbol: str
    at: datetime
    latches: Latches
    snapshot: Snapshot | None = None
    chain: OptionChain | None = None  # what the snapshot was computed from
    events: Sequence[Event] = ()
    alerts: Sequence[Alert] = ()
    rule_states: Mapping[str, RuleState] | None = None
    position: str | None = None  # how far a replay has come


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One line of what happened, in order: an event object, or a snapshot."""

    seq: int
    body: Mapping[str, object] | None  # of core.events.event_object; its times are datetimes
    snapshot: Snapshot | None


class Store(Protocol):
    """What survives a restart. Every method raises StoreError when the database refuses."""

    async def record(self, record: Record) -> None:
        """Write the record in one transaction: snapshot, chain, latches, states, alerts, journal.

        A chain without a snapshot is ignored; a second snapshot of one symbol and moment raises
        StoreError.

        The journal takes the snapshot first, then the events, then the alerts. An alert whose
        id is known already is left as it is and makes no journal line.
        """
        ...

    async def latches(self, symbol: str) -> Latches:
        """What was stored last for the symbol; empty latches when nothing was."""
        ...

    async def snapshot(self, symbol: str, at: datetime | None = None) -> Snapshot | None:
        """The newest snapshot of the symbol, not after `at` when it is given."""
        ...

    async def chain(self, snapshot: Snapshot) -> OptionChain | None:
        """The chain that the snapshot was computed from, equal to the digit; None when pruned."""
        ...

    async def rules(self, target: str | None = None) -> Sequence[Rule]:
        """Every rule, or every rule of the target, oldest first."""
        ...

    async def add_rule(self, rule: Rule) -> Rule:
        """Store the rule and give it back with its id; the id is never used again."""
        ...

    async def delete_rule(self, rule_id: str, target: str) -> bool:
        """Forget the target's rule; False when it has no such rule."""
        ...

    async def change_rule(self, rule: Rule) -> bool:
        """Store the rule in place of the one with its id and target; False when there is none."""
        ...

    async def rule_states(self) -> Mapping[str, RuleState]:
        """When each rule rang last and how often, by rule id."""
        ...

    async def post(self, messages: Sequence[Alert]) -> Sequence[Alert]:
        """Put messages that no market event caused into the outbox; returns those that are new.

        The journal takes them as it takes the alerts of a record.
        """
        ...

    async def claim(
        self, messenger: str, owner: str, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[Alert]:
        """At most `limit` due alerts of the messenger's targets, leased to `owner`.

        At most one for each target, so that a chat's messages keep their order and none waits
        for another chat: its most urgent (alert, notice, digest), then oldest. None for a target
        that has an alert leased already, or one more urgent or older that is due later (but what
        is held for the end of quiet hours keeps nothing back). Among targets the most urgent,
        then the oldest come first.

        Due are pending alerts whose time has come, and leased ones whose lease has run out. Two
        claims never return the same alert within its lease.
        """
        ...

    async def claim_companions(
        self, head: Alert, owner: str, now: datetime, lease: timedelta
    ) -> Sequence[Alert]:
        """Every other due alert that can be told with this one, leased to `owner`, oldest first.

        With one that was held, all that were held for its chat; with any other, what rang there
        of its symbol at the same moment.
        """
        ...

    async def settle(self, owner: str, *deliveries: Delivery) -> int:
        """End leased alerts and write their deliveries to the journal, in one transaction.

        How many they were: what was leased to somebody else by then is left alone.
        """
        ...

    async def retry(self, owner: str, alert: Alert, due_at: datetime) -> None:
        """Give a leased alert back, due again at that time, with one more failed attempt.

        Its doubts are stored as they are in `alert`.
        """
        ...

    async def renew(self, owner: str, ids: Collection[str], until: datetime) -> None:
        """Prolong the owner's leases of these alerts: they are still on their way, no doubt."""
        ...

    async def begin(self, owner: str, ids: Collection[str]) -> None:
        """Requests that carry these leased alerts leave now: each has one more doubt.

        `retry` takes it back, with what it says; a crash leaves it, so that whoever claims the
        alert next knows that it may have arrived.
        """
        ...

    async def hold(self, owner: str, ids: Collection[str], until: datetime) -> None:
        """Give leased alerts back, held until a silence ends; they live as long from then on."""
        ...

    async def release(self, owner: str) -> None:
        """Give back everything leased to the owner, due at once: it is not sending any more."""
        ...

    async def rang(self, target: str, limit: int) -> Sequence[Alert]:
        """The target's newest rings that ended, told or not, oldest first: at most `limit`."""
        ...

    async def chat(self, target: str) -> Chat | None:
        """What is known of the chat."""
        ...

    async def chats(self, within: str | None = None) -> Sequence[Chat]:
        """Every chat that something is known of, or of these the one and its topics; by target."""
        ...

    async def put_chat(self, chat: Chat) -> None:
        """Store the chat, over what was known of it."""
        ...

    async def change_chat(self, target: str, change: Callable[[Chat], Chat]) -> tuple[Chat, Chat]:
        """The chat before and after the change, in one transaction; of nobody known the default.

        No other change of it comes in between, whoever makes it. Only news is written, and
        nothing when `change` raises.
        """
        ...

    async def move_target(self, target: str, to: str) -> None:
        """Everything of the one address is the other's from now on, in one transaction.

        Rules, alerts that have not ended (leases included), the chat itself, and every chat that
        names it as owner or fallback. What the new address has of its own stays: its chat's
        settings win.
        """
        ...

    async def fact(self, name: str) -> str | None:
        """What is stored under the name."""
        ...

    async def put_fact(self, name: str, value: str) -> None:
        """Store it, over what was there."""
        ...

    async def first_fact(self, name: str, value: str) -> str:
        """What is stored under the name; this value, stored now, where nothing was."""
        ...

    async def swap_fact(self, name: str, known: str, value: str) -> bool:
        """Store it where `known` is stored; False where it is not, whoever was faster."""
        ...

    async def hasten(self, target: str, now: datetime) -> None:
        """What waits for the chat to be tried again is due now; what is held stays, leases too."""
        ...

    async def redate_held(self, target: str, due_at: datetime) -> None:
        """What is held for the chat is due then, and lives as long from then on; leases go on."""
        ...

    async def journal(self, after: int, limit: int) -> Sequence[JournalEntry]:
        """At most `limit` entries that come after the one numbered `after`, in their order.

        An entry never becomes visible before one with a lower number.
        """
        ...

    async def position(self) -> str | None:
        """How far a replay into this database has come."""
        ...

    async def add_minutes(self, minutes: Sequence[Minute]) -> None:
        """Store the minutes in one transaction, each merged to what is known of it already."""
        ...

    async def minutes(self, symbol: str, since: datetime, until: datetime) -> Sequence[Minute]:
        """The symbol's minutes that began since then and before `until`, ascending."""
        ...

    async def put_ticks(self, ticks: Sequence[Tick]) -> None:
        """Store each as the newest tick of its symbol, in one transaction."""
        ...

    async def newest_ticks(self) -> Sequence[Tick]:
        """The newest tick of each symbol that ever had one, in no order."""
        ...

    async def history(
        self, symbol: str, since: datetime, until: datetime, step: timedelta
    ) -> Sequence[Past]:
        """The newest of the symbol's snapshots in each step of that time, ascending.

        Steps are counted from 1970, so that the past stays the same from one call to the next.
        """
        ...

    async def add_key(self, key: ApiKey) -> bool:
        """Store the key; False when its name is taken."""
        ...

    async def keys(self) -> Sequence[ApiKey]:
        """Every key of the HTTP API, by name."""
        ...

    async def delete_key(self, name: str) -> bool:
        """Forget the key; False when there is none of that name."""
        ...

    async def draw_requests(self, identity: str, minute: int, wanted: int, limit: int) -> Drawn:
        """Count so many more requests of that minute; which of them the limit allows.

        At once for all processes, as core.quota.draw says.
        """
        ...

    async def asked_at(self) -> Mapping[str, datetime]:
        """By identity the newest minute in which it asked."""
        ...

    async def open_market(self, market: str) -> str:
        """The database's own name, after saying whose data it holds: "live", "sim", a recording's.

        Raises StoreError when it holds another market's: live and simulated data never mix.
        """
        ...

    async def market(self) -> str | None:
        """Whose data the database holds, None when it holds none."""
        ...

    async def prune(self, chains_before: datetime, all_before: datetime) -> int:
        """Delete chains, and everything else that grows, older than this; returns rows deleted.

        Undelivered alerts, the newest snapshot of each symbol and what it needs stay. What a
        passing guest of the page set goes when they have been away since before `all_before`.
        """
        ...

    async def health(self) -> Mapping[str, object]:
        """Counts for /status, of what is stored, and the newest journal time."""
        ...

    async def close(self) -> None:
        """Give up the connections."""
        ...
