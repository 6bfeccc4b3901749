import asyncio
from dataclasses import replace

import pytest

from bot.core.crossings import Latches
from bot.errors import BotError, StoreError
from bot.ports import Record
from bot.service.gallery import MOST_BYTES, MOST_PICTURES, WANTED_SECONDS, Gallery
from bot.store.memory import MemoryStore
from tests.service.builders import BTC, after, make_chain, make_snapshot

ETH = "ETHUSDT"


class Painter:
    """Draws a few bytes; holds its pictures back, or breaks, when told to."""

    def __init__(self, size=0):
        self.drawn = []  # (snapshot id, kind, theme, stale, whether there was a chain)
        self.trouble = None
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self.size = size

    async def __call__(self, chain, snapshot, kind, theme, stale):
        self.drawn.append((snapshot.id, kind, theme, stale, chain is not None))
        await self.may_finish.wait()
        if self.trouble:
            raise self.trouble
        return f"{snapshot.id} {kind} {theme} {stale}".encode().ljust(self.size)

    @property
    def ids(self):
        return [drawing[0] for drawing in self.drawn]


class Seconds:
    """Time that the test moves."""

    def __init__(self):
        self.passed = 0.0

    def __call__(self):
        return self.passed


@pytest.fixture
def painter():
    return Painter()


@pytest.fixture
def time():
    return Seconds()


@pytest.fixture
async def store():
    return MemoryStore()


@pytest.fixture
async def gallery(store, painter, time):
    gallery = Gallery(store, painter, time)
    yield gallery
    await gallery.close()


async def a_stored(store, seconds=0.0, symbol=BTC):
    """A snapshot with its chain in the store."""
    snapshot = make_snapshot(seconds=seconds, symbol=symbol)
    chain = make_chain(coin=symbol.removesuffix("USDT"))
    await store.record(Record(symbol, after(seconds), Latches(), snapshot, chain))
    return snapshot


