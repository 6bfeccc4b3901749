"""Server-Sent Events: what happens, as it happens, to every page that listens."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.api.live import (
    CROWDED,
    MOST_LISTENERS,
    MOST_LISTENERS_THERE,
    QUEUED,
    REMEMBERED,
    Live,
    last_entry,
)
from bot.api.pages import Place
from bot.api.telling import summary
from bot.core.crossings import Latches
from bot.core.events import Alert, Crossing, Freshness, LevelKey, Moved, RegimeChange, event_object
from bot.core.snapshot import Tick
from bot.errors import StoreError
from bot.ports import JournalEntry, Record
from bot.store.memory import MemoryStore
from tests.api.serving import BTC, ETH, served
from tests.fakes import NOON, make_chain, make_snapshot

PATIENCE = 30.0  # seconds, for what takes a moment: the machine may be busy
HVL = LevelKey("all_expiry", "hvl")
CROSSING = Crossing(NOON, BTC, HVL, 80_000.0, "up", 80_100.0, 79_900.0, "s1", 0.0005)


def make_alert(target="terminal:"):
    text = "BTC crossed HVL $80,000 going up"
    return Alert("a1", NOON, "1", target, BTC, text, NOON + timedelta(minutes=15))


def entry(event):
    return JournalEntry(1, event_object(event), None)


class Journal:
    """Numbered entries, which a test adds."""

    def __init__(self, numbers=()):
        self.entries = [JournalEntry(n, event_object(CROSSING), None) for n in numbers]
        self.read = 0

    def add(self, event):
        seq = self.entries[-1].seq + 1 if self.entries else 1
        snapshot = None if isinstance(event, Crossing | Alert) else event
        body = event_object(event) if snapshot is None else None
        self.entries.append(JournalEntry(seq, body, snapshot))

    async def __call__(self, after, limit):
        found = [one for one in self.entries if one.seq > after][:limit]
        self.read += len(found)
        return found


class Prices:
    """The newest tick of each symbol, which a test changes; counts how often it is asked."""

    def __init__(self):
        self.ticks = {}
        self.asked = 0

    def change(self, symbol, spot):
        self.ticks[symbol] = Tick(symbol, NOON, spot, "deribit")

    def __call__(self, symbol):
        self.asked += 1
        return self.ticks.get(symbol)


class Listener:
    """A page that listens."""

    def __init__(self, content):
        self.content = content

    async def hear(self):
        """The next event's name and data; comments are passed over."""
        name = ""
        while True:
            line = (await asyncio.wait_for(self.content.readline(), PATIENCE)).decode().strip()
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))


async def gone(live):
    """Returns when no page is open any more."""
    while live.listeners:  # noqa: ASYNC110  nothing tells of it but the count
        await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(live):
    async with (
        served(MemoryStore(), places={"/events": Place(live.open)}) as client,
        client.session.get(f"{client.address}/events") as response,
    ):
        listener = Listener(response.content)
        assert (await listener.hear())[0] == "hello"
        yield listener


async def test_a_page_hears_snapshots_and_crossings_as_they_come():
    journal = Journal()
    live = Live(journal)
    await live.catch_up()
    async with listening(live) as page:
        journal.add(make_snapshot(make_chain()))
        journal.add(CROSSING)
        await live.catch_up()
        snapshot, crossing = await page.hear(), await page.hear()

    assert snapshot[0] == "snapshot"
    assert (snapshot[1]["symbol"], snapshot[1]["spot"]) == (BTC, 80_000.0)
    assert crossing[0] == "log"
    assert crossing[1]["text"] == "crossed HVL $80,000 up, spot $80,100"


async def test_a_page_that_comes_later_is_told_what_happened_last():
    journal = Journal(range(1, 2 * REMEMBERED))
    live = Live(journal)
    await live.catch_up()
    async with listening(live) as page:
        told = [await page.hear() for _ in range(REMEMBERED)]

    assert {name for name, _ in told} == {"log"}


async def test_a_page_that_comes_later_is_told_of_a_ring_that_many_facts_followed():
    journal = Journal()
    journal.add(make_alert())
    for _ in range(2 * REMEMBERED):
        journal.add(CROSSING)
    live = Live(journal)
    await live.catch_up()
    async with listening(live) as page:
        told = [(await page.hear())[1]["kind"] for _ in range(REMEMBERED + 1)]

    assert told == ["alert"] + ["crossing"] * REMEMBERED


async def test_silence_is_filled_so_that_nobody_takes_the_line_for_dead():
    live = Live(Journal(), heartbeat=0.01)
    async with (
        served(MemoryStore(), places={"/events": Place(live.open)}) as client,
        client.session.get(f"{client.address}/events") as response,
    ):
        said = await asyncio.wait_for(response.content.readuntil(b"event: beat\n"), PATIENCE)

    assert said
    assert response.headers["Content-Type"] == "text/event-stream"


async def test_a_page_that_falls_behind_is_let_go_and_the_others_go_on():
    journal = Journal()
    live = Live(journal)
    await live.catch_up()
    async with listening(live) as page:
        for _ in range(QUEUED + 2):  # at once, before anyone can read
            journal.add(CROSSING)
        await live.catch_up()

        rest = await asyncio.wait_for(page.content.read(), PATIENCE)

    assert rest.strip() == b""


async def test_a_page_that_takes_nothing_is_let_go():
    journal, text = Journal(), "x" * 1_000_000
    live = Live(journal, patience=0.1)
    await live.catch_up()
    async with listening(live) as page:
        for _ in range(QUEUED):  # more than the network holds for it
            journal.add(replace(make_alert(), text=text))
        await live.catch_up()
        await asyncio.wait_for(gone(live), PATIENCE)

        with pytest.raises(aiohttp.ClientError):
            await page.content.read()


