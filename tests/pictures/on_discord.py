"""What people see of us in Discord: the real client, commands and buttons on a made-up Discord."""

from bot.chat.buttons import Signer
from bot.chat.discord.sender import DiscordSender
from bot.core.secret import Secret
from tests.chat.discord.world import FreePace, running
from tests.fakes.discord_model import MEMBER_RIGHTS, Permission
from tests.fakes.discord_server import FakeDiscord
from tests.pictures.discord_page import form_page, page
from tests.pictures.shot import Shot
MANAGER = MEMBER_RIGHTS | Permission.MANAGE_GUILD
CHANNEL = "gamma-alerts"
CARDS = {
    "levels": ("levels", {"symbol": "btc"}, "/levels btc: every level, its distance and age"),
    "0dte": ("levels", {"symbol": "btc", "expiries": "0dte"}, "/levels btc 0dte"),
    "price": ("chart", {"symbol": "btc", "kind": "price"}, "/chart btc price"),
    "top": ("top", {"symbol": "btc"}, "/top btc"),
    "maxpain": ("maxpain", {"symbol": "btc"}, "/maxpain btc"),
    "move": ("move", {"symbol": "btc"}, "/move btc"),
    "flip": ("flip", {"symbol": "btc"}, "/flip btc"),
    "expiries": ("expiries", {"symbol": "btc"}, "/expiries btc"),
    "compare": ("compare", {"symbol": "btc"}, "/compare btc"),
    "status": ("status", {}, "/status"),
    "help": ("help", {}, "/help: read by the one who asked alone"),
}


class OnDiscord:
    """A server with one channel, and a moderator in it."""

    def __init__(self, fake, town):
        self.fake = fake
        self.town = town
        self.anna = fake.add_user("anna")
        self.guild = fake.add_guild("Traders", members=[self.anna])
        self.channel = fake.add_channel(self.guild, CHANNEL)

    async def say(self, name, options=None, *, drawn=False):
        """What `/name` shows in the end."""
        asked = await self.fake.invoke(
            self.anna, self.channel, name, options, permissions=MANAGER
        )
        await asked.answered()
        if drawn:
            await asked.until(lambda shown: shown.messages and shown.message.image)
        return asked

    async def card(self, name, options, *, drawn=False):
        asked = await self.say(name, options, drawn=drawn)
        return self.shown((asked.message, f"anna used /{name}"))

    def shown(self, *messages):
        return page(CHANNEL, messages, [self.anna])


async def discord_shots(town):
    """Every picture of Discord."""
    async with FakeDiscord() as fake:
        place = OnDiscord(fake, town)
        async with running(fake, town.commands):
            shots = [
                Shot(
                    f"discord-{key}",
                    caption,
                    await place.card(name, options, drawn=name in ("chart",) or key == "levels"),
                )
                for key, (name, options, caption) in CARDS.items()
            ]
            return [*shots, *await _rule_shots(place), *await _ring_shots(place)]


async def _rule_shots(place):
    form = await place.say("alert add", {"symbol": "btc"})
    rule = {"symbol": "btc", "level": "hvl", "event": "cross down", "options": "cooldown 30m"}
    added = await place.say("alert add", rule)
    await place.say("alert add", {"symbol": "eth", "level": "odte.call_resistance", "event": "approach 0.5%"})
    listed = await place.say("alert list")
    place.fake.permit(
        place.channel, place.channel.permissions & ~Permission.EMBED_LINKS & ~Permission.ATTACH_FILES
    )
    await place.fake.until(lambda: True)
    lacking = await place.say("setup")
    place.fake.permit(place.channel, place.channel.permissions | Permission.EMBED_LINKS | Permission.ATTACH_FILES)
    well = await place.say("setup")
    started = await place.say("feed on", {"symbols": "btc eth"})
    state = await place.say("feed status")
    digest = await place.say("digest", {"time": "08:00"})
    wrong = await place.say("levels", {"symbol": "bct"})
    shown = place.shown
    return [
        Shot("discord-alert-form", "/alert add without its level: a form asks", form_page(CHANNEL, form.modal)),
        Shot("discord-alert-added", "/alert add", shown((added.message, "anna used /alert add"))),
        Shot("discord-alert-list", "/alert list", shown((listed.message, "anna used /alert list"))),
        Shot("discord-setup-missing", "/setup where rights are missing", shown((lacking.message, "anna used /setup"))),
        Shot("discord-setup", "/setup", shown((well.message, "anna used /setup"))),
        Shot("discord-feed", "/feed on and /feed status", shown((started.message, "anna used /feed on"), (state.message, "anna used /feed status"))),
        Shot("discord-digest", "/digest", shown((digest.message, "anna used /digest"))),
        Shot("discord-wrong", "a typo", shown((wrong.message, "anna used /levels"))),
    ]


async def _ring_shots(place):
    town = place.town
    sender = DiscordSender(
        Secret(place.fake.token), FreePace(), town.store, Signer("key"), lambda: town.now, simulated=True
    )
    before = len(place.fake.messages(place.channel))
    await place.say("setup", {"step": "test"})
    await town.cross(town.snapshot().levels.all_expiry.hvl, sender)
    await sender.close()
    rings = [(m, "") for m in place.fake.messages(place.channel)[before:]]
    return [Shot("discord-ring", "A ring", place.shown(*rings))]
