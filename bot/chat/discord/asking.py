"""What an interaction says: the line, who it is from, and what is allowed there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord

from bot.chat.discord.directory import Place, place_of
from bot.chat.discord.rights import lacking, locking, may_manage, wanting
from bot.core.menu import Entry
from bot.core.reply import Command, parse_command

Interaction = discord.Interaction[discord.Client]
Data = Mapping[str, Any]

GROUP_TYPES = (1, 2)  # Discord's numbers of options that are words of the command's name
ABSENT = ("Add to Server",)  # someone brought us here for themselves alone


@dataclass(frozen=True, slots=True)
class Typed:
    """A slash command as far as it is typed."""

    name: str
    values: Mapping[str, str]  # by argument
    focused: str = ""  # the argument that is being typed

    def line(self, menu: Mapping[str, Entry]) -> str:
        """The line that says the same: the values in the order of the command's arguments.

        It ends before a required one that is missing, so that none stands in another's place.
        """
        words = [self.name]
        entry = menu.get(self.name)
        for argument in entry.arguments if entry else ():
            if argument.required and not self.values.get(argument.name):
                break
            words.append(self.values.get(argument.name, ""))
        return " ".join(words)


def typed_command(data: Data) -> Typed:
    """The command in the data of an interaction."""
    words, options = [data["name"]], data.get("options") or []
    while options and options[0]["type"] in GROUP_TYPES:
        words.append(options[0]["name"])
        options = options[0].get("options") or []
    values = {option["name"]: str(option.get("value", "")) for option in options}
    focused = [option["name"] for option in options if option.get("focused")]
    return Typed(" ".join(words), values, focused[0] if focused else "")


def pressed(data: Data) -> str:
    """What the button, or the chosen line of a menu, carries."""
    values = data.get("values") or [data["custom_id"]]
    return str(values[0])


def filled_in(data: Data) -> str:
    """The values of a form's text fields, in their order."""
    rows: Sequence[Data] = data.get("components") or []
    fields = [field for row in rows for field in row.get("components") or [row.get("component")]]
    return " ".join(str(field.get("value") or "") for field in fields if field)


def command_of(interaction: Interaction, line: str) -> Command:
    """The line as a command of the one who acts, with what they and we may do in that channel."""
    person = f"discord:@{interaction.user.id}"
    command = replace(parse_command(line, person), person=person, place="direct messages")
    channel = interaction.channel
    if channel is None or _is_ours_alone(interaction):
        return command
    return replace(
        command,
        target=f"discord:{channel.id}",
        place=_place(interaction),
        may_manage=_is_member(interaction) and may_manage(interaction.permissions),
        lacks=_lacks(interaction),
        wants=wanting(interaction.app_permissions) if _is_member(interaction) else (),
    )


def told_place(interaction: Interaction) -> tuple[str, Place] | None:
    """The target that it comes from and where that is; None where we reach nobody by it."""
    channel = interaction.channel
    if isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        is_reached = _is_member(interaction)
        return (f"discord:{channel.id}", place_of(channel)) if is_reached else None
    if channel is not None and interaction.guild_id is None and interaction.context.dm_channel:
        return f"discord:@{interaction.user.id}", Place(channel.id)
    return None


def _is_ours_alone(interaction: Interaction) -> bool:
    """Whether it is someone's direct messages with us."""
    if interaction.guild_id is not None:
        return False
    return interaction.context.dm_channel or not interaction.context.private_channel


def _is_member(interaction: Interaction) -> bool:
    """Whether we are on the server ourselves; people may have brought us for themselves alone."""
    return interaction.guild_id is not None and (
        interaction.is_guild_integration() or not interaction.is_user_integration()
    )


def _lacks(interaction: Interaction) -> tuple[str, ...]:
    if not _is_member(interaction):
        return ABSENT
    channel, rights = interaction.channel, interaction.app_permissions
    in_thread = isinstance(channel, discord.Thread)
    return (*lacking(rights, in_thread=in_thread), *locking(channel, rights))


def _place(interaction: Interaction) -> str:
    """The channel's name for people: #alerts in Traders."""
    name = getattr(interaction.channel, "name", None) or "private chat"
    guild = interaction.guild.name if interaction.guild else ""
    shown = f"#{name}" if interaction.guild_id else name
    return f"{shown} in {guild}" if guild else shown
