"""What people see of us in Telegram: the real client, commands and buttons on a made-up Telegram."""

from bot.chat.telegram.sender import TelegramSender
from bot.core.secret import Secret
from tests.chat.telegram.kit import FreePace, House
from tests.fakes.telegram_server import FakeTelegram
from tests.pictures.shot import Shot
from tests.pictures.telegram_page import inline_page, page

LINES = {
    "levels": "/levels btc",
    "chart": "/chart btc price",
    "dialogue": "/alert add btc",
    "added": "/alert add btc hvl cross down cooldown 30m",
    "list": "/alert list",
    "feed": "/feed on btc eth",
    "setup": "/setup",
    "help": "/help",
    "alert": "/alert",
    "top": "/top btc",
    "maxpain": "/maxpain btc",
    "expiries": "/expiries btc",
    "compare": "/compare btc",
    "flip": "/flip btc",
    "move": "/move btc",
    "status": "/status",
    "wrong": "/levels bct",
    "0dte": "/levels btc 0dte",
}
DRAWN = ("levels", "chart")


async def telegram_shots(town):
    async with FakeTelegram(limits=False) as fake:
        house = House(fake, commands=town.commands, chats=town.chats, facts=town.store)
        async with house.open():
            ann = fake.add_user("Ann")
            chat = fake.private(ann)
            shots = []
            for key, line in LINES.items():
                before = len(fake.messages(chat))
                fake.say(ann, chat, line)
                await fake.next_message(chat)
                if key in DRAWN:
                    await fake.until(lambda: any(m.photo for m in fake.messages(chat)[before:]))
                shots.append(Shot(f"telegram-{key}", line, page("gammabell", fake.messages(chat)[before:])))
            before = len(fake.messages(chat))
            sender = TelegramSender(
                Secret(fake.token), fake.api_base, FreePace(), house.signer, simulated=True
            )
            await town.cross(town.snapshot().levels.all_expiry.hvl, sender)
            await sender.close()
            shots.append(Shot("telegram-ring", "A ring", page("gammabell", fake.messages(chat)[before:])))
            group = fake.add_group("Traders", "supergroup", admins=[ann])
            query = fake.inline(ann, "")
            await fake.until(lambda: query.answered)
            shots.append(Shot("telegram-inline", "inline", inline_page("Traders", "", query)))
            sent = fake.choose(query, query.results[0]["id"], group)
            shots.append(Shot("telegram-inline-sent", "inline sent", page("Traders", [sent], below="3 members")))
            return shots
