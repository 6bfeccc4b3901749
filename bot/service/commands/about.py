"""help, explain and status: about the program itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.clocks import date_text
from bot.core.glossary import TERMS, explain
from bot.core.menu import Argument, Entry
from bot.core.reply import Action, Command, Field, Reply, Table
from bot.core.symbols import coin_of
from bot.core.text import age_text
from bot.core.view import View
from bot.core.words import suggest
from bot.errors import UserError
from bot.service.commands.table import Handled, Parts

ALL_COMMANDS = Action("All commands", "help")


def about_commands(parts: Parts) -> Sequence[Handled]:
    """explain and status."""
    return (
        Handled(
            Entry(
                "explain",
                "what a word means",
                (Argument("term", "HVL, GEX, flip, ...", open=True),),
            ),
            _explain,
            samples={"term": tuple(TERMS)},
        ),
        Handled(
            Entry("status", "how old the data is, what works and what does not"),
            Status(parts).answer,
        ),
    )


def help_command(menu: Mapping[str, Entry]) -> Handled:
    """The list of all commands by topic; what each does, of some."""
    entry = Entry(
        "help", "this list", (Argument("command", "one of them, or a topic", open=True),), True
    )

    async def answer(command: Command, view: View) -> Reply:
        del view
        slash = "/" if command.person else ""
        asked = " ".join(command.arguments).lower().removeprefix("/")
        if not asked:
            return _overview(list(menu.values()), slash)
        shown = _meant(asked, menu)
        if not shown:
            near = suggest(asked, menu, "help alone lists the commands")
            raise UserError(f"no command {asked!r}; {near}")
        fields = (Field(f"{slash}{entry.usage}", entry.help) for entry in shown)
        return Reply("Commands", fields=tuple(fields), actions=(ALL_COMMANDS,), private=True)

    async def complete(text: str, command: Command) -> Sequence[str]:
        del command
        return [name for name in menu if name.startswith(text.strip().lower())]

    return Handled(entry, answer, complete={"command": complete})


def _meant(asked: str, menu: Mapping[str, Entry]) -> Sequence[Entry]:
    """The command of that name, those of the group, or those of the topic."""
    named = [e for name, e in menu.items() if name == asked or name.startswith(f"{asked} ")]
    return named or [entry for entry in menu.values() if entry.topic.lower() == asked]


def _overview(entries: Sequence[Entry], slash: str) -> Reply:
    """A line each topic, and a button that says more of it."""
    topics = dict.fromkeys(entry.topic for entry in entries)
    usages = {
        topic: [f"{slash}{entry.usage}" for entry in entries if entry.topic == topic]
        for topic in topics
    }
    return Reply(
        "Commands",
        fields=tuple(Field(topic, " · ".join(found)) for topic, found in usages.items()),
        lines=(f"What each does: {slash}help and a topic, or a command.",),
        actions=tuple(Action(topic, f"help {topic.lower()}") for topic in topics),
        private=True,
    )


async def _explain(command: Command, view: View) -> Reply:
    del view
    return Reply("Glossary", lines=(explain(" ".join(command.arguments)),))


class Status:
    """Health: of the data, the venues and the store."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def answer(self, command: Command, view: View) -> Reply:
        """A line for everything that works or does not."""
        chat = await self._parts.chats.of(command.target)
        here = (Field("This chat", f"{chat.state}: {chat.trouble}"),) if chat.trouble else ()
        rows = [await self._row(symbol, view) for symbol in self._parts.symbols]
        counts = (await self._parts.store.health()).items()
        stored = tuple((name.replace("_", " "), _count_text(count, view)) for name, count in counts)
        return Reply(
            "Status",
            fields=(*self._parts.status(), *here),
            tables=(
                Table("", ("Symbol", "Data", "Age", "Venues"), tuple(rows)),
                Table("Stored", (), stored),
            ),
            footer=(f"as of {date_text(view.now, view.zone)}",),
            actions=(Action("Refresh", "status"),),
        )

    async def _row(self, symbol: str, view: View) -> tuple[str, ...]:
        snapshot = await self._parts.newest.of(symbol)
        if snapshot is None:
            return coin_of(symbol), "none yet", "", ""
        state = "STALE" if view.is_stale(snapshot) else "fresh"
        heard = len(snapshot.sources)
        venues = f"{heard} of {heard + len(snapshot.left_out)}"
        return coin_of(symbol), state, age_text(view.now - snapshot.at), venues


def _count_text(value: object, view: View) -> str:
    if isinstance(value, datetime):
        return f"{age_text(view.now - value)} ago"
    return f"{value:,}" if isinstance(value, int) else "none" if value is None else str(value)
