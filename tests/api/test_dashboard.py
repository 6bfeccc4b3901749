"""The dashboard's page, its files, pictures and exports, as a browser gets them."""

import re
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.api.dashboard import Pictures, dashboard_places
from bot.api.files import FILES, find_assets
from bot.api.live import Live
from bot.api.pages import Place
from bot.core.exports.card import FORMATS
from bot.errors import StoreError
from bot.store.memory import MemoryStore
from tests.api.serving import (
    BTC,
    HYPE,
    LATER,
    SYMBOLS,
    add_key,
    make_exports,
    make_store,
    served,
)


async def draw(snapshot, kind, theme, stale):
    return None if kind == "profile" else f"{snapshot.symbol} {kind} {theme} {stale}".encode()


@asynccontextmanager
async def dashboard(*, simulated=False, now=LATER, keyed=False, host="127.0.0.1"):
    store = await make_store(*SYMBOLS[:-1])
    if keyed:
        await add_key(store, per_minute=60)
    pictures = Pictures(store.snapshot, draw, lambda: now, timedelta(minutes=3), SYMBOLS)
    exports = make_exports(store, simulated=simulated)
    assets = find_assets(FILES)
    places = dashboard_places(
        assets, pictures, exports, Live(store.journal), None, simulated=simulated
    )
    async with served(store, host, places=places, assets=assets, simulated=simulated) as client:
        yield client


@pytest.mark.parametrize("place", ["/", "/v2/"])
async def test_the_page_comes_with_all_that_it_names_and_nothing_from_elsewhere(place):
    async with dashboard() as client:
        page = (await client.ask(place)).content.decode()
        named = re.findall(r'(?:src|href)="([^"#]+)"', page)
        files = {name: await client.ask(f"{place}{name}") for name in named}

    assert {"dashboard.css", "dashboard.js", "icon.svg"} <= {name.split("/")[-1] for name in named}
    assert {one.status for one in files.values()} == {200}


async def test_no_script_or_style_stands_in_the_page_and_its_policy_says_so():
    async with dashboard() as client:
        answer = await client.ask("/")

    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! type=\"module\" src=)", page)


@pytest.mark.parametrize("path", [*FILES.glob("*.*")], ids=lambda path: path.name)
def test_our_files_name_no_other_place_and_make_no_markup_of_text(path):
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    text = text.replace('href = "https://www.tradingview.com/"', "")  # as its licence demands

    assert not re.search(r"https?://\w|innerHTML|outerHTML|insertAdjacentHTML|eval\(", text)


@pytest.mark.parametrize(("simulated", "times"), [(True, 1), (False, 0)])
async def test_a_simulated_market_says_so_before_any_script_runs(simulated, times):
    async with dashboard(simulated=simulated) as client:
        page = (await client.ask("/")).content.decode()

    assert page.count("SIMULATED market data") == times
    assert f'data-simulated="{str(simulated).lower()}"' in page


async def test_a_picture_is_of_the_newest_snapshot_in_the_theme_that_was_asked_for():
    async with dashboard() as client:
        light = await client.ask(f"/pictures/{BTC}/price.png?theme=light&of=now")
        dark = await client.ask(f"/v2/pictures/{BTC}/price.png")

    assert light.headers["Content-Type"] == "image/png"
    assert light.content == b"BTCUSDT price light False"
    assert dark.content == b"BTCUSDT price dark False"


async def test_a_picture_of_old_data_is_drawn_as_such():
    async with dashboard(now=LATER + timedelta(hours=1)) as client:
        answer = await client.ask(f"/pictures/{BTC}/price.png")

    assert answer.content.endswith(b"True")


@pytest.mark.parametrize(
    "path",
    [
        f"/pictures/{BTC}/profile.png",  # cannot be drawn
        f"/pictures/{HYPE}/price.png",  # no data
        f"/pictures/{BTC}",
        "/pictures/../price.png",
        f"/export/{HYPE}/csv",
        "/export/",
        f"/export/{BTC}/csv/more",
    ],
)
async def test_what_is_not_there_is_not_found(path):
    async with dashboard() as client:
        answer = await client.ask(path)

    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/pictures/X/price.png", "symbol"),
        (f"/pictures/{BTC}/nothing.png", "picture"),
        (f"/pictures/{BTC}/price.png?theme=pink", "theme"),
        (f"/pictures/{BTC}/price.png?colour=red", "colour"),
        (f"/export/{BTC}/doc", "format"),
        ("/export/X/csv", "symbol"),
        (f"/export/{BTC}/csv?exchanges=deribit", "exchanges"),
    ],
)
async def test_what_cannot_be_meant_is_told(path, where):
    async with dashboard() as client:
        answer = await client.ask(path)

    (problem,) = answer.error["details"]["errors"]
    assert (answer.status, answer.error["code"]) == (422, "VALIDATION_ERROR")
    assert problem["loc"][1] == where


@pytest.mark.parametrize("name", FORMATS)
async def test_an_export_is_the_file_that_the_chat_gives(name):
    async with dashboard(simulated=True) as client:
        answer = await client.ask(f"/export/{BTC}/{name}")

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith(FORMATS[name].media_type)
    assert f".{FORMATS[name].ending}" in answer.headers["Content-Disposition"]
    assert "SIMULATED" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("name", ["csv", "ics", "json", "pine", "tradingview"])
async def test_an_export_that_the_store_has_no_answer_for_is_no_missing_one(name):
    class Refusing(MemoryStore):
        async def chat(self, target):
            raise StoreError("postgres at db:5432 is not reachable")

        snapshot = chat

    exports = make_exports(Refusing())
    async with served(MemoryStore(), places={"/export/": Place(exports.serve)}) as client:
        answer = await client.ask(f"/export/{BTC}/{name}")

    assert (answer.status, answer.error["code"]) == (503, "UPSTREAM_ERROR")
    assert "db:5432" not in answer.error["message"]


async def test_the_schema_has_exports_and_pictures():
    async with dashboard() as client:
        paths = (await client.ask("/openapi.json")).body["paths"]
        docs = (await client.ask("/docs")).content.decode()

    names = {one["name"] for one in paths["/export/{symbol}/{format}"]["get"]["parameters"]}
    assert names == {"symbol", "format"}
    assert "/pictures/{symbol}/{picture}" in paths
    assert "/export/{symbol}/{format}" in docs


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_with_keys_the_page_is_shown_to_all_and_its_data_to_who_has_one(host):
    async with dashboard(keyed=True, host=host) as client:
        shown = await client.ask("/")
        refused = [
            (await client.ask(path)).status
            for path in (f"/export/{BTC}/csv", f"/pictures/{BTC}/price.png", "/events")
        ]

    assert shown.status == 200
    assert refused == [401] * 3


@pytest.mark.parametrize("path", ["/", "/events", f"/export/{BTC}/csv"])
async def test_nothing_of_the_dashboard_can_be_written_to(path):
    async with dashboard() as client:
        answer = await client.ask(path, method="POST")

    assert (answer.status, answer.error["code"]) == (405, "METHOD_NOT_ALLOWED")
