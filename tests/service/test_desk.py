import asyncio
from datetime import timedelta

import pytest

from bot.errors import StoreError
from bot.service.desk import Desk
from bot.service.rulebook import Rulebook
from bot.store.memory import MemoryStore
from tests.service.builders import (
    BTC,
    LATE_AFTER,
    STALE_AFTER,
    TARGET,
    FragileStore,
    after,
    events_of,
    journal_of,
    make_book,
    make_chain,
    make_rule,
    make_snapshot,
    make_tick,
    open_desk,
)

HVL_RULE = "btc hvl cross any cooldown 0s"


async def show(desk, spot, seconds=0.0, **wanted):
    await desk.show(make_snapshot(spot, seconds, **wanted), make_chain(at=after(seconds)))


async def shown_desk(store, *rules, spot=79_000.0, **options):
    """A desk that shows an HVL at 80,000 and knows on which side spot is."""
    desk = await open_desk(store, *rules, **options)
    await desk.judge(make_tick(spot))
    await show(desk, spot, hvl=80_000.0)
    await desk.judge(make_tick(spot, 1))
    return desk


async def rings_of(store):
    return [alert["text"] for alert in await events_of(store, "alert")]


async def crossings_of(store):
    found = await events_of(store, "crossing")
    return [(event["level"], event["direction"], event["late"]) for event in found]


async def test_a_crossing_is_stored_with_its_alert_after_the_snapshot_it_was_judged_by():
    store = MemoryStore()
    desk = await shown_desk(store, HVL_RULE)

    stored = await desk.judge(make_tick(80_100.0, 2))

    kinds = [e.body["event"] if e.body else "snapshot" for e in await journal_of(store)]
    (crossing,) = await events_of(store, "crossing")
    assert stored
    assert kinds == ["snapshot", "crossing", "alert"]
    assert crossing["snapshot"] == desk.snapshot.id


async def test_a_tick_that_changes_nothing_is_not_written():
    store = MemoryStore()
    desk = await shown_desk(store)

    assert not await desk.judge(make_tick(79_001.0, 2))
    assert desk.tick == make_tick(79_001.0, 2)


async def test_a_tick_before_the_first_snapshot_is_kept_as_the_spot_and_judged_by_nothing():
    store = MemoryStore()
    desk = await open_desk(store, "btc 80000 cross any")

    stored = [await desk.judge(make_tick(spot)) for spot in (79_000.0, 81_000.0)]

    assert stored == [False, False]
    assert desk.tick == make_tick(81_000.0)


async def test_spot_is_judged_by_the_levels_last_shown():
    store = MemoryStore()
    desk = await shown_desk(store, HVL_RULE)

    await show(desk, 79_000.0, 30, hvl=80_500.0)
    await desk.judge(make_tick(80_100.0, 31))
    await desk.judge(make_tick(80_600.0, 32))

    (crossing,) = await events_of(store, "crossing")
    assert crossing["price"] == 80_500.0


async def test_a_level_that_jumps_over_a_still_spot_is_a_move_and_rings_no_crossing():
    store = MemoryStore()
    desk = await shown_desk(store)

    await show(desk, 79_000.0, 30, hvl=78_000.0)
    await desk.judge(make_tick(79_000.0, 31))

    assert [event["event"] for event in await events_of(store)] == ["moved", "alert"]


async def test_a_wall_that_re_forms_beyond_the_spot_that_crossed_it_says_so():
    store = MemoryStore()
    desk = await open_desk(store)
    chain = make_book(call_wall=82_500.0, lefts=(timedelta(days=30),))
    await desk.show(make_snapshot(82_000.0, 0, call_resistance=82_500.0), chain)
    await desk.judge(make_tick(82_000.0, 1))
    await desk.judge(make_tick(82_600.0, 2))

    await desk.show(make_snapshot(82_600.0, 30, call_resistance=85_000.0), chain)

    (moved,) = await events_of(store, "moved")
    assert moved["cause"]["reformed"] is True
    assert await crossings_of(store) == [("call_resistance", "up", False)]
    assert "re-formed beyond the spot that crossed it" in (await rings_of(store))[-1]