async def settled():
    """Everything that can go on has gone on."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_thousand_people_who_ask_at_once_cost_one_rendering(gallery, painter, store):
    snapshot = await a_stored(store)
    painter.may_finish.clear()

    asking = [
        asyncio.create_task(gallery.picture(snapshot, "profile", "dark", False))
        for _ in range(1_000)
    ]
    await settled()
    painter.may_finish.set()
    pictures = await asyncio.gather(*asking)

    assert len(painter.drawn) == 1
    assert set(pictures) == {f"{snapshot.id} profile dark False".encode()}


async def test_a_picture_is_drawn_once_and_given_again(gallery, painter, store):
    snapshot = await a_stored(store)

    first = await gallery.picture(snapshot, "price", "light", False)

    assert await gallery.picture(snapshot, "price", "light", False) is first
    assert painter.drawn == [(snapshot.id, "price", "light", False, False)]


async def test_each_snapshot_kind_theme_and_staleness_is_a_picture_of_its_own(
    gallery, painter, store
):
    old, new = await a_stored(store), await a_stored(store, 30)
    asked = [
        (snapshot, kind, theme, stale)
        for snapshot in (old, new)
        for kind in ("profile", "price")
        for theme in ("dark", "light")
        for stale in (False, True)
    ]

    pictures = {await gallery.picture(*one) for one in asked}

    assert len(pictures) == len(asked) == len(painter.drawn)


async def test_only_the_profile_asks_the_store_for_the_chain(gallery, painter, store):
    snapshot = await a_stored(store)

    await gallery.picture(snapshot, "profile", "dark", False)
    await gallery.picture(snapshot, "price", "dark", False)

    assert [with_chain for *_, with_chain in painter.drawn] == [True, False]


async def test_a_profile_whose_chain_was_pruned_is_none_and_the_price_is_drawn(
    gallery, painter, caplog
):
    unknown = make_snapshot()

    assert await gallery.picture(unknown, "profile", "dark", False) is None
    assert await gallery.picture(unknown, "price", "dark", False) is not None
    assert "BTCUSDT profile chart: the chain behind the snapshot is stored no more" in caplog.text


@pytest.mark.parametrize("error", [BotError("no chart: its process died"), ValueError("a bug")])
async def test_trouble_is_none_logged_once_and_tried_again(gallery, painter, store, caplog, error):
    snapshot = await a_stored(store)
    painter.trouble = error

    for _ in range(3):
        assert await gallery.picture(snapshot, "profile", "dark", False) is None
    painter.trouble = None

    assert await gallery.picture(snapshot, "profile", "dark", False) is not None
    assert len(caplog.records) == 1
    assert str(error) in caplog.text
    assert ("Traceback" in caplog.text) is isinstance(error, ValueError)


async def test_trouble_that_comes_back_is_logged_again(gallery, painter, store, caplog):
    snapshot = await a_stored(store)

    for seconds, trouble in enumerate([BotError("broken"), None, BotError("broken")]):
        painter.trouble = trouble
        await gallery.picture(replace(snapshot, id=str(seconds)), "price", "dark", False)

    assert len(caplog.records) == 2


async def test_a_store_that_refuses_is_no_picture(painter, time, caplog):
    class Refusing(MemoryStore):
        async def chain(self, snapshot):
            raise StoreError("the disk is gone")

    gallery = Gallery(Refusing(), painter, time)

    assert await gallery.picture(make_snapshot(), "profile", "dark", False) is None
    assert "the disk is gone" in caplog.text


async def test_one_who_leaves_does_not_take_the_picture_from_the_others(gallery, painter, store):
    snapshot = await a_stored(store)
    painter.may_finish.clear()
    leaving, staying = (
        asyncio.create_task(gallery.picture(snapshot, "profile", "dark", False)) for _ in range(2)
    )
    await settled()

    leaving.cancel()
    await settled()
    painter.may_finish.set()

    assert await staying is not None
    assert leaving.cancelled()
    assert len(painter.drawn) == 1


async def test_the_pictures_that_nobody_looked_at_for_longest_are_forgotten(gallery, painter):
    snapshots = [make_snapshot(seconds=second) for second in range(MOST_PICTURES + 1)]
    first, second = snapshots[:2]
    for snapshot in snapshots[:-1]:
        await gallery.picture(snapshot, "price", "dark", False)

    await gallery.picture(first, "price", "dark", False)
    await gallery.picture(snapshots[-1], "price", "dark", False)

    await gallery.picture(first, "price", "dark", False)
    assert len(painter.drawn) == len(snapshots)
    await gallery.picture(second, "price", "dark", False)
    assert painter.ids[-1] == second.id


async def test_pictures_are_kept_up_to_so_many_bytes(store, time):
    painter = Painter(size=MOST_BYTES // 3)
    gallery = Gallery(store, painter, time)
    snapshots = [make_snapshot(seconds=second) for second in range(4)]
    for snapshot in snapshots:
        await gallery.picture(snapshot, "price", "dark", False)

    for snapshot in reversed(snapshots):
        await gallery.picture(snapshot, "price", "dark", False)

    assert painter.ids == [one.id for one in (*snapshots, snapshots[0])]


async def test_what_was_asked_for_lately_is_drawn_in_advance(gallery, painter, store):
    await gallery.picture(await a_stored(store), "profile", "dark", True)
    newer = await a_stored(store, 30)

    gallery.warm(newer)
    assert len(painter.drawn) == 1  # the cycle that called goes on first
    await settled()

    assert painter.drawn[1:] == [(newer.id, "profile", "dark", False, True)]
    await gallery.picture(newer, "profile", "dark", False)
    assert len(painter.drawn) == 2


async def test_what_nobody_asked_for_lately_is_not_drawn_in_advance(gallery, painter, store, time):
    await gallery.picture(await a_stored(store), "profile", "dark", False)
    time.passed = WANTED_SECONDS - 1
    await gallery.picture(make_snapshot(), "price", "light", False)
    time.passed = WANTED_SECONDS + 1

    gallery.warm(await a_stored(store, 30))
    gallery.warm(await a_stored(store, 30, ETH))
    await settled()

    assert [drawing[1:3] for drawing in painter.drawn[2:]] == [("price", "light")]


async def test_pictures_in_advance_are_drawn_one_after_the_other_and_only_the_newest(
    gallery, painter, store
):
    old = await a_stored(store)
    for kind in ("profile", "price"):
        await gallery.picture(old, kind, "dark", False)
    painter.may_finish.clear()

    newer = [await a_stored(store, 30 * count) for count in (1, 2, 3)]
    for snapshot in newer:
        gallery.warm(snapshot)
        await settled()
    assert painter.ids[2:] == [newer[0].id]
    painter.may_finish.set()
    await settled()

    assert painter.ids[2:] == [newer[0].id, newer[2].id, newer[2].id]


async def test_trouble_in_advance_is_nobodys(gallery, painter, store, caplog):
    await gallery.picture(await a_stored(store), "profile", "dark", False)
    painter.trouble = BotError("no chart: its process died")

    gallery.warm(make_snapshot(seconds=30))
    await settled()
    gallery.warm(await a_stored(store, 60))
    await settled()

    assert len(caplog.records) == 2


async def test_closing_ends_what_is_being_drawn(gallery, painter, store):
    painter.may_finish.clear()
    asking = asyncio.create_task(gallery.picture(await a_stored(store), "profile", "dark", False))
    await settled()

    await gallery.close()

    with pytest.raises(asyncio.CancelledError):
        await asking
