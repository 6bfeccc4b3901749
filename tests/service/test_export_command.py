"""export: which file comes, what it says of its age, what is said where there is none."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from bot.core.exports.card import FORMATS
from bot.core.exports.tradingview import level_string
from tests.fakes import NOON, make_chain, make_snapshot
from tests.service.asking import Desk, only_line, open_desk

ENDINGS = {"tradingview": "txt", "pine": "pine", "csv": "csv", "json": "json", "ics": "ics"}
BEGINNINGS = {
    "tradingview": "$BTCUSD: Call Resistance, 90000, ",
    "pine": "//@version=6\n",
    "csv": "level,price,distance_pct,scope,",
    "json": '{"success":true,"data":{"all_expiry":{"hvl":90000.0,',
    "ics": "BEGIN:VCALENDAR\r\n",
}


def test_every_format_is_known_here():
    assert list(FORMATS) == list(ENDINGS)


@pytest.mark.parametrize("name", ENDINGS)
async def test_each_format_is_a_file_of_the_snapshot(name):
    desk = await open_desk()

    reply = await desk.ask(f"export btc {name}")

    assert reply.file.name == f"gammabell-BTCUSDT-20260302T120000Z.{ENDINGS[name]}"
    assert reply.file.content.decode().startswith(BEGINNINGS[name])
    assert reply.footer == ("as of 2026-03-02 12:00:00 UTC", "data: deribit, derive 0 s old")
    assert {action.line for action in reply.actions} == {
        f"export btc {other}" for other in ENDINGS if other != name
    }


async def test_without_a_word_it_is_the_level_string_which_the_card_shows_as_well():
    desk = await open_desk()
    string = level_string(await desk.store.snapshot("BTCUSDT"))

    reply = await desk.ask("export")

    assert reply.title == "BTC export: Level string"
    assert reply.tables[0].rows == ((string,),)
    assert reply.file.content.decode() == f"{string}\n"


async def test_the_words_come_in_any_order():
    desk = await open_desk()

    assert (await desk.ask("export CSV btcusdt")).file == (await desk.ask("export btc csv")).file


@pytest.mark.parametrize("name", ENDINGS)
async def test_old_and_simulated_data_says_so_on_the_card_and_the_file(name):
    desk = await open_desk(simulated=True)
    desk.now = NOON + timedelta(minutes=4)

    reply = await desk.ask(f"export btc {name}")

    assert reply.title.startswith("SIMULATED · ")
    assert reply.title.endswith(" · STALE")
    assert reply.tone == "stale"
    assert reply.file.name.startswith("gammabell-BTCUSDT-20260302T120000Z-SIMULATED-STALE.")


async def test_json_is_the_api_s_envelope_of_this_moment():
    desk = await open_desk()
    desk.now = NOON + timedelta(minutes=4)

    answer = json.loads((await desk.ask("export json")).file.content)

    assert answer["success"] is True
    assert answer["meta"]["symbol"] == "BTCUSDT"
    assert answer["meta"]["freshness_seconds"] == 240
    assert answer["meta"]["extra"]["stale"] is True
    assert answer["data"]["max_pain"]["strike"] == 80_000
    assert len(answer["data"]) == 8


async def test_simulated_json_says_so_inside():
    desk = await open_desk(simulated=True)

    answer = json.loads((await desk.ask("export json")).file.content)

    assert answer["meta"]["simulated"] is True


async def test_what_is_no_format_gets_the_nearest_one():
    desk = await open_desk()

    assert only_line(await desk.ask("export btc csvv")) == "no format 'csvv'; did you mean csv?"
    assert only_line(await desk.ask("export btc eth")).startswith("no format 'eth'; ")


async def test_a_symbol_without_data_yet_is_named():
    reply = await Desk().ask("export eth pine")

    assert only_line(reply).startswith("no data for ETH yet; ")


async def test_without_its_chain_a_snapshot_has_no_calendar_but_everything_else():
    desk = Desk()
    await desk.record("BTCUSDT", snapshot=make_snapshot(make_chain()))

    assert "no longer stored" in only_line(await desk.ask("export ics"))
    assert (await desk.ask("export csv")).file


async def test_a_chain_that_is_all_dead_has_no_calendar():
    desk = Desk()
    dead = make_chain(lefts=[timedelta(hours=-1)])
    await desk.record("BTCUSDT", snapshot=make_snapshot(dead), chain=dead)

    reply = await desk.ask("export ics")

    assert only_line(reply) == "every BTC option has expired; ask again later"


async def test_a_snapshot_without_any_level_still_has_its_files():
    desk = Desk()
    empty = make_chain().take(np.zeros(0, np.int64))
    snapshot = replace(make_snapshot(empty), sources=())
    await desk.record("BTCUSDT", snapshot=snapshot, chain=empty)

    assert (await desk.ask("export")).file.content == b"$BTCUSD:\n"
    assert b"\r\nhvl,,,all_expiry," in (await desk.ask("export csv")).file.content
    assert b"indicator(" in (await desk.ask("export pine")).file.content
