from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.crossings import Latches
from bot.core.reply import Command, Field, Reply, parse_command
from bot.core.rules import RuleState
from bot.errors import StoreError
from bot.ports import Record
from bot.service.commands import Commands, Entry
from bot.store.memory import MemoryStore
from tests.fakes import NOON, make_chain, make_snapshot

HERE, ELSEWHERE = "terminal:", "telegram:7"


class Desk:
    """Commands over a store, and a way to type into them."""

    def __init__(self, store: MemoryStore | None = None, *, simulated: bool = False) -> None:
        self.store = store or MemoryStore()
        self.now = NOON
        self.png: bytes | None = b"png"
        self.reloads = 0
        self.commands = Commands(
            self.store,
            ["BTCUSDT", "ETHUSDT"],
            lambda: self.now,
            self._chart,
            timedelta(minutes=3),
            lambda: [Field("deribit", "ok")],
            self._reload,
            simulated=simulated,
        )

    async def ask(self, line: str, target: str = HERE) -> Reply:
        return await self.commands.answer(parse_command(line, target))

    async def record(self, symbol: str, at: datetime = NOON, **fields) -> None:
        await self.store.record(Record(symbol, at, Latches(), **fields))

    async def _chart(self, chain, snapshot, now):
        assert len(chain) == sum(source.rows for source in snapshot.sources)
        return self.png

    async def _reload(self) -> None:
        self.reloads += 1


async def open_desk(*, simulated: bool = False, **fields) -> Desk:
    """A desk that shows BTC on two venues."""
    desk = Desk(simulated=simulated)
    chain = make_chain(("deribit", "derive"))
    await desk.record("BTCUSDT", snapshot=make_snapshot(chain, **fields), chain=chain)
    return desk


def only_line(reply: Reply) -> str:
    (line,) = reply.lines
    return line


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


@pytest.mark.parametrize("line", ["levels", "levels btc", "/LEVELS BTCUSDT", "levels $btc-usd"])
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
        assert Field("Net GEX", f"+${half / 1e6:.1f}M per +1 %") in reply.fields


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
        ("chart btc pie", "no chart 'pie'; choose profile"),
        ("alert ad btc hvl cross", "did you mean alert add?"),
        ("alert", "choose one of: alert add, alert list, alert delete"),
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

    assert "2026-03-02 12:00 UTC is no longer stored" in only_line(reply)
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


async def test_the_chart_comes_with_the_state_in_words():
    desk = await open_desk()

    drawn = await desk.ask("chart profile")
    desk.png = None
    undrawn = await desk.ask("chart btc profile")

    assert drawn.picture
    assert drawn.picture.png == b"png"
    assert undrawn.picture is None
    assert undrawn.fields == drawn.fields


async def test_an_alert_is_added_in_its_shortest_form_and_listed_where_it_was_made():
    desk = await open_desk()

    added = await desk.ask("alert add BTC hvl CROSS down buffer 0.05% cooldown 15m once")

    assert added.title == "Alert #1 set"
    assert added.fields == (Field("#1", "btc hvl cross down once"),)
    assert desk.reloads == 1
    listed = await desk.ask("alert list")
    assert listed.fields == (Field("#1", "btc hvl cross down once; has not rung"),)
    assert (await desk.ask("alert list", ELSEWHERE)).fields == ()


async def test_the_list_says_when_a_rule_rang_and_whether_it_is_done():
    desk = await open_desk()
    await desk.ask("alert add btc hvl cross once")
    await desk.ask("alert add btc regime")
    states = {
        "1": RuleState(NOON - timedelta(minutes=7), 1),
        "2": RuleState(NOON - timedelta(hours=3), 14),
    }
    await desk.record("BTCUSDT", rule_states=states)

    reply = await desk.ask("alert list")

    assert [field.value for field in reply.fields] == [
        "btc hvl cross any once; rang 1x, last 7 min ago, done",
        "btc regime; rang 14x, last 3 h 0 min ago",
    ]


