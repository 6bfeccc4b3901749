import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from bot.errors import NotListed, SourceError
from bot.service.sources import Sources
from tests.service.builders import NOON, ScriptedSource, after, make_chain, run_virtually

LIMIT = timedelta(minutes=3)


def chain_of(venue, seconds=0, coin="BTC", rows=1):
    options = [("call", 80_000.0 + row, timedelta(days=9), 1.0, 0.5) for row in range(rows)]
    return make_chain(options, venue=venue, at=after(seconds), coin=coin)


def down(venue):
    return SourceError(venue, "HTTP 503")


def venues_of(heard):
    return [source.venue for source in heard.chain.sources]


async def test_every_venue_that_answers_is_in_the_chain():
    sources = Sources(
        [
            ScriptedSource("derive", chain_of("derive", rows=2)),
            ScriptedSource("deribit", chain_of("deribit")),
        ]
    )

    heard = await sources.hear("BTC", lambda: NOON, LIMIT)

    assert [(one.venue, one.rows) for one in heard.chain.sources] == [("deribit", 1), ("derive", 2)]
    assert (len(heard.chain), heard.left_out, heard.fresh) == (3, {}, True)


async def test_a_failing_venues_last_chain_serves_until_it_is_stale():
    sources = Sources(
        [
            ScriptedSource("deribit", *(chain_of("deribit", second) for second in (0, 180, 181))),
            ScriptedSource("okx", chain_of("okx", 0), down("okx")),
        ]
    )

    heard = [await sources.hear("BTC", lambda s=s: after(s), LIMIT) for s in (0, 180, 181)]

    assert [venues_of(one) for one in heard] == [["deribit", "okx"]] * 2 + [["deribit"]]
    assert [one.left_out for one in heard] == [{}, {}, {"okx": "HTTP 503"}]


async def test_a_venue_is_back_with_the_first_answer_after_its_recovery():
    sources = Sources(
        [
            ScriptedSource("deribit", chain_of("deribit", 600)),
            ScriptedSource("okx", down("okx"), down("okx"), chain_of("okx", 600)),
        ]
    )

    heard = [venues_of(await sources.hear("BTC", lambda: after(600), LIMIT)) for _ in range(3)]

    assert heard == [["deribit"], ["deribit"], ["deribit", "okx"]]


async def test_a_venue_that_was_never_heard_is_left_out_with_its_reason():
    sources = Sources([ScriptedSource("deribit", down("deribit"))])

    heard = await sources.hear("BTC", lambda: NOON, LIMIT)

    assert (len(heard.chain), heard.left_out, heard.fresh) == (0, {"deribit": "HTTP 503"}, False)


async def test_a_venue_that_answers_with_old_data_is_left_out_as_stale():
    sources = Sources(
        [
            ScriptedSource("deribit", chain_of("deribit", 600)),
            ScriptedSource("okx", chain_of("okx", 0)),
        ]
    )

    heard = await sources.hear("BTC", lambda: after(600), LIMIT)

    assert (venues_of(heard), heard.left_out) == (["deribit"], {"okx": "stale"})


async def test_a_venue_that_does_not_list_the_coin_is_no_outage():
    sources = Sources(
        [
            ScriptedSource("deribit", chain_of("deribit")),
            ScriptedSource("okx", NotListed("okx", "no BTC options")),
        ]
    )

    heard = await sources.hear("BTC", lambda: NOON, LIMIT)

    assert (venues_of(heard), heard.left_out) == (["deribit"], {})


async def test_a_venue_that_takes_the_coin_off_its_list_leaves_at_once():
    sources = Sources(
        [
            ScriptedSource("deribit", chain_of("deribit")),
            ScriptedSource("okx", chain_of("okx"), NotListed("okx", "no BTC options")),
        ]
    )
    await sources.hear("BTC", lambda: NOON, LIMIT)

    assert venues_of(await sources.hear("BTC", lambda: after(1), LIMIT)) == ["deribit"]


