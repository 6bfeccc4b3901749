"""The state of the fake Discord, and the moves that both users and the bot make in it."""

from time import monotonic

from tests.fakes.discord_invocation import Changes
from tests.fakes.discord_limits import check, message_problems
from tests.fakes.discord_model import (
    EPHEMERAL,
    FILE_LIMIT,
    Channel,
    ChannelType,
    Guild,
    Message,
    Snowflakes,
    User,
    iso_now,
    pings,
    refusal,
)


class World:
    """Everything that exists; `now` is a clock that tests may push forward."""

    def __init__(self):
        self.ids = Snowflakes()
        self.application_id = self.ids.next()
        self.bot = User(self.application_id, "gammabell", bot=True)
        self.users = {self.bot.id: self.bot}
        self.guilds = []
        self.channels = {}
        self.direct = {}  # channel by user id
        self.commands = {None: []}  # by guild id; None holds the global ones
        self.invocations = {}  # by token
        self.changes = Changes()
        self._ahead = 0.0

    def now(self):
        return monotonic() + self._ahead

    def advance(self, seconds):
        self._ahead += seconds

    def add_user(self, name, locale):
        user = User(self.ids.next(), name, locale)
        self.users[user.id] = user
        return user

    def add_guild(self, name, members, locale):
        owner = members[0] if members else self.add_user(f"owner of {name}", locale)
        guild = Guild(self.ids.next(), name, owner, self.bot, list(members), locale=locale)
        self.guilds.append(guild)
        return guild

    def add_channel(self, guild, name, kind, parent=None):
        channel = Channel(self.ids.next(), name, ChannelType(kind), guild, parent)
        if parent is not None:
            channel.permissions = parent.permissions
        guild.channels.append(channel)
        self.channels[channel.id] = channel
        return channel

    def direct_channel(self, user, kind=ChannelType.DM):
        if (user.id, kind) not in self.direct:
            channel = Channel(self.ids.next(), user.name, kind, recipient=user)
            self.direct[user.id, kind] = self.channels[channel.id] = channel
        return self.direct[user.id, kind]

    def guild(self, guild_id):
        """The guild, as the bot may know it. Raises ApiError 10004."""
        for guild in self.guilds:
            if guild.id == guild_id and guild.bot_is_in:
                return guild
        raise refusal(10004)

    def write(self, channel, author, payload, files, *, flags=0, seen_by=None):
        """A new message in the channel. Raises ApiError for what cannot be sent."""
        message = Message(self.ids.next(), channel, author, flags=flags, seen_by=seen_by)
        self.fill(message, payload, files)
        if not message.ephemeral:
            channel.messages[message.id] = message
        return message

    def fill(self, message, payload, files):
        """Write the payload into the message. Raises ApiError for what cannot be sent."""
        check(message_problems(payload))
        if sum(len(data) for _, data in files.values()) > FILE_LIMIT:
            raise refusal(40005)
        if not files and is_empty(message, payload):
            raise refusal(50006)
        message.fill(payload, files, self.ids)
        message.pings = pings(message.content, payload.get("allowed_mentions"))
        self.changes.notify()

    def edit(self, message, payload, files):
        self.fill(message, payload, files)
        message.edited = iso_now()

    def erase(self, message):
        message.exists = False
        message.channel.messages.pop(message.id, None)
        self.changes.notify()


def is_empty(message, payload):
    """Whether nothing at all would be left to see."""
    names = ("content", "embeds", "components", "attachments")
    return not any(payload.get(name, getattr(message, name)) for name in names)


def is_ephemeral(payload):
    return (payload.get("flags") or 0) & EPHEMERAL