async def test_the_same_alert_twice_is_one_alert():
    desk = await open_desk()

    await desk.ask("alert add btc hvl cross down")
    again = await desk.ask("alert add btcusdt hvl cross down")
    other = await desk.ask("alert add btc hvl cross down", ELSEWHERE)

    assert again.title == "Alert #1 is set already"
    assert other.title == "Alert #2 set"
    assert len(await desk.store.rules()) == 2


async def test_a_chat_deletes_its_own_alerts_alone():
    desk = await open_desk()
    await desk.ask("alert add btc hvl cross")

    foreign = await desk.ask("alert delete 1", ELSEWHERE)
    own = await desk.ask("alert delete #1")

    assert foreign.tone == "error"
    assert own.title == "Alert #1 deleted"
    assert await desk.store.rules() == []
    assert desk.reloads == 2


async def test_the_default_pack_is_spoken_of_while_it_rings_and_when_that_changes():
    desk = await open_desk()

    listed = await desk.ask("alert list")
    first = await desk.ask("alert add btc hvl cross")
    second = await desk.ask("alert add eth hvl cross")
    listed_then = await desk.ask("alert list", ELSEWHERE)
    await desk.ask("alert delete 1")
    last = await desk.ask("alert delete 2")

    assert "btc odte.hvl cross any" in listed.lines
    assert "default pack rings no more" in only_line(first)
    assert second.lines == ()
    assert not any("default pack" in line for line in listed_then.lines)
    assert "default pack rings again" in only_line(last)


@pytest.mark.parametrize("line", ["alert add btc hvl", "alert add", "alert add btc 0 cross"])
async def test_a_rule_that_makes_no_sense_is_not_stored(line):
    desk = await open_desk()

    reply = await desk.ask(line)

    assert reply.tone == "error"
    assert await desk.store.rules() == []
    assert desk.reloads == 0


async def test_status_shows_health_and_the_age_of_every_symbol():
    desk = await open_desk(left_out={"okx": "HTTP 451"})
    desk.now = NOON + timedelta(seconds=42)

    reply = await desk.ask("status")

    assert reply.fields == (Field("deribit", "ok"),)
    assert reply.tables[0].rows == (
        ("BTC", "fresh", "42 s old", "2 of 3"),
        ("ETH", "none yet", "", ""),
    )
    assert ("alerts pending", "0") in reply.tables[1].rows
    assert ("journal at", "2026-03-02 12:00:00 UTC") in reply.tables[1].rows


async def test_trouble_in_the_store_is_an_answer_and_a_log_line(caplog):
    class Locked(MemoryStore):
        async def snapshot(self, symbol, at=None):
            raise StoreError("database is locked")

    reply = await Desk(store=Locked()).ask("levels")

    assert (reply.title, only_line(reply)) == ("Not now", "database is locked")
    assert "levels not answered: database is locked" in caplog.text


async def test_a_command_is_added_in_one_place():
    desk = await open_desk()

    async def why(command: Command) -> Reply:
        return Reply("Why", lines=command.arguments)

    desk.commands.entries["why"] = Entry(why, "[alert id]", "why it rang")

    assert (await desk.ask("/why abc")).lines == ("abc",)
    assert only_line(await desk.ask("wyh")) == "no command 'wyh'; did you mean why?"
    assert Field("why [alert id]", "why it rang") in (await desk.ask("help")).fields


async def test_help_for_one_command_shows_that_alone():
    reply = await (await open_desk()).ask("help alert")

    assert [field.name.split()[1] for field in reply.fields] == ["add", "list", "delete"]


async def test_every_button_does_what_it_says():
    desk = await open_desk()

    for line in ("levels", "levels 0dte derive", "chart", "alert add btc hvl cross"):
        for action in (await desk.ask(line)).actions:
            assert (await desk.ask(action.line)).tone != "error"


NAMES = list(Desk().commands.entries)
WORDS = st.sampled_from([*NAMES, "btc", "0dte", "deribit", "hvl", "cross", "1%", "#1", "up", ","])
LINES = st.lists(WORDS | st.text(max_size=12), max_size=6).map(" ".join)


@given(LINES)
async def test_any_line_gets_a_reply(line):
    for desk in (await open_desk(), Desk()):
        reply = await desk.ask(line)

        assert reply.title
        assert reply.fields or reply.tables or reply.lines or reply.title.startswith("Alert #")


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