async def test_a_change_of_regime_rings_when_a_rule_asks_for_it():
    store = MemoryStore()
    desk = await open_desk(store, "btc regime")

    for seconds, regime in ((0, "negative"), (30, "negative"), (60, "positive")):
        await show(desk, 80_000.0, seconds, regime=regime)

    assert [event["event"] for event in await events_of(store)] == ["regime", "alert"]


async def test_a_buffer_of_ones_own_rings_without_being_a_fact_of_the_symbol():
    store = MemoryStore()
    desk = await shown_desk(store, "btc hvl cross any buffer 1%", "btc 80500 cross any")

    await desk.judge(make_tick(80_100.0, 2))
    await desk.judge(make_tick(80_900.0, 3))

    assert await crossings_of(store) == [("hvl", "up", False)]
    texts = await rings_of(store)
    assert len(texts) == 2
    assert "your price $80,500" in texts[1]


async def test_the_default_pack_rings_where_nobody_wrote_a_rule():
    store = MemoryStore()
    desk = await shown_desk(store)

    await desk.judge(make_tick(80_100.0, 2))

    (alert,) = await events_of(store, "alert")
    assert (alert["rule"], alert["target"]) == ("default: btc hvl cross any", TARGET)


@pytest.mark.parametrize("rule", ["btc regime", "eth hvl cross any"])
async def test_the_default_pack_is_silent_as_soon_as_anybody_wrote_a_rule(rule):
    store = MemoryStore()
    desk = await shown_desk(store, rule)

    await desk.judge(make_tick(80_100.0, 2))

    assert await crossings_of(store) == [("hvl", "up", False)]
    assert await rings_of(store) == []


async def test_without_a_target_nothing_rings_by_default():
    store = MemoryStore()
    desk = await shown_desk(store, default_target=None)

    await desk.judge(make_tick(80_100.0, 2))

    assert await rings_of(store) == []


async def test_a_rule_that_was_just_made_does_not_ring_for_the_past():
    store = MemoryStore()
    rulebook = Rulebook(store, TARGET)
    await rulebook.reload()
    desk = Desk(BTC, store, rulebook, STALE_AFTER, LATE_AFTER)
    await show(desk, 79_000.0, hvl=80_000.0)
    await desk.judge(make_tick(79_000.0, 1))
    await desk.judge(make_tick(80_100.0, 2))

    await store.add_rule(make_rule("btc hvl cross any"))
    await store.add_rule(make_rule("btc 79500 cross any"))
    await rulebook.reload()
    await desk.judge(make_tick(80_200.0, 3))

    assert {alert["rule"] for alert in await events_of(store, "alert")} == {
        "default: btc hvl cross any"
    }


class TestARuleMadeBetweenTicks:
    """It knows its side before the next tick, so that the plug may be pulled at once."""

    async def test_rings_for_what_spot_passed_while_the_program_was_down(self):
        store, rulebook, desk = await self.made_between_ticks()

        await desk.take_sides(after(2))
        again = Desk(BTC, store, rulebook, STALE_AFTER, LATE_AFTER)
        await again.open()
        await again.judge(make_tick(79_300.0, 10))

        assert await rings_of(store)
        assert await crossings_of(store) == []  # of a level: the price is the rule's own

    async def test_takes_no_side_by_a_price_that_is_long_past(self):
        store, _, desk = await self.made_between_ticks()

        await desk.take_sides(after(2) + STALE_AFTER)
        await desk.judge(make_tick(79_300.0, 600))

        assert await rings_of(store) == []

    async def test_takes_no_side_by_a_price_of_before_a_restart(self):
        store, rulebook, _ = await self.made_between_ticks()
        again = Desk(BTC, store, rulebook, STALE_AFTER, LATE_AFTER)
        await again.open()

        await again.take_sides(after(10))
        await again.judge(make_tick(79_300.0, 10))

        assert await rings_of(store) == []

    async def test_writes_nothing_when_all_sides_are_known(self):
        store, _, desk = await self.made_between_ticks()
        await desk.take_sides(after(2))
        before = await store.latches(BTC)

        await desk.take_sides(after(3))

        assert await store.latches(BTC) is before

    async def made_between_ticks(self):
        """A desk that saw spot at 79,000, and then a rule for 79,200."""
        store = MemoryStore()
        rulebook = Rulebook(store, None)
        desk = Desk(BTC, store, rulebook, STALE_AFTER, LATE_AFTER)
        await desk.open()
        await desk.judge(make_tick(79_000.0))
        await show(desk, 79_000.0, hvl=80_000.0)
        await desk.judge(make_tick(79_000.0, 1))
        await store.add_rule(make_rule("btc 79200 cross any"))
        await rulebook.reload()
        return store, rulebook, desk


