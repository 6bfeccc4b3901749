from dataclasses import replace
from datetime import timedelta

from bot.errors import NotListed, SourceError
from bot.service.sources import Sources
from tests.service.builders import NOON, ScriptedSource, after, make_chain

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
