"""The fake Discord against the real client; also how a test uses it."""

import asyncio
import io
import json
from contextlib import asynccontextmanager

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.fakes.discord_faults import CLOUDFLARE_BAN, Answer, Hang, Reset, Slow, too_many
from tests.fakes.discord_invocation import Changes
from tests.fakes.discord_limits import Bucket
from tests.fakes.discord_model import EPHEMERAL, MEMBER_RIGHTS, ChannelType, Permission
from tests.fakes.discord_server import FakeDiscord

PNG = b"\x89PNG not really"
WIDE = Bucket(99, 1)


@pytest.fixture(autouse=True)
def addresses():
    """Both are attributes of the client's classes: put back after each test."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


def point_to(fake):
    Route.BASE = fake.api_base
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(fake.gateway_url)


class Bot(discord.Client):
    """Answers /levels with a picture and a button, /alert add with a form."""

    def __init__(self, **options):
        intents = discord.Intents(guilds=True)
        super().__init__(intents=intents, guild_ready_timeout=0.05, **options)
        self.tree = app_commands.CommandTree(self)
        self.tree.add_command(levels)
        self.tree.add_command(alert)
        self.events = []
        self.heard = Changes()
        self.hold = asyncio.Event()
        self.hold.set()
        self.up = asyncio.Event()

    async def on_ready(self):
        self.up.set()

    async def before_identify_hook(self, shard_id, *, initial=False):
        """Without the 5 s that the client would wait for."""

    def note(self, event):
        self.events.append(event)
        self.heard.notify()

    async def on_resumed(self):
        self.note("resumed")

    async def on_guild_remove(self, guild):
        self.note(f"out of {guild.name}")

    async def on_guild_join(self, guild):
        self.note(f"joined {guild.name}")

    async def on_guild_channel_delete(self, channel):
        self.note(f"deleted {channel.name}")

    async def on_guild_channel_update(self, before, after):
        self.note(after.permissions_for(after.guild.me).embed_links)

    async def on_interaction(self, interaction):
        name = (interaction.data or {}).get("custom_id")
        if name == "again":
            await interaction.response.edit_message(content="pressed")
        if name == "menu":
            await interaction.response.defer()
            await interaction.followup.send(interaction.data["values"][0], ephemeral=True)


@app_commands.command(description="The levels")
@app_commands.describe(symbol="A coin")
async def levels(interaction: discord.Interaction, symbol: str = "BTC"):
    await interaction.client.hold.wait()
    await interaction.response.defer()
    await interaction.edit_original_response(
        content=f"levels of {symbol}",
        embed=discord.Embed(title=symbol).set_image(url="attachment://p.png"),
        attachments=[discord.File(io.BytesIO(PNG), "p.png")],
        view=buttons(),
    )


@levels.autocomplete("symbol")
async def symbols(interaction: discord.Interaction, text: str):
    return [app_commands.Choice(name=s, value=s) for s in ("BTC", "ETH") if s.startswith(text)]


alert = app_commands.Group(name="alert", description="Alerts")


@alert.command(name="add", description="A new one")
async def alert_add(interaction: discord.Interaction):
    await interaction.response.send_modal(AlertForm())


class AlertForm(discord.ui.Modal, title="New alert"):
    level = discord.ui.TextInput(label="Level", default="hvl")
    side = discord.ui.Label(
        text="Side",
        component=discord.ui.Select(
            required=False,
            options=[discord.SelectOption(label="Upwards", value="up")],
        ),
    )

    async def on_submit(self, interaction):
        said = [self.level.value, *self.side.component.values]
        await interaction.response.send_message(f"set on {said}", ephemeral=True)


def buttons():
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Again", custom_id="again"))
    options = [discord.SelectOption(label="Profile", value="profile BTC")]
    view.add_item(discord.ui.Select(custom_id="menu", placeholder="More", options=options))
    return view


@asynccontextmanager
async def running(fake, bot):
    """The bot, ready and synced, until the block ends."""
    point_to(fake)
    serving = asyncio.create_task(bot.start(fake.token))
    try:
        await asyncio.wait_for(bot.up.wait(), 30)
        await bot.tree.sync()
        yield bot
    finally:
        await bot.close()
        await asyncio.gather(serving, return_exceptions=True)


@asynccontextmanager
async def sender(fake):
    """A client without gateway, as a process that only sends."""
    point_to(fake)
    async with discord.Client(intents=discord.Intents.none()) as client:
        await client.login(fake.token)
        yield client


def desk(fake, *names):
    """anna, and a guild with a channel."""
    anna = fake.add_user("anna")
    guild = fake.add_guild("Desk", members=[anna])
    return anna, fake.add_channel(guild, "levels")


async def test_a_command_is_deferred_then_filled_with_a_picture():
    async with FakeDiscord() as fake:
        anna, channel = desk(fake)
        async with running(fake, Bot()):
            asked = await fake.invoke(anna, channel, "levels", {"symbol": "ETH"})
            await asked.answered()

    assert asked.ack_type == 5
    assert asked.reaction < 3
    assert asked.message.content == "levels of ETH"
    assert asked.message.image == PNG
    assert fake.messages(channel) == [asked.message]
    assert fake.violations == []


async def test_a_button_edits_its_message_also_after_a_restart():
    async with FakeDiscord() as fake:
        anna, channel = desk(fake)
        async with running(fake, Bot()):
            asked = await (await fake.invoke(anna, channel, "levels")).answered()
        async with running(fake, Bot()):
            pressed = await (await fake.press(anna, asked.message, "Again")).answered()

    assert pressed.ack_type == 7
    assert pressed.message is asked.message
    assert [state[0] for state in asked.message.history] == ["levels of BTC", "pressed"]


async def test_a_menu_is_answered_for_one_person_only():
    async with FakeDiscord() as fake:
        anna, channel = desk(fake)
        async with running(fake, Bot()):
            asked = await (await fake.invoke(anna, channel, "levels")).answered()
            chosen = await (await fake.choose(anna, asked.message, "More", "Profile")).answered()

    assert chosen.ack_type == 6
    assert chosen.message.content == "profile BTC"
    assert chosen.message.seen_by is anna
    assert fake.messages(channel) == [asked.message]


async def test_a_form_is_opened_filled_in_and_answered():
    async with FakeDiscord() as fake:
        anna, channel = desk(fake)
        async with running(fake, Bot()):
            opened = await (await fake.invoke(anna, channel, "alert add")).answered()
            filled = {"Level": "put support", "Side": "Upwards"}
            sent = await (await fake.submit(anna, opened, filled)).answered()

    assert opened.modal.title == "New alert"
    assert opened.modal.fields["Level"]["value"] == "hvl"
    assert sent.message.content == "set on ['put support', 'up']"
    assert sent.ephemeral


async def test_autocomplete_answers_with_choices():
    async with FakeDiscord() as fake:
        anna, channel = desk(fake)
        async with running(fake, Bot()):
            typed = await fake.autocomplete(anna, channel, "levels", "symbol", "E")
            await typed.answered()

    assert typed.choices == [{"name": "ETH", "value": "ETH"}]


async def test_people_cannot_do_what_discord_does_not_show_them():
    async with FakeDiscord() as fake:
        anna, channel = desk(fake)
        bob = fake.add_user("bob")
        async with running(fake, Bot()):
            with pytest.raises(AssertionError, match="no command 'nope'"):
                await fake.invoke(anna, channel, "nope")
            with pytest.raises(AssertionError, match="no option"):
                await fake.invoke(anna, channel, "levels", {"coin": "BTC"})
            with pytest.raises(AssertionError, match="is a group"):
                await fake.invoke(anna, channel, "alert")
            opened = await (await fake.invoke(anna, channel, "alert add")).answered()
            private = await (await fake.submit(anna, opened)).answered()
            with pytest.raises(AssertionError, match="nobody else"):
                await fake.press(bob, private.message, "Again")
            with pytest.raises(AssertionError, match="no button"):
                await fake.press(anna, private.message, "Again")


async def test_a_command_during_a_lost_connection_is_replayed_on_resume():
    async with FakeDiscord() as fake:
        anna, channel = desk(fake)
        async with running(fake, Bot()) as bot:
            for breaks in (fake.gateway.abort, fake.gateway.abort):
                breaks()
                asked = await fake.invoke(anna, channel, "levels")
                await asked.answered()
            await fake.until(lambda: fake.gateway.resumes == 2)

    assert bot.events == ["resumed", "resumed"]
    assert len(fake.gateway.identifies) == 1


@pytest.mark.parametrize("how", ["op 7", "op 9 true", 4000, 1000])
async def test_the_client_resumes(how):
    async with FakeDiscord() as fake:
        desk(fake)
        async with running(fake, Bot()):
            if how == "op 7":
                await fake.gateway.reconnect()
            elif how == "op 9 true":
                await fake.gateway.invalidate(resumable=True)
            else:
                await fake.gateway.close(how)
            await fake.until(lambda: fake.gateway.resumes == 1)

    assert len(fake.gateway.identifies) == 1


async def test_a_session_that_is_gone_is_opened_anew():
    async with FakeDiscord() as fake:
        desk(fake)
        async with running(fake, Bot()):
            await fake.gateway.invalidate(resumable=False)
            await fake.until(lambda: len(fake.gateway.identifies) == 2)

    assert fake.gateway.identify_violations == 1  # faster than one in 5 s, and counted


async def test_a_wrong_token_is_refused_by_both_halves():
    async with FakeDiscord() as fake:
        point_to(fake)
        async with discord.Client(intents=discord.Intents.none()) as client:
            with pytest.raises(discord.LoginFailure):
                await client.login("wrong")
        async with aiohttp.ClientSession() as http, http.ws_connect(fake.gateway_url) as socket:
            await socket.receive_json()
            await socket.send_json({"op": 2, "d": {"token": "wrong", "intents": 0}})
            await socket.receive()

    assert socket.close_code == 4004
    assert fake.invalid_requests == 1


async def test_a_privileged_intent_is_refused():
    async with FakeDiscord() as fake:
        point_to(fake)
        client = discord.Client(intents=discord.Intents(guilds=True, members=True))
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(fake.token)
        await client.close()


async def test_each_shard_hears_of_its_own_guilds():
    async with FakeDiscord() as fake:
        guilds = [fake.add_guild("even"), fake.add_guild("odd")]
        first, second = (Bot(shard_id=n, shard_count=2) for n in (0, 1))
        async with running(fake, first), running(fake, second):
            seen = [[g.id for g in bot.guilds] for bot in (first, second)]

    assert seen == [[g.id for g in guilds if (g.id >> 22) % 2 == n] for n in (0, 1)]
    assert fake.gateway.identify_violations == 1  # two processes, one bucket


async def test_the_address_and_the_number_of_shards_come_from_the_rest_half():
    async with FakeDiscord(shards=2, max_concurrency=2) as fake:
        guilds = [fake.add_guild("even"), fake.add_guild("odd")]
        async with running(fake, ShardedBot()) as bot:
            seen = {g.id for g in bot.guilds}

    assert seen == {g.id for g in guilds}
    assert [shard for _, shard in fake.gateway.identifies] == [0, 1]
    assert fake.gateway.identify_violations == 0


class ShardedBot(Bot, discord.AutoShardedClient):
    pass


async def test_heartbeats_are_acknowledged_and_can_go_unanswered():
    async with FakeDiscord() as fake:
        fake.gateway.heartbeat_ms = 30
        desk(fake)
        async with running(fake, Bot(heartbeat_timeout=0.2)):
            await fake.until(lambda: fake.gateway.heartbeats > 2)
            fake.gateway.acks_heartbeats = False
            await fake.until(lambda: fake.gateway.resumes == 1)

    assert fake.gateway.resumes == 1


@pytest.mark.parametrize("query", ["", "?compress=zlib-stream"])
async def test_frames_are_text_unless_asked_for_zlib(query):
    async with (
        FakeDiscord() as fake,
        aiohttp.ClientSession() as http,
        http.ws_connect(fake.gateway_url + query) as socket,
    ):
        message = await socket.receive()

    assert (message.type is aiohttp.WSMsgType.BINARY) == bool(query)
    if not query:
        assert json.loads(message.data)["op"] == 10


async def test_the_bot_hears_what_moderators_do():
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        guild = channel.guild
        async with running(fake, Bot()) as bot:
            fake.permit(channel, MEMBER_RIGHTS & ~Permission.EMBED_LINKS)
            await bot.heard.until(lambda: bot.events, 30)
            fake.delete_channel(channel)
            fake.remove_bot(guild)
            fake.add_bot(guild)
            await bot.heard.until(lambda: len(bot.events) == 4, 30)

    assert bot.events == [False, "deleted levels", "out of Desk", "joined Desk"]


async def test_the_rights_in_this_very_channel_come_with_each_command():
    async with FakeDiscord() as fake:
        anna, channel = desk(fake)
        heard = []
        bot = Bot()
        bot.on_interaction = lambda press: heard_of(heard, press)
        async with running(fake, bot):
            fake.permit(channel, Permission.VIEW_CHANNEL)
            await fake.invoke(anna, channel, "levels", permissions=Permission.MANAGE_GUILD)
            await fake.invoke(anna, fake.direct(anna), "levels")
            await fake.until(lambda: len(heard) == 2)

    in_guild, in_private = heard
    assert in_guild.app_permissions == discord.Permissions(view_channel=True)
    assert in_guild.permissions.manage_guild
    assert in_guild.is_guild_integration()
    assert in_private.guild is None
    assert isinstance(in_private.channel, discord.DMChannel)
    assert in_private.user.name == "anna"


async def heard_of(heard, press):
    heard.append(press)


async def test_a_late_first_answer_is_unknown_and_a_second_is_refused():
    async with FakeDiscord() as fake, aiohttp.ClientSession() as http:
        anna, channel = desk(fake)
        bot = Bot()
        async with running(fake, bot):
            bot.hold.clear()
            late = await fake.invoke(anna, channel, "levels")
            fake.advance(4)
            codes = [await answer(http, fake, late)]
            taken = await fake.invoke(anna, channel, "levels")
            codes += [await answer(http, fake, taken), await answer(http, fake, taken)]

    assert codes == [10062, 204, 40060]
    assert late.refused == [10062]


async def answer(http, fake, invocation):
    url = f"{fake.api_base}/interactions/{invocation.id}/{invocation.token}/callback"
    async with http.post(url, json={"type": 5}) as reply:
        return reply.status if reply.status == 204 else (await reply.json())["code"]


async def test_a_token_dies_after_fifteen_minutes():
    async with FakeDiscord() as fake, aiohttp.ClientSession() as http:
        anna, channel = desk(fake)
        async with running(fake, Bot()):
            asked = await (await fake.invoke(anna, channel, "levels")).answered()
            fake.advance(901)
            url = f"{fake.api_base}/webhooks/1/{asked.token}/messages/@original"
            async with http.patch(url, json={"content": "late"}) as reply:
                code = (await reply.json())["code"]

    assert (reply.status, code) == (404, 10015)
    assert asked.message.content == "levels of BTC"


async def test_a_follow_up_fills_what_was_deferred_and_a_deleted_answer_is_gone():
    async with FakeDiscord() as fake, aiohttp.ClientSession() as http:
        anna, channel = desk(fake)
        bot = Bot()
        async with running(fake, bot):
            bot.hold.clear()
            asked = await fake.invoke(anna, channel, "levels")
            await answer(http, fake, asked)
            url = f"{fake.api_base}/webhooks/1/{asked.token}"
            assert fake.messages(channel) == []
            await http.post(url, json={"content": "first"})
            await http.post(url, json={"content": "second", "flags": EPHEMERAL})
            seen = [message.content for message in asked.messages]
            await http.delete(f"{url}/messages/@original")

    assert seen == ["first", "second"]
    assert [message.content for message in asked.messages] == ["second"]
    assert fake.messages(channel) == []


async def test_one_nonce_makes_one_message_also_when_the_reply_was_lost():
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        fake.fail("POST", r"/messages$", Reset(after_work=True))
        async with sender(fake) as client:
            place = client.get_partial_messageable(channel.id)
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await place.send("ring", nonce="a1")
            again = await place.send("ring", nonce="a1")
            fake.advance(600)
            late = await place.send("ring", nonce="a1")

    assert [m.id for m in fake.messages(channel)] == [again.id, late.id]


async def test_a_reset_before_the_work_leaves_nothing():
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        fake.fail("POST", r"/messages$", Reset())
        async with sender(fake) as client:
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await client.get_partial_messageable(channel.id).send("ring")

    assert fake.messages(channel) == []
    assert fake.requests("POST", "/channels/")[0].status is None


async def test_a_hanging_request_ends_with_the_fake_or_with_its_event():
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        go = asyncio.Event()
        fake.fail("POST", r"/messages$", Hang(go))
        fake.fail("POST", r"/messages$", Hang())
        async with sender(fake) as client:
            place = client.get_partial_messageable(channel.id)
            first = asyncio.create_task(place.send("one"))
            await fake.until(lambda: fake.requests("POST", "/channels/"))
            go.set()
            await first
            second = asyncio.create_task(place.send("two"))
            await fake.until(lambda: len(fake.requests("POST", "/channels/")) == 2)
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)

    assert [m.content for m in fake.messages(channel)] == ["one"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Answer(503), discord.DiscordServerError),
        (CLOUDFLARE_BAN, discord.HTTPException),
        (too_many(60), discord.RateLimited),
    ],
)
async def test_a_planned_fault_meets_one_request(fault, kind):
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        async with sender(fake) as client:
            client.http.max_ratelimit_timeout = 30
            fake.fail("POST", r"/messages$", fault)
            place = client.get_partial_messageable(channel.id)
            with pytest.raises(kind):
                await place.send("lost")
            await place.send("told")

    assert [m.content for m in fake.messages(channel)] == ["told"]


@pytest.mark.parametrize("code", [50001, 50013, 50007, 10003])
async def test_a_denied_channel_refuses_until_it_is_allowed(code):
    async with FakeDiscord() as fake:
        place = fake.direct(fake.add_user("anna"))
        fake.deny(place, code)
        async with sender(fake) as client:
            partial = client.get_partial_messageable(place.id)
            with pytest.raises((discord.Forbidden, discord.NotFound)) as refused:
                await partial.send("ring")
            fake.allow(place)
            await partial.send("ring")

    assert refused.value.code == code
    assert fake.invalid_requests == (code != 10003)


async def test_missing_rights_refuse_what_needs_them():
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        fake.permit(channel, Permission.VIEW_CHANNEL | Permission.SEND_MESSAGES)
        async with sender(fake) as client:
            place = client.get_partial_messageable(channel.id)
            await place.send("text")
            with pytest.raises(discord.Forbidden):
                await place.send(embed=discord.Embed(title="card"))
            fake.permit(channel, 0)
            with pytest.raises(discord.Forbidden) as blind:
                await place.send("text")

    assert blind.value.code == 50001


async def test_a_bot_thrown_out_has_no_access_and_no_guild():
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        fake.remove_bot(channel.guild)
        async with sender(fake) as client:
            with pytest.raises(discord.Forbidden) as refused:
                await client.get_partial_messageable(channel.id).send("ring")
            with pytest.raises(discord.NotFound) as unknown:
                await client.fetch_guild(channel.guild.id)

    assert (refused.value.code, unknown.value.code) == (50001, 10004)


async def test_a_direct_message_goes_to_the_users_channel():
    async with FakeDiscord() as fake:
        anna = fake.add_user("anna")
        async with sender(fake) as client:
            channel = await client.create_dm(discord.Object(anna.id))
            await channel.send("ring")

    assert [m.content for m in fake.messages(fake.direct(anna))] == ["ring"]


async def test_an_announcement_is_published_ten_times_an_hour():
    async with FakeDiscord(buckets={"POST /channels/{channel}/messages": WIDE}) as fake:
        _, channel = desk(fake)
        news = fake.add_channel(channel.guild, "news", ChannelType.ANNOUNCEMENT)
        async with sender(fake) as client:
            client.http.max_ratelimit_timeout = 30
            for _ in range(10):
                await (await client.get_partial_messageable(news.id).send("ring")).publish()
            eleventh = await client.get_partial_messageable(news.id).send("ring")
            with pytest.raises(discord.RateLimited):
                await eleventh.publish()

    assert sum(m.flags & 1 for m in fake.messages(news)) == 10


async def test_a_forum_takes_posts_and_a_thread_wakes_up_when_written_to():
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        forum = fake.add_channel(channel.guild, "ideas", ChannelType.FORUM)
        async with running(fake, Bot()) as bot:
            post = await bot.get_channel(forum.id).create_thread(name="BTC", content="first")
            thread = fake.world.channels[post.thread.id]
            fake.archive(thread)
            await bot.get_partial_messageable(thread.id).send("second")
            with pytest.raises(discord.HTTPException) as refused:
                await bot.get_partial_messageable(forum.id).send("nowhere")

    assert [m.content for m in fake.messages(thread)] == ["first", "second"]
    assert not thread.archived
    assert refused.value.code == 50008


@pytest.mark.parametrize(
    "said",
    [
        {"content": "x" * 2001},
        {"content": ""},
        {"embed": discord.Embed(description="x" * 4097)},
        {"embed": discord.Embed(title="x" * 257)},
        {"embeds": [discord.Embed(description="x" * 3001)] * 2},
        {"content": "x", "nonce": "n" * 26},
    ],
)
async def test_what_is_too_large_is_refused_and_remembered(said):
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        async with sender(fake) as client:
            with pytest.raises(discord.HTTPException) as refused:
                await client.get_partial_messageable(channel.id).send(**said)

    assert refused.value.status == 400
    assert len(fake.violations) == 1


async def test_the_strict_global_limit_refuses_one_more_than_it_allows():
    async with FakeDiscord(per_second=5) as fake, aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bot {fake.token}"}
        replies = [await http.get(fake.api_base + "/users/@me", headers=headers) for _ in range(6)]
        body = await replies[-1].json()

    assert [r.status for r in replies] == [200] * 5 + [429]
    assert replies[-1].headers["X-RateLimit-Global"] == "true"
    assert body["global"] is True
    assert 0 < body["retry_after"] <= 1
    assert fake.limits.answers == {"global": 1}


async def test_a_bucket_tells_what_is_left_so_that_the_client_waits():
    async with FakeDiscord(buckets={"POST /channels/{channel}/messages": Bucket(3, 0.2)}) as fake:
        _, channel = desk(fake)
        async with sender(fake) as client:
            place = client.get_partial_messageable(channel.id)
            await asyncio.gather(*(place.send(str(n)) for n in range(7)))

    assert len(fake.messages(channel)) == 7
    assert fake.limits.answers == {}


async def test_too_many_invalid_requests_end_in_a_ban():
    async with FakeDiscord(invalid_limit=3) as fake, aiohttp.ClientSession() as http:
        replies = [await http.get(fake.api_base + "/users/@me") for _ in range(4)]

    assert [r.status for r in replies] == [401, 401, 401, 429]
    assert "Via" not in replies[-1].headers


async def test_either_half_can_be_down_at_the_start():
    async with FakeDiscord(rest=False) as fake:
        point_to(fake)
        async with discord.Client(intents=discord.Intents.none()) as client:
            with pytest.raises(aiohttp.ClientConnectorError):
                await client.login(fake.token)
        await fake.rest_up()
        async with sender(fake) as client:
            await fake.rest_down()
            await fake.rest_up()
            assert (await client.application_info()).id == fake.world.application_id
        await fake.gateway_down()
        async with aiohttp.ClientSession() as http:
            with pytest.raises(aiohttp.ClientConnectorError):
                await http.ws_connect(fake.gateway_url)


async def test_mentions_notify_only_whom_the_sender_allows():
    async with FakeDiscord() as fake:
        anna, channel = desk(fake)
        text = f"@everyone <@{anna.id}> <@&7>"
        only_anna = discord.AllowedMentions(everyone=False, roles=False, users=[anna])
        async with sender(fake) as client:
            place = client.get_partial_messageable(channel.id)
            await place.send(text)
            await place.send(text, allowed_mentions=only_anna)
            await place.send(text, allowed_mentions=discord.AllowedMentions.none())

    assert [m.pings for m in fake.messages(channel)] == [
        {anna.id, "&7", "everyone"},
        {anna.id},
        set(),
    ]


async def test_a_user_may_bring_the_app_where_the_bot_is_not():
    async with FakeDiscord() as fake:
        anna, channel = desk(fake)
        heard = []
        bot = Bot()
        bot.on_interaction = lambda press: heard_of(heard, press)
        bot.tree.allowed_installs = app_commands.AppInstallationType(guild=True, user=True)
        async with running(fake, bot):
            fake.remove_bot(channel.guild)
            await fake.invoke(anna, channel, "levels")
            await fake.invoke(anna, fake.group(anna), "levels")
            await fake.until(lambda: len(heard) == 2)

    assert [press.is_user_integration() for press in heard] == [True, True]
    assert [press.context.guild for press in heard] == [True, False]
    assert not heard[0].app_permissions.send_messages


async def test_a_published_message_is_edited_three_times_an_hour():
    async with FakeDiscord(buckets={"PATCH /channels/{channel}/messages/{message}": WIDE}) as fake:
        _, channel = desk(fake)
        news = fake.add_channel(channel.guild, "news", ChannelType.ANNOUNCEMENT)
        async with sender(fake) as client:
            client.http.max_ratelimit_timeout = 30
            message = await client.get_partial_messageable(news.id).send("ring")
            await message.publish()
            for n in range(3):
                await message.edit(content=f"ring {n}")
            with pytest.raises(discord.RateLimited):
                await message.edit(content="ring 4")

    assert fake.messages(news)[0].content == "ring 2"


async def test_files_can_be_replaced_by_an_edit():
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        async with sender(fake) as client:
            place = client.get_partial_messageable(channel.id)
            message = await place.send("chart", file=discord.File(io.BytesIO(b"old"), "p.png"))
            await message.add_files(discord.File(io.BytesIO(b"more"), "q.png"))
            both = [a.data for a in fake.messages(channel)[0].attachments]
            await message.edit(attachments=[discord.File(io.BytesIO(b"new"), "p.png")])

    assert both == [b"old", b"more"]
    assert [a.data for a in fake.messages(channel)[0].attachments] == [b"new"]


async def test_a_slow_answer_is_the_real_one():
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        fake.fail("POST", r"/messages$", Slow(0.02))
        async with sender(fake) as client:
            sent = await client.get_partial_messageable(channel.id).send("ring")

    assert [m.id for m in fake.messages(channel)] == [sent.id]


async def test_an_error_of_the_fake_itself_fails_the_test():
    with pytest.raises(ExceptionGroup, match="the fake broke"):
        await break_the_fake()


async def break_the_fake():
    async with FakeDiscord() as fake, aiohttp.ClientSession() as http:
        headers = {"Authorization": f"Bot {fake.token}"}
        await http.post(fake.api_base + "/users/@me/channels", headers=headers, json={})


async def test_the_rights_of_everyone_change_for_the_bot_too():
    async with FakeDiscord() as fake:
        _, channel = desk(fake)
        bot = Bot()
        bot.on_guild_role_update = lambda before, after: note_role(bot, after)
        async with running(fake, bot):
            fake.update_role(channel.guild, Permission.VIEW_CHANNEL)
            await bot.heard.until(lambda: bot.events, 30)

    assert bot.events == [discord.Permissions(view_channel=True)]


async def note_role(bot, role):
    bot.note(role.permissions)
