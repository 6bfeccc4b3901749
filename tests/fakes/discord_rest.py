"""The REST half of the fake Discord: what each documented endpoint does."""

import re
from dataclasses import dataclass, field

from tests.fakes import discord_invocation as it
from tests.fakes.discord_limits import (
    check,
    choices_problems,
    commands_problems,
    modal_problems,
    too_long,
)
from tests.fakes.discord_model import (
    CROSSPOSTED,
    LOADING,
    ChannelType,
    Permission,
    member_wire,
    refusal,
)
from tests.fakes.discord_world import World, is_ephemeral

NONCE_WINDOW = 180.0  # seconds, "the past few minutes"
CROSSPOSTS = 10  # an hour, for each channel
PUBLISHED_EDITS = 3  # an hour, likewise
ROUTES = []


@dataclass
class Call:
    """One request, as it came and as it was answered; `files` by number: (name, bytes)."""

    time: float  # of time.monotonic()
    method: str
    path: str  # below /api/v10
    query: dict = field(default_factory=dict)
    body: object = None
    files: dict = field(default_factory=dict)
    status: int | None = None  # None: no answer left


class TooMany(Exception):
    """A limit that only one endpoint has."""

    def __init__(self, wait):
        super().__init__(f"wait {wait:.1f} s")
        self.wait = wait


@dataclass(frozen=True)
class Route:
    method: str
    shape: str
    pattern: re.Pattern
    work: object

    @property
    def name(self):
        return f"{self.method} {self.shape}"

    @property
    def is_open(self):
        """Whether the address itself is the key: no bot token, no global limit."""
        return self.shape.startswith(("/interactions/", "/webhooks/"))


def route(method, shape):
    """Marks the method of Rest that does the work of an endpoint."""

    def mark(work):
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", shape) + "/?$")
        ROUTES.append(Route(method, shape, pattern, work))
        return work

    return mark


def find_route(method, path):
    """The route and its parameters; (None, {}) where Discord has nothing."""
    for candidate in ROUTES:
        if candidate.method == method and (match := candidate.pattern.match(path)):
            return candidate, match.groupdict()
    return None, {}