async def test_when_all_are_stale_the_old_chains_are_given_and_called_old():
    sources = Sources(
        [ScriptedSource(name, chain_of(name), down(name)) for name in ("deribit", "okx")]
    )
    await sources.hear("BTC", lambda: NOON, LIMIT)

    heard = await sources.hear("BTC", lambda: after(600), LIMIT)

    assert (venues_of(heard), heard.fresh) == (["deribit", "okx"], False)


async def test_one_coins_chain_never_serves_another():
    sources = Sources([ScriptedSource("deribit", chain_of("deribit"), down("deribit"))])
    await sources.hear("BTC", lambda: NOON, LIMIT)

    heard = await sources.hear("ETH", lambda: NOON, LIMIT)

    assert (len(heard.chain), heard.left_out) == (0, {"deribit": "HTTP 503"})


async def test_what_an_earlier_run_stored_serves_like_an_answer_until_it_is_stale():
    first = Sources([ScriptedSource(name, chain_of(name)) for name in ("deribit", "okx")])
    stored = (await first.hear("BTC", lambda: NOON, LIMIT)).chain
    answers = {"deribit": chain_of("deribit", 200), "okx": down("okx")}
    restarted = Sources([ScriptedSource(name, answer) for name, answer in answers.items()])

    restarted.recall(stored)
    heard = [await restarted.hear("BTC", lambda s=s: after(s), LIMIT) for s in (100, 200)]

    assert [venues_of(one) for one in heard] == [["deribit", "okx"], ["deribit"]]
    assert len(heard[0].chain) == 2


async def test_what_an_earlier_run_stored_keeps_its_count_of_unreadable_rows():
    stored = replace(chain_of("okx"), unreadable={"row_unreadable": 3})
    sources = Sources([ScriptedSource("okx", down("okx"))])

    sources.recall(stored)

    assert (await sources.hear("BTC", lambda: NOON, LIMIT)).chain.unreadable == {
        "row_unreadable": 3
    }


async def test_a_venue_that_was_switched_off_before_the_restart_is_not_missed():
    sources = Sources([ScriptedSource("deribit", chain_of("deribit", 600))])

    sources.recall(chain_of("okx"))

    assert (await sources.hear("BTC", lambda: after(600), LIMIT)).left_out == {}


async def test_a_chain_without_rows_leaves_the_venue_out():
    sources = Sources(
        [
            ScriptedSource("deribit", chain_of("deribit")),
            ScriptedSource("okx", chain_of("okx", rows=0)),
        ]
    )

    assert venues_of(await sources.hear("BTC", lambda: NOON, LIMIT)) == ["deribit"]


class SlowSource:
    """Answers when it is told to."""

    def __init__(self, name):
        self.name = name
        self.asked = 0
        self.answers = asyncio.Queue()

    async def fetch_chain(self, underlying):
        self.asked += 1
        return await self.answers.get()


def test_a_venue_heard_a_moment_ago_is_not_waited_for_and_serves_the_next_cycle():
    async def scenario():
        slow = SlowSource("okx")
        sources = Sources([ScriptedSource("deribit", chain_of("deribit", 30)), slow])
        slow.answers.put_nowait(chain_of("okx", 0))
        await sources.hear("BTC", lambda: NOON, LIMIT)
        began = asyncio.get_running_loop().time()
        without = await sources.hear("BTC", lambda: after(30), LIMIT)
        waited = asyncio.get_running_loop().time() - began
        slow.answers.put_nowait(chain_of("okx", 31))
        await asyncio.sleep(1)
        slow.answers.put_nowait(chain_of("okx", 32))
        then = await sources.hear("BTC", lambda: after(60), LIMIT)
        return waited, without, then, slow.asked

    waited, without, then, asked = run_virtually(scenario())

    assert waited < 1
    assert [source.at for source in without.chain.sources] == [after(30), NOON]
    assert [source.at for source in then.chain.sources] == [after(30), after(32)]
    assert asked == 3


def test_a_venue_that_hangs_is_asked_once_and_given_up_for_the_cycle():
    async def scenario():
        hanging = SlowSource("okx")
        sources = Sources([ScriptedSource("deribit", chain_of("deribit")), hanging])
        heard = [await sources.hear("BTC", lambda: NOON, LIMIT) for _ in range(3)]
        return asyncio.get_running_loop().time(), heard, hanging.asked

    waited, heard, asked = run_virtually(scenario())

    assert waited < 20
    assert [venues_of(one) for one in heard] == [["deribit"]] * 3
    assert heard[-1].left_out == {"okx": "no answer yet"}
    assert asked == 1


