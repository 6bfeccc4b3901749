"""The slash commands as Discord wants them told, made from the one menu."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from bot.chat.locales import Locale
from bot.core.menu import Argument, Entry

Item = dict[str, object]

CHAT_INPUT, SUB_COMMAND, STRING = 1, 1, 3  # Discord's numbers of types
EVERYWHERE = [0, 1, 2]  # servers, direct messages with us, other private chats
INSTALLS = [0, 1]  # to a server, to a person
HELP = 100  # characters
CHOICES = 25


def definition(menu: Mapping[str, Entry], locales: Sequence[Locale]) -> list[Item]:
    """Every command; those of two words are grouped under their first, which does nothing itself.

    No option is required: what is missing is asked for in a form.
    """
    ordered = sorted(menu.values(), key=lambda entry: entry.name)
    groups = groupby(ordered, key=lambda entry: entry.name.split()[0])
    return [_command(name, list(entries), locales) for name, entries in groups]


def _command(name: str, entries: Sequence[Entry], locales: Sequence[Locale]) -> Item:
    if [entry.name for entry in entries] == [name]:
        text, options = entries[0].help, _options(entries[0], locales)
    else:
        text = ", ".join(map(_second, entries))
        options = [_sub(entry, locales) for entry in entries]
    return {
        **_named(name, name, text, locales),
        "type": CHAT_INPUT,
        "options": options,
        "contexts": EVERYWHERE,
        "integration_types": INSTALLS,
    }


def _second(entry: Entry) -> str:
    """The word under which its group shows the command."""
    return entry.name.partition(" ")[2]


def _sub(entry: Entry, locales: Sequence[Locale]) -> Item:
    item = _named(_second(entry), entry.name, entry.help, locales)
    return {**item, "type": SUB_COMMAND, "options": _options(entry, locales)}


def _options(entry: Entry, locales: Sequence[Locale]) -> list[Item]:
    return [_option(entry.name, argument, locales) for argument in entry.arguments]


def _option(command: str, argument: Argument, locales: Sequence[Locale]) -> Item:
    helps = {locale.code: locale.help(command, argument.name) for locale in locales}
    item = _item(argument.name, argument.help, helps, locales)
    choices = [{"name": choice, "value": choice} for choice in argument.choices[:CHOICES]]
    ways: Item = {"autocomplete": True} if argument.open else {"choices": choices}
    return {**item, "type": STRING, "required": False, **(ways if argument.open or choices else {})}


def _named(name: str, command: str, text: str, locales: Sequence[Locale]) -> Item:
    return _item(name, text, {locale.code: locale.help(command) for locale in locales}, locales)


def _item(name: str, text: str, helps: Mapping[str, str | None], locales: Sequence[Locale]) -> Item:
    """A name and what it is for, in every language that has words for it."""
    return {
        "name": name,
        "name_localizations": {locale.code: locale.word(name) for locale in locales},
        "description": text[:HELP] or name,
        "description_localizations": {code: t[:HELP] for code, t in helps.items() if t},
    }
