"""feed and digest: what a chat gets without any rule of its own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.chats import Chat, Digest, Feed, coins_text, digest_due, digest_text
from bot.core.clocks import next_moment, parse_time, until_text
from bot.core.menu import Argument, Entry
from bot.core.packs import PACKS, pack_text
from bot.core.reply import Action, Command, Field, Reply
from bot.core.symbols import find_symbol, find_symbols
from bot.core.view import View
from bot.core.words import suggest
from bot.errors import UserError
from bot.service.commands.homes import lacking_lines, require_manager, settle_in, trial
from bot.service.commands.table import SYMBOLS, Handled, Parts, of_list

TIMES = ("07:00", "08:00", "09:00", "18:00", "22:00", "off")


def feed_commands(parts: Parts) -> Sequence[Handled]:
    """Every command about what comes by itself."""
    feeds = FeedCommands(parts)
    pack = Argument("pack", "which set of rules", choices=tuple(PACKS))
    at = Argument("time", "08:00 or off", required=True, open=True, label="At what time")
    of_symbols = {"symbols": of_list(("all", *parts.coins))}
    coins = {"symbols": ("all", *parts.coins)}
    on = Entry("feed on", "ring here on what most want to know", (SYMBOLS, pack), False, True)
    digest = Entry("digest", "a summary each day", (at, SYMBOLS), False, True, "Set a daily digest")
    return (
        Handled(on, feeds.on, coins, of_symbols),
        Handled(Entry("feed off", "end the feed", (), False, True), feeds.off),
        Handled(Entry("feed status", "what the feed rings on", (), False, True), feeds.status),
        Handled(digest, feeds.digest, {"time": TIMES, **coins}, of_symbols),
    )


class FeedCommands:
    """The handlers."""

    def __init__(self, parts: Parts) -> None:
        self._symbols = parts.symbols
        self._coins = parts.coins
        self._chats = parts.chats

    async def on(self, command: Command, view: View) -> Reply:
        """`feed on [symbols] [pack]`, in any order."""
        del view
        require_manager(command)
        words = _words(command.arguments)
        packs = [word for word in words if word in PACKS]
        named = [word for word in words if word not in PACKS]
        for word in named:
            self._check(word)
        feed = Feed(find_symbols(named, self._symbols), packs[0] if packs else "default")
        chat = await settle_in(self._chats, command, lambda chat: replace(chat, feed=feed))
        return _feed_reply("Feed on", chat, command)

    async def off(self, command: Command, view: View) -> Reply:
        """No feed here."""
        del view
        require_manager(command)
        had = (await self._chats.of(command.home)).feed
        await self._chats.change(command.home, lambda chat: replace(chat, feed=None))
        lines = ("Alerts that were set one by one ring on.",) if had else ("There was none here.",)
        return Reply("Feed off", lines=lines, actions=(Action("Feed on", "feed on"),))

    async def status(self, command: Command, view: View) -> Reply:
        """What this chat gets, whoever asks."""
        del view
        return _feed_reply("Feed", await self._chats.of(command.target), command)

    async def digest(self, command: Command, view: View) -> Reply:
        """`digest 08:00 [symbols]` or `digest off`."""
        require_manager(command)
        first, *rest = _words(command.arguments) or [""]
        if not first:
            raise UserError("at what time? write it like: digest 08:00, or digest off")
        if first == "off":
            await self._chats.change(command.home, lambda chat: replace(chat, digest=None))
            return Reply("Digest off", actions=(Action("Digest at 08:00", "digest 08:00"),))
        digest = Digest(parse_time(first), find_symbols(rest, self._symbols))
        chat = await settle_in(self._chats, command, lambda chat: replace(chat, digest=digest))
        return Reply(
            f"Digest at {digest_text(digest)}",
            fields=(
                Field("First", _first_text(chat, digest, view.now)),
                Field("Time zone", chat.zone),
            ),
            lines=lacking_lines(command),
            actions=(
                Action("Digest off", "digest off"),
                Action("Other time zone", "timezone"),
                *trial(command),
            ),
        )

    def _check(self, word: str) -> None:
        """Raises UserError for what is neither symbol nor pack."""
        try:
            if word != "all":
                find_symbol(word, self._symbols)
        except UserError as error:
            known = [*map(str.lower, self._coins), *PACKS]
            hint = suggest(word, known, f"symbols and packs: {', '.join(known)}")
            raise UserError(f"no symbol or pack {word!r}; {hint}") from error


def _words(arguments: Sequence[str]) -> list[str]:
    return [word for line in arguments for word in line.lower().split(",") if word]


def _first_text(chat: Chat, digest: Digest, now: datetime) -> str:
    if digest_due(chat, None, now):
        return "in a moment, unless today's was sent"
    return until_text(next_moment(digest.at, chat.clock, now), chat.clock, now)


def _feed_reply(title: str, chat: Chat, command: Command) -> Reply:
    if chat.feed is None:
        actions = (Action("Feed on", "feed on"),) if command.decides else ()
        return Reply(title, lines=("Off. Moderators switch it on with: feed on",), actions=actions)
    change = (*trial(command), Action("Feed off", "feed off")) if command.decides else ()
    return Reply(
        f"{title}: {coins_text(chat.feed.symbols)}",
        fields=(
            Field("Pack", chat.feed.pack),
            Field("Rings on", pack_text(chat.feed.pack)),
        ),
        lines=lacking_lines(command) or _resting_lines(chat),
        actions=(*change, Action("Setup", "setup")),
    )


def _resting_lines(chat: Chat) -> tuple[str, ...]:
    return () if chat.state == "active" else (f"It rests: {chat.trouble}",)