async def test_a_bug_in_an_adapter_is_not_swallowed():
    class Broken(ScriptedSource):
        async def fetch_chain(self, underlying):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Sources([Broken("okx")]).hear("BTC", lambda: NOON, LIMIT)


class Counting(ScriptedSource):
    """Counts how often it was asked."""

    def __init__(self, *answers):
        super().__init__("okx", *answers)
        self.asked = 0

    async def fetch_chain(self, underlying):
        self.asked += 1
        return await super().fetch_chain(underlying)


UNLISTED = NotListed("okx", "no BTC options")


async def test_a_coin_that_is_not_listed_is_looked_for_ever_more_rarely_up_to_hourly():
    venue = Counting(UNLISTED)
    sources = Sources([venue], live=True)
    asked_at = []

    for minute in range(60 * 4):
        before = venue.asked
        await sources.hear("BTC", lambda m=minute: after(60 * m), LIMIT)
        asked_at += [minute] * (venue.asked - before)

    assert asked_at == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert sources.unlisted() == {"okx": ["BTC"]}


async def test_a_coin_that_becomes_listed_is_found():
    sources = Sources([Counting(UNLISTED, chain_of("okx", 60))], live=True)
    await sources.hear("BTC", lambda: NOON, LIMIT)

    heard = await sources.hear("BTC", lambda: after(60), LIMIT)

    assert venues_of(heard) == ["okx"]
    assert sources.unlisted() == {}


async def test_a_coin_that_was_listed_a_moment_ago_is_asked_for_at_every_turn_and_missed():
    venue = Counting(chain_of("okx"), UNLISTED)
    sources = Sources([ScriptedSource("deribit", chain_of("deribit")), venue], live=True)

    heard = [await sources.hear("BTC", lambda: NOON, LIMIT) for _ in range(3)]

    assert venue.asked == 3
    assert heard[-1].left_out == {"okx": "no BTC options"}


async def test_an_outage_does_not_hide_that_a_coin_is_not_listed():
    sources = Sources([Counting(down("okx"), UNLISTED)], live=True)
    await sources.hear("BTC", lambda: NOON, LIMIT)

    assert (await sources.hear("BTC", lambda: after(30), LIMIT)).left_out == {}


async def test_rows_older_than_the_limit_are_left_out_and_counted():
    chain = chain_of("okx", 600, rows=3)
    chain.at[0] = chain.at[0] - 181_000
    sources = Sources([ScriptedSource("okx", chain)])

    heard = await sources.hear("BTC", lambda: after(600), LIMIT)

    assert (len(heard.chain), heard.chain.sources[0].rows) == (2, 2)
    assert heard.chain.unreadable == {"row_stale": 1}


async def test_a_venue_frozen_while_another_moves_is_left_out_with_since_when():
    def chain(venue, seconds, index):
        return make_chain(venue=venue, at=after(seconds), index=index)

    turns = range(0, 210, 30)
    sources = Sources(
        [
            ScriptedSource("deribit", *(chain("deribit", s, 80_000.0 + s) for s in turns)),
            ScriptedSource("okx", *(chain("okx", s, 80_000.0) for s in turns)),
        ]
    )

    heard = [await sources.hear("BTC", lambda s=s: after(s), LIMIT) for s in turns]
    later = await sources.hear("BTC", lambda: after(210), LIMIT)

    assert all(venues_of(one) == ["deribit", "okx"] for one in heard)
    assert venues_of(later) == ["deribit"]
    assert later.left_out == {"okx": "frozen since 12:00:00 UTC"}


async def test_trouble_is_logged_when_it_begins_and_when_it_ends(caplog):
    caplog.set_level(logging.INFO)
    sources = Sources([ScriptedSource("okx", *[down("okx")] * 5, chain_of("okx"))])

    for _ in range(7):
        await sources.hear("BTC", lambda: NOON, LIMIT)

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def expiries_of(*days, at=0):
    options = [("call", 80_000.0, timedelta(days=day), 1.0, 0.5) for day in days]
    return make_chain(options, venue="okx", at=after(at))


