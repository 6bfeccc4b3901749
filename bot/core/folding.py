"""What rang while a chat was quiet, as one message."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from bot.core.clocks import until_text
from bot.core.events import Alert
from bot.core.reply import Action, Reply
from bot.core.routing import short_id

LINES_SHOWN = 10


def fold(alerts: Sequence[Alert], zone: tzinfo) -> Alert:
    """One message for all of them, which wait for the same chat; times on that zone's clock.

    The same alerts make the same id, so that a repeat can be told from news.
    """
    told = sorted(alerts, key=lambda alert: alert.at)
    newest = told[-1]
    title = f"While quiet: rang {len(told)}x" if len(told) > 1 else "While quiet: rang once"
    lines = _lines(told, zone, newest.at)
    identity = short_id("fold", *(alert.id for alert in told))
    return Alert(
        identity,
        newest.at,
        _shared(alert.rule for alert in told),
        newest.target,
        _shared(alert.symbol for alert in told),
        "\n".join([title, *lines]),
        max(alert.expires_at for alert in told),
        attempts=max(alert.attempts for alert in told),
        card=Reply(title, lines=lines, actions=(Action("Alerts", "alert list"),)),
        doubts=max(alert.doubts for alert in told),
    )


def _lines(told: Sequence[Alert], zone: tzinfo, newest: datetime) -> tuple[str, ...]:
    """The newest of them, a line each, in the order in which they rang."""
    hidden = len(told) - LINES_SHOWN
    earlier = (f"… and {hidden} earlier",) if hidden > 0 else ()
    shown = told[-LINES_SHOWN:]
    return (*earlier, *(f"{until_text(one.at, zone, newest)}: {one.text}" for one in shown))


def _shared(values: Iterable[str]) -> str:
    """What they have in common, "" when they differ."""
    different = set(values)
    return different.pop() if len(different) == 1 else ""
