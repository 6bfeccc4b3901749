"""What people see of us in Discord: the real client's messages on a made-up Discord."""

from bot.chat.buttons import Signer
from bot.chat.discord.sender import DiscordSender
from bot.core.secret import Secret
from tests.chat.discord.world import FreePace, running
from tests.fakes.discord_model import MEMBER_RIGHTS, Permission, Snowflakes
from tests.fakes.discord_server import FakeDiscord
from tests.pictures.discord_page import form_page, page
from tests.pictures.shot import Shot

CHANNEL = "gamma-alerts"
MANAGER = MEMBER_RIGHTS | Permission.MANAGE_GUILD
RULES = (
    {"symbol": "btc", "level": "hvl", "event": "cross down", "options": "cooldown 30m"},
    {"symbol": "eth", "level": "odte.call_resistance", "event": "cross up", "options": "once"},
)


class SameIds(Snowflakes):
    """Ids that do not depend on the time: an alert's id, which people see, comes from them."""

    def __init__(self):
        self._last = 1 << 60


class Channel:
    """A channel, and a moderator who asks in it."""

    def __init__(self, fake):
        self.fake = fake
        fake.world.ids = SameIds()
        self.anna = fake.add_user("anna")
        guild = fake.add_guild("Traders", members=[self.anna])
        self.place = fake.add_channel(guild, CHANNEL)

    async def ask(self, name, drawn=False, **options):
        """What `/name` brings in the end."""
        asked = await self.fake.invoke(self.anna, self.place, name, options, permissions=MANAGER)
        await asked.answered()
        if drawn:
            await asked.until(lambda shown: shown.messages and shown.message.image)
        return asked

    async def card(self, name, **options):
        """The page with the answer to `/name`."""
        asked = await self.ask(name, **options)
        return page(CHANNEL, (asked.message, f"anna used /{name}"))

    async def form(self, name, **options):
        """The page with the form that `/name` opens."""
        return form_page(CHANNEL, (await self.ask(name, **options)).modal)

    async def ring(self, town):
        """The page with what rings."""
        before = len(self.fake.messages(self.place))
        sender = DiscordSender(
            Secret(self.fake.token),
            FreePace(),
            town.store,
            Signer("key"),
            lambda: town.now,
            simulated=True,
        )
        await town.ring(sender)
        await sender.close()
        return page(CHANNEL, *((one, "") for one in self.fake.messages(self.place)[before:]))

    async def card_without(self, right, name):
        """The page with the answer to `/name` where we lack that right."""
        had = self.place.permissions
        self.fake.permit(self.place, had & ~right)
        card = await self.card(name)
        self.fake.permit(self.place, had)
        return card


async def discord_shots(town):
    """Every picture of Discord."""
    async with FakeDiscord() as fake:
        channel = Channel(fake)
        async with running(fake, town.commands):
            return await _shots(channel, town)


async def _shots(channel, town):
    levels = await channel.card("levels", symbol="btc", drawn=True)
    chart = await channel.card("chart", symbol="btc", kind="price", drawn=True)
    form = await channel.form("alert add", symbol="btc")
    for rule in RULES:
        await channel.ask("alert add", **rule)
    alerts = await channel.card("alert list")
    ring = await channel.ring(town)
    setup = await channel.card_without(Permission.EMBED_LINKS, "setup")
    await channel.ask("feed on", symbols="btc eth")
    feed = await channel.card("feed status")
    return [
        Shot("discord-levels", "`/levels btc`: every level, with its distance and age", levels),
        Shot("discord-chart", "`/chart btc price`: the last two days with the levels", chart),
        Shot("discord-ring", "A ring", ring),
        Shot("discord-alert-add", "`/alert add` without a level asks for it in a form", form),
        Shot("discord-alert-list", "`/alert list`, which one person sees alone", alerts),
        Shot("discord-setup", "`/setup` where a permission of the channel is missing", setup),
        Shot("discord-feed", "`/feed status`: what the channel's feed rings on", feed),
        Shot("discord-help", "`/help`", await channel.card("help")),
    ]
