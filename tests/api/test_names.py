"""By which names an API without keys is asked: names that others make lead here are refused."""

import pytest

from bot.api.gate import is_own_name
from bot.api.live import Live
from bot.api.pages import Place
from tests.api.serving import KEY, add_key, served
from tests.api.wire import tell

PUBLIC_URL = "https://bell.example.org/levels"
EVIL = {"Host": "rebound.evil.example:8080"}
DATA = ("/gex/levels", "/v2/status", "/multi/gex/levels?symbols=BTCUSDT", "/events", "/docs", "/no")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost:8080",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.8.9.1:8080",
        "[::1]",
        "[::1]:8080",
        "[::ffff:127.0.0.1]",
        "192.168.1.7",  # of a machine that hands on what comes to its port
        "[::]:8080",
        "gammabell:8080",
        "2130706433",
        "bell.example.org",
        "Bell.Example.Org:8080",
        "",  # of HTTP/1.0: no browser
    ],
)
def test_names_of_ours_lead_nowhere_else(host):
    assert is_own_name(host, PUBLIC_URL)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil-bell.example.org",
        "bell.example.org.evil.example",
        "127.1.evil.example",
        "127.0.0.1.",
        "evil.",
        "[::1",
        "localhost@evil.example",
        " ",
        ":8080",
        "\udcff",
    ],
)
@pytest.mark.parametrize("public_url", ["", PUBLIC_URL])
def test_names_of_others_are_not_ours(host, public_url):
    assert not is_own_name(host, public_url)


@pytest.mark.parametrize("target", DATA)
async def test_a_page_whose_name_was_made_to_lead_here_reads_nothing(store, target):
    places = {"/events": Place(Live(store.journal).open)}
    async with served(store, places=places) as client:
        answer = await client.ask(target, headers=EVIL)

    assert (answer.status, answer.error["code"]) == (403, "FORBIDDEN")
    assert "127.0.0.1" in answer.error["message"]
    assert "\n" not in answer.error["message"]
    assert answer.headers["X-Request-ID"] == answer.meta["request_id"]


async def test_what_changes_nothing_and_tells_nothing_is_refused_alike(store):
    async with served(store) as client:
        found = [
            await client.ask("/gex/levels", method, headers=EVIL)
            for method in ("HEAD", "POST", "OPTIONS")
        ]

    assert [one.status for one in found] == [403] * 3


async def test_the_name_that_people_use_is_answered(store):
    async with served(store, public_url=PUBLIC_URL) as client:
        answer = await client.ask("/gex/levels", headers={"Host": "bell.example.org"})

    assert answer.status == 200


async def test_health_is_told_to_monitors_by_any_name(client):
    assert (await client.ask("/health", headers={"Host": "gammabell:8080"})).status == 200


async def test_where_keys_are_asked_for_any_name_will_do(store):
    await add_key(store, per_minute=9)
    async with served(store) as client:
        known = await client.ask("/gex/levels", headers=EVIL | {"X-API-Key": KEY})
        unknown = await client.ask("/gex/levels", headers=EVIL)

    assert (known.status, unknown.status) == (200, 401)


async def test_the_counters_are_no_page_s_to_read_even_where_there_are_keys(store):
    await add_key(store)
    async with served(store) as client:
        found = [await client.ask("/metrics", headers=headers) for headers in ({}, EVIL)]

    assert [one.status for one in found] == [200, 403]


async def test_an_old_client_that_names_no_host_is_answered(client):
    assert (await tell(client, b"GET /gex/levels HTTP/1.0\r\n\r\n")).status == 200
