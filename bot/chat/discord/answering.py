"""From what someone did in Discord to the answer: acknowledge, ask the command layer, show."""

import asyncio
import logging
from dataclasses import dataclass, replace

import aiohttp
import discord
from discord import InteractionType

from bot.chat.apologies import BROKEN, NOT_OURS
from bot.chat.buttons import Signer
from bot.chat.discord.asking import (
    Data,
    Interaction,
    Typed,
    command_of,
    filled_in,
    pressed,
    typed_command,
)
from bot.chat.discord.components import modal_of
from bot.chat.discord.outlet import Outlet, acknowledged
from bot.chat.discord.trouble import LOST, one_line
from bot.chat.drawing import drawing
from bot.core.reply import Command, Reply
from bot.ports import CommandLayer

logger = logging.getLogger(__name__)

FIRST = 2.9  # seconds that Discord waits for the first reaction, nearly
PATIENCE = 20.0  # seconds that a later step may take
PICTURE = 0.15  # seconds for which the card waits, so that both come at once
CHOICES, CHOICE = 25, 100  # so many suggestions, of so many characters


@dataclass(frozen=True, slots=True)
class Asked:
    """The line that was meant; None when its signature is not ours."""

    line: str | None
    beside: bool = False  # whether the pressed message stays as it is
    typed: Typed | None = None  # where it was a slash command


class Answerer:
    """Answers interactions, each on its own: none waits for another."""

    def __init__(self, commands: CommandLayer, signer: Signer) -> None:
        self._commands = commands
        self._signer = signer
        self.dropped = 0  # interactions that were over before they could be answered

    async def take(self, interaction: Interaction) -> None:
        """React to whatever was done. Raises nothing that is not a cancellation."""
        try:
            if interaction.type is InteractionType.autocomplete:
                await self._suggest(interaction)
            elif interaction.type is not InteractionType.ping:
                await self._react(interaction)
        except discord.HTTPException as error:
            if error.code in LOST:
                self.dropped += 1
            logger.warning("not answered: %s", one_line(error))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            logger.warning("not answered: Discord is not reached (%s)", type(error).__name__)
        except Exception:
            logger.exception("not answered, through a mistake of ours")

    async def _suggest(self, interaction: Interaction) -> None:
        """What fits what was typed so far."""
        typed = typed_command(interaction.data or {})
        command = command_of(interaction, typed.name)
        text = typed.values.get(typed.focused, "")
        fitting = await self._commands.complete(typed.name, typed.focused, text, command)
        choices = [
            discord.app_commands.Choice(name=value, value=value)
            for value in fitting
            if 0 < len(value) <= CHOICE
        ]
        async with asyncio.timeout(FIRST):
            await interaction.response.autocomplete(choices[:CHOICES])

    async def _react(self, interaction: Interaction) -> None:
        asked = self._asked(interaction)
        command = command_of(interaction, asked.line or "")
        modal = self._modal(interaction, command, asked) if asked.line is not None else None
        if modal is not None:
            async with asyncio.timeout(FIRST):
                await acknowledged(lambda: interaction.response.send_modal(modal))
            return
        outlet = self._outlet(interaction, command, asked)
        async with asyncio.timeout(FIRST):
            await outlet.acknowledge()
        await self._answer(outlet, command if asked.line is not None else None)

    def _asked(self, interaction: Interaction) -> Asked:
        data: Data = interaction.data or {}
        if interaction.type is InteractionType.application_command:
            typed = typed_command(data)
            return Asked(typed.line(self._commands.menu), typed=typed)
        press = self._signer.read(pressed(data))
        if press is None:
            return Asked(None, beside=True)
        if interaction.type is InteractionType.modal_submit:
            return Asked(f"{press.line} {filled_in(data)}", beside=True)
        return Asked(press.line, press.beside)

    def _modal(
        self, interaction: Interaction, command: Command, asked: Asked
    ) -> discord.ui.Modal | None:
        """What to ask first; a form itself is never answered by another one."""
        if interaction.type is InteractionType.modal_submit:
            return None
        form = self._commands.form(command)
        if form is None:
            return None
        known = asked.typed.values if asked.typed else {}
        questions = (replace(q, value=known.get(q.name, q.value)) for q in form.questions)
        return modal_of(replace(form, questions=tuple(questions)), self._signer)

    def _outlet(self, interaction: Interaction, command: Command, asked: Asked) -> Outlet:
        """A slash command gets a message; a button changes its own, unless that must stay."""
        entry = self._commands.entry(command)
        private = entry is None or entry.private
        if interaction.type is InteractionType.application_command:
            return Outlet(interaction, self._signer, in_place=False, private=private)
        seen_by_one = interaction.message is not None and interaction.message.flags.ephemeral
        if asked.beside or (private and not seen_by_one):
            aside = private or command.is_shared
            return Outlet(interaction, self._signer, in_place=False, private=aside)
        return Outlet(interaction, self._signer, in_place=True, private=seen_by_one)

    async def _answer(self, outlet: Outlet, command: Command | None) -> None:
        """Show what the command layer says; someone always gets to read something."""
        try:
            reply = await self._commands.answer(command) if command else NOT_OURS
            await self._show(outlet, reply)
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise
        except discord.HTTPException as error:
            if error.code in LOST:
                raise
            logger.exception("an answer was refused")
            await self._show(outlet, BROKEN)
        except Exception:
            logger.exception("no answer to %r", command.name if command else "")
            await self._show(outlet, BROKEN)

    async def _show(self, outlet: Outlet, reply: Reply) -> None:
        """The card at once; its picture with it when that is quick, else as soon as it is drawn."""
        async with drawing(reply) as work:
            shown = await work.soon(PICTURE)
            await patiently(outlet, shown)
            complete = await work.finished()
            if complete != shown:
                await patiently(outlet, complete)


async def patiently(outlet: Outlet, reply: Reply) -> None:
    """Show it. Raises TimeoutError when Discord takes too long."""
    async with asyncio.timeout(PATIENCE):
        await outlet.show(reply)
