"""Signing in to the dashboard with a key or a link, and out again."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
from aiohttp import ClientError
from hypothesis import given
from hypothesis import strategies as st

from bot.api.addresses import Addresses
from bot.api.dashboard import Calendars
from bot.api.doors import Doors
from bot.api.files import FILES, find_assets
from bot.api.live import Live
from bot.api.pages import Place
from bot.service.access import SESSION_SECONDS, Access, end_all
from bot.service.limits import Buckets, Limit
from tests.api.serving import (
    BTC,
    KEY,
    Client,
    Clock,
    add_key,
    make_exports,
    make_store,
    served,
)

WITH_KEY = {"X-API-Key": KEY}
URL = "https://bell.example.org"
ASSETS = find_assets(FILES)


@asynccontextmanager
async def calendars(fetches=100):
    """A calendar of an API that wants a key, by its address."""
    store, clock = await make_store(BTC), Clock()
    await add_key(store)
    access = Access(store, clock, "")
    exports = make_exports(store)
    limit = Buckets(Limit(fetches, 1), lambda: 0.0)
    places = {
        "/calendar/": Place(Calendars(exports, access.calendar_of, limit).serve, is_public=True),
        "/export/": Place(exports.serve),
    }
    async with served(store, clock=clock, places=places) as client:
        yield client, await access.calendar(BTC)


async def test_a_calendar_program_needs_no_key_but_the_address():
    async with calendars() as (client, address):
        answer = await client.ask(address)
        others = [
            (await client.ask(target)).status
            for target in (f"/export/{BTC}/ics", "/calendar/", "/calendar/made.up.ics")
        ]
        session = {"Cookie": f"gammabell_session={address.split('/')[2]}"}
        others.append((await client.ask("/symbols", headers=session)).status)

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/calendar")
    assert answer.content.startswith(b"BEGIN:VCALENDAR")
    assert others == [401, 403, 403, 401]


async def test_a_calendar_is_fetched_so_often():
    async with calendars(fetches=1) as (client, address):
        found = [await client.ask(address) for _ in range(2)]

    assert [one.status for one in found] == [200, 429]
    assert int(found[1].headers["Retry-After"]) > 0


@dataclass
class House:
    """An API with doors, that wants a key."""

    client: Client
    access: Access
    store: object
    clock: Clock

    async def ask(self, target, cookie, **options):
        return await self.client.ask(target, headers={"Cookie": cookie}, **options)

    async def post(self, headers, method="POST"):
        own = {"Origin": self.client.address}
        return await self.client.ask("/session", method, headers=own | headers)

    async def pass_of(self, person):
        return {"X-Pass": (await self.access.link(person)).partition("#")[2]}


@asynccontextmanager
async def house(*, tries=100, host="127.0.0.1", per_minute=60, simulated=False):
    store, clock = await make_store(BTC), Clock()
    await add_key(store, per_minute=per_minute)
    access = Access(store, clock, URL)
    paces = Buckets(Limit(tries, 1), lambda: 0.0)
    doors = Doors(access, store.keys, paces, Addresses(()).of)
    fields = {
        "places": doors.places(ASSETS, simulated=simulated),
        "assets": ASSETS,
        "holder": access.holder,
        "clock": clock,
        "simulated": simulated,
    }
    async with served(store, host, **fields) as client:
        yield House(client, access, store, clock)


def cookie_of(answer):
    return answer.headers["Set-Cookie"].partition(";")[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_a_key_opens_a_session_that_no_script_reads_and_no_other_site_sends(host):
    async with house(host=host) as there:
        answer = await there.post(WITH_KEY)
        levels = await there.ask("/gex/levels", cookie_of(answer))

    kept = answer.headers["Set-Cookie"]
    assert (answer.status, levels.status) == (200, 200)
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(kept.split("; "))
    assert KEY not in kept
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_link_of_the_bot_opens_one_as_well():
    async with house() as there:
        answer = await there.post(await there.pass_of("telegram:7"))
        levels = await there.ask("/gex/levels", cookie_of(answer))

    assert (answer.status, levels.status) == (200, 200)
    assert levels.headers["X-RateLimit-Limit"] == "600"


async def test_a_session_of_a_key_is_counted_as_that_key_and_ends_with_it():
    async with house(per_minute=2) as there:
        cookie = cookie_of(await there.post(WITH_KEY))
        seen = [(await there.ask("/symbols", cookie)).status for _ in range(2)]
        seen.append((await there.client.ask("/symbols", headers=WITH_KEY)).status)
        await add_key(there.store, "other", key="gb_live_other")
        await there.store.delete_key("desk")
        there.clock.seconds += 60
        seen.append((await there.ask("/symbols", cookie)).status)

    assert seen == [200, 200, 429, 401]


async def test_people_who_came_by_link_are_counted_apart():
    async with house() as there:
        cookies = [
            cookie_of(await there.post(await there.pass_of(person)))
            for person in ("telegram:7", "discord:@8", "telegram:7")
        ]
        left = [
            (await there.ask("/symbols", cookie)).headers["X-RateLimit-Remaining"]
            for cookie in cookies
        ]

    assert left == ["599", "599", "598"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "gb_live_x"},
        {"X-API-Key": "x" * 5_000},
        {"X-Pass": "made.up"},
        {"X-Pass": "x" * 5_000},
        {"X-Pass": "ü"},
        {"X-Pass": ""},
    ],
)
async def test_what_is_no_key_and_no_pass_opens_nothing_and_it_is_said_why(headers):
    async with house() as there:
        answer = await there.post(headers)

    assert answer.status in (401, 403)
    assert "Set-Cookie" not in answer.headers
    assert answer.error["message"]


async def test_a_link_that_was_used_says_how_to_get_another():
    async with house() as there:
        given = await there.pass_of("telegram:7")
        await there.post(given)
        answer = await there.post(given)

    assert answer.status == 403
    assert "/dashboard" in answer.error["message"]


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
async def test_no_other_site_signs_anyone_in_or_out(origin):
    headers = {"Origin": origin} if origin else {}
    async with house() as there:
        found = [
            await there.client.ask("/session", method, headers=headers | WITH_KEY)
            for method in ("POST", "DELETE")
        ]

    assert [one.status for one in found] == [403, 403]
    assert not any("Set-Cookie" in one.headers for one in found)


async def test_what_a_preview_asks_for_uses_nothing_up():
    async with house() as there:
        given = await there.pass_of("telegram:7")
        shown = [await there.client.ask("/sign-on", method) for method in ("GET", "HEAD")]
        tried = [
            await there.client.ask("/session", method, headers=given) for method in ("GET", "HEAD")
        ]
        answer = await there.post(given)

    assert [one.status for one in shown + tried] == [200, 200, 405, 405]
    assert tried[0].headers["Allow"] == "POST, DELETE"
    assert shown[0].headers["Referrer-Policy"] == "no-referrer"
    assert answer.status == 200


async def open_with(there, means):
    given = WITH_KEY if means == "key" else await there.pass_of("telegram:7")
    return cookie_of(await there.post(given))


@pytest.mark.parametrize("means", ["key", "link"])
async def test_signing_out_ends_the_session_and_no_other(means):
    async with house() as there:
        ended, kept = [await open_with(there, means) for _ in range(2)]
        before = await there.ask("/gex/levels", ended)
        answer = await there.post({"Cookie": ended}, "DELETE")
        after = [await there.ask("/gex/levels", cookie) for cookie in (ended, kept)]

    assert (before.status, answer.status) == (200, 200)
    assert [one.status for one in after] == [401, 200]


@pytest.mark.parametrize("cookie", ["x=y", "gammabell_session=made.up"])
async def test_the_browser_forgets_what_it_signs_out_of(cookie):
    async with house() as there:
        answer = await there.post({"Cookie": cookie}, "DELETE")

    assert answer.status == 200
    assert "gammabell_session=; " in answer.headers["Set-Cookie"]
    assert "Max-Age=0" in answer.headers["Set-Cookie"]


async def test_a_page_that_was_opened_by_https_keeps_it_for_https_alone():
    async with house() as there:
        secure = there.client.address.replace("http:", "https:")
        answers = [await there.post({**WITH_KEY, "Origin": secure}), await there.post(WITH_KEY)]

    kept = [one.headers["Set-Cookie"] for one in answers]
    assert ["Secure" in one for one in kept] == [True, False]
    assert [one.startswith("__Host-gammabell_session=") for one in kept] == [True, False]
    assert not any("Domain" in one for one in kept)
    assert all("; Path=/;" in one for one in kept)


async def test_a_session_kept_for_https_lets_in_and_no_other_takes_its_place():
    async with house() as there:
        secure = {"Origin": there.client.address.replace("http:", "https:")}
        mine = cookie_of(await there.post({**WITH_KEY, **secure}))
        planted = cookie_of(await there.post(await there.pass_of("telegram:666")))
        both = await there.ask("/gex/levels", f"{planted}; {mine}")
        left = await there.post({"Cookie": mine, **secure}, "DELETE")
        after = await there.ask("/gex/levels", mine)

    assert (both.status, both.headers["X-RateLimit-Limit"]) == (200, "60")
    assert left.headers["Set-Cookie"].startswith("__Host-gammabell_session=; Path=/; Max-Age=0;")
    assert after.status == 401


async def test_tries_are_few():
    async with house(tries=2) as there:
        found = [await there.post({"X-API-Key": "x"}) for _ in range(3)]

    assert [one.status for one in found] == [401, 401, 429]
    assert found[2].headers["Retry-After"] == "2"


async def test_a_session_ends_with_its_time_and_with_the_key_that_signed_it():
    async with house() as there:
        first = cookie_of(await there.post(WITH_KEY))
        there.clock.seconds += SESSION_SECONDS
        second = cookie_of(await there.post(WITH_KEY))
        late = await there.ask("/symbols", first)
        await end_all(there.store)
        there.clock.seconds += 1
        ended = await there.ask("/symbols", second)

    assert (late.status, ended.status) == (401, 401)


@pytest.mark.parametrize("token", ["", "x", "x.y", "a" * 4_000, "ü.ü", '"'])
async def test_a_made_up_session_is_none(token):
    async with house() as there:
        answer = await there.ask("/symbols", f"gammabell_session={token}")

    assert answer.status == 401


async def test_the_page_of_a_simulated_market_says_so():
    async with house(simulated=True) as there:
        page = (await there.client.ask("/sign-on")).content.decode()

    assert page.count("SIMULATED market data") == 1


class Asked:
    """What a request tells of where it comes from."""

    def __init__(self, remote, *forwarded):
        self.remote = remote
        self.headers = self
        self._forwarded = forwarded

    def getall(self, name, otherwise):
        assert name == "X-Forwarded-For"
        return self._forwarded or otherwise


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "address"),
    [
        ((), "203.0.113.7", (), "203.0.113.7"),
        ((), "127.0.0.1", ("203.0.113.7",), "127.0.0.1"),
        (("127.0.0.1",), "127.0.0.1", ("203.0.113.7",), "203.0.113.7"),
        (("127.0.0.1",), "127.0.0.1", (), "127.0.0.1"),
        (("127.0.0.1",), "127.0.0.1", ("6.6.6.6, 203.0.113.7",), "203.0.113.7"),
        (("127.0.0.1",), "127.0.0.1", ("6.6.6.6", "203.0.113.7"), "203.0.113.7"),
        (("127.0.0.1", "10.0.0.0/8"), "127.0.0.1", ("6.6.6.6, 8.8.8.8, 10.1.2.3",), "8.8.8.8"),
        (("127.0.0.1",), "203.0.113.7", ("6.6.6.6",), "203.0.113.7"),
        (("127.0.0.1",), "127.0.0.1", ("nonsense",), "unknown"),
        (("127.0.0.1",), "127.0.0.1", ("203.0.113.7:5555",), "203.0.113.7"),
        (("127.0.0.1",), "127.0.0.1", ("[2001:db8::1]:80",), "2001:db8::/64"),
        (("127.0.0.1",), "::ffff:127.0.0.1", ("203.0.113.7",), "203.0.113.7"),
        ((), "2001:db8::1", (), "2001:db8::/64"),
        (("::1",), "::1", ("2001:db8::2",), "2001:db8::/64"),
        ((), "fe80::1%eth0", (), "fe80::/64"),
        ((), None, (), "unknown"),
    ],
)
def test_the_client_is_whom_the_last_trusted_proxy_heard(proxies, remote, forwarded, address):
    assert Addresses(proxies).of(Asked(remote, *forwarded)) == address


@given(st.lists(st.text()))
def test_nobody_chooses_their_address(written):
    asked = Asked("127.0.0.1", *written, "203.0.113.7")

    assert Addresses(["127.0.0.1"]).of(asked) == "203.0.113.7"


def test_a_proxy_that_is_not_named_is_told_of_once(caplog):
    addresses = Addresses(())

    for _ in range(3):
        addresses.of(Asked("127.0.0.1", "203.0.113.7"))

    (told,) = caplog.messages
    assert "trusted_proxies" in told


async def test_what_goes_on_ends_with_the_key_that_opened_it():
    store, clock = await make_store(BTC), Clock()
    await add_key(store)
    places = {"/events": Place(Live(store.journal).open)}
    async with served(store, clock=clock, places=places, recheck=0.01) as client:
        async with client.session.get(f"{client.address}/events", headers=WITH_KEY) as stream:
            await stream.content.readline()
            await add_key(store, "other", key="gb_live_other")
            await store.delete_key("desk")
            clock.seconds += 1
            with suppress(ClientError):
                await asyncio.wait_for(stream.content.read(), 60)

        assert stream.content.at_eof() or stream.closed
        refused = await client.ask("/events", headers=WITH_KEY)

    assert refused.status == 401
