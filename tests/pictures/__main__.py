"""`make pictures`: what people see, into docs/pictures/."""

import asyncio
import sys
from pathlib import Path

from tests.pictures.camera import NoBrowserError, opened_camera, small
from tests.pictures.market import Town, looked_at
from tests.pictures.on_discord import discord_shots
from tests.pictures.on_telegram import telegram_shots

FOLDER = Path(__file__).parents[2] / (sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
CHART_WIDTH = 540


async def take():
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with opened_camera() as shot:
        seen = await looked_at()
        shots = [*await discord_shots(await Town(seen).open()), *await telegram_shots(await Town(seen).open())]
        for one in shots:
            (FOLDER / f"{one.name}.png").write_bytes(await shot(one.html))
        town = Town(seen)
        for kind in ("profile", "price"):
            for theme in ("dark", "light"):
                (FOLDER / f"chart-{kind}-{theme}.png").write_bytes(small(town.chart(kind, theme), CHART_WIDTH))


if __name__ == "__main__":
    asyncio.run(take())
