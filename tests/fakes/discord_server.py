"""A fake Discord over real sockets, for the unmodified discord.py client.

    async with FakeDiscord() as fake:
        anna = fake.add_user("anna")
        guild = fake.add_guild("Desk", members=[anna])
        levels = fake.add_channel(guild, "levels")
        ...  # point the client to fake.api_base and fake.gateway_url, and start it
        asked = await fake.invoke(anna, levels, "levels", {"symbol": "BTC"})
        await asked.answered()
        assert "HVL" in asked.message.text
        pressed = await fake.press(anna, asked.message, "Profile")

Users act through `invoke`, `press`, `choose`, `submit` and `autocomplete`; each gives the
`Invocation` at once, to wait on. What they could not do in Discord's own client (an unknown
command, a disabled button, a value out of the choices) is an AssertionError.

The moderators' side: `permit`, `deny`, `allow`, `remove_bot`, `add_bot`, `delete_channel`,
`archive`. What breaks: `fail` (one request), `fake.gateway` (reconnect, invalidate, close, abort),
`rest_down`, `gateway_down`, and `advance` for the clock of tokens and windows.
What was seen: `calls`, `messages`, `violations`, `limits.answers`, `fake.gateway`'s counters.
"""

import asyncio
import json
from hashlib import sha256
from math import ceil
from time import monotonic, time

from aiohttp import web

from tests.fakes import discord_invocation as it
from tests.fakes.discord_commands import (
    check_offered,
    command_data,
    find_button,
    find_choice,
    find_command,
    modal_data,
)
from tests.fakes.discord_faults import LOST, Faults, after_work, before_work, too_many
from tests.fakes.discord_gateway import Gateway
from tests.fakes.discord_limits import Limits
from tests.fakes.discord_model import (
    FILE_LIMIT,
    MEMBER_RIGHTS,
    USER_APP_RIGHTS,
    ApiError,
    ChannelType,
    member_wire,
)
from tests.fakes.discord_port import Port
from tests.fakes.discord_rest import Call, Rest, TooMany, find_route
from tests.fakes.discord_world import World

API = "/api/v10"
MISTAKES = frozenset({50006, 50008, 50035, 40005})  # codes that mean our payload was wrong
INVALID = frozenset({401, 403, 429})


