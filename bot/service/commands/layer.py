"""The one command layer: finds the command, keeps the limits, turns trouble into a reply."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.menu import Argument, Entry, Form, Question
from bot.core.reply import SIMULATED, Command, Reply, mark_simulated
from bot.core.view import View
from bot.core.words import MOST, fitting, suggest
from bot.errors import BotError, StoreError, UserError
from bot.service.chats import Chats
from bot.service.commands.about import help_command
from bot.service.commands.table import Handled
from bot.service.limits import Limits

logger = logging.getLogger(__name__)

NO_DATABASE = "the database does not answer; ask again in a minute"
LONGEST_ERROR = 400  # characters: it may quote what was typed
LONGEST_VALUE = 100  # characters of a value that is offered: Discord takes no more


class Commands:
    """Answers any command, whatever chat it came from."""

    def __init__(
        self,
        handled: Iterable[Handled],
        chats: Chats,
        limits: Limits,
        now: Callable[[], datetime],
        stale_after: timedelta,
        *,
        simulated: bool,
    ) -> None:
        self._chats = chats
        self._limits = limits
        self._now = now
        self._stale_after = stale_after
        self._simulated = simulated
        self._handled: dict[str, Handled] = {}
        # The one list of commands: help, suggestions and every chat's menu come from it.
        self.menu: dict[str, Entry] = {}
        for one in (*handled, help_command(self.menu)):
            self.add(one)

    def add(self, handled: Handled) -> None:
        """Answer one more command."""
        self._handled[handled.entry.name] = handled
        self.menu[handled.entry.name] = handled.entry

    async def answer(self, command: Command) -> Reply:
        """The reply to whatever was asked; trouble that is expected is a reply as well."""
        try:
            reply = await self.ask(command)
        except UserError as error:
            reply = _sorry("No answer", error)
        except StoreError as error:  # whose words are the operator's: files, hosts, settings
            logger.error("%s not answered: %s", command.name, error)
            reply = _sorry("Not now", NO_DATABASE)
        except BotError as error:
            logger.error("%s not answered: %s", command.name, error)
            reply = _sorry("Not now", error)
        return mark_simulated(reply) if self._simulated else reply

    def entry(self, command: Command) -> Entry | None:
        """The command that is meant, once the two words of a name are put together."""
        return self.menu.get(_whole(command, self.menu).name)

    def form(self, command: Command) -> Form | None:
        """What to ask first when a required argument is missing; None when nothing is."""
        meant = _whole(command, self.menu)
        handled = self._handled.get(meant.name)
        if handled is None:
            return None
        required = sum(argument.required for argument in handled.entry.arguments)
        if len(meant.arguments) >= required:
            return None
        known = [*meant.arguments, *[""] * len(handled.entry.arguments)]
        questions = (
            Question(
                argument.name,
                argument.help,
                argument.required,
                _offered(handled, argument)[:MOST],
                value,
                handled.labels.get(argument.name, {}),
                argument.label or argument.name,
            )
            for argument, value in zip(handled.entry.arguments, known, strict=False)
        )
        marked = SIMULATED if self._simulated else ""
        title = handled.entry.title or handled.entry.name
        return Form(f"{marked}{title}", handled.entry.name, tuple(questions))

    async def complete(
        self, name: str, argument: str, text: str, command: Command
    ) -> Sequence[str]:
        """At most 25 values that fit what was typed of that command's argument so far."""
        handled = self._handled.get(name)
        asked = [one for one in handled.entry.arguments if one.name == argument] if handled else []
        if not handled or not asked:
            return ()
        try:
            found = (
                await handled.complete[argument](text, command)
                if argument in handled.complete
                else fitting(text, _offered(handled, asked[0]))
            )
        except BotError as error:
            logger.warning("%s not completed: %s", name, error)
            return ()
        return [value for value in found if len(value) <= LONGEST_VALUE][:MOST]

    async def ask(self, command: Command) -> Reply:
        """The reply, without a mark of what is simulated. Raises UserError, other BotErrors."""
        self._keep_limits(command)
        meant = _whole(command, self.menu)
        handled = self._handled.get(meant.name)
        if handled is None:
            raise UserError(self._suggestion(command))
        return await handled.answer(meant, await self._view(command))

    def _keep_limits(self, command: Command) -> None:
        """Let the person at the terminal do as they like. Raises UserError."""
        if not command.person:
            return
        seconds = (
            self._limits.wait_to_offer(command.person)
            if command.inline
            else self._limits.wait(command.person, command.target)
        )
        if seconds:
            raise UserError(f"one moment: so many commands at once; ask again in {seconds} s")

    async def _view(self, command: Command) -> View:
        """The view of that chat, which is there since it was written in."""
        chat = await self._chats.of(command.target)
        if chat.state == "gone" and not command.lacks:
            await self._chats.revive(command.target)
        return View(self._now(), self._stale_after, chat.clock)

    def _suggestion(self, command: Command) -> str:
        """What to type in place of a command that there is not."""
        group = [name for name in self.menu if name.startswith(f"{command.name} ")]
        if group:
            two_words = " ".join([command.name, *command.arguments[:1]])
            near = suggest(two_words, group, "") if command.arguments else ""
            return near or f"choose one of: {', '.join(group)}"
        firsts = dict.fromkeys(name.split()[0] for name in self.menu)
        near = suggest(command.name, firsts, "help lists the commands")
        return f"no command {command.name!r}; {near}"


def _whole(command: Command, menu: Iterable[str]) -> Command:
    """The command with both words of its name, where the second is an argument yet."""
    if not command.arguments:
        return command
    first, *rest = command.arguments
    name = f"{command.name} {first.lower()}"
    return replace(command, name=name, arguments=tuple(rest)) if name in menu else command


def _offered(handled: Handled, argument: Argument) -> Sequence[str]:
    """Values of the argument that are known without asking anyone."""
    return argument.choices or handled.samples.get(argument.name, ())


def _sorry(title: str, error: object) -> Reply:
    text = str(error)
    short = text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR]}…"
    return Reply(title, lines=(short,), tone="error", private=True)
