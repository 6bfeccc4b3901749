"""Lines, presses and forms from a page, and what it is shown."""

import asyncio
import json
import socket
from base64 import b64decode
from contextlib import AsyncExitStack

import aiohttp
import pytest

from bot.chat.web.chat import MOST_PAGES_THERE
from bot.core.menu import Argument, Entry
from bot.core.places import PASSING
from bot.errors import StoreError
from bot.service.commands import Handled
from tests.api.serving import KEY, add_key
from tests.api.wire import tell
from tests.chat.web.kit import House, another_browser, visit


async def test_a_typed_command_is_answered_with_the_card_and_then_its_picture(house):
    async with house.open() as client, visit(client) as page:
        answer = await page.ask(line="/levels btc")
        picture = await page.hear()

    assert (answer["type"], answer["to"], answer["waits"]) == ("reply", 1, True)
    assert answer["card"]["title"] == "BTC levels"
    assert answer["card"]["tables"]
    assert (picture["type"], b64decode(picture["png"])) == ("picture", b"png")


async def test_a_button_types_its_line_in_place_of_its_card(house):
    async with house.open() as client, visit(client) as page:
        shown = await page.ask(line="levels btc")
        await page.hear()
        label, data = shown["card"]["buttons"][0]
        answer = await page.ask(press=data)

    assert label == "Refresh"
    assert answer["beside"] is False
    assert answer["card"]["title"] == "BTC levels"


@pytest.mark.parametrize("data", ["", "levels btc", "AAAAAAAAlevels btc", 7])
async def test_a_button_that_is_not_ours_does_nothing(house, data):
    async with house.open() as client, visit(client) as page:
        answer = await page.ask(press=data)

    assert (answer["card"]["title"], answer["card"]["tone"]) == ("No answer", "error")


async def test_what_a_command_lacks_is_asked_with_a_form(house):
    async with house.open() as client, visit(client) as page:
        answer = await page.ask(line="alert add")

    assert answer["type"] == "form"
    assert answer["form"]["name"] == "alert add"
    assert [question["required"] for question in answer["form"]["questions"]][:2] == [True, True]


async def test_an_export_comes_as_a_file(house):
    async with house.open() as client, visit(client) as page:
        answer = await page.ask(line="export btc csv")

    name, kind, content = answer["card"]["file"]
    assert (name.endswith(".csv"), kind) == (True, "text/csv")
    assert b"hvl" in b64decode(content)


async def test_what_a_guest_typed_comes_back_as_plain_text(house):
    async with house.open() as client, visit(client) as page:
        answer = await page.ask(line="<img src=x onerror=alert(1)>")

    assert "<img" in "".join(answer["card"]["lines"])  # the page shows it as text


async def test_every_card_of_a_simulated_market_says_so():
    house = House(simulated=True)
    async with house.open() as client, visit(client) as page:
        titles = [(await page.ask(line=line))["card"]["title"] for line in ("flip btc", "nothing")]
        titles.append((await page.ask(press="forged"))["card"]["title"])

    assert all(title.startswith("SIMULATED") for title in titles)


async def test_a_browser_stays_the_same_guest_and_another_one_is_another(house):
    async with house.open() as client, visit(client), another_browser(client) as other:
        async with visit(client):
            pass
        async with visit(other):
            pass

    first, again, stranger = house.arrived
    assert first == again != stranger
    assert all(guest.startswith(PASSING) for guest in house.arrived)


async def test_nobody_becomes_a_guest_by_making_up_a_cookie(house):
    made_up = {"Cookie": "gammabell_guest=AAAAAAAAsomeone"}
    async with (
        house.open() as client,
        another_browser(client) as other,
        visit(other, **made_up) as page,
    ):
        await page.ask(line="flip btc")

    assert house.arrived != ["web:someone"]


async def test_a_rule_belongs_to_the_guest_who_made_it(house):
    async with house.open() as client, visit(client) as page:
        await page.ask(line="alert add btc hvl cross any")
        async with another_browser(client) as other, visit(other) as stranger:
            others = await stranger.ask(line="alert list")
        own = await page.ask(line="alert list")

    (rule,) = await house.desk.store.rules()
    assert rule.target == house.arrived[0]
    assert "hvl" in json.dumps(own["card"]).lower()
    assert "cross" not in json.dumps(others["card"]["tables"])


