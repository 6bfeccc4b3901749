"""Rings in the pages of the guest whose rule rang."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.events import Alert
from bot.errors import DeliveryInDoubt, NobodyThere
from tests.chat.web.kit import another_browser, visit
from tests.fakes import NOON


def ring(target, **more):
    text = "BTC crossed HVL $80,000 going up"
    return Alert("a1", NOON, "1", target, "BTCUSDT", text, NOON + timedelta(minutes=15), **more)


async def fill(page):
    """Tell it more than the network holds for it."""
    for _ in range(200):
        await page.tell({"type": "reply", "filling": "x" * 1_000_000})


async def test_a_ring_is_seen_by_the_guest_alone_and_is_over_when_the_page_says_so(house):
    async with (
        house.open() as client,
        another_browser(client) as other,
        visit(client) as page,
        visit(other) as stranger,
    ):
        sending = asyncio.create_task(house.sender.send(ring(house.arrived[0])))
        rung = await page.hear()
        await page.socket.send_json({"heard": rung["id"]})
        await sending
        answer = await stranger.ask(line="flip btc")

    assert (rung["type"], rung["id"], rung["at"]) == ("ring", "a1", NOON.isoformat())
    assert "crossed HVL" in rung["card"]["title"] + "".join(rung["card"]["lines"])
    assert answer["type"] == "reply"


async def test_a_ring_waits_for_a_guest_who_has_no_page_open(house):
    begun = []

    async def begin():
        begun.append(1)

    with pytest.raises(NobodyThere) as later:
        await house.sender.send(ring("web:nobody"), begin)

    assert later.value.retry_after
    assert begun == []


async def test_the_answer_to_a_button_of_a_ring_comes_beside_it(house):
    async with house.open() as client, visit(client) as page:
        alert = ring(house.arrived[0], event="crossing", snapshot="x")
        sending = asyncio.create_task(house.sender.send(alert))
        rung = await page.hear()
        await page.socket.send_json({"heard": rung["id"]})
        await sending
        _, data = rung["card"]["buttons"][0]
        answer = await page.ask(press=data)

    assert answer["beside"] is True


async def test_a_page_that_does_not_say_that_it_rang_leaves_a_doubt(house):
    async with house.open() as client, visit(client) as page:
        (one,) = house.rooms.of(house.arrived[0])
        one.seconds = 0.05
        sending = asyncio.create_task(house.sender.send(ring(house.arrived[0])))
        await page.hear()

        with pytest.raises(DeliveryInDoubt):
            await sending


async def test_a_ring_that_cannot_be_told_is_a_bug_and_no_closed_page(house):
    async with house.open() as client, visit(client):
        with pytest.raises(TypeError, match="JSON"):
            await house.sender.send(replace(ring(house.arrived[0]), kind=object()))


async def test_a_page_that_is_gone_is_tried_again_later(house):
    async with house.open() as client, visit(client):
        (page,) = house.rooms.of(house.arrived[0])
        await page.socket.close()

        with pytest.raises(NobodyThere) as later:
            await house.sender.send(ring(house.arrived[0]))

    assert later.value.retry_after


async def test_a_page_that_takes_nothing_is_let_go(house):
    async with house.open() as client, visit(client):
        (page,) = house.rooms.of(house.arrived[0])
        page.seconds = 0.2

        with pytest.raises(ConnectionError):
            await fill(page)
