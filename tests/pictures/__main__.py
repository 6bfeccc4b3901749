"""`make pictures`: what people see, into docs/pictures/ and docs/pictures.md."""

import asyncio
import sys

from tests.pictures.camera import NoBrowserError, opened_camera, small
from tests.pictures.document import DOCUMENT, FOLDER, text_of
from tests.pictures.market import Town, heard
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
    async with opened_camera() as shot:
        market = await heard()
        pages = {
            "Discord": await discord_shots(await Town(market).open()),
            "Telegram": await telegram_shots(await Town(market).open()),
        }
        FOLDER.mkdir(exist_ok=True)
        for one in (one for shots in pages.values() for one in shots):
            write(one.name, await shot(one.html))
    for name, (kind, theme) in CHARTS.items():
        write(name, small(Town(market).chart(kind, theme), CHART_WIDTH))
    sections = [
        (title, [(one.name, one.caption) for one in found]) for title, found in pages.items()
    ]
    charts = [(name, f"`/chart btc {kind} {theme}`") for name, (kind, theme) in CHARTS.items()]
    DOCUMENT.write_text(text_of([*sections, ("Charts", charts)]), encoding="utf-8")


def write(name, png):
    (FOLDER / f"{name}.png").write_bytes(png)
    sys.stdout.write(f"docs/pictures/{name}.png, {len(png) / 1e3:.0f} kB\n")


if __name__ == "__main__":
    try:
        asyncio.run(take())
    except NoBrowserError as error:
        sys.exit(str(error))