async def test_who_comes_by_a_link_is_one_guest_in_every_browser_and_no_other_one(house):
    house.holders = {"of-7": "telegram:7", "of-8": "telegram:8", "of-key": "key:abc"}
    async with house.open() as client:
        for token in ("of-7", "of-7", "of-8", "of-key", "of-key", ""):
            async with another_browser(client) as browser:
                async with visit(browser, Cookie=f"gammabell_session={token}") as page:
                    signed_in = page.greeting["signedIn"]
                assert signed_in is (token != "")

    first, again, *others = house.arrived
    assert first == again
    assert len({first, *others}) == 5
    assert [one.startswith(PASSING) for one in (first, *others)] == [False, False, True, True, True]
    assert "telegram" not in "".join(house.arrived)


async def test_new_guests_of_one_address_are_few_whatever_cookies_they_forget():
    house = House(newcomers=2)
    async with house.open() as client:
        for _ in range(2):
            async with another_browser(client) as browser, visit(browser):
                pass
        async with another_browser(client) as browser:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.session.ws_connect(
                    f"{browser.address}/chat", headers={"Origin": browser.address}
                )
        house.address = "192.0.2.2"
        async with another_browser(client) as browser, visit(browser):
            pass

    assert refused.value.status == 429
    assert len(set(house.arrived)) == 3


async def test_one_address_types_no_more_by_being_many_guests():
    house, answers = House(lines=3), []
    async with house.open() as client:
        for _ in range(2):
            async with another_browser(client) as browser, visit(browser) as page:
                answers += [await page.ask(line="flip btc") for _ in range(2)]

    assert [one["card"]["tone"] == "error" for one in answers] == [False, False, False, True]


async def test_one_address_has_so_many_pages_open(house):
    async with house.open() as client, AsyncExitStack() as stack:
        for _ in range(MOST_PAGES_THERE):
            await stack.enter_async_context(visit(client))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await stack.enter_async_context(visit(client))
        house.address = "192.0.2.2"
        await stack.enter_async_context(visit(client))

    assert refused.value.status == 429


async def test_a_guest_left_when_the_last_of_their_pages_is_closed(house):
    async with house.open() as client:
        async with visit(client):
            async with visit(client):
                (guest,) = set(house.arrived)
            async with visit(client):
                pass
            before = house.left.qsize()
        left = await asyncio.wait_for(house.left.get(), 5)

    assert (before, left) == (0, guest)


async def test_who_stays_is_said_to_be_there_again_and_again():
    house = House(stay_seconds=0.001)
    async with house.open() as client, visit(client) as page:
        while len(house.arrived) < 3:
            await page.ask(line="flip btc")

    assert len(set(house.arrived)) == 1


async def test_a_page_that_is_closed_while_the_store_refuses_is_an_error_of_one_line(house, caplog):
    house.trouble = StoreError("the disk is full")
    async with house.open() as client:
        async with visit(client):
            pass
        await asyncio.wait_for(house.left.get(), 5)

    assert "a page of the dashboard was closed: the disk is full" in caplog.text


@pytest.mark.parametrize(("scheme", "is_secure"), [("https", True), ("http", False)])
async def test_a_page_that_was_opened_by_https_is_known_by_https_alone(house, scheme, is_secure):
    async with house.open() as client:
        origin = client.address.replace("http", scheme)
        async with visit(client, Origin=origin):
            (kept,) = client.session.cookie_jar

    assert bool(kept["secure"]) is is_secure
    assert (kept["httponly"], kept["samesite"]) == (True, "Strict")


async def test_a_picture_has_the_colours_of_the_page(house):
    async with house.open() as client, visit(client) as page:
        for theme in ("light", "dark", "pink"):
            await page.ask(line="levels btc", theme=theme)
            await page.hear()
        await page.ask(line="chart btc price", theme="light")
        await page.hear()

    assert [theme for _, theme, _ in house.desk.drawn] == ["light", "dark", "dark", "light"]


async def test_what_may_be_meant_is_offered_while_a_line_is_typed(house):
    async with house.open() as client, visit(client) as page:
        answer = await page.ask(complete="/lev")
        field = await page.ask(complete="hv", of=["alert add", "level"])

    assert (answer["type"], answer["to"]) == ("offers", 1)
    assert answer["offers"][0]["line"] == "levels "
    assert {"line": "hvl", "shown": "hvl", "help": ""} in field["offers"]


