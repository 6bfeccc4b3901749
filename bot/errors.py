"""Every error the program expects, each with what is done about it."""


class BotError(Exception):
    """Expected trouble: its text is one line that says what to do; the exit code is 1."""

    exit_code = 1


class UsageError(BotError):
    """The command line or a file it names is wrong; nothing was done; the exit code is 2."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration is wrong; the program does not start."""


class SourceError(BotError):
    """A venue gave no usable answer; the cycle goes on without it and the snapshot says so."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


class NotListed(SourceError):
    """The venue does not list the coin: a normal state, not an outage."""


class NothingHeard(BotError):
    """There is no chain to compute from; the text says why. What was shown before grows old."""


class RecordingError(BotError):
    """A recording cannot be read; the text names the file, the line and what is wrong there."""


class StoreError(BotError):
    """The database refused; nothing was written and the cycle is repeated."""


class DeliveryError(BotError):
    """A message was not delivered; its row is due again after `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class NobodyThere(DeliveryError):
    """Whom it is for is not there to see it, which is nobody's trouble; it waits for them."""


class DeliveryInDoubt(DeliveryError):
    """Nobody knows whether the message arrived; it is sent once more, with its id, then no more."""


class RecipientGone(BotError):
    """The chat is gone, or the bot out of it: its subscription rests until someone revives it."""


class PermissionMissing(BotError):
    """A right is missing that a person can give: suspended, the owner told once, tried again."""


class RecipientMoved(BotError):
    """The chat goes on under another address: everything follows it, and the message is sent."""

    def __init__(self, to: str) -> None:
        super().__init__(f"moved to {to}")
        self.to = to


class MessageRefused(BotError):
    """The platform finds the message itself wrong: our mistake, never sent again."""


class TokenRefused(BotError):
    """The platform does not know our token: nothing is sent until the operator changes it."""


class UserError(BotError):
    """A command that cannot be answered; its text is the reply."""
