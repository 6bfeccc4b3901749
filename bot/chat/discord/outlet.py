"""Where an answer goes: into a new message, into the pressed one, or before one person's eyes."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

import aiohttp
import discord

from bot.chat.buttons import Signer
from bot.chat.discord.asking import Interaction
from bot.chat.discord.components import view_of
from bot.chat.discord.render import embed_of
from bot.chat.discord.trouble import ACKNOWLEDGED, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK
from bot.core.reply import Reply

Request = Callable[[], Awaitable[object]]


class Outlet:
    """One answer: acknowledged at once, shown when it is there, shown again when it changes."""

    def __init__(
        self, interaction: Interaction, signer: Signer, *, in_place: bool, private: bool
    ) -> None:
        self._interaction = interaction
        self._signer = signer
        self._in_place = in_place  # edits the message whose button was pressed
        self._private = private  # only the one who asked sees it
        self._message: discord.WebhookMessage | None = None  # what replaced the first answer

    async def acknowledge(self) -> None:
        """The first reaction, before any work."""
        response = self._interaction.response
        await acknowledged(
            lambda: response.defer(ephemeral=self._private, thinking=not self._in_place)
        )

    async def show(self, reply: Reply) -> None:
        """Show the reply, over what this showed before."""
        if reply.private and not self._private:
            await self._show_privately(reply)
        elif self._message is not None:
            await self._message.edit(**self._edited(reply))
        else:
            await self._show_openly(reply)

    async def _show_openly(self, reply: Reply) -> None:
        edit = self._interaction.edit_original_response
        try:
            await twice(lambda: edit(**self._edited(reply)))
        except discord.NotFound as error:
            if error.code == UNKNOWN_MESSAGE:  # deleted meanwhile
                self._message = await self._follow_up(reply, private=self._private)
            elif error.code == UNKNOWN_WEBHOOK and not self._private:  # 15 minutes are over
                await self._write_to_channel(reply)
            else:
                raise

    async def _show_privately(self, reply: Reply) -> None:
        """What concerns one person must not stand where the others read.

        The announced message goes first: the next one would fill it, for everybody to see.
        """
        if not self._in_place:
            await twice(self._interaction.delete_original_response)
        self._message = await self._follow_up(reply, private=True)
        self._private = True

    async def _follow_up(self, reply: Reply, *, private: bool) -> discord.WebhookMessage:
        content = self._written(reply)
        return await self._interaction.followup.send(**content, ephemeral=private, wait=True)

    async def _write_to_channel(self, reply: Reply) -> None:
        channel = self._interaction.channel
        if isinstance(channel, discord.abc.Messageable):
            await channel.send(**self._written(reply))

    def _edited(self, reply: Reply) -> dict[str, Any]:
        """The whole content: an earlier picture or file and earlier buttons go."""
        return {
            "content": None,
            "embed": embed_of(reply, reply.picture),
            "view": view_of(reply, self._signer),
            "attachments": uploads(reply),
        }

    def _written(self, reply: Reply) -> dict[str, Any]:
        view, files = view_of(reply, self._signer), uploads(reply)
        return {
            "embed": embed_of(reply, reply.picture),
            **({"view": view} if view else {}),
            **({"files": files} if files else {}),
        }


def uploads(reply: Reply) -> list[discord.File]:
    """The reply's picture and file as uploads; each can be sent once."""
    picture, file = reply.picture, reply.file
    files = [(picture.name, picture.png)] if picture else []
    files += [(file.name, file.content)] if file else []
    return [discord.File(BytesIO(content), name) for name, content in files]


async def acknowledged(request: Request) -> None:
    """Answer first, and once more when the connection broke: the first may have arrived."""
    try:
        await request()
    except (aiohttp.ClientError, OSError):
        try:
            await request()
        except discord.HTTPException as error:
            if error.code != ACKNOWLEDGED:
                raise


async def twice(request: Request) -> None:
    """Make a request that may be repeated, once more when the connection broke."""
    try:
        await request()
    except (aiohttp.ClientError, OSError):
        await request()
