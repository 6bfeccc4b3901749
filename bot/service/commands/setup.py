"""setup: what a chat can and cannot, and what to do next."""

from collections.abc import Sequence
from datetime import timedelta

from bot.core.chats import Chat, digest_text, feed_text, quiet_text
from bot.core.clocks import minute_text, until_text
from bot.core.events import Alert
from bot.core.menu import Argument, Entry
from bot.core.places import platform_of
from bot.core.reply import Action, Command, Field, Reply
from bot.core.routing import short_id
from bot.core.view import View
from bot.errors import UserError
from bot.service.commands.alerts import MOST_RULES
from bot.service.commands.calls import allow_calls, forbid_calls
from bot.service.commands.homes import (
    lack_text,
    lacking_lines,
    mending_lines,
    require_manager,
    settle_in,
    trial,
    whose_lines,
)
from bot.service.commands.table import Handled, Parts

TEST_LASTS = timedelta(minutes=5)
STEPS = ("test", "nocalls", "calls")
NO_CALLS = Action("Call nobody here", "setup nocalls")
CALLS = Action("Allow calls", "setup calls")


def setup_commands(parts: Parts) -> Sequence[Handled]:
    """The one command."""
    step = Argument("step", "test rings here; nocalls calls nobody by name here", choices=STEPS)
    entry = Entry("setup", "what works in this chat and what is missing", (step,), True, True)
    return (Handled(entry, SetupCommand(parts).answer),)


class SetupCommand:
    """The handler."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def answer(self, command: Command, view: View) -> Reply:
        """The state of the chat, a test ring into it, or whether people are called in it."""
        match command.arguments[0].lower() if command.arguments else "":
            case "":
                return await self._show(command, view)
            case "test":
                return await self._test(command, view)
            case "nocalls":
                return await self._end_calls(command)
            case "calls":
                return await self._allow_calls(command)
            case word:
                raise UserError(f"{word!r} is not understood; write setup, or setup test")

    async def _show(self, command: Command, view: View) -> Reply:
        find = self._parts.chats.of if command.lacks else self._parts.chats.reached
        chat = await find(command.target)
        count = len(await self._parts.store.rules(command.target))
        return Reply(
            f"Setup of {command.place if command.is_shared and command.place else 'this chat'}",
            fields=(
                Field("Can ring here", _ability_text(chat, command, view)),
                *_left_out(command),
                Field("Time zone", f"{chat.zone}, {minute_text(view.now, chat.clock)} now"),
                Field("Quiet", _silence_text(chat, view)),
                Field("Feed", feed_text(chat.feed) if chat.feed else "off"),
                Field("Digest", digest_text(chat.digest) if chat.digest else "off"),
                Field("Alerts", f"{count} of {MOST_RULES}"),
                *_called_fields(chat),
            ),
            lines=(*mending_lines(command), *_who_lines(command)),
            actions=_next_steps(chat, command),
            tone="negative" if command.lacks or chat.state != "active" else "neutral",
            private=True,
        )

    async def _test(self, command: Command, view: View) -> Reply:
        """Put a notice into the outbox, so that it takes the way of every ring."""
        await settle_in(self._parts.chats, command)
        name = short_id("test", command.home, view.now.isoformat())
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

    async def _end_calls(self, command: Command) -> Reply:
        require_manager(command)
        ended = await forbid_calls(self._parts.chats, command.target)
        return Reply(
            "Nobody is called here",
            lines=(f"{_people(ended)} called no more, and nobody can ask for it.",),
            actions=(CALLS,),
            private=True,
        )

    async def _allow_calls(self, command: Command) -> Reply:
        require_manager(command)
        await allow_calls(self._parts.chats, command.target)
        return Reply(
            "People may be called here",
            lines=("Who wants it writes: alert fallback",),
            actions=(NO_CALLS,),
            private=True,
        )


def _called_fields(chat: Chat) -> tuple[Field, ...]:
    """How many people are called by name here, if any are, or that nobody may be."""
    if chat.called is None:
        return (Field("Calls", "nobody may be called here"),)
    return (Field("Calls", f"{_people(len(chat.called))} called here"),) if chat.called else ()


def _people(count: int) -> str:
    return "1 person is" if count == 1 else f"{count} people are"


def _ability_text(chat: Chat, command: Command, view: View) -> str:
    """Whether rings arrive, and since when not."""
    if chat.state != "active":
        since = f" since {until_text(chat.since, chat.clock, view.now)}" if chat.since else ""
        return f"no, {chat.state}{since}: {chat.trouble}"
    return f"no, {lack_text(command)}" if command.lacks else "yes"


def _left_out(command: Command) -> tuple[Field, ...]:
    """What a ring does without here."""
    missing = ", ".join(command.wants)
    return (Field("Charts", f"left out, missing {missing}"),) if missing else ()


def _silence_text(chat: Chat, view: View) -> str:
    hours = quiet_text(chat.quiet) if chat.quiet else "no hours"
    if chat.snoozed_until and chat.snoozed_until > view.now:
        return f"{hours}; snoozed until {until_text(chat.snoozed_until, chat.clock, view.now)}"
    return hours


def _who_lines(command: Command) -> tuple[str, ...]:
    if command.decides:
        return ()
    return (f"Who has {platform_of(command.target).manager} decides what comes here.",)


def _next_steps(chat: Chat, command: Command) -> tuple[Action, ...]:
    help_ = Action("Help", "help")
    if not command.decides:
        return (help_,)
    feed = Action("Feed off", "feed off") if chat.feed else Action("Feed on", "feed on")
    again = (Action("Check again", "setup"),) if command.lacks else ()
    calls = (CALLS,) if chat.called is None else (NO_CALLS,) if chat.called else ()
    return (*again, feed, *trial(command), *calls, Action("Time zone", "timezone"), help_)
