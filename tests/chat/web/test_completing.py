"""What may be meant by a line that is not typed to its end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.web.completing import offers
from bot.core.reply import Command
from tests.service.asking import Desk

GUEST = Command("", (), "web:7", "web:7")


async def offered(typed, desk=None):
    return await offers(typed, GUEST, (desk or Desk()).commands)


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("lev", {"levels "}),
        ("/lev", {"levels "}),
        ("LEV", {"levels "}),
        ("levels", {"levels "}),
        ("levels b", {"levels btc "}),
        ("levels btc 0", {"levels btc 0dte "}),
        ("levels btc all deri", {"levels btc all deribit ", "levels btc all derive "}),
        ("levels btc all deribit ok", {"levels btc all deribit okx "}),
        ("levels 0", {"levels 0dte "}),
        ("chart eth pri", {"chart eth price "}),
        ("export btc tr", {"export btc tradingview "}),
        ("alert a", {"alert add "}),
        ("alert add bt", {"alert add btc "}),
        ("alert add btc hvl cross do", {"alert add btc hvl cross down "}),
        ("alert add btc hvl cross down cool", {"alert add btc hvl cross down cooldown 1h "}),
        (
            "alert add btc hvl cross down once coo",
            {"alert add btc hvl cross down once cooldown 1h "},
        ),
        ("help lev", {"help levels "}),
        ("timezone berl", {"timezone Europe/Berlin "}),
    ],
)
async def test_the_next_word_is_offered(typed, lines):
    found = {offer.line.lower() for offer in await offered(typed)}

    assert {line.lower() for line in lines} <= found


async def test_every_command_is_offered_before_anything_is_typed():
    desk = Desk()

    assert [one.line.strip() for one in await offered("", desk)] == list(desk.commands.menu)[:25]


async def test_what_must_not_be_left_out_is_offered_alone():
    shown = {offer.shown for offer in await offered("alert add btc ")}

    assert "hvl" in shown
    assert "cross any" not in shown


async def test_the_first_value_of_each_kind_says_what_they_are():
    helps = [offer.help for offer in await offered("levels ")]

    assert [bool(text) for text in helps] == [True, False, True, False, True, *[False] * 4]


async def test_behind_what_may_be_left_out_the_next_is_offered_as_well():
    shown = {offer.shown for offer in await offered("levels ")}

    assert {"BTC", "0dte", "deribit"} <= shown


@given(st.text(alphabet="levs btcaradh/0,. ü\t", max_size=30))
async def test_an_offer_goes_on_with_what_was_typed(typed):
    for offer in await offered(typed):
        assert offer.line.endswith(f"{offer.shown} ") or offer.shown.startswith(offer.line.strip())


@pytest.mark.parametrize("head", ["alert delete ", "levels ", "alert add btc hvl "])
async def test_a_very_long_line_costs_little(head):
    desk = Desk()
    asked = []

    class Counting:
        menu = desk.commands.menu

        async def complete(self, *about):
            asked.append(about)
            return await desk.commands.complete(*about)

    await offers(f"{head}{'x ' * 150}", GUEST, Counting())
    few = len(asked)
    await offers(f"{head}{'x ' * 2_000}", GUEST, Counting())

    assert few < 40
    assert len(asked) == few