@pytest.mark.parametrize("of", [["nothing", "level"], ["alert add", "x"], [[], {}], [1, 2], {}])
async def test_nothing_is_offered_for_what_there_is_not(house, of):
    async with house.open() as client, visit(client) as page:
        answer = await page.ask(complete="zzzz", of=of)

    assert answer["offers"] == []


async def test_only_the_own_alerts_are_offered(house):
    async with house.open() as client, visit(client) as page:
        await page.ask(line="alert add btc hvl cross any")
        own = await page.ask(complete="alert delete ")
        async with another_browser(client) as other, visit(other) as stranger:
            others = await stranger.ask(complete="alert delete ")

    assert "hvl" in own["offers"][0]["line"]
    assert others["offers"] == []


async def test_a_guest_is_held_back_like_everyone(house):
    async with house.open() as client, visit(client) as page:
        answers = [await page.ask(line="flip btc") for _ in range(61)]

    assert "so many commands" in "".join(answers[-1]["card"]["lines"])


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_page_of_another_site_cannot_chat(house, origin):
    headers = {"Origin": origin} if origin else {}
    async with house.open() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.session.ws_connect(f"{client.address}/chat", headers=headers)

    assert refused.value.status == 403


@pytest.mark.parametrize("more", [{}, {"X-API-Key": "x"}, {"Cookie": "gammabell_session=x"}])
async def test_a_name_that_was_bound_to_this_machine_cannot_chat(house, more):
    headers = {"Origin": "http://evil.example", "Host": "evil.example", **more}
    async with house.open() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.session.ws_connect(f"{client.address}/chat", headers=headers)

    assert refused.value.status == 403


@pytest.mark.parametrize("key", ["\udcff" * 24, "short", ""])
async def test_what_is_no_websocket_is_told_so_and_no_error_of_ours(house, caplog, key):
    headers = {
        "Origin": "http://127.0.0.1",
        "Host": "127.0.0.1",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    asked = f"GET /chat HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "surrogateescape")
    async with house.open() as client:
        heard = await tell(client, asked)

    assert (heard.status, heard.code) == (400, "BAD_REQUEST")
    assert [told.getMessage() for told in caplog.records if told.levelname == "ERROR"] == []


async def test_with_keys_only_who_signed_in_may_chat(house):
    await add_key(house.desk.store, per_minute=60)
    async with house.open() as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.session.ws_connect(
                f"{client.address}/chat", headers={"Origin": client.address}
            )
        async with visit(client, **{"X-API-Key": KEY}) as page:
            answer = await page.ask(line="flip btc")

    assert refused.value.status == 401
    assert answer["card"]["title"].startswith("BTC")


HALF_A_CHARACTER = '{"id": "\\ud800", "line": "flip btc"}'  # nothing that UTF-8 can say
NO_NUMBER = '{"id": [], "line": "flip btc"}'  # what is nested could be read and not be told again


@pytest.mark.parametrize(
    "nonsense", ["", "7", "[", "[" * 4_000, '"x"', "x" * 5_000, HALF_A_CHARACTER, NO_NUMBER]
)
async def test_nonsense_ends_the_conversation_and_nothing_else(house, nonsense):
    async with house.open() as client:
        async with visit(client) as page:
            await page.socket.send_str(nonsense)
            ended = await page.socket.receive(timeout=5)
        async with visit(client) as page:
            answer = await page.ask(line="flip btc")

    assert ended.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert answer["card"]["title"].startswith("BTC")


async def test_a_page_that_is_closed_while_something_is_looked_up_for_it_is_no_error(house, caplog):
    asked, found = asyncio.Event(), asyncio.Event()

    async def complete(text, command):
        asked.set()
        await found.wait()
        return ("values",)

    entry = Entry("look", "looks up", (Argument("what", "all that there is"),))
    house.desk.commands.add(Handled(entry, None, complete={"what": complete}))
    async with house.open() as client, visit(client) as page:
        await page.socket.send_json({"id": 1, "complete": "look v"})
        await asked.wait()
        page.socket.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        await page.socket.receive()
        found.set()

    assert [told.getMessage() for told in caplog.records if told.levelname == "ERROR"] == []


async def test_the_program_ends_while_pages_are_open(house):
    async with house.open() as client:
        socket = await client.session.ws_connect(
            f"{client.address}/chat", headers={"Origin": client.address}
        )

    async with asyncio.timeout(5):
        while not socket.closed:
            await socket.receive()
    assert len(house.rooms) == 0
