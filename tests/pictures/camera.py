"""Pages and charts as small PNG files."""

from contextlib import asynccontextmanager
from io import BytesIO

from PIL import Image
from playwright.async_api import async_playwright

from tests.web.demo import QUIET, find_browser

WIDTH = 390  # CSS px of a phone
SCALE = 2
COLOURS = 128


class NoBrowserError(Exception):
    """There is nothing to take pictures with."""


@asynccontextmanager
async def opened_browser():
    """The system's chromium. Raises NoBrowserError."""
    path = find_browser()
    if path is None:
        raise NoBrowserError("no chromium here: install it (Debian, Ubuntu: apt install chromium)")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield running
        await running.close()


async def opened_camera(browser):
    """Takes a page's picture, whole: `await shot(html)` gives PNG."""
    phone = await browser.new_page(
        viewport={"width": WIDTH, "height": 100}, device_scale_factor=SCALE
    )

    async def shot(html):
        await phone.set_content(html)
        return small(await phone.screenshot(full_page=True, animations="disabled"))

    return shot


def small(png, width=None):
    """The picture with few colours, scaled to the width, px."""
    image = Image.open(BytesIO(png)).convert("RGB")
    if width:
        height = round(image.height * width / image.width)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    # This way keeps the colours of thin lines, and the rounds of k-means those of large areas.
    few = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    data = BytesIO()
    few.save(data, "PNG", optimize=True)
    return data.getvalue()
