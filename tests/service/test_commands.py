import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.menu import Argument, Entry, Form, Question
from bot.core.reply import Command, Field, Picture, Reply, column_widths, parse_command
from bot.core.view import View
from bot.errors import StoreError
from bot.service.commands import Handled
from bot.service.limits import OFFERS, PERSON
from bot.store.memory import MemoryStore
from tests.fakes import NOON, make_chain, make_snapshot
from tests.service.asking import HERE, Desk, in_channel, in_private, only_line, open_desk

MENU = Desk().commands.menu


@pytest.mark.parametrize(
    ("line", "name", "arguments"),
    [
        ("/levels btc 0dte", "levels", ("btc", "0dte")),
        ("levels BTC", "levels", ("BTC",)),
        ("/levels@gammabell_bot btc", "levels", ("btc",)),
        ("  LEVELS  ", "levels", ()),
        ("alert add btc hvl cross", "alert", ("add", "btc", "hvl", "cross")),
        ("", "", ()),
    ],
)
def test_a_line_becomes_a_command(line, name, arguments):
    assert parse_command(line, HERE) == Command(name, arguments, HERE)


@pytest.mark.parametrize(
    "line", ["levels", "levels btc", "/LEVELS BTCUSDT", "levels $btc-usd", "levels all"]
)
async def test_every_way_to_say_btc_gives_its_levels(line):
    reply = await (await open_desk()).ask(line)

    assert reply.title == "BTC levels"


@pytest.mark.parametrize("name", ["top", "maxpain", "move", "flip", "expiries", "chart"])
async def test_each_card_has_its_command(name):
    reply = await (await open_desk()).ask(f"{name} btc")

    assert reply.title.startswith("BTC ")
    assert reply.tone != "error"


@pytest.mark.parametrize(
    "line",
    ["levels btc derive", "levels derive", "levels btc 0dte derive", "levels btc derive,0dte"],
)
async def test_levels_of_some_venues_are_computed_from_these_alone(line):
    desk = await open_desk()

    reply = await desk.ask(line)

    alone = make_snapshot(make_chain(("derive",)))
    assert reply.title.endswith("levels, derive alone")
    assert reply.footer[-1] == "data: derive 0 s old"
    if "0dte" not in line:
        # derive's book is half of deribit's, which is all that a chain of its own would hold
        half = alone.levels.net_gex / 2
        assert Field("Net GEX", f"+${half / 1e6:.1f}M per +1%") in reply.fields


async def test_naming_all_venues_changes_no_level():
    desk = await open_desk()

    named, plain = await desk.ask("levels btc derive deribit"), await desk.ask("levels btc")

    assert named.tables == plain.tables
    assert named.title == "BTC levels, deribit and derive alone"


async def test_a_venue_that_was_not_heard_is_refused_with_the_reason():
    desk = await open_desk(left_out={"okx": "HTTP 451"})

    reply = await desk.ask("levels btc okx")

    assert only_line(reply) == "okx is not in the data now: HTTP 451"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("lvels", "no command 'lvels'; did you mean levels?"),
        ("qqqq", "no command 'qqqq'; help lists the commands"),
        ("levels bct", "no symbol 'bct'; did you mean BTC?"),
        ("levels btc deribitt", "no venue 'deribitt'; did you mean deribit?"),
        ("levels btc xyz", "no venue 'xyz'; venues: deribit, derive"),
        ("top btc eth", "'eth' is not understood; write it like: top btc"),
        ("chart btc pie", "no chart 'pie'; choose profile or price"),
        ("alert ad btc hvl cross", "did you mean alert add?"),
        (
            "alert",
            f"choose one of: {', '.join(name for name in MENU if name.startswith('alert '))}",
        ),
        ("alert delete 9", "no alert '9' here; alert list shows what there is"),
        ("explain hlv", "no term 'hlv'; did you mean hvl?"),
        ("help lvels", "no command 'lvels'; did you mean levels?"),
    ],
)
async def test_a_mistake_gets_the_nearest_suggestion(line, answer):
    reply = await (await open_desk()).ask(line)

    assert only_line(reply) == answer
    assert (reply.tone, reply.private) == ("error", True)


async def test_without_data_the_answer_says_what_to_do():
    reply = await Desk().ask("levels btc")

    assert only_line(reply).startswith("no data for BTC yet; ask again in half a minute")