async def test_a_whole_day_of_wicks_rings_as_often_as_the_cooldown_allows():
    store = MemoryStore()
    desk = await shown_desk(store, "btc hvl cross any cooldown 10m", stale_after=timedelta(days=1))

    for second in range(2, 3_602):
        await desk.judge(make_tick((80_100.0, 79_900.0)[second % 2], second))

    assert len(await rings_of(store)) == 6


class TestTheStoreRefuses:
    async def test_a_crossing_that_was_not_written_is_rung_after_all_and_once(self):
        store = FragileStore(StoreError)
        desk = await shown_desk(store, HVL_RULE)
        store.refusals = 1

        with pytest.raises(StoreError):
            await desk.judge(make_tick(80_100.0, 2))
        for second in (3, 4):
            await desk.judge(make_tick(80_100.0, second))

        assert await crossings_of(store) == [("hvl", "up", False)]
        assert len(await rings_of(store)) == 1

    async def test_an_alert_that_was_not_written_does_not_start_its_cooldown(self):
        store = FragileStore(StoreError)
        desk = await shown_desk(store, "btc hvl cross any once")
        store.refusals = 1

        with pytest.raises(StoreError):
            await desk.judge(make_tick(80_100.0, 2))
        await desk.judge(make_tick(80_100.0, 3))

        assert len(await rings_of(store)) == 1

    async def test_a_snapshot_that_was_not_written_is_not_on_view(self):
        store = FragileStore(StoreError)
        desk = await shown_desk(store)
        before = desk.snapshot, desk.chain
        store.refusals = 1

        with pytest.raises(StoreError):
            await show(desk, 79_000.0, 30, hvl=78_000.0)

        assert (desk.snapshot, desk.chain) == before
        assert await events_of(store) == []

    async def test_a_move_that_was_not_written_is_reported_by_the_next_snapshot(self):
        store = FragileStore(StoreError)
        desk = await shown_desk(store)
        store.refusals = 1

        with pytest.raises(StoreError):
            await show(desk, 79_000.0, 30, hvl=78_000.0)
        await show(desk, 79_000.0, 60, hvl=78_000.0)
        await show(desk, 79_000.0, 90, hvl=78_000.0)

        assert len(await events_of(store, "moved")) == 1

    async def test_staleness_that_was_not_written_is_reported_by_the_next_look(self):
        store = FragileStore(StoreError)
        desk = await shown_desk(store)
        store.refusals = 1

        with pytest.raises(StoreError):
            await desk.age(after(500))
        for seconds in (501, 502):
            await desk.age(after(seconds))

        assert len(await events_of(store, "stale")) == 1

    async def test_a_snapshot_in_between_does_not_swallow_what_was_not_written(self):
        store = FragileStore(StoreError)
        desk = await shown_desk(store, HVL_RULE)
        store.refusals = 1

        with pytest.raises(StoreError):
            await desk.judge(make_tick(80_100.0, 2))
        await show(desk, 80_100.0, 30, hvl=80_000.0)
        await desk.judge(make_tick(80_100.0, 31))

        assert await crossings_of(store) == [("hvl", "up", False)]

    async def test_a_late_crossing_that_was_not_written_is_still_late_at_the_next_tick(self):
        store = FragileStore(StoreError)
        await shown_desk(store, HVL_RULE)
        desk = await open_desk(store)
        store.refusals = 1

        with pytest.raises(StoreError):
            await desk.judge(make_tick(80_100.0, 3_600))
        await desk.judge(make_tick(80_100.0, 3_601))

        assert await crossings_of(store) == [("hvl", "up", True)]


