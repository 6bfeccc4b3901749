"""dashboard: a link that lets the one who asks into the page."""

from collections.abc import Sequence

from bot.core.menu import Entry
from bot.core.places import is_group
from bot.core.reply import Action, Command, Link, Reply
from bot.core.view import View
from bot.errors import UserError
from bot.service.commands.table import Handled, Parts

PAGE = "web:"  # how the addresses of the dashboard's own guests begin
OPEN = "Open the dashboard"


def dashboard_commands(parts: Parts) -> Sequence[Handled]:
    """The one command."""
    entry = Entry("dashboard", "a link that lets you into the dashboard", private=True)
    return (Handled(entry, Dashboard(parts).answer),)


class Dashboard:
    """The handler."""

    def __init__(self, parts: Parts) -> None:
        self._access = parts.access

    async def answer(self, command: Command, view: View) -> Reply:
        """The link, for the one who asks alone."""
        del view
        person = command.person or command.target
        if person.startswith(PAGE):
            raise UserError("you are in it; for another browser ask me in Discord or Telegram")
        if is_group(person):
            raise UserError("a link is one person's: ask me as yourself, in our own chat")
        if self._access is None or not self._access.public_url:
            raise UserError(
                "no link can be made: whoever runs me must set [api] public_url to the address "
                "at which people open the dashboard, like https://bell.example.org"
            )
        return Reply(
            "Dashboard",
            lines=(
                "The link lets one browser in, within 10 minutes and once; then for 30 days.",
                "It is yours alone: whoever opens it is taken for you there.",
            ),
            links=(Link(OPEN, await self._access.link(person)),),
            actions=(Action("New link", "dashboard"),),
            private=True,
            secret=True,
        )
