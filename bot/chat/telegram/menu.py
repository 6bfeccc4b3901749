"""The list of commands that Telegram's own menu shows, for each kind of chat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)
from telegram.error import TelegramError

from bot.chat.locales import LOCALES, Locale
from bot.chat.telegram.address import NAME, Address
from bot.chat.telegram.errors import translate
from bot.chat.telling import Telling
from bot.core.menu import Entry

LONGEST_HELP = 256
MOST_COMMANDS = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """What one kind of chat shows to people of one language; "" is any without its own."""

    scope: BotCommandScope
    language: str
    commands: tuple[BotCommand, ...]

    @property
    def told(self) -> list[object]:
        """All of it, as JSON has it."""
        return [self.scope.to_dict(), self.language, [one.to_dict() for one in self.commands]]


def listings(menu: Mapping[str, Entry]) -> Sequence[Listing]:
    """Every listing: what takes rights in a group is shown to its administrators only."""
    for_all = {n: entry for n, entry in menu.items() if entry.private or not entry.asks_rights}
    scopes: Sequence[tuple[BotCommandScope, Mapping[str, Entry]]] = (
        (BotCommandScopeAllPrivateChats(), menu),
        (BotCommandScopeAllGroupChats(), for_all),
        (BotCommandScopeAllChatAdministrators(), menu),
    )
    return [
        Listing(scope, locale.code if locale else "", _commands(shown, locale))
        for scope, shown in scopes
        for locale in (None, *LOCALES)
    ]


def telling(bot: Bot, menu: Mapping[str, Entry]) -> Telling:
    """The menu, as Telegram is to know it."""
    lists = listings(menu)

    async def tell() -> None:
        try:
            for each in lists:
                await bot.set_my_commands(each.commands, each.scope, each.language or None)
        except TelegramError as error:
            raise translate(error, Address(0)) from error

    return Telling(NAME, bot.id, [each.told for each in lists], tell)


def _commands(menu: Mapping[str, Entry], locale: Locale | None) -> tuple[BotCommand, ...]:
    """One for each first word, since Telegram's names are single words; helps are translated."""
    groups: dict[str, list[Entry]] = {}
    for entry in menu.values():
        groups.setdefault(entry.name.split()[0], []).append(entry)
    made = [BotCommand(word, _help(word, group, locale)) for word, group in groups.items()]
    return tuple(made[:MOST_COMMANDS])


def _help(word: str, entries: Sequence[Entry], locale: Locale | None) -> str:
    """A single command's help, or the second words of a group."""
    translated = locale.help(word) if locale else None
    seconds = [entry.name.partition(" ")[2] for entry in entries]
    english = ", ".join(seconds) if all(seconds) else entries[0].help
    return (translated or english)[:LONGEST_HELP]
