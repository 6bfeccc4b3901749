"""What exists in the fake Discord: users, guilds, channels, messages, and their wire form.

Nothing here talks; the REST and gateway halves of the fake read and change it.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, IntFlag
from time import time

DISCORD_EPOCH_MS = 1_420_070_400_000
EPHEMERAL = 1 << 6
LOADING = 1 << 7
CROSSPOSTED = 1 << 0
FILE_LIMIT = 10 * 1024 * 1024  # bytes


class Permission(IntFlag):
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38


P = Permission
MEMBER_RIGHTS = (
    P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.EMBED_LINKS
    | P.ATTACH_FILES
    | P.READ_MESSAGE_HISTORY
    | P.USE_APPLICATION_COMMANDS
    | P.SEND_MESSAGES_IN_THREADS
)
BOT_RIGHTS = MEMBER_RIGHTS | P.CREATE_PUBLIC_THREADS
# What app_permissions says where only the user installed the app.
USER_APP_RIGHTS = P.ATTACH_FILES | P.EMBED_LINKS | P.MENTION_EVERYONE


class ChannelType(IntEnum):
    TEXT = 0
    DM = 1
    GROUP_DM = 3
    ANNOUNCEMENT = 5
    ANNOUNCEMENT_THREAD = 10
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15


THREADS = frozenset({10, 11, 12})
PRIVATE = frozenset({1, 3})


class ApiError(Exception):
    """What Discord refuses, with the HTTP status and the code of its documentation."""

    def __init__(self, status, code, message, **more):
        super().__init__(message)
        self.status, self.code = status, code
        self.body = {"message": message, "code": code, **more}


REFUSALS = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    40005: (413, "Request entity too large"),
    40033: (400, "This message has already been crossposted."),
    40060: (400, "Interaction has already been acknowledged."),
    40067: (400, "A tag is required to create a forum post in this channel"),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50024: (400, "Cannot execute action on this channel type"),
    50033: (400, "Invalid Recipient(s)"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    160005: (403, "Thread is locked"),
}


def refusal(code, **more):
    """The ApiError of a documented code."""
    status, message = REFUSALS[code]
    return ApiError(status, code, message, **more)


class Snowflakes:
    """Ids whose time is about now, each a millisecond after the one before.

    So `id >> 22` grows by one, and guilds made in a row fall on neighbouring shards.
    """

    def __init__(self):
        self._last = (int(time() * 1000) - DISCORD_EPOCH_MS) << 22

    def next(self):
        self._last += 1 << 22
        return self._last


def iso_now():
    return datetime.now(UTC).isoformat()


@dataclass(eq=False)
class User:
    id: int
    name: str
    locale: str = "en-US"
    bot: bool = False

    def wire(self):
        return {
            "id": str(self.id),
            "username": self.name,
            "global_name": self.name,
            "discriminator": "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
        }


@dataclass(eq=False)
class Guild:
    id: int
    name: str
    owner: User
    bot: User
    members: list = field(default_factory=list)
    channels: list = field(default_factory=list)
    locale: str = "en-US"
    bot_is_in: bool = True

    def wire(self):
        """All that GUILD_CREATE carries."""
        return {
            **self.brief(),
            "name": self.name,
            "owner_id": str(self.owner.id),
            "joined_at": iso_now(),
            "large": False,
            "member_count": len(self.members) + 1,
            "roles": [self.everyone()],
            "channels": [c.wire() for c in self.channels if not c.is_thread],
            "threads": [c.wire() for c in self.channels if c.is_thread],
            "members": [member_wire(user) for user in (self.bot, *self.members)],
            "preferred_locale": self.locale,
            "icon": None,
            "description": None,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "system_channel_flags": 0,
            "afk_timeout": 300,
            **dict.fromkeys(EMPTY_LISTS, ()),
        }

    def brief(self):
        """What an interaction tells of its guild."""
        return {"id": str(self.id), "locale": self.locale, "features": []}

    def everyone(self, permissions=MEMBER_RIGHTS):
        return {
            "id": str(self.id),
            "name": "@everyone",
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "position": 0,
            "permissions": str(int(permissions)),
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }


EMPTY_LISTS = (
    "emojis",
    "stickers",
    "voice_states",
    "presences",
    "stage_instances",
    "guild_scheduled_events",
    "soundboard_sounds",
)


def member_wire(user, **more):
    member = {"user": user.wire(), "roles": [], "joined_at": iso_now(), "deaf": False}
    return {**member, "mute": False, "flags": 0, "pending": False, "nick": None, **more}


@dataclass(eq=False)
class Channel:
    id: int
    name: str
    type: int
    guild: Guild | None = None
    parent: "Channel | None" = None
    recipient: User | None = None
    permissions: int = BOT_RIGHTS  # of the bot
    refusal: int | None = None  # the code that every send is answered with
    archived: bool = False
    locked: bool = False
    exists: bool = True
    messages: dict = field(default_factory=dict)  # by id, those that everyone sees
    crossposts: list = field(default_factory=list)  # times
    published_edits: list = field(default_factory=list)  # times
    nonces: dict = field(default_factory=dict)  # nonce -> (time, message)

    @property
    def is_thread(self):
        return self.type in THREADS

    @property
    def is_private(self):
        return self.type in PRIVATE

    def wire(self):
        base = {"id": str(self.id), "type": int(self.type), "last_message_id": None, "flags": 0}
        if self.is_private:
            return {**base, "recipients": [self.recipient.wire()]}
        base |= {"name": self.name, "guild_id": str(self.guild.id), "rate_limit_per_user": 0}
        return base | (self._thread() if self.is_thread else self._place())

    def _place(self):
        return {
            "position": self.guild.channels.index(self) if self in self.guild.channels else 0,
            "parent_id": None,
            "topic": None,
            "nsfw": False,
            "permission_overwrites": [self._bot_overwrite()],
            "available_tags": [],
        }

    def _bot_overwrite(self):
        denied = BOT_RIGHTS & ~self.permissions
        rights = {"allow": str(int(self.permissions)), "deny": str(int(denied))}
        return {"id": str(self.guild.bot.id), "type": 1, **rights}

    def _thread(self):
        return {
            "parent_id": str(self.parent.id),
            "owner_id": str(self.guild.bot.id),
            "message_count": len(self.messages),
            "member_count": 1,
            "total_message_sent": len(self.messages),
            "applied_tags": [],
            "thread_metadata": {
                "archived": self.archived,
                "auto_archive_duration": 1440,
                "archive_timestamp": iso_now(),
                "locked": self.locked,
            },
        }


@dataclass(frozen=True)
class Attachment:
    id: int
    filename: str
    data: bytes
    description: str | None = None

    def wire(self):
        url = f"http://127.0.0.1:9/attachments/{self.id}/{self.filename}"
        kind = "image/png" if self.filename.endswith(".png") else "application/octet-stream"
        names = {"id": str(self.id), "filename": self.filename, "content_type": kind}
        return {**names, "size": len(self.data), "url": url, "proxy_url": url}


@dataclass(eq=False)
class Message:
    """A message as people see it now; `history` has every state it was in, oldest first."""

    id: int
    channel: Channel
    author: User
    content: str = ""
    embeds: list = field(default_factory=list)
    components: list = field(default_factory=list)
    attachments: list = field(default_factory=list)
    flags: int = 0
    nonce: str | None = None
    pings: frozenset = frozenset()  # whom it notified: user ids, "everyone", "&role"
    edited: str | None = None
    exists: bool = True
    seen_by: User | None = None  # the only one, when it is ephemeral
    interaction: int | None = None
    created: str = field(default_factory=iso_now)
    history: list = field(default_factory=list)

    @property
    def ephemeral(self):
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self):
        return bool(self.flags & LOADING)

    @property
    def labels(self):
        """What can be pressed, in order."""
        return [c["label"] for c in walk(self.components) if c["type"] == 2 and "label" in c]

    @property
    def text(self):
        """All that can be read in it, one piece a line."""
        return "\n".join([self.content, *map(embed_text, self.embeds)]).strip()

    @property
    def image(self):
        """The bytes of the picture that its first embed shows, or None."""
        url = (self.embeds[0].get("image") or {}).get("url", "") if self.embeds else ""
        found = (a.data for a in self.attachments if url == f"attachment://{a.filename}")
        return next(found, None)

    def wire(self):
        return {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "author": self.author.wire(),
            "content": self.content,
            "timestamp": self.created,
            "edited_timestamp": self.edited,
            "tts": False,
            "mention_everyone": "everyone" in self.pings,
            "mentions": [],
            "mention_roles": [],
            "pinned": False,
            "type": 0,
            "flags": self.flags,
            "attachments": [a.wire() for a in self.attachments],
            "embeds": self.embeds,
            "components": self.components,
            **({} if self.nonce is None else {"nonce": self.nonce}),
        }

    def fill(self, payload, files, ids):
        """Take over what a send or an edit says; what it does not name stays."""
        self.content = payload.get("content", self.content) or ""
        self.embeds = payload.get("embeds", self.embeds) or []
        self.components = payload.get("components", self.components) or []
        self.attachments = kept(self.attachments, payload) + new_files(payload, files, ids)
        self.flags &= ~LOADING
        self.history.append((self.content, self.embeds, self.components, tuple(self.attachments)))


def kept(attachments, payload):
    """The old attachments that stay: all, unless the payload lists some."""
    if payload.get("attachments") is None:
        return list(attachments)
    named = {str(a["id"]) for a in payload["attachments"]}
    return [a for a in attachments if str(a.id) in named]


def new_files(payload, files, ids):
    """The uploaded files, under the names that `attachments` gives them."""
    given = {str(a["id"]): a for a in payload.get("attachments") or ()}
    return [
        Attachment(ids.next(), given.get(n, {}).get("filename", name), data)
        for n, (name, data) in files.items()
    ]


def embed_text(embed):
    fields = [f"{f['name']}\n{f['value']}" for f in embed.get("fields", ())]
    footer = (embed.get("footer") or {}).get("text", "")
    return "\n".join([embed.get("title") or "", embed.get("description") or "", *fields, footer])


def walk(components):
    """Every component in the tree, rows and labels included."""
    for component in components:
        yield component
        yield from walk(component.get("components", ()))
        yield from walk([component["component"]] if "component" in component else ())


def pings(content, allowed):
    """Whom the content notifies under these allowed_mentions; everyone named, without any."""
    allowed = {"parse": ["users", "roles", "everyone"]} if allowed is None else allowed
    parse = allowed.get("parse") or ()
    users = {int(u) for u in re.findall(r"<@!?(\d+)>", content)}
    roles = {f"&{r}" for r in re.findall(r"<@&(\d+)>", content)}
    everyone = {"everyone"} if re.search(r"@(everyone|here)", content) else set()
    users &= users if "users" in parse else {int(u) for u in allowed.get("users") or ()}
    roles &= roles if "roles" in parse else {f"&{r}" for r in allowed.get("roles") or ()}
    return frozenset(users | roles | (everyone if "everyone" in parse else set()))