async def test_a_pruned_chain_is_told_from_missing_data():
    desk = Desk()
    await desk.record("BTCUSDT", snapshot=make_snapshot(make_chain()))

    reply = await desk.ask("maxpain")

    assert "2026-03-02 12:00:00 UTC is no longer stored" in only_line(reply)
    assert (await desk.ask("levels")).tone != "error"


async def test_old_data_is_shown_as_stale():
    desk = await open_desk()
    desk.now = NOON + timedelta(minutes=4)

    reply = await desk.ask("levels")

    assert reply.title == "BTC levels · STALE"


async def test_everything_says_simulated_when_it_is():
    desk = await open_desk(simulated=True)

    for line in ("levels", "chart", "status", "help", "nonsense", "alert list"):
        assert (await desk.ask(line)).title.startswith("SIMULATED · ")
    form = desk.commands.form(parse_command("alert add", HERE))
    assert form.title == "SIMULATED · Set an alert"


async def test_a_chart_is_drawn_when_it_is_wanted_in_the_kind_and_colours_asked_for():
    desk = await open_desk()

    plain = await desk.ask("chart")
    price = await desk.ask("chart light price btc")
    drawn = [await plain.draw(), await price.draw()]

    assert plain.picture_first
    assert price.picture_first
    assert drawn == [
        Picture("gammabell-BTCUSDT.png", b"png"),
        Picture("gammabell-BTCUSDT-price.png", b"png"),
    ]
    assert desk.drawn == [("profile", "dark", False), ("price", "light", False)]


async def test_levels_may_be_shown_with_the_profile_and_read_well_without():
    desk = await open_desk()
    desk.now = NOON + timedelta(minutes=4)

    reply = await desk.ask("levels")
    await reply.draw()

    assert desk.drawn == [("profile", "dark", True)]
    assert not reply.picture_first
    assert reply.tables


async def test_levels_of_the_day_have_no_picture_which_would_be_of_all_expiries():
    assert (await (await open_desk()).ask("levels 0dte")).draw is None


async def test_a_chart_that_cannot_be_drawn_is_no_picture():
    desk = await open_desk()
    desk.png = None

    reply = await desk.ask("chart btc profile")

    assert await reply.draw() is None
    assert Field("Spot", "$80,000") in reply.fields


async def test_levels_of_some_venues_have_no_picture_of_all():
    reply = await (await open_desk()).ask("levels btc derive")

    assert reply.draw is None


async def test_status_shows_health_and_the_age_of_every_symbol():
    desk = await open_desk(left_out={"okx": "HTTP 451"})
    desk.now = NOON + timedelta(seconds=42)

    reply = await desk.ask("status")

    assert reply.fields == (Field("deribit", "ok"),)
    assert reply.tables[0].rows == (
        ("BTC", "fresh", "42 s", "2 of 3"),
        ("ETH", "none yet", "", ""),
    )
    assert ("alerts pending", "0") in reply.tables[1].rows
    assert ("journal at", "42 s ago") in reply.tables[1].rows


async def test_status_says_when_this_chat_gets_nothing_and_why():
    desk = await open_desk()
    await desk.chats.suspend("discord:42", "missing Send Messages")

    reply = await desk.ask("status", in_channel())

    assert Field("This chat", "suspended: missing Send Messages") in reply.fields


async def test_trouble_in_the_store_is_an_answer_and_the_operator_s_words_a_log_line(caplog):
    class Locked(MemoryStore):
        async def snapshot(self, symbol, at=None):
            raise StoreError("secret.db: database is locked")

    reply = await Desk(store=Locked()).ask("levels")

    sorry = "the database does not answer; ask again in a minute"
    assert (reply.title, only_line(reply)) == ("Not now", sorry)
    assert "levels not answered: secret.db: database is locked" in caplog.text