async def test_no_more_pages_listen_than_allowed():
    live = Live(Journal())
    live.listeners = MOST_LISTENERS
    async with served(MemoryStore(), places={"/events": Place(live.open)}) as client:
        answer = await asyncio.wait_for(client.ask("/events"), PATIENCE)

    assert (answer.status, answer.error["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert answer.headers["Retry-After"] == str(answer.error["details"]["retry_after_seconds"])


async def test_one_address_shuts_out_nobody_else():
    addresses = ["192.0.2.1"]
    live = Live(Journal(), address_of=lambda _: addresses[0])
    async with (
        served(MemoryStore(), places={"/events": Place(live.open)}) as client,
        AsyncExitStack() as pages,
    ):
        url = f"{client.address}/events"
        for _ in range(MOST_LISTENERS_THERE):
            page = await pages.enter_async_context(client.session.get(url))
            assert page.status == 200
        refused = await client.ask("/events")
        addresses[0] = "192.0.2.2"
        other = await pages.enter_async_context(client.session.get(url))

    assert (refused.status, refused.error["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert other.status == 200


async def test_the_program_ends_while_pages_listen():
    live = Live(Journal())
    async with asyncio.timeout(PATIENCE):
        async with listening(live):
            pass


async def test_a_page_hears_the_price_that_changed_and_no_other():
    prices = Prices()
    live = Live(Journal(), prices, (BTC, ETH))
    async with listening(live) as page:
        prices.change(BTC, 80_000.0)
        await live.catch_up()
        prices.change(ETH, 2_500.0)
        await live.catch_up()
        await live.catch_up()
        prices.change(BTC, 80_001.0)
        await live.catch_up()
        heard = [await page.hear() for _ in range(3)]

    assert heard == [
        ("spot", {"symbol": BTC, "spot": 80_000.0, "at": "2026-03-02T12:00:00Z"}),
        ("spot", {"symbol": ETH, "spot": 2_500.0, "at": "2026-03-02T12:00:00Z"}),
        ("spot", {"symbol": BTC, "spot": 80_001.0, "at": "2026-03-02T12:00:00Z"}),
    ]


async def test_a_page_that_comes_later_is_told_the_prices_at_once():
    prices = Prices()
    prices.change(BTC, 80_000.0)
    async with listening(Live(Journal(), prices, (BTC, ETH))) as page:
        name, told = await page.hear()

    assert (name, told["symbol"], told["spot"]) == ("spot", BTC, 80_000.0)


async def test_prices_are_told_while_the_store_refuses():
    async def refuse(_after, _limit):
        raise StoreError("gone")

    prices = Prices()
    live = Live(refuse, prices, (BTC,))
    async with listening(live) as page:
        prices.change(BTC, 80_000.0)
        with pytest.raises(StoreError):
            await live.catch_up()

        assert (await page.hear())[0] == "spot"


async def test_nobody_is_asked_for_prices_while_nobody_listens():
    prices = Prices()
    live = Live(Journal(), prices, (BTC,))

    await live.catch_up()

    assert prices.asked == 0


async def test_a_page_that_reads_slowly_misses_prices_and_no_fact():
    journal, prices = Journal(), Prices()
    live = Live(journal, prices, (BTC,))
    await live.catch_up()
    async with listening(live) as page:
        for second in range(QUEUED):  # at once, before anyone can read
            prices.change(BTC, 80_000.0 + second)
            live.tell_prices()
        journal.add(CROSSING)
        await live.catch_up()
        told = [(await page.hear())[0] for _ in range(CROWDED + 1)]

    assert told == ["spot"] * CROWDED + ["log"]


@given(st.sets(st.integers(1, 3_000), max_size=8))
def test_the_end_of_the_journal_is_found_without_reading_it(numbers):
    journal = Journal(sorted(numbers))

    found = asyncio.run(last_entry(journal))

    assert found == max(numbers, default=found)
    assert journal.read <= 30


async def test_the_end_of_a_store_s_journal_is_found():
    store = MemoryStore()
    for second in range(5):
        at = NOON + timedelta(seconds=second)
        snapshot = make_snapshot(make_chain(), at=at)
        await store.record(Record(BTC, at, Latches(), snapshot=snapshot))

    (last,) = (await store.journal(0, 100))[-1:]

    assert await last_entry(store.journal) == last.seq


def test_other_people_s_rings_and_prices_are_nobody_s_business():
    private = replace(CROSSING, key=LevelKey.of_price(79_950.0))

    assert summary(entry(make_alert("telegram:7"))) is None
    assert summary(entry(make_alert("web:abc"))) is None
    assert summary(entry(private)) is None
    assert summary(entry(make_alert()))["text"].startswith("BTC crossed")


def test_each_fact_is_a_line():
    zone = replace(CROSSING, key=LevelKey("all_expiry", "flip", 1), late=True, direction="down")
    odte = Moved(NOON, BTC, LevelKey("odte", "hvl"), 80_000.0, 81_000.0, 0.01, {})
    events = (
        zone,
        odte,
        RegimeChange(NOON, BTC, "positive", "negative", 80_000.0),
        Freshness(NOON, BTC, stale=True, data_at=NOON),
        Freshness(NOON, BTC, stale=False, data_at=NOON),
    )

    assert [summary(entry(event))["text"] for event in events] == [
        "LATE: crossed Flip 2 $80,000 down, spot $80,100",
        "HVL 0DTE moved $80,000 → $81,000",
        "regime positive → negative, spot $80,000",
        "data is STALE",
        "data is fresh again",
    ]