class TestARestart:
    @pytest.mark.parametrize("pause", [1, 100, 100_000])
    async def test_repeats_nothing(self, pause):
        store = MemoryStore()
        desk = await shown_desk(store, HVL_RULE)
        await desk.judge(make_tick(80_100.0, 2))

        restarted = await open_desk(store)
        await restarted.judge(make_tick(80_100.0, 2 + pause))
        await show(restarted, 80_100.0, 3 + pause, hvl=80_000.0)
        await restarted.judge(make_tick(80_100.0, 4 + pause))

        assert len(await crossings_of(store)) == 1
        assert len(await rings_of(store)) == 1

    @pytest.mark.parametrize(
        ("pause", "late"), [(1, False), (119, False), (120, True), (9_999, True)]
    )
    async def test_swallows_nothing_and_says_what_is_late(self, pause, late):
        store = MemoryStore()
        await shown_desk(store, HVL_RULE)

        restarted = await open_desk(store)
        await restarted.judge(make_tick(80_100.0, pause + 1))
        await restarted.judge(make_tick(80_100.0, pause + 2))

        assert await crossings_of(store) == [("hvl", "up", late)]
        (text,) = await rings_of(store)
        assert ("LATE" in text) is late

    async def test_does_not_report_what_went_and_came_back_in_between(self):
        store = MemoryStore()
        await shown_desk(store, HVL_RULE)

        restarted = await open_desk(store)
        await restarted.judge(make_tick(79_500.0, 9_999))

        assert await events_of(store, "crossing", "alert") == []

    async def test_makes_only_the_first_tick_late(self):
        store = MemoryStore()
        await shown_desk(store, HVL_RULE)

        restarted = await open_desk(store)
        await restarted.judge(make_tick(80_100.0, 9_999))
        await show(restarted, 80_100.0, 10_000, hvl=80_000.0)
        await restarted.judge(make_tick(79_900.0, 10_001))

        assert await crossings_of(store) == [("hvl", "up", True), ("hvl", "down", False)]

    async def test_of_a_replay_is_no_pause_of_the_market(self):
        store = MemoryStore()
        await shown_desk(store, HVL_RULE, stale_after=timedelta(days=1))

        restarted = await open_desk(store, late_after=None, stale_after=timedelta(days=1))
        await restarted.judge(make_tick(80_100.0, 9_999))

        assert await crossings_of(store) == [("hvl", "up", False)]

    @pytest.mark.parametrize("option", ["once", "cooldown 1h"])
    async def test_forgets_neither_how_often_nor_when_a_rule_rang(self, option):
        store = MemoryStore()
        desk = await shown_desk(store, f"btc hvl cross any {option}")
        await desk.judge(make_tick(80_100.0, 2))

        restarted = await open_desk(store)
        await restarted.judge(make_tick(79_900.0, 3))
        await restarted.judge(make_tick(80_100.0, 4))

        assert len(await crossings_of(store)) == 3
        assert len(await rings_of(store)) == 1

    async def test_goes_on_with_moves_and_regime_where_it_was(self):
        store = MemoryStore()
        desk = await open_desk(store)
        await show(desk, 79_000.0, 0, hvl=80_000.0, regime="negative")

        restarted = await open_desk(store)
        await show(restarted, 79_000.0, 30, hvl=82_000.0, regime="positive")

        (moved,) = await events_of(store, "moved")
        (regime,) = await events_of(store, "regime")
        assert (moved["from"], moved["to"]) == (80_000.0, 82_000.0)
        assert (regime["from"], regime["to"]) == ("negative", "positive")

    async def test_explains_a_move_by_the_chain_it_stored(self):
        store = MemoryStore()
        desk = await open_desk(store)
        first, second = make_book(call_wall=85_000.0), make_book(call_wall=87_500.0)
        await desk.show(make_snapshot(80_000.0, 0, call_resistance=85_000.0), first)

        restarted = await open_desk(store)
        await restarted.show(make_snapshot(80_000.0, 30, call_resistance=87_500.0), second)

        (moved,) = await events_of(store, "moved")
        assert {c for c, part in moved["cause"].items() if part} == {"open_interest"}

    async def test_takes_up_the_newest_tick_of_the_replay_before_it(self):
        store = MemoryStore()
        await shown_desk(store)

        restarted = await open_desk(store, late_after=None)
        restarted.recall(make_tick(79_500.0, 20))
        await restarted.judge(make_tick(80_100.0, 21))

        (crossing,) = await events_of(store, "crossing")
        assert crossing["previous_spot"] == 79_500.0

    async def test_swallows_nothing_when_the_first_snapshot_comes_before_the_first_tick(self):
        store = MemoryStore()
        await shown_desk(store, HVL_RULE)

        restarted = await open_desk(store)
        await show(restarted, 80_100.0, 9_998, hvl=80_000.0)
        await restarted.judge(make_tick(80_100.0, 9_999))

        assert [way for _, way, _ in await crossings_of(store)] == ["up"]

    async def test_swallows_nothing_when_the_run_before_ended_in_its_first_cycle(self):
        store = MemoryStore()
        desk = await open_desk(store, HVL_RULE)
        await show(desk, 79_000.0, hvl=80_000.0)
        await desk.judge(make_tick(79_000.0, 1))

        restarted = await open_desk(store)
        await restarted.judge(make_tick(80_100.0, 9_999))

        assert await crossings_of(store) == [("hvl", "up", True)]

    async def test_swallows_nothing_when_data_grows_stale_sooner_than_a_tick_is_late(self):
        store, limit = MemoryStore(), timedelta(seconds=60)
        await shown_desk(store, HVL_RULE, stale_after=limit)

        restarted = await open_desk(store, stale_after=limit)
        await restarted.judge(make_tick(80_100.0, 91))
        await show(restarted, 80_100.0, 92, hvl=80_000.0)
        await restarted.judge(make_tick(80_100.0, 93))

        assert [way for _, way, _ in await crossings_of(store)] == ["up"]


