"""What a page is told at its beginning of what rang for its guest before."""

from datetime import timedelta

from bot.chat.web.chat import RINGS_TOLD
from bot.core.events import Alert, Delivery
from bot.core.reply import Reply
from tests.chat.web.kit import another_browser, visit
from tests.fakes import NOON

MINUTE = timedelta(minutes=1)


async def ring(house, target, count=1, **fields):
    """So many rings of that guest, a minute apart, of which nobody heard."""
    for number in range(count):
        at = NOON + number * MINUTE
        text = f"BTC crossed HVL, {number}"
        alert = Alert(f"a{number}", at, "1", target, "BTCUSDT", text, at + MINUTE, **fields)
        await house.desk.record("BTCUSDT", at, alerts=[alert])
        await house.desk.store.claim("web", "me", at, MINUTE, 1)
        await house.desk.store.settle("me", Delivery(at, alert.id, target, "expired"))


async def test_who_opens_the_page_again_is_told_what_rang_the_newest_last(house):
    async with house.open() as client:
        async with visit(client) as page:
            at_first = page.greeting["rang"]
        await ring(house, house.arrived[0], RINGS_TOLD + 1)
        async with visit(client) as page:
            told = page.greeting["rang"]

    assert at_first == []
    assert [one["text"] for one in told] == [
        f"BTC crossed HVL, {number}" for number in range(1, RINGS_TOLD + 1)
    ]
    assert told[0] == {
        "id": "a1",
        "at": (NOON + MINUTE).isoformat(),
        "symbol": "BTCUSDT",
        "text": "BTC crossed HVL, 1",
    }


async def test_a_ring_s_title_stands_for_it_without_its_bell(house):
    async with house.open() as client:
        async with visit(client):
            pass
        await ring(house, house.arrived[0], card=Reply("🔔 BTC HVL $80,000 ↑"))
        async with visit(client) as page:
            (told,) = page.greeting["rang"]

    assert told["text"] == "BTC HVL $80,000 ↑"


async def test_nobody_is_told_what_rang_for_another_guest(house):
    async with house.open() as client, another_browser(client) as other:
        async with visit(client):
            pass
        await ring(house, house.arrived[0])
        async with visit(other) as stranger:
            told = stranger.greeting["rang"]

    assert told == []