async def test_a_command_is_added_in_one_place():
    desk = await open_desk()

    async def frobnicate(command: Command, view: View) -> Reply:
        return Reply("Done", lines=(*command.arguments, f"{view.now:%H:%M}"))

    async def known(text: str, command: Command) -> list[str]:
        return [f"{text}-{command.home}"]

    alert, how = (
        Argument("id", "which", True, open=True, label="Which one"),
        Argument("how", "how", choices=("a", "b")),
    )
    entry = Entry("frobnicate", "for this test", (alert, how), title="Frobnicate it")
    desk.commands.add(Handled(entry, frobnicate, complete={"id": known}))

    assert desk.commands.menu["frobnicate"] is entry
    assert desk.commands.entry(parse_command("frobnicate", HERE)) is entry
    assert (await desk.ask("/frobnicate abc")).lines == ("abc", "12:00")
    assert (
        only_line(await desk.ask("frobnicat")) == "no command 'frobnicat'; did you mean frobnicate?"
    )
    assert (
        Field("frobnicate ID [a|b]", "for this test") in (await desk.ask("help frobnicate")).fields
    )
    questions = (
        Question("id", "which", True, title="Which one"),
        Question("how", "how", False, ("a", "b"), title="how"),
    )
    assert desk.commands.form(parse_command("frobnicate", HERE)) == Form(
        "Frobnicate it", "frobnicate", questions
    )
    assert desk.commands.form(parse_command("frobnicate abc", HERE)) is None
    assert await desk.commands.complete("frobnicate", "id", "x", in_private()) == ["x-telegram:7"]
    assert await desk.commands.complete("frobnicate", "how", "B", in_private()) == ["b"]


async def test_help_names_every_command_under_its_topic_with_a_slash_where_that_is_typed():
    desk = await open_desk()

    here, there = await desk.ask("help"), await desk.ask("help", in_private())

    assert [one.name for one in here.fields] == ["Market", "Alerts", "Silence", "Feeds", "More"]
    assert here.fields[0].value.startswith("levels [symbol] [all|0dte] [venues] · chart [symbol]")
    assert there.fields[0].value.startswith(
        "/levels [symbol] [all|0dte] [venues] · /chart [symbol]"
    )
    named = " · ".join(one.value for one in here.fields)
    assert named.split(" · ") == [entry.usage for entry in MENU.values()]


async def test_help_for_a_topic_says_what_each_of_its_commands_does():
    desk = await open_desk()

    reply = await desk.press(await desk.ask("help", in_private()), "Feeds", in_private())

    assert [one.name.split()[0] for one in reply.fields] == ["/feed", "/feed", "/feed", "/digest"]
    assert reply.fields[1].value == "end the feed"


async def test_help_for_one_command_shows_that_alone():
    reply = await (await open_desk()).ask("help alert")

    assert [field.name.split()[1] for field in reply.fields] == [
        "add",
        "list",
        "pause",
        "resume",
        "delete",
        "fallback",
    ]


ASKED = (
    "levels",
    "levels 0dte derive",
    "chart",
    "chart price light",
    "compare",
    "alert add btc hvl cross",
    "alert list",
    "alert pause 1",
    "snooze 1h",
    "quiet 23:00-07:00",
    "timezone berlin",
    "feed on btc",
    "feed status",
    "digest 08:00",
    "setup",
    "setup test",
    "status",
    "help",
)


@pytest.mark.parametrize(
    "where", [HERE, in_private(), in_channel()], ids=["terminal", "private", "channel"]
)
async def test_every_button_does_what_it_says(where):
    for line in ASKED:
        asked = await open_desk()
        chain = make_chain()
        await asked.record("ETHUSDT", snapshot=make_snapshot(chain, "ETHUSDT"), chain=chain)
        await asked.ask("alert add btc hvl cross", where)
        reply = await asked.ask(line, where)
        assert reply.tone != "error"
        for action in (*reply.actions, *(one for menu in reply.menus for one in menu.actions)):
            if asked.commands.form(parse_command(action.line, "")) is None:
                pressed = await asked.ask(action.line, where)
                assert pressed.tone != "error" or "no alert '1'" in only_line(pressed)


@pytest.mark.parametrize("entry", MENU.values(), ids=lambda entry: entry.name)
def test_every_menu_entry_is_one_that_both_platforms_take(entry):
    words = [*entry.name.split(), *(argument.name for argument in entry.arguments)]
    helps = [entry.help, *(argument.help for argument in entry.arguments)]
    required = [argument.required for argument in entry.arguments]

    assert all(re.fullmatch("[a-z]{1,32}", word) for word in words)
    assert len(entry.name.split()) <= 2
    assert all(1 <= len(text) <= 100 for text in helps)
    assert all(len(argument.choices) <= 25 for argument in entry.arguments)
    assert required == sorted(required, reverse=True)
    assert len(entry.arguments) <= 5  # a modal has room for five


