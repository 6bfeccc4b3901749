"""Rings, notices and digests into channels, threads, forums and direct messages."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import discord

from bot.chat.buttons import Signer
from bot.chat.discord.components import view_of
from bot.chat.discord.directory import Place
from bot.chat.discord.places import Places
from bot.chat.discord.publishing import Publisher
from bot.chat.discord.render import embed_of
from bot.chat.discord.rest import Rest, Unanswered
from bot.chat.discord.trouble import (
    MISSING_ACCESS,
    MISSING_PERMISSION,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    delivery_trouble,
)
from bot.core.cards import ring_card
from bot.core.events import Alert
from bot.core.secret import Secret
from bot.errors import (
    BotError,
    DeliveryError,
    DeliveryInDoubt,
    PermissionMissing,
    RecipientGone,
    StoreError,
)
from bot.ports import Begun, Facts, Pace, Urgency, unnoticed, urgency_of

SECONDS = 10.0  # that one request may take before it is tried again
UNKNOWN = Place(0, "that channel")


class DiscordSender:
    """Reaches "discord:CHANNEL" and "discord:@PERSON"; needs no gateway."""

    name = "discord"
    repeats_are_safe = True  # the alert's id is the nonce: the same one makes one message
    folds = True

    def __init__(
        self,
        token: Secret,
        pace: Pace,
        facts: Facts,
        signer: Signer,
        now: Callable[[], datetime],
        *,
        simulated: bool,
        seconds: float = SECONDS,
    ) -> None:
        self._rest = Rest(token, pace, seconds)
        self._places = Places(self._rest, facts)
        self._publisher = Publisher(self._rest, now)
        self._signer = signer
        self._simulated = simulated

    async def send(self, alert: Alert, begun: Begun = unnoticed) -> None:
        """Deliver the alert. Raises what Messenger says."""
        try:
            await self._send(alert, urgency_of(alert), begun)
        except StoreError as error:
            raise DeliveryError(str(error)) from error

    async def close(self) -> None:
        """Give up what is not published yet, then the connections."""
        await self._publisher.close()
        await self._rest.close()

    async def _send(self, alert: Alert, urgency: Urgency, begun: Begun) -> None:
        try:
            place = await self._places.find(alert.target, urgency)
            message = await self._write(place, alert, urgency, begun)
        except discord.HTTPException as error:
            if error.code == UNKNOWN_MESSAGE:  # sent before under this nonce, and deleted
                return
            raise await self._trouble(error, alert.target, urgency) from error
        if place.is_announcement:
            self._publisher.begin(message)

    async def _write(
        self, place: Place, alert: Alert, urgency: Urgency, begun: Begun
    ) -> discord.Message:
        """The message, written once however often it is tried."""
        content = self._content(alert)

        async def write(client: discord.Client) -> discord.Message:
            await begun()
            return await client.get_partial_messageable(place.id).send(**content)

        try:
            return await self._rest.ask(alert.target, urgency, write)
        except Unanswered as error:
            raise DeliveryInDoubt(str(error)) from error

    def _content(self, alert: Alert) -> dict[str, Any]:
        card = ring_card(alert, simulated=self._simulated)
        view = view_of(card, self._signer, beside=True)
        person = alert.mention.partition("@")[2]
        called = [discord.Object(int(person))] if person else []
        return {
            "content": f"<@{person}>" if person else None,
            "embed": embed_of(card),
            "nonce": alert.id,
            "allowed_mentions": discord.AllowedMentions(
                everyone=False, roles=False, users=called or False, replied_user=False
            ),
            **({"view": view} if view else {}),
        }

    async def _trouble(
        self, error: discord.HTTPException, target: str, urgency: Urgency
    ) -> BotError:
        """What the refusal means for the target."""
        place = await self._places.known(target) or UNKNOWN
        if error.code == MISSING_ACCESS and await self._places.is_left(place, target, urgency):
            return RecipientGone("the bot is no longer on that server")
        if error.code == MISSING_PERMISSION:
            lacks = await self._places.lacks(place, target, urgency)
            if lacks:
                return PermissionMissing(f"missing {', '.join(lacks)} in {place.name}")
        if error.code == UNKNOWN_CHANNEL and await self._places.reopen(target):
            return DeliveryError(f"{place.name}: the conversation is gone; it is opened anew")
        return delivery_trouble(error, place.name)