async def test_what_crossed_while_no_tick_came_is_late():
    store = MemoryStore()
    desk = await shown_desk(store, HVL_RULE)
    await show(desk, 79_000.0, 120, hvl=80_000.0)

    await desk.judge(make_tick(80_100.0, 130))
    await desk.judge(make_tick(79_900.0, 131))

    assert await crossings_of(store) == [("hvl", "up", True), ("hvl", "down", False)]


class TestStaleData:
    async def test_never_rings_a_crossing(self):
        store = MemoryStore()
        desk = await shown_desk(store, HVL_RULE, "btc 79500 cross any")

        for second, spot in enumerate((80_100.0, 79_000.0, 80_100.0), 181):
            await desk.judge(make_tick(spot, second))

        assert [event["event"] for event in await events_of(store)] == ["stale"]

    async def test_is_reported_once_by_whoever_sees_it_first_and_once_when_it_is_over(self):
        store = MemoryStore()
        desk = await shown_desk(store)

        await desk.judge(make_tick(79_000.0, 180))
        await desk.age(after(181))
        await desk.judge(make_tick(79_000.0, 182))
        await desk.age(after(183))
        await show(desk, 79_000.0, 200, hvl=80_000.0)
        await desk.judge(make_tick(79_000.0, 201))

        events = await events_of(store)
        assert [(event["event"], event["at"]) for event in events] == [
            ("stale", after(181)),
            ("fresh", after(200)),
        ]

    async def test_is_still_known_to_be_stale_after_a_restart(self):
        store = MemoryStore()
        desk = await shown_desk(store)
        await desk.age(after(200))

        restarted = await open_desk(store)
        await restarted.age(after(300))

        assert len(await events_of(store)) == 1

    async def test_is_as_old_as_the_newest_venue_in_it(self):
        store = MemoryStore()
        desk = await open_desk(store)

        await show(desk, 79_000.0, 100, heard={"deribit": 100, "okx": 0})
        turns = [await desk.age(after(seconds)) for seconds in (181, 281)]

        (event,) = await events_of(store)
        assert turns == [False, True]
        assert (event["event"], event["data_at"]) == ("stale", after(100))

    async def test_rings_again_as_soon_as_it_is_fresh(self):
        store = MemoryStore()
        desk = await shown_desk(store, HVL_RULE)
        for second in (100, 200):
            await desk.judge(make_tick(79_000.0, second))

        await show(desk, 79_000.0, 210, hvl=80_000.0)
        await desk.judge(make_tick(80_100.0, 211))

        assert await crossings_of(store) == [("hvl", "up", False)]

    async def test_calls_late_what_crossed_while_the_machine_slept(self):
        store = MemoryStore()
        desk = await shown_desk(store, HVL_RULE)

        await desk.judge(make_tick(80_100.0, 7_200))  # finds the data stale
        await show(desk, 80_100.0, 7_201, hvl=80_000.0)
        await desk.judge(make_tick(80_100.0, 7_202))

        assert await crossings_of(store) == [("hvl", "up", True)]

    async def test_loses_no_crossing_of_a_level_that_stands_where_it_stood_before(self):
        store = MemoryStore()
        desk = await shown_desk(store, HVL_RULE)
        await desk.judge(make_tick(80_100.0, 200))

        await show(desk, 80_100.0, 210, hvl=80_000.0)
        await desk.judge(make_tick(80_100.0, 211))

        assert [way for _, way, _ in await crossings_of(store)] == ["up"]


