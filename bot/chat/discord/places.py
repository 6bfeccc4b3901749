"""Where a target's messages go: a channel, a thread, a forum's post, a person's messages."""

import discord
from discord.http import MultipartParameters

from bot.chat.discord.directory import Directory, Place, place_of
from bot.chat.discord.rest import Rest
from bot.chat.discord.rights import first_lacking, locking
from bot.errors import BotError
from bot.ports import Facts, Urgency

POST = "Gamma levels"
POST_TEXT = "Rings and digests of this forum come into this post."


class Places:
    """Looks targets up, once each."""

    def __init__(self, rest: Rest, facts: Facts) -> None:
        self._rest = rest
        self._directory = Directory(facts)

    async def find(self, target: str, urgency: Urgency) -> Place:
        """The place. Raises BotError, or HTTPException for what Discord refuses."""
        place = await self._directory.find(target)
        if place is None:
            place = await self._rest.ask(
                _looking_up(target), urgency, lambda client: _look_up(client, target)
            )
            await self._directory.keep(target, place)
        return await self._post(place, target, urgency) if place.is_forum else place

    async def known(self, target: str) -> Place | None:
        """The place, where it was looked up before; a forum itself while we have no post there."""
        place = await self._directory.find(target)
        if place is None or not place.is_forum:
            return place
        return await self._directory.post_in(place) or place

    async def reopen(self, target: str) -> bool:
        """Whether the place, which is gone, can be opened anew: direct messages, our own post."""
        if _is_person(target):
            await self._directory.forget(target)
            return True
        forum = await self._directory.find(target)
        if forum is None or not forum.is_forum or await self._directory.post_in(forum) is None:
            return False
        await self._directory.forget_post(forum)
        return True

    async def is_left(self, place: Place, target: str, urgency: Urgency) -> bool:
        """Whether we are out of the server that the channel is, or was, on."""
        if not place.guild:
            return False
        try:
            await self._rest.ask(
                _looking_up(target), urgency, lambda client: client.fetch_guild(place.guild)
            )
        except (discord.NotFound, discord.Forbidden):
            return True
        return False

    async def lacks(self, place: Place, target: str, urgency: Urgency) -> tuple[str, ...]:
        """The rights that we have not in that channel, as Discord calls them; () when not known."""
        if not place.guild:
            return ()
        try:
            return await self._rest.ask(
                _looking_up(target), urgency, lambda client: _lacks(client, place)
            )
        except (BotError, discord.HTTPException, discord.ClientException):
            return ()

    async def _post(self, forum: Place, target: str, urgency: Urgency) -> Place:
        """Our post in the forum, made when there is none yet."""
        post = await self._directory.post_in(forum)
        if post:
            return post
        made = await self._rest.ask(
            _looking_up(target), urgency, lambda client: _make_post(client, forum)
        )
        return await self._directory.keep_post(forum, made)


def _is_person(target: str) -> bool:
    return target.partition(":")[2].startswith("@")


def _looking_up(target: str) -> str:
    """A queue of its own: looking a channel up does not count as a message to it."""
    return f"look up {target}"


async def _look_up(client: discord.Client, target: str) -> Place:
    """What Discord says of the target."""
    address = int(target.partition(":")[2].removeprefix("@"))
    if _is_person(target):
        # create_dm remembers what it was told once, and that may be gone.
        return Place(int((await client.http.start_private_message(address))["id"]))
    channel = await client.fetch_channel(address)
    return Place(address) if isinstance(channel, discord.abc.PrivateChannel) else place_of(channel)


async def _make_post(client: discord.Client, forum: Place) -> int:
    """The id of a new post."""
    payload = {"name": POST, "message": {"content": POST_TEXT}}
    params = MultipartParameters(payload=payload, multipart=None, files=None)
    return int((await client.http.start_thread_in_forum(forum.id, params=params))["id"])


async def _lacks(client: discord.Client, place: Place) -> tuple[str, ...]:
    """What the channel's own rules leave us without."""
    guild = await client.fetch_guild(place.guild)
    channel = await guild.fetch_channel(place.id)
    me = await guild.fetch_member(client.user.id if client.user else 0)
    if not isinstance(channel, discord.Thread):
        return first_lacking(channel.permissions_for(me), in_thread=False)
    parent = await guild.fetch_channel(channel.parent_id)
    if not isinstance(parent, discord.TextChannel | discord.ForumChannel):
        return ()
    # Not the parent's own: without Send Messages there, which threads do not need, the library
    # withholds others that they do need.
    rights = discord.abc.GuildChannel.permissions_for(parent, me)
    return (*first_lacking(rights, in_thread=True), *locking(channel, rights))
