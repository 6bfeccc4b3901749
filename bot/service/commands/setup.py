"""setup: what a chat can and cannot, and what to do next."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from bot.core.chats import Chat, digest_text, feed_text, quiet_text, right_to_manage
from bot.core.clocks import minute_text, until_text
from bot.core.events import Alert
from bot.core.menu import Argument, Entry
from bot.core.reply import Action, Command, Field, Reply
from bot.core.view import View
from bot.errors import UserError
from bot.service.commands.alerts import MOST_RULES
from bot.service.commands.homes import (
    REACHED,
    lack_text,
    lacking_lines,
    mending_lines,
    settle_in,
    trial,
    whose_lines,
)
from bot.service.commands.table import Handled, Parts

TEST_LASTS = timedelta(minutes=5)
ID_LENGTH = 12  # as an alert's: a Discord nonce has at most 25


def setup_commands(parts: Parts) -> Sequence[Handled]:
    """The one command."""
    step = Argument("step", "test sends a ring", choices=("test",))
    entry = Entry("setup", "what works in this chat and what is missing", (step,), True, True)
    return (Handled(entry, SetupCommand(parts).answer),)


class SetupCommand:
    """The handler."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def answer(self, command: Command, view: View) -> Reply:
        """The state of the chat, or a test ring into it."""
        word = command.arguments[0].lower() if command.arguments else ""
        if word == "test":
            return await self._test(command, view)
        if word:
            raise UserError(f"{word!r} is not understood; write setup, or setup test")
        return await self._show(command, view)

    async def _show(self, command: Command, view: View) -> Reply:
        reached = {} if command.lacks else REACHED
        chat = await self._parts.chats.change(command.target, **reached)
        count = len(await self._parts.store.rules(command.target))
        return Reply(
            f"Setup of {command.place if command.is_shared and command.place else 'this chat'}",
            fields=(
                Field("Can ring here", _ability_text(chat, command, view)),
                Field("Time zone", f"{chat.zone}, {minute_text(view.now, chat.clock)} now"),
                Field("Quiet", _silence_text(chat, view)),
                Field("Feed", feed_text(chat.feed) if chat.feed else "off"),
                Field("Digest", digest_text(chat.digest) if chat.digest else "off"),
                Field("Alerts", f"{count} of {MOST_RULES}"),
            ),
            lines=(*mending_lines(command), *_who_lines(command)),
            actions=_next_steps(chat, command),
            tone="negative" if command.lacks or chat.state != "active" else "neutral",
            private=True,
        )

    async def _test(self, command: Command, view: View) -> Reply:
        """Put a notice into the outbox, so that it takes the way of every ring."""
        await settle_in(self._parts.chats, command)
        identity = hashlib.sha256(f"test|{command.home}|{view.now.isoformat()}".encode())
        name = identity.hexdigest()[:ID_LENGTH]
        card = Reply("🔔 Test", lines=("Rings arrive here.",), footer=(f"#{name}",))
        notice = Alert(
            name,
            view.now,
            "",
            command.home,
            "",
            f"This is a test: rings arrive here. #{name}",
            view.now + TEST_LASTS,
            kind="notice",
            card=card,
        )
        await self._parts.store.post([notice])
        return Reply(
            "A test ring is on its way",
            lines=lacking_lines(command)
            if command.home == command.target
            else whose_lines(command),
            actions=(Action("Setup", "setup"),),
            private=True,
        )


def _ability_text(chat: Chat, command: Command, view: View) -> str:
    """Whether rings arrive, and since when not."""
    if chat.state != "active":
        since = f" since {until_text(chat.since, chat.clock, view.now)}" if chat.since else ""
        return f"no, {chat.state}{since}: {chat.trouble}"
    return f"no, {lack_text(command)}" if command.lacks else "yes"


def _silence_text(chat: Chat, view: View) -> str:
    hours = quiet_text(chat.quiet) if chat.quiet else "no hours"
    if chat.snoozed_until and chat.snoozed_until > view.now:
        return f"{hours}; snoozed until {until_text(chat.snoozed_until, chat.clock, view.now)}"
    return hours


def _who_lines(command: Command) -> tuple[str, ...]:
    if command.may_manage:
        return ()
    return (f"Who has {right_to_manage(command.target)} decides what comes here.",)


def _next_steps(chat: Chat, command: Command) -> tuple[Action, ...]:
    help_ = Action("Help", "help")
    if not command.may_manage:
        return (help_,)
    feed = Action("Feed off", "feed off") if chat.feed else Action("Feed on", "feed on")
    again = (Action("Check again", "setup"),) if command.lacks else ()
    return (*again, feed, *trial(command), Action("Time zone", "timezone"), help_)
