"""Every export beside the API's own numbers, read by programs that we did not write."""

import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from io import BytesIO

import icalendar
import pandas as pd
import pytest

from bot.api.pages import Place
from bot.core.crossings import Latches
from bot.core.exports.table import KEYS
from bot.core.text import label
from bot.ports import Record
from bot.store.memory import MemoryStore
from tests.api.serving import make_exports, served
from tests.fakes import NOON, SPOT, make_chain, make_snapshot
from tests.service.asking import SYMBOLS

EVERYTHING = "candles,expected_move,max_pain,ranked,spot,zones"
CHEAP = 0.85125 / SPOT  # a coin of less than a dollar, its strikes with many digits
SCALES = dict(zip(SYMBOLS, (1.0, CHEAP), strict=True))
PINE_LEVEL = re.compile(r'^    level\(.*?, "([^"]+)", (na|[0-9.]+), \w+\)$', re.MULTILINE)

pytestmark = pytest.mark.parametrize("symbol", SYMBOLS)


@asynccontextmanager
async def exporting():
    """A client of an API with a dear and a cheap coin."""
    store = MemoryStore()
    for symbol, scale in SCALES.items():
        chain = make_chain(("deribit", "derive"), scale=scale)
        snapshot = make_snapshot(chain, symbol, spot=SPOT * scale)
        await store.record(Record(symbol, NOON, Latches(), snapshot=snapshot, chain=chain))
    exports = make_exports(store, SYMBOLS)
    async with served(store, places={"/export/": Place(exports.serve)}) as client:
        yield client


async def both(symbol, form):
    """The API's own data, and the export's answer."""
    async with exporting() as client:
        asked = await client.ask(f"/gex/levels?symbol={symbol}&include={EVERYTHING}")
        return asked.data, await client.ask(f"/export/{symbol}/{form}")


def price_of(data, key):
    """The level's price in the API's data."""
    if key.name.startswith("em_"):
        return (data["expected_move"] or {}).get(key.name.removeprefix("em_"))
    if key.name == "max_pain":
        return (data["max_pain"] or {}).get("strike")
    return data[key.scope][key.name]


async def test_json_is_the_api_s_answer(symbol):
    data, export = await both(symbol, "json")

    assert export.headers["Content-Type"] == "application/json"
    assert export.data == data
    assert export.meta["computed_at"] == "2026-03-02T12:00:00Z"


async def test_json_has_the_meta_of_its_own_request(symbol):
    async with exporting() as client:
        named = await client.ask(f"/export/{symbol}/json", headers={"X-Request-ID": "mine"})
        export = await client.ask(f"/export/{symbol}/json")
        known = {"If-None-Match": export.headers["ETag"]}
        again = await client.ask(f"/export/{symbol}/json", headers=known)
        levels = await client.ask(f"/gex/levels?symbol={symbol}")

    assert named.meta["request_id"] == named.headers["X-Request-ID"] == "mine"
    assert export.meta["request_id"] == export.headers["X-Request-ID"]
    assert set(export.meta) == set(levels.meta)
    assert export.headers["Content-Disposition"].endswith('.json"')
    assert again.status == 304


async def test_pandas_finds_every_number_of_the_api_in_the_csv(symbol):
    data, export = await both(symbol, "csv")

    table = pd.read_csv(BytesIO(export.content), parse_dates=["computed_at", "exported_at"])

    table = table.set_index(["scope", "level"])
    prices = table["price"].astype(object).where(table["price"].notna(), None)
    assert export.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert {prices[key.scope, key.name] == price_of(data, key) for key in KEYS} == {True}
    for scope in ("all_expiry", "odte"):
        ranked = data["ranked"][f"{scope}_top_10"]
        shown = table.loc[scope].filter(regex=r"^gex_\d+$", axis=0)
        assert list(shown["price"]) == [one["strike"] for one in ranked]
        assert list(shown["distance_pct"]) == [one["distance_pct"] for one in ranked]
    (zone,) = data["gamma_flip_zones"]
    assert [prices["all_expiry", f"flip_1{end}"] for end in ("", "_lower", "_upper")] == [
        zone["flip"],
        zone["lower"],
        zone["upper"],
    ]
    assert set(table["spot"]) == {data["spot"]["spot_price"]}
    assert set(table["computed_at"]) == {NOON}


async def test_the_level_string_has_the_api_s_numbers(symbol):
    data, export = await both(symbol, "tradingview")

    line = export.content.decode()
    words = line.removesuffix("\n").partition(": ")[2].split(", ")
    found = dict(zip(words[::2], map(float, words[1::2]), strict=True))

    assert line.count("\n") == 1
    assert export.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert not re.search(r"\de[+-]?\d|\d,\d", line)
    everything, today, move = data["all_expiry"], data["odte"], data["expected_move"]
    wanted = {
        "Call Resistance": everything["call_resistance"],
        "Put Support": everything["put_support"],
        "HVL": everything["hvl"],
        "1D Min": move["lower_1sd"],
        "1D Max": move["upper_1sd"],
        "Call Resistance 0DTE": today["call_resistance"],
        "Put Support 0DTE": today["put_support"],
        "HVL 0DTE": today["hvl"],
        **{
            f"GEX {n}": one["strike"]
            for n, one in enumerate(data["ranked"]["all_expiry_top_10"], 1)
        },
    }
    assert list(found.items()) == [(name, price) for name, price in wanted.items() if price]


async def test_every_line_of_the_indicator_has_the_api_s_number(symbol):
    data, export = await both(symbol, "pine")

    found = [
        (name, None if number == "na" else float(number))
        for name, number in PINE_LEVEL.findall(export.content.decode())
    ]

    keys = [key for key in KEYS if not key.name.startswith("em_") and key.name != "max_pain"]
    assert found == [
        *((label(key), price_of(data, key)) for key in keys),
        *(("Flip", zone["flip"]) for zone in data["gamma_flip_zones"]),
        ("Max Pain", data["max_pain"]["strike"]),
        *(
            (f"GEX {n}", one["strike"])
            for n, one in enumerate(data["ranked"]["all_expiry_top_10"], 1)
        ),
    ]


async def test_icalendar_finds_the_api_s_expiries_with_their_max_pain(symbol):
    async with exporting() as client:
        expiries = (await client.ask(f"/expiries?symbol={symbol}")).data["expiries"]
        export = await client.ask(f"/export/{symbol}/ics")

    events = icalendar.Calendar.from_ical(export.content).walk("VEVENT")

    assert export.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert export.headers["Cache-Control"] == "private, no-cache"
    assert [event["DTSTART"].dt for event in events] == [
        datetime.fromisoformat(one["expiry"]).astimezone(UTC) for one in expiries
    ]
    for event, one in zip(events, expiries, strict=True):
        assert f"{one['call_oi']:,.1f}".removesuffix(".0") in event["DESCRIPTION"]
        found = re.search(r"Max pain: ([0-9.]+) USD", event["DESCRIPTION"])
        assert float(found[1]) == one["max_pain"]
