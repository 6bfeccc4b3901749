"""Cards as Telegram's HTML, and buttons."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.chat.buttons import Signer
from bot.chat.telegram.render import CAPTION_LENGTH, MESSAGE_LENGTH, card, keyboard, plain
from bot.core.reply import Action, Field, Link, Menu, Reply, Table
from tests.fakes.telegram_html import find_entities, parse_html

SIGNER = Signer("key")
TAGS = {"b", "i", "pre"}
TEXTS = st.text(max_size=60) | st.sampled_from(
    ["@everyone", "t.me/joinchat", "https://evil.example/a?b=c", "<b>", "</pre>", "&lt;", "a@b.com"]
)
ROWS = st.lists(st.tuples(TEXTS, TEXTS), max_size=4).map(tuple)
TABLES = st.builds(Table, TEXTS, st.just(("Level", "Price")) | st.just(()), ROWS)
REPLIES = st.builds(
    Reply,
    title=TEXTS,
    fields=st.lists(st.builds(Field, TEXTS, TEXTS), max_size=3).map(tuple),
    tables=st.lists(TABLES, max_size=2).map(tuple),
    lines=st.lists(TEXTS, max_size=3).map(tuple),
    footer=st.lists(TEXTS, max_size=2).map(tuple),
)


class Reader(HTMLParser):
    """The tags, and the text without them."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.text = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        assert not attributes
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@given(reply=REPLIES)
@example(Reply("@bob", lines=("see <a href='tg://user?id=1'>me</a> at evil.com",)))
def test_no_text_becomes_markup_a_mention_or_a_link(reply):
    shown = card(reply)

    read = Reader(shown.html)
    _, entities = parse_html(shown.html)
    assert set(read.tags) <= TAGS
    assert read.open == []
    assert {entity["type"] for entity in entities} <= {"bold", "italic", "pre"}
    outside = "".join(part.partition("</pre>")[2] for part in f"</pre>{shown.html}".split("<pre>"))
    found = {entity["type"] for entity in find_entities(Reader(outside).text)}
    assert found.isdisjoint({"mention", "url", "email", "text_link", "text_mention"})


@given(reply=REPLIES, limit=st.integers(20, 300))
def test_a_card_keeps_its_limit_and_knows_its_length(reply, limit):
    shown = card(reply, limit)

    units = len(Reader(shown.html).text.encode("utf-16-le")) // 2
    assert shown.length == units <= limit


@given(text=st.text())
def test_what_is_copied_from_a_card_reads_as_before(text):
    shown = Reader(card(Reply("t", lines=(text,))).html).text

    assert plain(shown).replace("\u2060", "") == plain(shown)


def test_a_rules_line_can_be_copied_from_a_card():
    line = "alert add btc odte.call_resistance cross any"

    shown = Reader(card(Reply("t", lines=(line,))).html).text

    assert plain(shown).endswith(line)


def test_tables_stand_as_narrow_as_they_can():
    table = Table("Walls", ("Level", "Price"), (("HVL", "$80,000"), ("Call Wall 2", "$9")))

    shown = card(Reply("BTC", tables=(table,), footer=("as of 12:00",)))

    assert shown.html == (
        "<b>BTC</b>\n\n<b>Walls</b>\n"
        "<pre>Level         Price\nHVL         $80,000\nCall Wall 2      $9</pre>\n"
        "<i>as of 12:00</i>"
    )


def test_a_caption_is_counted_in_utf_16_units():
    fits = Reply("t", lines=("😀" * ((CAPTION_LENGTH - 3) // 2),))
    longer = Reply("t", lines=("😀" * ((CAPTION_LENGTH - 3) // 2 + 1),))

    assert card(fits).is_caption
    assert not card(longer).is_caption


def test_a_single_line_that_is_too_long_is_shortened():
    shown = card(Reply("😀" * MESSAGE_LENGTH))

    assert shown.length <= MESSAGE_LENGTH
    assert shown.html.endswith("😀…</b>")


@given(
    actions=st.lists(st.builds(Action, st.text(max_size=80), st.text(max_size=80)), max_size=8),
    count=st.integers(0, 150),
)
def test_buttons_keep_every_limit(actions, count):
    menu = Menu("m", tuple(Action(f"c{n}", f"levels c{n}") for n in range(count)))

    made = keyboard(Reply("t", actions=tuple(actions), menus=(menu,)), SIGNER, lambda _: True)

    rows = made.inline_keyboard if made else ()
    assert sum(map(len, rows)) <= 100
    for button in (button for row in rows for button in row):
        assert 1 <= len(button.callback_data.encode()) <= 64
        assert button.text.strip()


def test_a_link_is_a_button_that_opens_it():
    reply = Reply(
        "t",
        links=(Link("Open", "https://bell.example.org/sign-on#a.b"),),
        actions=(Action("New link", "dashboard"),),
    )

    (link,), (again,) = keyboard(reply, SIGNER, lambda _: False).inline_keyboard

    assert (link.text, link.url) == ("Open", "https://bell.example.org/sign-on#a.b")
    assert again.url is None
    assert "example" not in card(reply).html


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        (["Refresh", "0DTE", "Profile"], [["Refresh", "0DTE", "Profile"]]),
        (["A very long label of a button", "B"], [["A very long label of a button"], ["B"]]),
        (list("abcde"), [list("abcd"), ["e"]]),
    ],
)
def test_rows_fit_a_phone(labels, rows):
    reply = Reply("t", actions=tuple(Action(label, "help") for label in labels))

    made = keyboard(reply, SIGNER, lambda _: False)

    assert [[button.text for button in row] for row in made.inline_keyboard] == rows
