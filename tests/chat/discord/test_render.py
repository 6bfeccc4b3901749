"""What people read: within Discord's limits, on a phone's width, and nothing but text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.buttons import Press, Signer
from bot.chat.discord.components import modal_of, view_of
from bot.chat.discord.render import FENCE, PHONE, clean, embed_of, escaped
from bot.core.menu import Form, Question
from bot.core.reply import Action, Field, Link, Menu, Picture, Reply, Table
from tests.fakes.discord_limits import message_problems, modal_problems
from tests.service.asking import open_desk

SIGNER = Signer("key")
SPECIAL = "`*_~|<>[]@#"
NASTY = st.text(st.sampled_from("`*_~|<>[]()\\:@#-+1. \n\u202eabc/&!é"), max_size=60)
TEXT = st.one_of(NASTY, st.text(max_size=60))
REPLIES = st.builds(
    Reply,
    title=TEXT,
    fields=st.lists(st.builds(Field, TEXT, TEXT), max_size=4).map(tuple),
    tables=st.lists(
        st.builds(Table, TEXT, st.just(()), st.lists(st.tuples(TEXT, TEXT), max_size=4).map(tuple)),
        max_size=3,
    ).map(tuple),
    lines=st.lists(TEXT, max_size=5).map(tuple),
    footer=st.lists(TEXT, max_size=2).map(tuple),
)


@given(TEXT)
def test_no_text_becomes_markup_mention_or_link(text):
    shown = escaped(text)

    assert shown.count("\n") == 0
    assert not re.search(rf"(?<!\\)(?:\\\\)*(?:[{re.escape(SPECIAL)}]|:\S)", shown)
    assert not re.match(r"(?:[-+]|\d+\.)(?: |$)", shown)
    assert re.sub(r"\\([^0-9A-Za-z\s])", r"\1", shown) == clean(text)


@given(REPLIES)
def test_no_text_breaks_out_of_a_code_block(reply):
    description = embed_of(reply).description or ""

    blocks = description.split(FENCE)

    assert len(blocks) % 2 == 1
    assert len(blocks) // 2 <= len(reply.tables)
    assert all("`" not in block for block in blocks[1::2])


@given(REPLIES, st.integers(1, 400))
def test_every_reply_fits(reply, times):
    long = Reply(
        reply.title * times,
        tuple(Field(f.name * times, f.value * times) for f in reply.fields),
        reply.tables * times,
        reply.lines * times,
        tuple(line * times for line in reply.footer),
    )

    problems = list(message_problems({"embeds": [embed_of(long).to_dict()]}))

    assert problems == []


def test_a_card_reads_from_top_to_bottom():
    reply = Reply(
        "BTC levels",
        fields=(Field("Spot", "$80,000"),),
        tables=(
            Table(
                "Walls",
                ("Level", "Price"),
                (("HVL", "$79,000"), ("Call", "$9")),
            ),
        ),
        lines=("- 1 zone more",),
        footer=("data: 4 s old",),
        tone="positive",
    )

    embed = embed_of(reply, Picture("p.png", b""))

    assert embed.description == (
        "**Spot** $80,000\n"
        "**Walls**\n"
        "```\n"
        "Level    Price\n"
        "HVL    $79,000\n"
        "Call        $9\n"
        "```\n"
        r"\- 1 zone more"
    )
    assert embed.footer.text == "data: 4 s old"
    assert embed.image.url == "attachment://p.png"


async def test_tables_fit_a_phone():
    desk = await open_desk()
    names = ("levels", "top", "maxpain", "move", "flip", "expiries", "compare", "levels btc 0dte")
    replies = [await desk.ask(line) for line in names]

    descriptions = [embed_of(reply).description or "" for reply in replies]
    blocks = [block for text in descriptions for block in text.split(FENCE)[1::2]]

    assert blocks
    assert max(len(line) for block in blocks for line in block.splitlines()) <= PHONE + 2


async def test_as_many_buttons_and_menus_as_fit():
    actions = tuple(Action(f"Button {n}", f"levels {n}") for n in range(40))
    menus = tuple(Menu(f"Menu {m}", actions) for m in range(2))

    rows = view_of(Reply("x", actions=actions, menus=menus), SIGNER).to_components()

    assert list(message_problems({"components": rows})) == []
    assert [len(row["components"]) for row in rows] == [5, 5, 5, 1, 1]


async def test_buttons_that_would_not_work_are_left_out():
    actions = (
        Action("Long", "x" * 200),
        Action("Fine", "levels"),
        Action("Fine again", "levels"),
        Action("", "status"),
    )

    rows = view_of(Reply("x", actions=actions), SIGNER).to_components()

    labels = [button["label"] for row in rows for button in row["components"]]
    assert labels == ["Fine again", "…"]


async def test_a_link_is_a_button_that_opens_it():
    reply = Reply("x", links=(Link("Open", "https://bell.example.org/sign-on#a.b"),))

    ((link,),) = [row["components"] for row in view_of(reply, SIGNER).to_components()]

    assert (link["label"], link["url"]) == ("Open", "https://bell.example.org/sign-on#a.b")
    assert "example" not in embed_of(reply).description


async def test_a_reply_without_buttons_has_no_view():
    assert view_of(Reply("x", menus=(Menu("Empty", ()),)), SIGNER) is None


async def test_the_client_keeps_nothing_of_a_view_or_a_form():
    form = Form("x", "alert add", (Question("symbol", "which", required=True),))

    assert view_of(Reply("x", actions=(Action("a", "b"),)), SIGNER).is_finished()
    assert modal_of(form, SIGNER).is_finished()


async def test_a_button_of_a_ring_says_that_the_ring_stays():
    view = view_of(Reply("x", actions=(Action("a", "levels"),)), SIGNER, beside=True)

    assert SIGNER.read(view.children[0].custom_id) == Press("levels", beside=True)


@given(st.lists(st.tuples(TEXT, TEXT, st.lists(TEXT, max_size=30)), min_size=1, max_size=9), TEXT)
async def test_every_form_fits(asked, title):
    questions = tuple(
        Question(f"q{number}", text, number == 0, tuple(choices), value)
        for number, (text, value, choices) in enumerate(asked)
    )

    modal = modal_of(Form(title or "x", "alert add", questions), SIGNER).to_dict()

    assert list(modal_problems(modal)) == [] or not modal["title"].strip()


def test_colours_tell_the_tones_apart():
    tones = ("neutral", "positive", "negative", "stale", "error")

    assert len({embed_of(Reply("x", tone=tone)).colour for tone in tones}) == len(tones)


@pytest.mark.parametrize("words", ["14:03:20 CET", "+0.42 %", "$78,304.6", "-$12.3M"])
def test_numbers_read_as_they_are(words):
    assert escaped(words).replace("\\:", ":") == words
