"""Logging to stderr, without the secrets that a library or a traceback might say."""

import logging
import sys
import traceback
from types import TracebackType

from bot.core.secret import Secret

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
HIDDEN = "***"
# At info a line a request, with its URL; at debug a line a query, with what it stores.
CHATTY = ("httpx", "httpcore", "telegram", "aiosqlite", "sqlalchemy")

_secrets: list[str] = []


class Discreet(logging.Formatter):
    """Every line, traceback included, without the secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return discreet(super().format(record))


def set_up(level: str) -> None:
    """Log from this level on to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])
    for name in CHATTY:
        logging.getLogger(name).setLevel("WARNING")
    # At debug it shows the tokens of interactions, with which anyone can answer for 15 minutes.
    logging.getLogger("discord").setLevel(max(logging.INFO, logging.getLogger().level))
    sys.excepthook = _tell


def hide(secret: Secret) -> None:
    """Show it in no line from now on."""
    _secrets.append(secret.reveal())


def discreet(text: str) -> str:
    """The text with every secret hidden."""
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A traceback that ends the process, without the secrets."""
    sys.stderr.write(discreet("".join(traceback.format_exception(kind, error, trace))))
