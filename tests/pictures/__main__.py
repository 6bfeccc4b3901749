"""`make pictures`: what people see, into docs/pictures/ and docs/pictures.md."""

import asyncio
import sys

from tests.pictures.camera import NoBrowserError, opened_browser, opened_camera, small
from tests.pictures.document import DOCUMENT, FOLDER, WIDE, WIDTH, text_of
from tests.pictures.market import Town, heard
from tests.pictures.on_dashboard import dashboard_pictures
from tests.pictures.on_discord import discord_shots
from tests.pictures.on_telegram import telegram_shots

CHART_WIDTH = 540  # px: half of what is attached
CHARTS = {
    f"chart-{kind}-{theme}": (kind, theme)
    for kind in ("profile", "price")
    for theme in ("dark", "light")
}


async def take():
    """Take every picture. Raises NoBrowserError."""
    FOLDER.mkdir(exist_ok=True)
    async with opened_browser() as browser:
        market = await heard()
        sections = [
            ("Dashboard", await take_dashboard(browser)),
            *[(title, await take_shots(browser, shots)) for title, shots in await chats(market)],
        ]
    sections.append(("Charts", take_charts(market)))
    DOCUMENT.write_text(text_of(sections), encoding="utf-8")


async def chats(market):
    """The shots of each platform, under its name."""
    return [
        ("Discord", await discord_shots(await Town(market).open())),
        ("Telegram", await telegram_shots(await Town(market).open())),
    ]


async def take_dashboard(browser):
    """Names, captions and widths of the dashboard's pictures, which are written."""
    taken = await dashboard_pictures(browser)
    for view, png in taken:
        write(view.name, png)
    return [(view.name, view.caption, min(view.width, WIDE)) for view, _ in taken]


async def take_shots(browser, shots):
    """The same of messages."""
    shot = await opened_camera(browser)
    for one in shots:
        write(one.name, await shot(one.html))
    return [(one.name, one.caption, WIDTH) for one in shots]


def take_charts(market):
    """The same of charts as they are attached."""
    for name, (kind, theme) in CHARTS.items():
        write(name, small(Town(market).chart(kind, theme), CHART_WIDTH))
    return [(name, f"`/chart btc {kind} {theme}`", WIDTH) for name, (kind, theme) in CHARTS.items()]


def write(name, png):
    (FOLDER / f"{name}.png").write_bytes(png)
    sys.stdout.write(f"docs/pictures/{name}.png, {len(png) / 1e3:.0f} kB\n")


if __name__ == "__main__":
    try:
        asyncio.run(take())
    except NoBrowserError as error:
        sys.exit(str(error))
