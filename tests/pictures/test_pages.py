import re
from types import SimpleNamespace

import pytest

from bot.chat.discord.render import embed_of
from bot.chat.telegram.render import card
from bot.core.reply import Reply, Table
from tests.fakes.telegram_html import parse_html
from tests.pictures import discord_page, telegram_page
from tests.pictures.document import DOCUMENT, FOLDER

LARGEST, LARGEST_OF_ALL = 200_000, 3_000_000  # bytes: a clone carries them for ever
HOSTILE = "<b>*x*</b> _y_ & `z`"


def on_discord(reply):
    message = SimpleNamespace(
        content="", embeds=[embed_of(reply).to_dict()], components=[], ephemeral=False, image=None
    )
    return discord_page.page("alerts", (message, "anna used /levels"))


def on_telegram(reply):
    text, entities = parse_html(card(reply).html)
    message = SimpleNamespace(words=text, entities=entities, by_bot=True, photo=None, keyboard=[])
    return telegram_page.page("gammabell", [message])


@pytest.mark.parametrize("page", [on_discord, on_telegram])
def test_a_page_shows_words_as_they_were_meant(page):
    html = page(Reply("Levels", lines=(HOSTILE,)))

    assert "&lt;b&gt;*x*&lt;/b&gt; _y_ &amp; `z`" in html


@pytest.mark.parametrize("page", [on_discord, on_telegram])
def test_a_table_stands_in_a_block_of_its_own(page):
    html = page(Reply("Levels", tables=(Table("", (), (("HVL", "$80,000"), ("Flip", "$1"))),)))

    (block,) = re.findall("<pre>(.*?)</pre>", html, re.DOTALL)
    assert [line.split() for line in block.splitlines()] == [["HVL", "$80,000"], ["Flip", "$1"]]


def test_mark_up_that_is_not_escaped_shows():
    message = SimpleNamespace(content="**loud**", embeds=[], components=[], ephemeral=True)

    assert "<b>loud</b>" in discord_page.page("alerts", (message, ""))


def test_the_document_shows_every_picture_there_is():
    shown = re.findall(r'src="pictures/(.+?)"', DOCUMENT.read_text(encoding="utf-8"))

    assert sorted(shown) == sorted(picture.name for picture in FOLDER.iterdir())


def test_the_pictures_are_small():
    sizes = [picture.stat().st_size for picture in FOLDER.iterdir()]

    assert max(sizes) <= LARGEST
    assert sum(sizes) <= LARGEST_OF_ALL