async def hear_in_turn(sources, *seconds):
    return [await sources.hear("BTC", lambda s=s: after(s), LIMIT) for s in seconds]


async def test_a_chain_that_lost_an_expiry_is_no_whole_chain():
    answers = [expiries_of(1, 30), expiries_of(1, at=30), expiries_of(1, 30, at=60)]
    sources = Sources([ScriptedSource("okx", *answers)], live=True)

    heard = await hear_in_turn(sources, 0, 30, 60)

    assert [len(one.chain) for one in heard] == [2, 2, 2]
    assert [one.chain.sources[0].at for one in heard] == [NOON, NOON, after(60)]


async def test_an_expiry_that_stays_away_is_gone_once_the_venue_was_left_out_for_it():
    answers = [expiries_of(1, 30), *(expiries_of(1, at=second) for second in (100, 200, 300))]
    sources = Sources([ScriptedSource("okx", *answers)], live=True)

    heard = await hear_in_turn(sources, 0, 100, 200, 300)

    assert [len(one.chain) for one in heard] == [2, 2, 2, 1]
    assert [one.fresh for one in heard] == [True, True, False, True]


async def test_an_expiry_whose_time_has_come_is_not_missed():
    day = 24 * 3_600
    answers = [expiries_of(1, 30, at=day - 30), expiries_of(30, at=day)]
    sources = Sources([ScriptedSource("okx", *answers)], live=True)

    heard = await hear_in_turn(sources, day - 30, day)

    assert [len(one.chain) for one in heard] == [2, 1]
    assert heard[1].left_out == {}


async def test_a_recording_is_taken_at_its_word():
    answers = [expiries_of(1, 30), expiries_of(1, at=30)]

    heard = await hear_in_turn(Sources([ScriptedSource("okx", *answers)]), 0, 30)

    assert [len(one.chain) for one in heard] == [2, 1]


HALVES = {
    "5 of 10 rows": lambda chain: chain.take(np.arange(10) < 5),
    "0 of 10 IVs": lambda chain: replace(chain, iv=np.full(10, np.nan)),
    "4 of 10 open interests": lambda chain: replace(
        chain, oi=np.where(np.arange(10) < 4, chain.oi, np.nan)
    ),
}


@pytest.mark.parametrize("reason", HALVES)
async def test_a_chain_that_lost_much_of_itself_is_no_whole_chain(reason):
    half = HALVES[reason](chain_of("okx", 100, rows=10))
    answers = [chain_of("okx", rows=10), half, half, chain_of("okx", 190, rows=10)]
    deribit = ScriptedSource("deribit", *(chain_of("deribit", s) for s in (0, 100, 170, 190)))
    sources = Sources([deribit, ScriptedSource("okx", *answers)], live=True)

    heard = await hear_in_turn(sources, 0, 100, 170, 190)

    assert [len(one.chain) for one in heard] == [11] * 4
    assert heard[-1].chain.sources[1].at == after(190)


async def test_why_a_chain_is_not_whole_is_told_once_the_last_one_is_old():
    answers = [chain_of("okx", rows=10), chain_of("okx", 170, rows=5)]
    slow = ScriptedSource("okx", *answers, down("okx"))
    fresh = ScriptedSource("deribit", *(chain_of("deribit", s) for s in (0, 170, 181)))

    heard = await hear_in_turn(Sources([fresh, slow], live=True), 0, 170, 181)

    assert heard[-1].left_out == {"okx": "HTTP 503"}
    assert venues_of(heard[1]) == ["deribit", "okx"]


async def test_what_an_earlier_run_stored_is_no_measure_of_what_a_venue_has_now():
    lesser = chain_of("okx", 10, rows=3)
    sources = Sources([ScriptedSource("okx", lesser)], live=True)
    sources.recall(chain_of("okx", rows=10))

    heard = await sources.hear("BTC", lambda: after(10), LIMIT)

    assert len(heard.chain) == 3
