"""The commands: what a chat's users ask, answered from the store.

A new one is one `Handled` in the module that it belongs to.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.service.commands.about import about_commands
from bot.service.commands.alerts import alert_commands
from bot.service.commands.dashboard import dashboard_commands
from bot.service.commands.exports import export_commands
from bot.service.commands.feeds import feed_commands
from bot.service.commands.hours import hour_commands
from bot.service.commands.layer import Commands
from bot.service.commands.market import market_commands
from bot.service.commands.setup import setup_commands
from bot.service.commands.table import Handled, Parts

__all__ = ["Commands", "Handled", "Parts", "every_command"]


def every_command(parts: Parts) -> Sequence[Handled]:
    """All commands, in the order and under the topics in which help lists them."""
    topics = {
        "Market": (*market_commands(parts), *export_commands(parts)),
        "Alerts": alert_commands(parts),
        "Silence": hour_commands(parts),
        "Feeds": feed_commands(parts),
        "More": (*setup_commands(parts), *dashboard_commands(parts), *about_commands(parts)),
    }
    return [
        replace(one, entry=replace(one.entry, topic=topic))
        for topic, commands in topics.items()
        for one in commands
    ]