class Rest:
    """Each method takes the call and the parameters of its path: status and body come back."""

    def __init__(self, world: World, gateway, gateway_bot):
        self._world, self._gateway, self._gateway_bot = world, gateway, gateway_bot

    # Who the bot is.

    @route("GET", "/users/@me")
    def me(self, call):
        return 200, {**self._world.bot.wire(), "verified": True, "mfa_enabled": False}

    @route("GET", "/applications/@me")
    @route("GET", "/oauth2/applications/@me")
    def application(self, call):
        app = {"id": str(self._world.application_id), "name": self._world.bot.name, "flags": 0}
        app |= {"description": "", "summary": "", "icon": None, "team": None, "verify_key": "00"}
        app |= {"bot_public": True, "bot_require_code_grant": False, "rpc_origins": []}
        return 200, {**app, "owner": next(iter(self._world.users.values())).wire()}

    @route("GET", "/gateway/bot")
    def gateway_bot(self, call):
        return 200, self._gateway_bot()

    # Guilds.

    @route("GET", "/users/@me/guilds")
    def my_guilds(self, call):
        guilds = [g for g in self._world.guilds if g.bot_is_in]
        return 200, [{**g.brief(), "name": g.name, "owner": False} for g in guilds]

    @route("GET", "/guilds/{guild}")
    def guild(self, call, guild):
        wire = self._world.guild(int(guild)).wire()
        return 200, {k: v for k, v in wire.items() if k not in ("channels", "threads", "members")}

    @route("GET", "/guilds/{guild}/channels")
    def guild_channels(self, call, guild):
        return 200, self._world.guild(int(guild)).wire()["channels"]

    @route("GET", "/guilds/{guild}/threads/active")
    def guild_threads(self, call, guild):
        threads = self._world.guild(int(guild)).wire()["threads"]
        return 200, {"threads": threads, "members": []}

    @route("GET", "/guilds/{guild}/roles")
    def guild_roles(self, call, guild):
        return 200, self._world.guild(int(guild)).wire()["roles"]

    @route("GET", "/guilds/{guild}/members/{user}")
    def guild_member(self, call, guild, user):
        found = self._world.guild(int(guild))
        users = {u.id: u for u in (found.bot, *found.members)}
        if int(user) not in users:
            raise refusal(10013)
        return 200, member_wire(users[int(user)])

    # Commands.

    @route("GET", "/applications/{app}/commands")
    @route("GET", "/applications/{app}/guilds/{guild}/commands")
    def commands(self, call, app, guild=None):
        return 200, self._world.commands.get(guild and int(guild), [])

    @route("PUT", "/applications/{app}/commands")
    @route("PUT", "/applications/{app}/guilds/{guild}/commands")
    def put_commands(self, call, app, guild=None):
        check(commands_problems(call.body))
        commands = [self._stored(command, guild) for command in call.body]
        self._world.commands[guild and int(guild)] = commands
        return 200, commands

    def _stored(self, command, guild):
        ids = {"id": str(self._world.ids.next()), "version": str(self._world.ids.next())}
        ids |= {"application_id": str(self._world.application_id)}
        ids |= {"guild_id": guild} if guild else {}
        defaults = {"type": 1, "default_member_permissions": None, "nsfw": False}
        return {**defaults, **command, **ids}

    # Channels.

    def _channel(self, channel):
        """The channel as far as the bot reaches it. Raises ApiError 10003 or 50001."""
        found = self._world.channels.get(int(channel))
        if found is None or not found.exists:
            raise refusal(10003)
        if found.guild is not None and not found.guild.bot_is_in:
            raise refusal(50001)
        if found.refusal in (10003, 50001):
            raise refusal(found.refusal)
        if not found.permissions & Permission.VIEW_CHANNEL:
            raise refusal(50001)
        return found

    @route("GET", "/channels/{channel}")
    def channel(self, call, channel):
        return 200, self._channel(channel).wire()

    @route("POST", "/channels/{channel}/typing")
    def typing(self, call, channel):
        may_send(self._channel(channel), {}, {})
        return 204, None

    @route("POST", "/users/@me/channels")
    def open_direct(self, call):
        user = self._world.users.get(int(call.body["recipient_id"]))
        if user is None or user.bot:
            raise refusal(50033)
        return 200, self._world.direct_channel(user).wire()

    @route("PATCH", "/channels/{channel}")
    def change_channel(self, call, channel):
        found = self._channel(channel)
        if not found.is_thread or not found.permissions & Permission.MANAGE_THREADS:
            raise refusal(50013)
        found.archived = call.body.get("archived", found.archived)
        self._gateway.dispatch(found.guild.id, "THREAD_UPDATE", found.wire())
        return 200, found.wire()

    @route("POST", "/channels/{channel}/threads")
    def start_thread(self, call, channel):
        parent = self._channel(channel)
        if parent.type == ChannelType.FORUM:
            return 201, self._forum_post(parent, call)
        if not parent.permissions & Permission.CREATE_PUBLIC_THREADS:
            raise refusal(50013)
        thread = self._new_thread(parent, call.body, call.body.get("type", 11))
        return 201, thread.wire()

    @route("POST", "/channels/{channel}/messages/{message}/threads")
    def start_thread_from_message(self, call, channel, message):
        parent = self._channel(channel)
        self._message(parent, message)
        return 201, self._new_thread(parent, call.body, 11).wire()

    def _forum_post(self, forum, call):
        payload = call.body.get("message") or {}
        may_post(forum, payload, call.files)
        thread = self._new_thread(forum, call.body, 11)
        first = self._world.write(thread, self._world.bot, payload, call.files)
        return {**thread.wire(), "message": first.wire()}

    def _new_thread(self, parent, body, kind):
        check(too_long("thread name", body.get("name"), 100))
        thread = self._world.add_channel(parent.guild, body["name"], kind, parent)
        wire = {**thread.wire(), "newly_created": True}
        self._gateway.dispatch(parent.guild.id, "THREAD_CREATE", wire)
        return thread

    # Messages.

    def _message(self, channel, message):
        found = channel.messages.get(int(message))
        if found is None:
            raise refusal(10008)
        return found

    @route("GET", "/channels/{channel}/messages")
    def list_messages(self, call, channel):
        messages = self._channel(channel).messages.values()
        return 200, [message.wire() for message in reversed(messages)]

    @route("GET", "/channels/{channel}/messages/{message}")
    def get_message(self, call, channel, message):
        return 200, self._message(self._channel(channel), message).wire()

    @route("POST", "/channels/{channel}/messages")
    def send(self, call, channel):
        found = self._channel(channel)
        may_send(found, call.body, call.files)
        if (known := self._sent_before(found, call.body)) is not None:
            return 200, known.wire()
        message = self._world.write(found, self._world.bot, call.body, call.files)
        self._remember_nonce(found, call.body, message)
        self._unarchive(found)
        return 200, message.wire()

    def _sent_before(self, channel, payload):
        """The message that has this nonce already. Raises ApiError when it was deleted."""
        when, message = channel.nonces.get(str(payload.get("nonce")), (float("-inf"), None))
        if not payload.get("enforce_nonce") or self._world.now() - when > NONCE_WINDOW:
            return None
        if not message.exists:
            raise refusal(10008)
        return message

    def _remember_nonce(self, channel, payload, message):
        if payload.get("nonce") is not None:
            message.nonce = payload["nonce"]
            channel.nonces[str(message.nonce)] = (self._world.now(), message)

    def _unarchive(self, thread):
        if thread.archived:
            thread.archived = False
            self._gateway.dispatch(thread.guild.id, "THREAD_UPDATE", thread.wire())

    @route("PATCH", "/channels/{channel}/messages/{message}")
    def edit(self, call, channel, message):
        found = self._own(channel, message)
        if found.flags & CROSSPOSTED:
            self._count_hourly(found.channel.published_edits, PUBLISHED_EDITS)
        self._world.edit(found, call.body, call.files)
        return 200, found.wire()

    @route("DELETE", "/channels/{channel}/messages/{message}")
    def delete(self, call, channel, message):
        self._world.erase(self._own(channel, message))
        return 204, None

    def _own(self, channel, message):
        place = self._channel(channel)
        found = self._message(place, message)
        if found.author is not self._world.bot:
            raise refusal(50005)
        if place.archived:
            raise refusal(50083)
        return found

    @route("POST", "/channels/{channel}/messages/{message}/crosspost")
    def crosspost(self, call, channel, message):
        place = self._channel(channel)
        found = self._message(place, message)
        if place.type != ChannelType.ANNOUNCEMENT:
            raise refusal(50024)
        if found.flags & CROSSPOSTED:
            raise refusal(40033)
        require(place, Permission.SEND_MESSAGES, {}, {})
        self._count_hourly(place.crossposts, CROSSPOSTS)
        found.flags |= CROSSPOSTED
        return 200, found.wire()

    def _count_hourly(self, times, limit):
        now = self._world.now()
        times[:] = [t for t in times if now - t < 3600]
        if len(times) >= limit:
            raise TooMany(times[0] + 3600 - now)
        times.append(now)

    # Interactions.

    @route("POST", "/interactions/{interaction}/{token}/callback")
    def answer(self, call, interaction, token):
        invocation = self._world.invocations.get(token)
        if invocation is None or str(invocation.id) != interaction:
            raise refusal(10062)
        with noting(invocation):
            self._first_answer(invocation, call)
        if call.query.get("with_response") not in ("1", "true"):
            return 204, None
        return 200, callback_wire(invocation)

    def _first_answer(self, invocation, call):
        kind, data = call.body["type"], call.body.get("data") or {}
        invocation.require_first(kind, self._world.now())
        check(ANSWER_PROBLEMS.get(kind, lambda _: ())(data))
        ANSWERS[kind](self, invocation, data, call.files)
        invocation.acknowledge(kind)

    def _say(self, invocation, data, files):
        invocation.original = self._write_answer(invocation, data, files)
        self._shown(invocation)

    def _defer(self, invocation, data, files):
        message = self._write_answer(invocation, {"content": "…", **data}, {}, LOADING)
        message.content, message.flags = "", message.flags | LOADING
        message.history.clear()
        invocation.original = message

    def _defer_update(self, invocation, data, files):
        invocation.original = invocation.source

    def _update(self, invocation, data, files):
        invocation.original = invocation.source
        self._world.edit(invocation.source, data, files)
        self._shown(invocation)

    def _suggest(self, invocation, data, files):
        invocation.choices = data["choices"]
        invocation.saw()

    def _open_form(self, invocation, data, files):
        invocation.modal = it.Modal(data["title"], data["custom_id"], data["components"])
        invocation.saw()

    def _write_answer(self, invocation, data, files, flags=0):
        flags |= is_ephemeral(data)
        seen_by = invocation.user if is_ephemeral(data) else None
        message = self._world.write(
            invocation.channel, self._world.bot, data, files, flags=flags, seen_by=seen_by
        )
        message.interaction = invocation.id
        return message

    def _shown(self, invocation):
        invocation.original_shown = True
        invocation.saw()

    def _invocation(self, token):
        """The interaction of a token in use. Raises ApiError 10015."""
        invocation = self._world.invocations.get(token)
        if invocation is None:
            raise refusal(10015)
        with noting(invocation):
            invocation.require_token(self._world.now())
        return invocation

    @route("POST", "/webhooks/{app}/{token}")
    def follow_up(self, call, app, token):
        invocation = self._invocation(token)
        with noting(invocation):
            if (waiting := invocation.deferred) is not None:
                return 200, self._edit_answer(invocation, waiting, call)
            message = self._write_answer(invocation, call.body, call.files)
        invocation.followups.append(message)
        invocation.saw()
        return 200, message.wire()

    @route("GET", "/webhooks/{app}/{token}/messages/{message}")
    def get_answer(self, call, app, token, message):
        return 200, answer_of(self._invocation(token), message).wire()

    @route("PATCH", "/webhooks/{app}/{token}/messages/{message}")
    def edit_answer(self, call, app, token, message):
        invocation = self._invocation(token)
        with noting(invocation):
            return 200, self._edit_answer(invocation, answer_of(invocation, message), call)

    def _edit_answer(self, invocation, message, call):
        self._world.edit(message, call.body, call.files)
        if message is invocation.original:
            self._shown(invocation)
        invocation.saw()
        return message.wire()

    @route("DELETE", "/webhooks/{app}/{token}/messages/{message}")
    def delete_answer(self, call, app, token, message):
        self._world.erase(answer_of(self._invocation(token), message))
        return 204, None