class TestTheRulebook:
    async def test_knows_the_rules_of_each_symbol(self):
        store = MemoryStore()
        for line in ("btc hvl cross", "eth hvl cross", "btc regime"):
            await store.add_rule(make_rule(line))
        rulebook = Rulebook(store, TARGET)

        await rulebook.reload()

        rules = [rule.id for rules in rulebook.topics(BTC).values() for rule in rules]
        assert sorted(rules) == ["1", "3"]
        assert not rulebook.topics("SOLUSDT")

    async def test_watches_what_was_added_and_no_longer_what_was_deleted(self):
        store = MemoryStore()
        rulebook = Rulebook(store, TARGET)
        found = []
        for change in (
            store.add_rule(make_rule("btc 70000 cross")),
            store.add_rule(make_rule("btc 71000 cross")),
            store.delete_rule("1", TARGET),
        ):
            await change
            await rulebook.reload()
            found.append(rulebook.watches(BTC).prices)

        assert found == [{70_000.0}, {70_000.0, 71_000.0}, {71_000.0}]

    async def test_goes_back_to_the_default_pack_with_the_last_rule(self):
        store = MemoryStore()
        rule = await store.add_rule(make_rule("btc regime"))
        rulebook = Rulebook(store, TARGET)
        await rulebook.reload()

        await store.delete_rule(rule.id, TARGET)
        await rulebook.reload()

        assert sum(len(rules) for rules in rulebook.topics(BTC).values()) == 11

    async def test_remembers_a_ring_that_happens_while_it_is_read_again(self):
        class SlowStore(MemoryStore):
            gate = asyncio.Event()
            asked = asyncio.Event()

            async def rule_states(self):
                states = await super().rule_states()
                self.asked.set()
                await self.gate.wait()
                return states

        store = SlowStore()
        store.gate.set()
        await store.add_rule(make_rule("btc hvl cross any once"))
        rulebook = Rulebook(store, TARGET)
        await rulebook.reload()
        desk = Desk(BTC, store, rulebook, STALE_AFTER, LATE_AFTER)
        await show(desk, 79_000.0, hvl=80_000.0)
        await desk.judge(make_tick(79_000.0, 1))
        store.gate.clear()
        store.asked.clear()
        reloading = asyncio.create_task(rulebook.reload())
        await store.asked.wait()

        await desk.judge(make_tick(80_100.0, 2))
        store.gate.set()
        await reloading
        await desk.judge(make_tick(79_900.0, 3))

        assert len(await rings_of(store)) == 1


async def test_how_far_a_replay_is_is_stored_with_what_it_changed():
    store = MemoryStore()
    desk = await open_desk(store)

    await desk.show(make_snapshot(79_000.0, hvl=80_000.0), make_chain(), "first")
    await desk.judge(make_tick(79_000.0, 1), "second")
    await desk.judge(make_tick(79_001.0, 2), "third")

    assert await store.position() == "first"
    await desk.judge(make_tick(80_100.0, 3), "fourth")
    assert await store.position() == "fourth"
