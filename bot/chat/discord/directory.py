"""Where channels and people's direct messages are, kept so that a ring need not ask for it."""

import json
from collections import OrderedDict
from dataclasses import astuple, dataclass, replace

import discord

from bot.ports import Facts

KEPT = 10_000  # targets whose stored place is remembered


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target's messages go, and what is known of it."""

    id: int
    name: str = "direct messages"
    guild: int = 0
    is_announcement: bool = False
    is_forum: bool = False


class Directory:
    """The places that we have heard of, in the database; each is written once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._stored: OrderedDict[str, Place] = OrderedDict()

    async def find(self, target: str) -> Place | None:
        """The target's place, as far as we have heard of it."""
        kept = await self._facts.fact(_fact(target))
        return Place(*json.loads(kept)) if kept else None

    async def keep(self, target: str, place: Place) -> None:
        """Store the place where it is new."""
        if self._stored.get(target) == place:
            return
        if await self.find(target) != place:
            await self._facts.put_fact(_fact(target), json.dumps(astuple(place)))
        self._stored[target] = place
        if len(self._stored) > KEPT:
            self._stored.popitem(last=False)

    async def correct(self, target: str, place: Place) -> None:
        """Store what has become of a place that we have heard of; of others nothing is kept."""
        if await self.find(target):
            await self.keep(target, place)

    async def forget(self, target: str) -> None:
        """The place is gone: it has to be asked for again."""
        self._stored.pop(target, None)
        await self._facts.put_fact(_fact(target), "")

    async def post_in(self, forum: Place) -> Place | None:
        """Our own post in the forum, where we have made one."""
        kept = await self._facts.fact(_post_fact(forum))
        return replace(forum, id=int(kept)) if kept else None

    async def keep_post(self, forum: Place, post: int) -> Place:
        """Store the post, once it is made."""
        await self._facts.put_fact(_post_fact(forum), str(post))
        return replace(forum, id=post)

    async def forget_post(self, forum: Place) -> None:
        """The post is gone: another one has to be made."""
        await self._facts.put_fact(_post_fact(forum), "")


def place_of(channel: discord.abc.GuildChannel | discord.Thread) -> Place:
    """A server's channel, or a thread in one."""
    is_announcement = isinstance(channel, discord.TextChannel) and channel.is_news()
    is_forum = isinstance(channel, discord.ForumChannel)
    return Place(channel.id, f"#{channel.name}", channel.guild.id, is_announcement, is_forum)


def _fact(target: str) -> str:
    return f"discord.place.{target.partition(':')[2]}"


def _post_fact(forum: Place) -> str:
    return f"discord.post.{forum.id}"
