"""What Telegram's refusals mean for whoever wanted to say something there."""

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.chat.telegram.address import Address
from bot.errors import (
    BotError,
    DeliveryError,
    DeliveryInDoubt,
    MessageRefused,
    PermissionMissing,
    RecipientGone,
    RecipientMoved,
    TokenRefused,
)

# Parts of descriptions, in lower case: Telegram has no codes for them.
NO_RIGHTS = (
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "_forbidden",
    "chat_restricted",
    "topic_closed",
    "topic closed",
)
GONE = (
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "chat was deactivated",
)
TOPIC_GONE = ("thread not found", "topic_deleted")
UNSENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError")  # httpx's own names


class NotThere(MessageRefused):
    """The message to change is gone, or no longer ours to change: a new one takes its place."""


class NotStarted(PermissionMissing):
    """Nobody may write to a person before they wrote first."""


class Unchanged(MessageRefused):
    """The message is as it was wanted already."""


def translate(  # noqa: PLR0911 - a table: one row for each of the library's errors
    error: TelegramError, address: Address
) -> BotError:
    """Our error for Telegram's, when something was sent to that address."""
    match error:
        case RetryAfter():
            seconds = wait_seconds(error)
            return DeliveryError(f"telegram asks to wait {seconds:.0f} s", seconds)
        case ChatMigrated():
            return RecipientMoved(Address(error.new_chat_id, address.topic).target)
        case Forbidden():
            return _forbidden(error.message)
        case BadRequest():  # a NetworkError to the library, and never worth a second try
            return _bad_request(error.message)
        case InvalidToken():
            # Its own text may hold the token.
            return TokenRefused("telegram does not know the token: set the one of @BotFather")
        case Conflict():
            return DeliveryError("telegram: another process polls with this token; stop one")
        case TimedOut() | NetworkError() if type(error.__cause__).__name__ in UNSENT:
            return DeliveryError(f"telegram cannot be reached: {type(error.__cause__).__name__}")
        case TimedOut():
            return DeliveryInDoubt("telegram did not answer in time")
        case NetworkError():
            return DeliveryInDoubt(f"telegram failed: {_cause(error)}")
    return DeliveryInDoubt("telegram's answer cannot be read")


def wait_seconds(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    wanted = error.retry_after  # a timedelta only where PTB_TIMEDELTA is set
    return float(wanted) if isinstance(wanted, int) else wanted.total_seconds()


def _forbidden(text: str) -> BotError:
    if "can't initiate conversation" in text.lower():
        return NotStarted("press Start in a private chat with me")
    if _says(text, NO_RIGHTS):
        return PermissionMissing(_missing(text))
    return RecipientGone(text)


def _bad_request(text: str) -> BotError:
    if "message is not modified" in text.lower():
        return Unchanged(text)
    if _says(text, ("message to edit not found", "message can't be edited", "message_id_invalid")):
        return NotThere(text)
    if _says(text, NO_RIGHTS):
        return PermissionMissing(_missing(text))
    if _says(text, TOPIC_GONE):
        return RecipientGone("the topic was deleted; switch the feed on in another one")
    if _says(text, GONE):
        return RecipientGone(text)
    return MessageRefused(f"telegram refused the message: {text}")


def _missing(text: str) -> str:
    """The right that is missing, as Telegram's own screens call it."""
    lower = text.lower()
    if "topic" in lower:
        return "the topic is closed: reopen it, or give me Manage Topics"
    if "channel" in lower or "administrator rights" in lower:
        return "missing right: Post Messages"
    if "photo" in lower:
        return "missing right: Send Photos"
    return "missing right: Send Messages"


def _says(text: str, parts: tuple[str, ...]) -> bool:
    lower = text.lower()
    return any(part in lower for part in parts)


def _cause(error: NetworkError) -> str:
    """What broke, in a few words: a body may be a page of HTML."""
    return error.message.partition(". Parsing")[0][:200]
