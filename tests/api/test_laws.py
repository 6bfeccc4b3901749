"""What holds for every query: sections compose, venues are recomputed, answers are one's own."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.api.schema import INCLUDES, sections
from bot.core.chain import only_venues
from bot.core.crossings import Latches
from bot.core.snapshot import recompute
from bot.ports import Record
from tests.api.serving import (
    BTC,
    CANDLES,
    CHAIN,
    ETH,
    SOL,
    VENUES,
    add_snapshot,
    make_store,
    served,
)
from tests.fakes import NOON, make_chain, make_snapshot

OF_ONE_SERVER = settings(
    max_examples=40,
    # One server takes all examples: what it keeps of one must not leak into another.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
FIELD = {"zones": "gamma_flip_zones"}  # a section that is named otherwise in the answer
SETS = ("all_expiry", "odte")
INCLUDED = st.lists(st.sampled_from(INCLUDES), unique=True, min_size=1)
CHOSEN = st.lists(st.sampled_from(VENUES), unique=True, min_size=1)


@OF_ONE_SERVER
@given(included=INCLUDED)
async def test_sections_are_those_that_were_asked_for_and_the_same_in_every_company(
    client, included
):
    whole = (await client.ask(f"/gex/levels?include={','.join(INCLUDES)}")).data
    part = (await client.ask(f"/gex/levels?include={','.join(included)}")).data

    expected = {*SETS, *(FIELD.get(word, word) for word in included)}
    assert part == {name: value for name, value in whole.items() if name in expected}
    assert list(part) == [name for name in whole if name in expected]


@OF_ONE_SERVER
@given(venues=CHOSEN, included=INCLUDED)
async def test_venues_alone_are_what_their_rows_alone_give(client, venues, included):
    query = f"exchanges={','.join(venues)}&include={','.join(included)}"
    answer = await client.ask(f"/gex/levels?{query}")

    snapshot = make_snapshot(CHAIN, BTC, candles=CANDLES)
    alone = recompute(snapshot, only_venues(CHAIN, venues), NOON)
    ordered = [word for word in INCLUDES if word in included]
    assert answer.data == msgspec.json.decode(msgspec.json.encode(sections(alone, ordered)))
    assert answer.meta["source"] == sorted(venues, key=VENUES.index)
    assert answer.meta["extra"]["net_gex"] == alone.levels.net_gex


@OF_ONE_SERVER
@given(
    symbols=st.lists(
        st.sampled_from([BTC, ETH, SOL, "HYPEUSDT", "NOPE", "btcusdt"]), min_size=1, max_size=8
    )
)
async def test_each_symbol_of_a_bundle_is_served_missing_or_invalid(client, symbols):
    data = (await client.ask(f"/multi/gex/levels?symbols={','.join(symbols)}")).data

    once = list(dict.fromkeys(symbols))
    assert data["requested"] == once
    assert sorted(data["served"] + data["missing"] + data["invalid"]) == sorted(once)
    assert list(data["results"]) == [one for one in once if one not in data["invalid"]]
    assert [one for one in once if data["results"].get(one)] == data["served"]
    for name in ("served", "missing", "invalid"):
        assert data[name] == sorted(data[name], key=once.index)


async def test_of_venues_alone_no_other_one_is_left_out():
    store = await make_store(BTC, left_out={"derive": "HTTP 503"})
    async with served(store) as client:
        whole, alone = [await client.ask(f"/gex/levels{q}") for q in ("", "?exchanges=okx")]

    found = [one.meta["extra"]["left_out"] for one in (whole, alone)]
    assert found == [{"derive": "HTTP 503"}, {}]


async def test_many_who_ask_at_once_each_get_their_own():
    """Prices tell the symbols apart; ids tell the askers apart."""
    store = await make_store()
    for symbol, spot in ((BTC, 80_000.0), (ETH, 80_500.0), (SOL, 81_000.0)):
        await add_snapshot(store, symbol, spot=spot)
    wanted = [
        (f"{symbol}-{venue}-{number}", symbol, venue)
        for number in range(6)
        for symbol in (BTC, ETH, SOL)
        for venue in VENUES
    ]
    async with served(store) as client:

        async def ask(identity, symbol, venue):
            target = f"/gex/levels?symbol={symbol}&exchanges={venue}&include=spot"
            return await client.ask(target, headers={"X-Request-ID": identity})

        found = await asyncio.gather(*(ask(*one) for one in wanted))

    prices = {BTC: 80_000.0, ETH: 80_500.0, SOL: 81_000.0}
    for (identity, symbol, venue), answer in zip(wanted, found, strict=True):
        assert answer.meta["request_id"] == identity
        assert (answer.meta["symbol"], answer.meta["source"]) == (symbol, [venue])
        assert answer.data["spot"]["spot_price"] == prices[symbol]


@pytest.mark.parametrize(
    ("days", "ages"), [(1, [0]), (2, [1, 0]), (7, [6, 1, 0]), (30, [28, 6, 1, 0])]
)
async def test_a_history_goes_back_as_many_days_as_asked_for(days, ages):
    store = await make_store()
    for age in (31, 28, 6, 1, 0):
        at = NOON - timedelta(hours=25 * age)  # a little more than so many days
        snapshot = make_snapshot(make_chain(at=at), BTC, at=at, spot=80_000.0 + age)
        await store.record(Record(BTC, at, Latches(), snapshot=snapshot))
    async with served(store) as client:
        points = (await client.ask(f"/gex/stress-history?days={days}")).data["points"]

    assert [point["spot_price"] - 80_000 for point in points] == ages