ANSWERS = {
    it.MESSAGE: Rest._say,  # noqa: SLF001 - a table of this class's own methods
    it.DEFER: Rest._defer,  # noqa: SLF001
    it.DEFER_UPDATE: Rest._defer_update,  # noqa: SLF001
    it.UPDATE: Rest._update,  # noqa: SLF001
    it.CHOICES: Rest._suggest,  # noqa: SLF001
    it.FORM: Rest._open_form,  # noqa: SLF001
}
ANSWER_PROBLEMS = {
    it.CHOICES: lambda data: choices_problems(data.get("choices") or ()),
    it.FORM: modal_problems,
}


def may_send(channel, payload, files):
    """Raises ApiError unless the bot may send this to the channel."""
    if channel.type == ChannelType.FORUM:
        raise refusal(50008)
    needed = Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
    require(channel, needed, payload, files)
    if channel.locked and not channel.permissions & Permission.MANAGE_THREADS:
        raise refusal(160005)


def may_post(forum, payload, files):
    """Raises ApiError unless the bot may start a post in the forum."""
    require(forum, Permission.SEND_MESSAGES, payload, files)


def require(channel, needed, payload, files):
    if channel.refusal is not None:
        raise refusal(channel.refusal)
    needed |= Permission.EMBED_LINKS if payload.get("embeds") else 0
    needed |= Permission.ATTACH_FILES if files else 0
    if needed & ~channel.permissions and not channel.is_private:
        raise refusal(50013)


class noting:  # noqa: N801 - reads as a statement
    """Writes the code of a refusal down with the interaction that it hit."""

    def __init__(self, invocation):
        self._invocation = invocation

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if hasattr(error, "code"):
            self._invocation.refused.append(error.code)
            self._invocation.changes.notify()


def answer_of(invocation, message):
    """The message of an answer, @original or by id. Raises ApiError 10008."""
    own = [invocation.original] if invocation.original else []
    wanted = own if message == "@original" else [*own, *invocation.followups]
    for found in wanted:
        if found.exists and message in ("@original", str(found.id)):
            return found
    raise refusal(10008)


def callback_wire(invocation):
    """What `with_response` gives back."""
    kind, message = invocation.ack_type, invocation.original
    interaction = {"id": str(invocation.id), "type": invocation.kind}
    interaction["activity_instance_id"] = None
    resource = {"type": kind}
    if kind in (it.MESSAGE, it.DEFER, it.UPDATE):
        interaction["response_message_id"] = str(message.id)
        interaction["response_message_loading"] = message.loading
        interaction["response_message_ephemeral"] = message.ephemeral
        resource["message"] = message.wire()
    return {"interaction": interaction, "resource": resource}
