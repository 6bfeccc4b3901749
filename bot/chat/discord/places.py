"""Where a target's messages go: a channel, a person's direct messages, a post of a forum."""

from collections import OrderedDict
from dataclasses import dataclass, replace

import discord

from bot.chat.discord.rest import Rest
from bot.chat.discord.rights import first_lacking
from bot.errors import BotError
from bot.ports import Facts, Urgency

KEPT = 10_000  # places looked up lately
POST = "Gamma levels"
POST_TEXT = "Rings and digests of this forum come into this post."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes, and what is known of it."""

    id: int
    name: str = "direct messages"
    guild: int = 0
    is_announcement: bool = False
    made_under: str = ""  # the fact that keeps its id, where we made it ourselves


class Places:
    """Looks targets up, once each for as long as the process lives."""

    def __init__(self, rest: Rest, facts: Facts) -> None:
        self._rest = rest
        self._facts = facts
        self._known: OrderedDict[str, Place] = OrderedDict()

    async def find(self, target: str, urgency: Urgency) -> Place:
        """The place. Raises BotError, or HTTPException for what Discord refuses."""
        if target not in self._known:
            address = target.partition(":")[2]
            find = self._person if address.startswith("@") else self._channel
            self._known[target] = await find(target, int(address.removeprefix("@")), urgency)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return self._known[target]

    def name(self, target: str) -> str:
        """What people call it."""
        known = self._known.get(target)
        return known.name if known else "that channel"

    def forget(self, target: str) -> None:
        """Look it up again next time: it may have become something else."""
        self._known.pop(target, None)

    async def renew(self, target: str) -> bool:
        """Whether the place, which is gone, can be made anew: our own post, direct messages."""
        known = self._known.pop(target, None)
        if known is None or not known.made_under:
            return False
        await self._facts.put_fact(known.made_under, "")
        return True

    async def is_left(self, target: str, urgency: Urgency) -> bool:
        """Whether we are out of the server that the channel is, or was, on."""
        known = self._known.get(target)
        guild = known.guild if known else int(await self._facts.fact(_guild_fact(target)) or 0)
        if not guild:
            return False
        try:
            await self._rest.ask(
                _looking_up(target), urgency, lambda client: client.fetch_guild(guild)
            )
        except (discord.NotFound, discord.Forbidden):
            return True
        return False

    async def lacks(self, target: str, urgency: Urgency) -> tuple[str, ...]:
        """The rights that we have not in that channel, as Discord calls them; () when not known."""
        place = self._known.get(target)
        if place is None or not place.guild:
            return ()
        try:
            return await self._rest.ask(
                _looking_up(target), urgency, lambda client: _lacks(client, place)
            )
        except (BotError, discord.HTTPException, discord.ClientException):
            return ()

    async def _person(self, target: str, person: int, urgency: Urgency) -> Place:
        fact = f"discord.dm.{person}"
        known = await self._facts.fact(fact)
        if known:
            return Place(int(known), made_under=fact)
        user = discord.Object(person)
        channel = await self._rest.ask(
            _looking_up(target), urgency, lambda client: client.create_dm(user)
        )
        await self._facts.put_fact(fact, str(channel.id))
        return Place(channel.id, made_under=fact)

    async def _channel(self, target: str, channel_id: int, urgency: Urgency) -> Place:
        channel = await self._rest.ask(
            _looking_up(target), urgency, lambda client: client.fetch_channel(channel_id)
        )
        if isinstance(channel, discord.abc.PrivateChannel):
            return Place(channel.id)
        await self._facts.first_fact(_guild_fact(target), str(channel.guild.id))
        place = Place(
            channel.id,
            f"#{channel.name}",
            channel.guild.id,
            isinstance(channel, discord.TextChannel) and channel.is_news(),
        )
        if isinstance(channel, discord.ForumChannel):
            return await self._post(target, channel, place, urgency)
        return place

    async def _post(
        self, target: str, forum: discord.ForumChannel, place: Place, urgency: Urgency
    ) -> Place:
        """Our post in the forum, made when there is none yet."""
        fact = f"discord.post.{forum.id}"
        post = await self._facts.fact(fact)
        if not post:
            made = await self._rest.ask(
                _looking_up(target),
                urgency,
                lambda _: forum.create_thread(name=POST, content=POST_TEXT),
            )
            post = str(made.thread.id)
            await self._facts.put_fact(fact, post)
        return replace(place, id=int(post), made_under=fact)


def _looking_up(target: str) -> str:
    """A queue of its own: looking a channel up does not count as a message to it."""
    return f"look up {target}"


def _guild_fact(target: str) -> str:
    return f"discord.guild.{target.partition(':')[2]}"


async def _lacks(client: discord.Client, place: Place) -> tuple[str, ...]:
    """What the channel's own rules leave us without."""
    guild = await client.fetch_guild(place.guild)
    channel = await guild.fetch_channel(place.id)
    me = await guild.fetch_member(client.user.id if client.user else 0)
    if isinstance(channel, discord.Thread):
        parent = await guild.fetch_channel(channel.parent_id)
        return first_lacking(parent.permissions_for(me), in_thread=True)
    return first_lacking(channel.permissions_for(me), in_thread=False)