class FakeDiscord:
    """The whole platform for one bot; see the module for its use."""

    def __init__(
        self,
        token="MTIz.fake.token",
        *,
        rest=True,
        gateway=True,
        shards=1,
        buckets=(),
        per_second=50,
        invalid_limit=10_000,
        max_concurrency=1,
    ):
        self.token, self.shards = token, shards
        self.world = World()
        self.faults = Faults()
        self.limits = Limits(dict(buckets), per_second, invalid_limit)
        self.gateway = Gateway(token, self.world, max_concurrency=max_concurrency)
        self.max_concurrency = max_concurrency
        self.calls = []
        self.violations = []  # (call, body of the refusal): what should never have been sent
        self.broken = []  # errors of the fake itself
        self._rest = Rest(self.world, self.gateway, self._gateway_bot)
        self._up = {"rest": rest, "gateway": gateway}
        self._closing = asyncio.Event()

    async def __aenter__(self):
        self._rest_port, self._gateway_port = Port(self._serve), Port(self._serve_gateway)
        self.gateway.url = self.gateway_url
        await self._rest_port.start(up=self._up["rest"])
        await self._gateway_port.start(up=self._up["gateway"])
        return self

    async def __aexit__(self, kind, error, trace):
        self._closing.set()
        self.gateway.abort()
        await self._rest_port.close()
        await self._gateway_port.close()
        if self.broken:
            raise ExceptionGroup("the fake broke", self.broken) from error

    @property
    def api_base(self):
        return f"http://127.0.0.1:{self._rest_port.number}{API}"

    @property
    def gateway_url(self):
        return f"ws://127.0.0.1:{self._gateway_port.number}/gateway"

    async def rest_down(self):
        await self._rest_port.down()

    async def rest_up(self):
        await self._rest_port.up()

    async def gateway_down(self):
        await self._gateway_port.down()

    async def gateway_up(self):
        await self._gateway_port.up()

    # The world.

    def add_user(self, name, locale="en-US"):
        return self.world.add_user(name, locale)

    def add_guild(self, name, members=(), locale="en-US"):
        guild = self.world.add_guild(name, members, locale)
        self.gateway.dispatch(guild.id, "GUILD_CREATE", guild.wire())
        return guild

    def add_channel(self, guild, name, type=ChannelType.TEXT, parent=None):  # noqa: A002 - its name
        """A channel; `parent` is the place of a thread."""
        channel = self.world.add_channel(guild, name, type, parent)
        event = "THREAD_CREATE" if channel.is_thread else "CHANNEL_CREATE"
        self.gateway.dispatch(guild.id, event, channel.wire())
        return channel

    def direct(self, user):
        """The channel of the bot and the user."""
        return self.world.direct_channel(user)

    def group(self, user):
        """A private channel among people, where the bot is not a member."""
        return self.world.direct_channel(user, ChannelType.GROUP_DM)

    def permit(self, channel, permissions):
        """Let the bot have exactly these permissions in the channel."""
        channel.permissions = int(permissions)
        self._tell_changed(channel)

    def deny(self, channel, code):
        """Refuse what is sent there: 50001, 50013, 50007 or 10003."""
        channel.refusal = code

    def allow(self, channel):
        channel.refusal = None

    def archive(self, thread):
        thread.archived = True
        self._tell_changed(thread)

    def lock(self, thread, *, locked=True):
        """Let moderators lock or unlock the thread."""
        thread.locked = locked
        self._tell_changed(thread)

    def _tell_changed(self, channel):
        event = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
        self.gateway.dispatch(channel.guild.id, event, channel.wire())

    def update_role(self, guild, permissions):
        """The rights of @everyone changed."""
        role = guild.everyone(permissions)
        data = {"guild_id": str(guild.id), "role": role}
        self.gateway.dispatch(guild.id, "GUILD_ROLE_UPDATE", data)

    def delete_channel(self, channel):
        event = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
        data = channel.wire()
        channel.exists = False
        channel.guild.channels.remove(channel)
        self.gateway.dispatch(channel.guild.id, event, data)

    def delete_message(self, message):
        """A moderator deletes the message."""
        self.world.erase(message)

    def remove_bot(self, guild):
        """The bot is thrown out; its messages stay."""
        guild.bot_is_in = False
        self.gateway.dispatch(guild.id, "GUILD_DELETE", {"id": str(guild.id)})

    def add_bot(self, guild):
        guild.bot_is_in = True
        self.gateway.dispatch(guild.id, "GUILD_CREATE", guild.wire())

    def messages(self, channel):
        """What everyone sees in the channel, oldest first."""
        return [message for message in channel.messages.values() if not message.loading]

    # What users do.

    async def invoke(
        self, user, channel, name, options=None, *, permissions=MEMBER_RIGHTS, install=None
    ):
        """The user sends `/name`; install 0 uses the guild's bot, 1 the user's own app."""
        commands = self._commands(channel)
        install = default_install(channel) if install is None else install
        check_offered(find_command(commands, name)[0], context_of(channel), install)
        data = command_data(commands, name, options or {})
        return self._interact(it.COMMAND, user, channel, data, permissions, install)

    async def autocomplete(
        self, user, channel, name, option, text, *, options=None, permissions=MEMBER_RIGHTS
    ):
        """The user types `text` into one option; `choices` of the invocation answers."""
        values = {**(options or {}), option: text}
        data = command_data(self._commands(channel), name, values, focused=option)
        install = default_install(channel)
        return self._interact(it.AUTOCOMPLETE, user, channel, data, permissions, install)

    async def press(self, user, message, label, *, permissions=MEMBER_RIGHTS):
        """The user presses the button that is labelled so."""
        data = find_button(self._seen(user, message), label)
        return self._use(user, message, data, permissions)

    async def choose(self, user, message, menu, *labels, permissions=MEMBER_RIGHTS):
        """The user picks values by what they are called, in the menu with that placeholder."""
        data = find_choice(self._seen(user, message), menu, labels)
        return self._use(user, message, data, permissions)

    async def forge(self, user, message, custom_id, *, permissions=MEMBER_RIGHTS):
        """A press of a button that the message never had, as a hostile client may send."""
        return self._use(user, message, {"custom_id": custom_id, "component_type": 2}, permissions)

    async def submit(self, user, opened, values=None, *, permissions=MEMBER_RIGHTS):
        """The user fills in the form that the invocation opened, by label, and sends it."""
        data = modal_data(opened.modal, values or {})
        install = default_install(opened.channel)
        return self._interact(
            it.MODAL, user, opened.channel, data, permissions, install, source=opened.source
        )

    def _commands(self, channel):
        local = self.world.commands.get(channel.guild.id, []) if channel.guild else []
        return [*local, *self.world.commands[None]]

    def _seen(self, user, message):
        assert message.exists, "the message was deleted"
        assert message.seen_by in (None, user), "nobody else sees an ephemeral message"
        return message

    def _use(self, user, message, data, permissions):
        install = default_install(message.channel)
        return self._interact(
            it.COMPONENT, user, message.channel, data, permissions, install, source=message
        )

    def _interact(self, kind, user, channel, data, permissions, install, source=None):
        invocation = it.Invocation(
            self.world.ids.next(),
            kind,
            user,
            channel,
            self.world.changes,
            self.world.now(),
            source=source,
        )
        self.world.invocations[invocation.token] = invocation
        event = self._event(invocation, data, permissions, install)
        self.gateway.dispatch(channel.guild and channel.guild.id, "INTERACTION_CREATE", event)
        return invocation

    def _event(self, invocation, data, permissions, install):
        channel, user = invocation.channel, invocation.user
        return {
            "id": str(invocation.id),
            "application_id": str(self.world.application_id),
            "type": invocation.kind,
            "token": invocation.token,
            "version": 1,
            "channel_id": str(channel.id),
            "channel": {**channel.wire(), "permissions": str(int(permissions))},
            "locale": user.locale,
            "app_permissions": str(int(app_permissions(channel))),
            "entitlements": [],
            "authorizing_integration_owners": {str(install): owner_of(install, user, channel)},
            "context": context_of(channel),
            "attachment_size_limit": FILE_LIMIT,
            "data": data,
            **who(user, channel.guild, permissions),
            **({"message": invocation.source.wire()} if invocation.source else {}),
        }

    # Time, faults, and what was seen.

    def advance(self, seconds):
        """Let tokens, windows and nonces grow older at once."""
        self.world.advance(seconds)

    def fail(self, method, path, fault, times=1):
        """Let the next requests with that method and a path that matches fail."""
        self.faults.plan(method, path, fault, times)

    async def until(self, predicate, timeout=30.0):  # noqa: ASYNC109 - as in Changes
        """Wait until the predicate is true; looked at after everything that happens."""
        await self.world.changes.until(predicate, timeout)

    def requests(self, method, path):
        """The calls so far with that method, and a path that begins so."""
        return [c for c in self.calls if c.method == method and c.path.startswith(path)]

    @property
    def invalid_requests(self):
        """The 401, 403 and 429 of the last ten minutes."""
        return self.limits.invalid(self.world.now())

    # The way of a request.

    async def _serve_gateway(self, request):
        return await self.gateway.serve(request)

    async def _serve(self, request):
        call = await read_call(request)
        self.calls.append(call)
        self.world.changes.notify()
        fault = self.faults.take(call.method, call.path)
        response = await before_work(fault, request, self._closing) if fault else None
        if response is None:
            response = after_work(fault, request, self._do(request, call))
        call.status = None if response.get(LOST) else response.status
        self._count(call, response)
        self.world.changes.notify()
        return response

    def _do(self, request, call):
        try:
            return self._reply(request, call)
        except Exception as error:  # noqa: BLE001 - raised when the fake ends
            self.broken.append(error)
            return reply(400, {"message": f"the fake broke: {error!r}", "code": 0})

    def _reply(self, request, call):
        if self.limits.banned(self.world.now()):
            self.limits.answers["banned"] += 1
            return web.Response(status=429, body=b"error code: 1015")
        route, parameters = find_route(call.method, call.path)
        if route is None:
            return reply(404, {"message": "404: Not Found", "code": 0})
        if not route.is_open and request.headers.get("Authorization") != f"Bot {self.token}":
            return reply(401, {"message": "401: Unauthorized", "code": 0})
        return self._limited(route, parameters, call)

    def _limited(self, route, parameters, call):
        major = parameters.get("token") or parameters.get("channel") or parameters.get("guild")
        now = self.world.now()
        room, wait = self.limits.take(route.name, major, now, counts_globally=not route.is_open)
        if wait:
            return self._too_many(wait, "global")
        headers = room_headers(route, room)
        if room.wait:
            return self._too_many(room.wait, "user", headers)
        try:
            status, body = route.work(self._rest, call, **parameters)
        except TooMany as error:
            return self._too_many(error.wait, "user", headers)
        except ApiError as error:
            status, body = error.status, error.body
            self._note_mistake(call, error)
        return reply(status, body, headers)

    def _too_many(self, wait, scope, headers=()):
        self.limits.answers[scope] += 1
        told = too_many(ceil(wait * 1000) / 1000, scope)
        return reply(429, json.loads(told.body), {**dict(headers), **told.headers})

    def _note_mistake(self, call, error):
        if error.code in MISTAKES:
            self.violations.append((call, error.body))

    def _count(self, call, response):
        shared = response.headers.get("X-RateLimit-Scope") == "shared"
        if call.status in INVALID and not shared:
            self.limits.count_invalid(self.world.now())

    def _gateway_bot(self):
        start = {"total": 1000, "remaining": 1000 - len(self.gateway.identifies)}
        start |= {"reset_after": 86_400_000, "max_concurrency": self.max_concurrency}
        return {"url": self.gateway_url, "shards": self.shards, "session_start_limit": start}