def test_no_group_is_a_command_itself():
    groups = {name.split()[0] for name in MENU if " " in name}

    assert not groups & MENU.keys()


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("alert add", ["", "", "", ""]),
        ("alert add btc", ["btc", "", "", ""]),
        ("alert pause", [""]),
        ("timezone", [""]),
        ("quiet", [""]),
        ("digest", ["", ""]),
    ],
)
def test_what_is_missing_is_asked_for_and_what_was_said_is_kept(line, values):
    form = Desk().commands.form(parse_command(line, HERE))

    assert form
    assert [question.value for question in form.questions] == values


@pytest.mark.parametrize("line", ["alert add btc hvl", "levels", "snooze", "alert", "nonsense", ""])
def test_nothing_is_asked_when_nothing_is_missing(line):
    assert Desk().commands.form(parse_command(line, HERE)) is None


def test_a_form_offers_values_for_what_it_asks():
    form = Desk().commands.form(parse_command("alert add", HERE))

    symbol, level, event, options = form.questions
    assert form.title == "Set an alert"
    assert (symbol.title, level.title) == ("Which coin", "Which level or price")
    assert symbol.choices == ("BTC", "ETH")
    assert {"hvl", "flip", "odte.hvl", "regime"} <= set(level.choices)
    assert event.choices[0] == "cross any"
    assert [level.label(one) for one in ("odte.call_resistance", "regime", "70000")] == [
        "Call Resistance 0DTE",
        "Regime",
        "70000",
    ]
    assert "once" in options.choices
    assert [question.required for question in form.questions] == [True, True, False, False]


@pytest.mark.parametrize(
    ("name", "argument", "text", "values"),
    [
        ("levels", "symbol", "e", ["ETH"]),
        ("levels", "symbol", "", ["BTC", "ETH"]),
        ("levels", "expiries", "0", ["0dte"]),
        ("levels", "venues", "okx de", ["okx deribit", "okx derive"]),
        ("alert add", "level", "ODTE.H", ["odte.hvl"]),
        ("feed on", "symbols", "btc ", ["btc all", "btc ETH"]),
        ("timezone", "zone", "berl", ["Europe/Berlin"]),
        ("explain", "term", "flip z", ["Flip Zone"]),
        ("help", "command", "alert p", ["alert pause"]),
        ("nonsense", "symbol", "b", []),
        ("levels", "nonsense", "b", []),
    ],
)
async def test_values_are_offered_as_they_are_typed(name, argument, text, values):
    found = await Desk().commands.complete(name, argument, text, in_private())

    assert list(found) == values


async def test_at_most_twenty_five_values_are_offered():
    assert len(await Desk().commands.complete("timezone", "zone", "a", in_private())) == 25


async def test_a_store_in_trouble_offers_nothing():
    class Locked(MemoryStore):
        async def rules(self, target=None):
            raise StoreError("database is locked")

    assert await Desk(Locked()).commands.complete("alert pause", "id", "", in_private()) == ()


async def test_times_are_told_on_the_clock_of_the_chat():
    desk = await open_desk()
    await desk.ask("timezone berlin", in_private())

    there, elsewhere = await desk.ask("levels", in_private()), await desk.ask("levels")

    assert there.footer[0] == "as of 2026-03-02 13:00:00 CET"
    assert elsewhere.footer[0] == "as of 2026-03-02 12:00:00 UTC"


async def test_a_chat_that_was_given_up_is_taken_up_when_it_asks_something():
    desk = await open_desk()
    await desk.chats.lose("telegram:7", "blocked")

    await desk.ask("levels", in_private())

    assert (await desk.chats.of("telegram:7")).state == "active"


async def test_a_person_who_asks_too_much_at_once_is_told_to_wait_and_nobody_else():
    desk = await open_desk()
    me, you = (replace(in_private(name), name="explain") for name in ("telegram:7", "telegram:8"))
    enough = [await desk.commands.answer(me) for _ in range(PERSON.at_once)]

    refused = await desk.commands.answer(me)
    other = await desk.commands.answer(you)

    assert {reply.tone for reply in enough} == {"neutral"}
    assert only_line(refused) == "one moment: so many commands at once; ask again in 1 s"
    assert (refused.tone, refused.private) == ("error", True)
    assert other.tone == "neutral"


