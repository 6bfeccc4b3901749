"""What happens after a user did something: one interaction, from the press to the answer."""

import asyncio
import secrets
from dataclasses import dataclass, field
from time import monotonic

from tests.fakes.discord_model import Channel, Message, User, refusal, walk

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5  # types of interactions
MESSAGE, DEFER, DEFER_UPDATE, UPDATE, CHOICES, FORM = 4, 5, 6, 7, 8, 9  # types of answers
FIRST_ANSWER = 3.0  # seconds
TOKEN_LIFE = 900.0  # seconds


class Changes:
    """Wakes whoever waits for something to become true."""

    def __init__(self):
        self._event = asyncio.Event()

    def notify(self):
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, predicate, timeout):  # noqa: ASYNC109 - reads better than asyncio.timeout at 100 calls
        """Wait until it is true. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not predicate():
                await self._event.wait()


@dataclass(frozen=True)
class Modal:
    """A form on the user's screen; `fields` are its inputs by label."""

    title: str
    custom_id: str
    components: list

    @property
    def fields(self):
        return dict(labelled(self.components))


def labelled(components):
    """Each input with the label that people see."""
    for part in walk(components):
        if part["type"] == 18:
            yield part["label"], part["component"]
        elif part["type"] == 4 and part.get("label"):
            yield part["label"], part


@dataclass(eq=False)
class Invocation:
    """One interaction; times are of time.monotonic()."""

    id: int
    kind: int
    user: User
    channel: Channel
    changes: Changes
    born: float  # on the fake's own clock
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    started: float = field(default_factory=monotonic)
    acknowledged: float | None = None
    answered_at: float | None = None  # when the user first saw something
    ack_type: int | None = None
    source: Message | None = None  # the message of the button
    original: Message | None = None  # the answer, as it is now; a button's own message
    original_shown: bool = False  # the answer is in it
    followups: list[Message] = field(default_factory=list)
    modal: Modal | None = None
    choices: list[dict] | None = None
    refused: list[int] = field(default_factory=list)  # codes of our mistakes

    @property
    def messages(self):
        """What the user sees of the answer now: the original after its edits, follow-ups."""
        own = [self.original] if self.original_shown else []
        return [m for m in [*own, *self.followups] if m.exists]

    @property
    def message(self):
        """The only message of the answer."""
        (message,) = self.messages
        return message

    @property
    def deferred(self):
        """The message that was announced and is not there yet."""
        waits = self.original and self.original.exists and self.original.loading
        return self.original if waits else None

    @property
    def ephemeral(self):
        return bool(self.original and self.original.ephemeral)

    @property
    def reaction(self):
        """Seconds to the first sign of life."""
        return self.acknowledged - self.started

    async def acked(self, timeout=30.0):  # noqa: ASYNC109 - as in Changes
        """Wait for the first sign of life, then this invocation."""
        return await self.until(lambda _: self.ack_type is not None, timeout)

    async def answered(self, timeout=30.0):  # noqa: ASYNC109 - as in Changes
        """Wait until the user sees something: a message, an edit, a form, choices."""
        return await self.until(lambda _: self.answered_at is not None, timeout)

    async def until(self, predicate, timeout=30.0):  # noqa: ASYNC109 - as in Changes
        """Wait until the predicate is true of this invocation, then this invocation."""
        await self.changes.until(lambda: predicate(self), timeout)
        return self

    def require_first(self, kind, now):
        """Raises ApiError when this answer is the second, too late, or does not fit."""
        if self.ack_type is not None:
            raise refusal(40060)
        if now - self.born > FIRST_ANSWER:
            raise refusal(10062)
        if kind not in self._fitting():
            message = f"answer {kind} does not fit interaction {self.kind}"
            raise refusal(50035, errors={"_errors": [{"code": "INVALID", "message": message}]})

    def acknowledge(self, kind):
        self.ack_type, self.acknowledged = kind, monotonic()
        self.changes.notify()

    def _fitting(self):
        if self.kind == AUTOCOMPLETE:
            return {CHOICES}
        updates = {DEFER_UPDATE, UPDATE} if self.source else set()
        forms = set() if self.kind == MODAL else {FORM}
        return {MESSAGE, DEFER} | updates | forms

    def require_token(self, now):
        """Raises the 10015 of a token that was not used yet, or that is too old."""
        if self.ack_type is None or now - self.born > TOKEN_LIFE:
            raise refusal(10015)

    def saw(self):
        """The user sees something new."""
        self.answered_at = self.answered_at or monotonic()
        self.changes.notify()
