"""What people see of us in Telegram: the real client's messages on a made-up Telegram."""

from bot.chat.telegram.sender import TelegramSender
from bot.core.secret import Secret
from tests.chat.telegram.kit import FreePace, House
from tests.fakes.telegram_server import FakeTelegram
from tests.pictures.shot import Shot
from tests.pictures.telegram_page import inline_page, page

BOT = "gammabell"
RULE = "/alert add btc hvl cross down cooldown 30m"


class PrivateChat:
    """Someone's own chat with the bot."""

    def __init__(self, fake):
        self.fake = fake
        self.ann = fake.add_user("Ann")
        self.chat = fake.private(self.ann)

    async def card(self, line, drawn=False):
        """The page with the line and its answer."""
        before = len(self._messages())
        self.fake.say(self.ann, self.chat, line)
        await self.fake.next_message(self.chat)
        if drawn:
            await self.fake.until(lambda: any(one.photo for one in self._messages()[before:]))
        return page(BOT, self._messages()[before:])

    async def ring(self, town, signer):
        """The page with what rings."""
        before = len(self._messages())
        sender = TelegramSender(
            Secret(self.fake.token), self.fake.api_base, FreePace(), signer, simulated=True
        )
        await town.ring(sender)
        await sender.close()
        return page(BOT, self._messages()[before:])

    async def inline(self, words):
        """The page of a group where `@bot words` is typed."""
        query = self.fake.inline(self.ann, words)
        await self.fake.until(lambda: query.answered)
        return inline_page("Traders", query)

    def _messages(self):
        return self.fake.messages(self.chat)


async def telegram_shots(town):
    """Every picture of Telegram."""
    async with FakeTelegram(limits=False) as fake:
        house = House(fake, commands=town.commands, chats=town.chats, facts=town.store)
        async with house.open():
            return await _shots(PrivateChat(fake), town, house.signer)


async def _shots(chat, town, signer):
    levels = await chat.card("/levels btc", drawn=True)
    chart = await chat.card("/chart btc price", drawn=True)
    question = await chat.card("/alert add btc")
    inline = await chat.inline("")
    await chat.card(RULE)
    ring = await chat.ring(town, signer)
    return [
        Shot("telegram-levels", "`/levels btc`: a photo with the levels below", levels),
        Shot("telegram-chart", "`/chart btc price`", chart),
        Shot("telegram-ring", "A ring", ring),
        Shot("telegram-alert-add", "`/alert add btc` asks for the level that is missing", question),
        Shot("telegram-inline", "`@gammabell_bot` typed in any chat", inline),
    ]