async def test_what_is_offered_while_they_type_leaves_a_person_their_commands():
    desk = await open_desk()
    typing = replace(in_private(), name="explain", inline=True)

    for _ in range(OFFERS.at_once):
        await desk.commands.answer(typing)
    refused = await desk.commands.answer(typing)
    asked = await desk.commands.answer(replace(typing, inline=False))

    assert (refused.tone, asked.tone) == ("error", "neutral")


async def test_the_person_at_the_terminal_asks_as_often_as_they_like():
    desk = await open_desk()

    replies = [
        await desk.commands.answer(parse_command("explain", HERE))
        for _ in range(2 * PERSON.at_once)
    ]

    assert {reply.tone for reply in replies} == {"neutral"}


async def test_many_who_compare_at_once_read_the_chain_once():
    class Counted(MemoryStore):
        chains = 0

        async def chain(self, snapshot):
            self.chains += 1
            return await super().chain(snapshot)

    store = Counted()
    desk, chain = Desk(store), make_chain(("deribit", "derive"))
    await desk.record("BTCUSDT", snapshot=make_snapshot(chain), chain=chain)

    replies = await asyncio.gather(*(desk.ask("compare") for _ in range(5)))

    assert [reply.title for reply in replies] == ["BTC levels by venue"] * 5
    assert store.chains == 1


async def test_venues_are_compared_level_by_level():
    reply = await (await open_desk()).ask("compare")

    (spread,) = reply.tables
    assert reply.title == "BTC levels by venue"
    assert spread.rows[0] == ("HVL", "$90,000", "$90,000", "0.00%")
    assert Field("Agreement", "all 2 venues within 1%") in reply.fields


PHONE = 34  # columns
LINES_WITH_TABLES = (
    "levels",
    "levels 0dte",
    "top",
    "maxpain",
    "move",
    "flip",
    "expiries",
    "compare",
)


@pytest.mark.parametrize(
    "scale", [1e-4, 5e-4, 1, 1.6, 10], ids=lambda scale: f"${80_000 * scale:g}"
)
async def test_every_table_fits_a_phone_at_any_price(scale):
    desk = Desk()
    chain = make_chain(("binance", "bybit", "deribit"), scale=scale)
    snapshot = make_snapshot(chain, spot=79_508.3 * scale)
    await desk.record("BTCUSDT", snapshot=snapshot, chain=chain)
    desk.now = NOON + timedelta(hours=23, minutes=59)

    for line in (*LINES_WITH_TABLES, "status"):
        for table in (await desk.ask(line)).tables:
            (widths,) = column_widths([table]).values()
            assert sum(widths) + len(widths) - 1 <= PHONE, (line, table)
            assert len(table.title) <= PHONE


NAMES = list(MENU)
WORDS = st.sampled_from(
    [
        *NAMES,
        "btc",
        "0dte",
        "deribit",
        "hvl",
        "cross",
        "1%",
        "#1",
        "up",
        ",",
        "08:00",
        "off",
        "test",
        "all",
    ]
)
LINES = st.lists(WORDS | st.text(max_size=12), max_size=6).map(" ".join)


@given(LINES)
async def test_any_line_gets_a_reply(line):
    for desk in (await open_desk(), Desk()):
        reply = await desk.ask(line)

        assert reply.title
        assert reply.fields or reply.tables or reply.lines or reply.private or reply.actions


async def test_a_very_long_line_is_not_sent_back_whole():
    reply = await (await open_desk()).ask("levels " + "x" * 100_000)

    assert len(only_line(reply)) < 500


async def test_a_snapshot_of_another_symbol_is_never_shown():
    desk = await open_desk()
    snapshot = make_snapshot(make_chain(), "ETHUSDT")
    await desk.record("ETHUSDT", snapshot=replace(snapshot, spot=2_000.0))

    reply = await desk.ask("levels eth")

    assert reply.title == "ETH levels"
    assert Field("Spot", "$2,000") in reply.fields
