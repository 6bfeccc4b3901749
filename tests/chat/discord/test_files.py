"""Replies with a file, over sockets and through the real command layer."""

from bot.core.exports.card import FORMATS
from tests.chat.discord.world import running, town
from tests.fakes.discord_server import FakeDiscord


async def test_an_export_is_an_attachment_beside_its_card():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            chosen = {"symbol": "btc", "format": "csv"}
            asked = await (await fake.invoke(anna, channel, "export", chosen)).answered()

    [file] = asked.message.attachments
    assert file.filename == "gammabell-BTCUSDT-20260302T120000Z.csv"
    assert file.data.startswith(b"level,price,distance_pct,scope,")
    assert "BTC export: CSV" in asked.message.text
    others = [form.label for name, form in FORMATS.items() if name != "csv"]
    assert asked.message.labels == others
    assert fake.violations == []


async def test_a_pressed_format_takes_the_other_one_s_place():
    async with FakeDiscord() as fake:
        anna, _, channel = town(fake)
        async with running(fake):
            asked = await (await fake.invoke(anna, channel, "export")).answered()
            string = asked.message.attachments[0].data.decode().strip()
            shown = asked.message.text
            pressed = await (await fake.press(anna, asked.message, "Calendar")).answered()

    assert f"\n{string}\n" in shown
    [file] = pressed.message.attachments
    assert file.data.startswith(b"BEGIN:VCALENDAR\r\n")
    assert pressed.message.id == asked.message.id
    assert fake.violations == []