def default_install(channel):
    """Through what a command comes where nothing else is said."""
    bot_is_there = channel.guild.bot_is_in if channel.guild else channel.type == ChannelType.DM
    return 0 if bot_is_there else 1


def context_of(channel):
    if channel.guild is not None:
        return 0
    return 1 if channel.type == ChannelType.DM else 2


def owner_of(install, user, channel):
    if install == 1:
        return str(user.id)
    return str(channel.guild.id) if channel.guild else "0"


def app_permissions(channel):
    """What the event says the bot may do in this very channel."""
    is_there = channel.guild.bot_is_in if channel.guild else channel.type == ChannelType.DM
    return channel.permissions if is_there else USER_APP_RIGHTS


def who(user, guild, permissions):
    if guild is None:
        return {"user": user.wire()}
    member = member_wire(user, permissions=str(int(permissions)))
    place = {"guild_id": str(guild.id), "guild": guild.brief(), "guild_locale": guild.locale}
    return {**place, "member": member}


async def read_call(request):
    """The request with its JSON, from the body or from the form's payload_json."""
    call = Call(monotonic(), request.method, request.path.removeprefix(API), dict(request.query))
    if request.content_type == "multipart/form-data":
        form = await request.post()
        call.body = json.loads(form["payload_json"])
        call.files = {n[6:-1]: (f.filename, f.file.read()) for n, f in uploads(form)}
    elif raw := await request.read():
        call.body = json.loads(raw)
    return call


def uploads(form):
    return [(name, part) for name, part in form.items() if name.startswith("files[")]


def reply(status, body, headers=()):
    """A reply as Discord's; a charset in the type would make the client see a string."""
    common = {"Via": "1.1 google", "Content-Type": "application/json", **dict(headers)}
    if body is None:
        return web.Response(status=status, headers={"Via": "1.1 google", **dict(headers)})
    return web.Response(status=status, body=json.dumps(body).encode(), headers=common)


def room_headers(route, room):
    return {
        "X-RateLimit-Limit": str(room.limit),
        "X-RateLimit-Remaining": str(room.remaining),
        "X-RateLimit-Reset": f"{time() + room.reset_after:.3f}",
        "X-RateLimit-Reset-After": f"{ceil(room.reset_after * 1000) / 1000:.3f}",
        "X-RateLimit-Bucket": sha256(route.name.encode()).hexdigest()[:32],
    }
