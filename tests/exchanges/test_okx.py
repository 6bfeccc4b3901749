import asyncio
import contextlib
import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.gex import exposure, live_rows
from bot.core.snapshot import Candle, Tick, compute_levels
from bot.errors import NotListed, SourceError
from bot.exchanges.feed import NOTHING
from bot.exchanges.okx import (
    TERMS,
    Okx,
    OkxFeed,
    parse_candles,
    parse_families,
    parse_index,
    parse_instruments,
    parse_interest,
    parse_mark,
    parse_summary,
    read_name,
)
from tests.exchanges.okx_wire import (
    CANDLES,
    INDEX,
    INSTRUMENTS,
    INTEREST,
    INVERSE,
    LINEAR,
    MARK,
    SUMMARY,
    TICK_BANDS,
    body_of,
    candle,
    families,
    index,
    instrument,
    interest,
    mark,
    push,
    refusal,
    summary,
    venue_wire,
)
from tests.exchanges.test_any_body import ANYTHING, DEEP, bodies
from tests.exchanges.wires import AT_MS, NOW, NOW_MS, as_body
from tests.shared import WIRE, needs_shared

AT = datetime.fromtimestamp(AT_MS / 1_000, UTC)
KEEP = timedelta(minutes=10)
MARCH_27 = 1_774_598_400_000
HALF_HOUR_MS = 1_800_000
NO_NUMBERS = [None, "", "none", ..., True, [], {}, "1_0"]
NO_PRICES = [*NO_NUMBERS, "0", "-1.5", "nan", "inf", "1e16", 10**400]
NO_STAMPS = [str(NOW_MS + 60_000), str(NOW_MS * 1_000), None, "", ..., "0", "-5", "soon", {}, "nan"]
ONE_FAMILY = {TICK_BANDS: families("BTC-USD")}


class Clock:
    def __init__(self):
        self.time = NOW

    def now(self):
        return self.time


def okx(answers=None, now=lambda: NOW, keep=KEEP):
    """OKX with these answers, and its wire."""
    wire = venue_wire(answers)
    return Okx(wire, now, keep), wire


async def chain_of(answers=None, coin="BTC"):
    return await okx(answers)[0].fetch_chain(coin)


async def one_family(**answers):
    """The chain of BTC-USD alone."""
    paths = {"summaries": SUMMARY, "interests": INTEREST, "instruments": INSTRUMENTS}
    return await chain_of(
        ONE_FAMILY | {paths[name]: body_of(*rows) for name, rows in answers.items()}
    )


def asked_of(wire, path):
    return [params for _, asked, params in wire.asked if asked == path]


# Names.


@pytest.mark.parametrize(
    ("name", "family", "day", "strike", "is_call"),
    [
        ("SOL-USD_UM-261007-114-C", "SOL-USD_UM", (2026, 10, 7), 114.0, True),
        ("BTC-USD-220309-33000-P", "BTC-USD", (2022, 3, 9), 33_000.0, False),
        ("XRP-USD_UM-261030-0.85-P", "XRP-USD_UM", (2026, 10, 30), 0.85, False),
        ("ETH-USD-280229-2500-C", "ETH-USD", (2028, 2, 29), 2_500.0, True),
    ],
)
def test_a_name_says_family_strike_expiry_and_side(name, family, day, strike, is_call):
    expiry = int(datetime(*day, 8, tzinfo=UTC).timestamp() * 1_000)

    assert read_name(name)[:4] == (family, expiry, strike, is_call)


NO_OPTIONS = [
    "BTC-USDT-SWAP",
    "BTC-USD-260327",
    "BTC-USDT-260327-80000-C",
    "BTC-USD_UX-260327-80000-C",
    "BTC-USD-260230-80000-C",
    "BTC-USD-261327-80000-C",
    "BTC-USD-20260327-80000-C",
    "BTC-USD-260327-0-C",
    "BTC-USD-260327-77_5-C",
    "BTC-USD-260327-80000-X",
    "BTC-USD-260327-80000-C ",
    "BTC-USD-260327-" + "9" * 400 + "-C",
    "",
]


@pytest.mark.parametrize("name", NO_OPTIONS)
def test_what_names_no_option_is_read_as_none(name):
    assert read_name(name) is None


@pytest.mark.parametrize("name", [*NO_OPTIONS, None, 17, [], ...])
async def test_a_row_whose_name_says_no_option_is_dropped_and_counted(name):
    chain = await one_family(interests=[interest(name), interest()])

    assert chain.strike.tolist() == [80_000.0]
    assert chain.unreadable == {"row_unreadable": 1}


# A family.


async def test_units_are_coins_dollars_and_fractions():
    chain = await one_family()

    assert chain.oi.tolist() == [120.5]
    assert chain.iv.tolist() == [0.5125]
    assert chain.forward.tolist() == [80_100.5]
    assert chain.index.tolist() == [79_500.25]
    assert chain.strike.tolist() == [80_000.0]
    assert chain.expiry.tolist() == [MARCH_27]
    assert chain.is_call.tolist() == [True]
    assert chain.at.tolist() == [AT_MS]


async def test_numbers_may_come_as_numbers():
    row = summary(markVol=0.5125, fwdPx=80_100.5, ts=AT_MS)

    chain = await one_family(summaries=[row], interests=[interest(oiCcy=7, ts=AT_MS)])

    assert (chain.iv[0], chain.forward[0], chain.oi[0]) == (0.5125, 80_100.5, 7.0)
    assert chain.at.tolist() == [AT_MS]


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize(("field", "column"), [("markVol", "iv"), ("fwdPx", "forward")])
async def test_a_mark_that_is_no_number_is_not_given(field, column, value):
    chain = await one_family(summaries=[summary(**{field: value})])

    assert math.isnan(getattr(chain, column)[0])
    assert chain.oi.tolist() == [120.5]
    assert chain.unreadable == {}


@pytest.mark.parametrize("price", NO_PRICES)
async def test_a_forward_that_can_be_no_price_is_not_given(price):
    chain = await one_family(summaries=[summary(fwdPx=price)])

    assert math.isnan(chain.forward[0])


@pytest.mark.parametrize("row", [None, 5, INVERSE, [], [interest()], True])
async def test_what_is_no_row_is_dropped_and_counted(row):
    chain = await one_family(interests=[interest(), row])

    assert len(chain) == 1
    assert chain.unreadable == {"row_unreadable": 1}


@pytest.mark.parametrize("row", [None, 5, [], summary(None), summary(...), summary("BTC-x")])
async def test_an_option_without_summary_has_no_iv_and_its_interest_counts(row):
    put = "BTC-USD-260327-70000-P"

    chain = await one_family(summaries=[summary(), row], interests=[interest(), interest(put)])
    levels = compute_levels(chain, 79_500.25, NOW)

    assert np.isnan(chain.iv).tolist() == [False, True]
    assert np.isnan(chain.forward).tolist() == [False, True]
    assert chain.unreadable == {}
    assert levels.dropped == {"iv_unusable": 1, "forward_missing": 1}
    assert chain.oi.tolist() == [120.5, 120.5]


async def test_a_summary_without_open_interest_is_no_row():
    chain = await one_family(summaries=[summary(), summary("BTC-USD-260327-90000-C")])

    assert chain.strike.tolist() == [80_000.0]


async def test_rows_of_the_other_family_are_not_counted_twice():
    both_names = body_of(interest(), interest(LINEAR))

    chain = await chain_of({INTEREST: both_names})

    assert chain.oi.tolist() == [120.5, 120.5]
    assert chain.unreadable == {}


async def test_both_families_add_up():
    chain = await chain_of({(INTEREST, "BTC-USD_UM"): body_of(interest(LINEAR, oiCcy="2"))})
    one = await one_family(interests=[interest(oiCcy="122.5")])

    assert chain.strike.tolist() == [80_000.0, 80_000.0]
    assert chain.oi.tolist() == [120.5, 2.0]
    net, of_one = (compute_levels(rows, 79_500.25, NOW).net_gex for rows in (chain, one))
    assert net == pytest.approx(of_one)


async def test_a_row_is_as_old_as_the_older_of_its_halves():
    old = str(AT_MS - 30_000)

    by_marks = await one_family(summaries=[summary(ts=old)])
    by_interest = await one_family(interests=[interest(ts=old)])

    assert by_marks.at.tolist() == by_interest.at.tolist() == [AT_MS - 30_000]


@pytest.mark.parametrize("stamp", NO_STAMPS)
async def test_a_row_without_a_time_or_with_one_to_come_is_of_now(stamp):
    chain = await one_family(summaries=[summary(ts=stamp)], interests=[interest(ts=stamp)])

    assert chain.at.tolist() == [NOW_MS]


VECTORS = {
    "V1": (
        ("BTC-USD-220309-33000-C", "39016.8143629068452065", "1.5551965233045728", 1646733631242),
        1.197009e-05,
    ),
    "V1's put": (
        ("BTC-USD-220309-33000-P", "39016.8143629068452065", "1.5551965233045728", 1646733631242),
        1.197009e-05,
    ),
    "V2": (
        ("BTC-USD-251226-100000-C", "112782.12029616143501", "0.4335822639833618", 1752086420763),
        1.026243e-05,
    ),
    "V3": (
        ("BTC-USD-240329-32000-C", "37675.80158694987186", "0.5916253554539876", 1699586421976),
        2.370091e-05,
    ),
}


@pytest.mark.parametrize("vector", VECTORS)
async def test_gamma_of_a_row_is_the_published_one(vector):
    (name, forward, iv, at_ms), gamma = VECTORS[vector]
    now, stamp = datetime.fromtimestamp(at_ms / 1_000, UTC), str(at_ms)
    answers = ONE_FAMILY | {
        SUMMARY: body_of(summary(name, fwdPx=forward, markVol=iv, ts=stamp)),
        INTEREST: body_of(interest(name, oiCcy="1", ts=stamp)),
        INDEX: body_of(index(idxPx="15000", ts=stamp)),
    }
    chain = await okx(answers, lambda: now)[0].fetch_chain("BTC")

    rows = live_rows(chain, 15_000.0, now)

    found = abs(exposure(rows)) / (rows.forward**2 * 0.01)
    np.testing.assert_allclose(found, gamma, rtol=5e-7)


# Contracts to coins.


@pytest.mark.parametrize("empty", NO_NUMBERS)
async def test_contracts_are_turned_into_coins_where_no_coins_are_given(empty):
    chain = await one_family(interests=[interest(oi="100", oiCcy=empty)])

    assert chain.oi.tolist() == [1.0]


async def test_interest_in_neither_contracts_nor_coins_is_not_given():
    chain = await one_family(interests=[interest(oi="", oiCcy="")])

    assert math.isnan(chain.oi[0])


@pytest.mark.parametrize("size", [{"ctVal": ""}, {"ctMult": "0"}, {"ctMult": None}])
async def test_a_contract_of_unknown_size_has_no_interest(size):
    chain = await one_family(interests=[interest(oiCcy="")], instruments=[instrument(**size)])

    assert math.isnan(chain.oi[0])


async def test_coins_that_cannot_be_told_are_no_whole_chain():
    answers = ONE_FAMILY | {INTEREST: body_of(interest(oiCcy="")), INSTRUMENTS: refusal()}

    with pytest.raises(SourceError, match="Too Many Requests"):
        await chain_of(answers)


async def test_sizes_that_were_never_heard_are_asked_for_until_they_are():
    answers = ONE_FAMILY | {INTEREST: body_of(interest(oiCcy="")), INSTRUMENTS: refusal()}
    venue, _ = okx(answers)
    with pytest.raises(SourceError):
        await venue.fetch_chain("BTC")

    del answers[INSTRUMENTS]
    chain = await venue.fetch_chain("BTC")

    assert chain.oi.tolist() == [120.5]


# Metadata.

NOON = MARCH_27 + 4 * 3_600_000


async def test_metadata_says_strike_and_expiry():
    chain = await one_family(instruments=[instrument(stk="80000.5", expTime=str(NOON))])

    assert chain.strike.tolist() == [80_000.5]
    assert chain.expiry.tolist() == [NOON]


@pytest.mark.parametrize(
    "value",
    [*NO_PRICES, 10**30, str(MARCH_27 // 1_000)]
    + [str(MARCH_27 + days * 86_400_000) for days in (-1, 1)],
)
async def test_unreadable_metadata_leaves_what_the_name_says(value):
    stk = value if value in NO_PRICES else ""

    chain = await one_family(
        interests=[interest(oiCcy="")], instruments=[instrument(stk=stk, expTime=value)]
    )

    assert chain.strike.tolist() == [80_000.0]
    assert chain.expiry.tolist() == [MARCH_27]
    assert chain.oi.tolist() == [120.5]


async def test_a_new_option_that_metadata_does_not_know_yet_expires_by_its_name():
    new = interest("BTC-USD-260328-80000-C")

    chain = await one_family(
        interests=[interest(), new], instruments=[instrument(expTime=str(NOON))]
    )

    assert chain.expiry.tolist() == [NOON, MARCH_27 + 86_400_000]


@pytest.mark.parametrize(
    "listing",
    [
        SourceError("okx", "no answer"),
        NotListed("okx", "not in this recording"),
        refusal(),
        refusal("51000"),
        b"",
        b"<html>",
        body_of(),
        body_of(None, instrument("nonsense")),
    ],
)
async def test_metadata_that_cannot_be_had_costs_nothing(listing):
    chain = await chain_of({INSTRUMENTS: listing})

    assert chain.expiry.tolist() == [MARCH_27, MARCH_27]
    assert chain.oi.tolist() == [120.5, 120.5]
    assert chain.sources[0].at == AT


# The chain.


async def test_a_chain_is_the_families_and_three_lists_of_each_and_the_index():
    venue, wire = okx()

    chain = await venue.fetch_chain("BTC")

    assert [(s.venue, s.at, s.rows) for s in chain.sources] == [("okx", AT, 2)]
    assert {method for method, _, _ in wire.asked} == {"GET"}
    assert asked_of(wire, TICK_BANDS) == [{"instType": "OPTION"}]
    assert asked_of(wire, SUMMARY) == [{"instFamily": "BTC-USD"}, {"instFamily": "BTC-USD_UM"}]
    assert asked_of(wire, INTEREST) == [
        {"instType": "OPTION", "instFamily": "BTC-USD"},
        {"instType": "OPTION", "instFamily": "BTC-USD_UM"},
    ]
    assert asked_of(wire, INSTRUMENTS) == asked_of(wire, INTEREST)
    assert asked_of(wire, INDEX) == [{"instId": "BTC-USDT"}]
    assert len(wire.asked) == 8


async def test_a_coin_with_one_family_is_asked_for_that_one():
    venue, wire = okx()

    chain = await venue.fetch_chain("SOL")

    assert chain.underlying == "SOL"
    assert asked_of(wire, SUMMARY) == [{"instFamily": "SOL-USD_UM"}]


async def test_the_families_are_asked_for_once_an_hour():
    clock = Clock()
    venue, wire = okx(now=clock.now)

    for minutes in (0, 30, 29, 1):
        clock.time += timedelta(minutes=minutes)
        await venue.fetch_chain("BTC")

    assert len(asked_of(wire, TICK_BANDS)) == 2
    assert len(asked_of(wire, SUMMARY)) == 8


async def test_metadata_is_asked_for_once_an_hour_and_makes_no_chain_older():
    clock = Clock()
    venue, wire = okx(ONE_FAMILY, clock.now)

    for minutes in (0, 30, 29, 1):
        clock.time += timedelta(minutes=minutes)
        chain = await venue.fetch_chain("BTC")

    assert len(asked_of(wire, INSTRUMENTS)) == 2
    assert chain.sources[0].at == AT


async def test_whoever_asks_for_a_chain_on_its_way_makes_no_further_requests():
    venue, wire = okx()

    await asyncio.gather(venue.fetch_chain("BTC"), venue.fetch_chain("BTC"))

    assert len(wire.asked) == 8


async def test_a_coin_without_a_family_is_not_listed():
    venue, wire = okx()

    with pytest.raises(NotListed, match="okx: no HYPE options"):
        await venue.fetch_chain("HYPE")

    assert len(wire.asked) == 1


@pytest.mark.parametrize("code", ["51000", "51001"])
@pytest.mark.parametrize("path", [SUMMARY, INTEREST])
async def test_a_family_that_is_gone_leaves_the_other(path, code):
    gone = refusal(code, "Parameter instFamily error")

    chain = await chain_of({(path, "BTC-USD_UM"): gone})

    assert chain.oi.tolist() == [120.5]


async def test_a_coin_whose_every_family_is_gone_is_not_listed():
    with pytest.raises(NotListed):
        await chain_of({SUMMARY: refusal("51000"), INTEREST: refusal("51000")})


@pytest.mark.parametrize(
    "answer",
    [body_of(), families("", None), body_of(None, 5), refusal("51000"), refusal("51001"), b"{"],
    ids=["empty", "no names", "no rows", "parameter", "instrument", "cut off"],
)
async def test_a_venue_that_lists_no_family_at_all_is_in_trouble_and_asked_again(answer):
    answers = {TICK_BANDS: answer}
    venue, _ = okx(answers)

    with pytest.raises(SourceError) as caught:
        await venue.fetch_chain("BTC")
    del answers[TICK_BANDS]
    chain = await venue.fetch_chain("BTC")

    assert not isinstance(caught.value, NotListed)
    assert len(chain) == 2


# Failing calls.

FAILURES = {
    "unreached": SourceError("okx", "no answer"),
    "refused": refusal(),
    "cut off": body_of(summary(), interest(), index())[:-9],
    "nothing": b"",
    "empty list": body_of(),
    "no list": body_of(data={}),
    "null": body_of(data=None),
}
every_failure = pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)


@pytest.mark.parametrize("path", [SUMMARY, (INTEREST, "BTC-USD_UM"), INTEREST])
@every_failure
async def test_the_last_answer_stands_in_for_a_failing_call_with_its_age(path, failure):
    clock, answers = Clock(), {}
    venue, _ = okx(answers, clock.now)
    await venue.fetch_chain("BTC")

    answers[path] = failure
    clock.time += KEEP
    chain = await venue.fetch_chain("BTC")

    assert chain.sources[0].at == AT
    assert chain.oi.tolist() == [120.5, 120.5]
    assert chain.iv.tolist() == [0.5125, 0.5125]


@pytest.mark.parametrize("path", [SUMMARY, INTEREST])
async def test_a_chain_is_as_old_as_its_oldest_part(path):
    clock, answers = Clock(), {}
    venue, _ = okx(answers, clock.now)
    await venue.fetch_chain("BTC")

    clock.time += timedelta(minutes=5)
    new = str(AT_MS + 300_000)
    answers.update(
        {
            (SUMMARY, "BTC-USD"): body_of(summary(ts=new)),
            (SUMMARY, "BTC-USD_UM"): body_of(summary(LINEAR, ts=new)),
            (INTEREST, "BTC-USD"): body_of(interest(ts=new)),
            (INTEREST, "BTC-USD_UM"): body_of(interest(LINEAR, ts=new)),
            INDEX: body_of(index(ts=new)),
        }
    )
    whole = await venue.fetch_chain("BTC")
    answers |= {(path, "BTC-USD"): refusal()}
    clock.time += timedelta(minutes=5)
    partly = await venue.fetch_chain("BTC")

    assert whole.sources[0].at == partly.sources[0].at == AT + timedelta(minutes=5)


def made_at(time):
    """The lists of both families as of that time."""
    stamp = {"ts": str(int(time.timestamp() * 1_000))}
    return {
        SUMMARY: body_of(summary(**stamp), summary(LINEAR, **stamp)),
        INTEREST: body_of(interest(**stamp), interest(LINEAR, **stamp)),
    }


@every_failure
@pytest.mark.parametrize(
    ("age", "price"), [(KEEP, 79_500.25), (KEEP + timedelta(seconds=1), math.nan)]
)
async def test_an_index_stands_in_until_it_is_too_old_and_makes_no_chain_older(failure, age, price):
    clock, answers = Clock(), {INDEX: body_of(index(ts=""))}
    venue, _ = okx(answers, clock.now)
    await venue.fetch_chain("BTC")

    clock.time += age
    answers |= {INDEX: failure} | made_at(clock.time)
    chain = await venue.fetch_chain("BTC")

    np.testing.assert_array_equal(chain.index, [price, price])
    assert chain.sources[0].at == clock.time
    assert set(chain.at.tolist()) == {NOW_MS + age.total_seconds() * 1_000}


@pytest.mark.parametrize(
    ("age", "price"), [(KEEP, 79_500.25), (KEEP + timedelta(seconds=1), math.nan)]
)
async def test_an_index_is_as_old_as_its_stamp_and_makes_no_chain_older(age, price):
    stamp = NOW_MS - int(age.total_seconds() * 1_000)

    chain = await chain_of({INDEX: body_of(index(ts=str(stamp)))})

    np.testing.assert_array_equal(chain.index, [price, price])
    assert chain.sources[0].at == AT


async def test_a_recorded_index_serves_whatever_its_age():
    venue, _ = okx({INDEX: body_of(index(ts=str(AT_MS - 3_600_000)))}, keep=timedelta(0))

    chain = await venue.fetch_chain("BTC")

    assert chain.index.tolist() == [79_500.25, 79_500.25]
    assert chain.sources[0].at == AT


async def test_a_row_without_summary_makes_no_chain_younger_than_its_summaries():
    old, put = str(AT_MS - 90_000), "BTC-USD-260327-70000-P"

    chain = await one_family(summaries=[summary(ts=old)], interests=[interest(), interest(put)])

    assert chain.at.tolist() == [AT_MS - 90_000, AT_MS]
    assert chain.sources[0].at == AT - timedelta(seconds=90)


async def test_a_part_without_stamps_is_as_old_as_its_receipt():
    clock = Clock()
    answers = ONE_FAMILY | {SUMMARY: body_of(summary(ts="")), INDEX: body_of(index(ts=...))}
    venue, _ = okx(answers, clock.now)
    await venue.fetch_chain("BTC")

    clock.time += timedelta(minutes=5)
    answers |= {
        SUMMARY: refusal(),
        INTEREST: body_of(interest(ts=str(NOW_MS + 300_000))),
        INDEX: body_of(index(ts=str(NOW_MS + 300_000))),
    }
    chain = await venue.fetch_chain("BTC")

    assert chain.sources[0].at == NOW


async def test_the_list_of_families_serves_for_a_day_and_makes_no_chain_older():
    clock, answers = Clock(), {}
    venue, _ = okx(answers, clock.now)
    await venue.fetch_chain("BTC")

    fresh = {"ts": ""}
    answers |= {TICK_BANDS: refusal(), SUMMARY: body_of(summary(**fresh))}
    answers |= {INTEREST: body_of(interest(**fresh)), INDEX: body_of(index(**fresh))}
    answers |= {(path, "BTC-USD_UM"): refusal("51000") for path in (SUMMARY, INTEREST)}
    clock.time += timedelta(days=1)
    chain = await venue.fetch_chain("BTC")
    clock.time += timedelta(minutes=1)

    assert chain.sources[0].at == NOW + timedelta(days=1)
    with pytest.raises(SourceError, match="Too Many Requests"):
        await venue.fetch_chain("BTC")


async def test_a_replay_finds_every_answer_as_of_its_time():
    answers = {}
    venue, wire = okx(answers, keep=timedelta(0))
    await venue.fetch_chain("BTC")

    answers[SUMMARY] = refusal()

    with pytest.raises(SourceError):
        await venue.fetch_chain("BTC")
    assert len(asked_of(wire, TICK_BANDS)) == 2


@pytest.mark.parametrize("path", [SUMMARY, INTEREST])
async def test_a_part_that_is_too_old_is_no_whole_chain(path):
    clock, answers = Clock(), {}
    venue, _ = okx(answers, clock.now)
    await venue.fetch_chain("BTC")

    answers[path, "BTC-USD_UM"] = refusal()
    clock.time += KEEP + timedelta(seconds=1)

    with pytest.raises(SourceError, match=r"^okx: Too Many Requests \(50011\)$") as caught:
        await venue.fetch_chain("BTC")
    assert not isinstance(caught.value, NotListed)


@every_failure
async def test_without_an_index_the_chain_stands(failure):
    chain = await chain_of({INDEX: failure})

    assert np.isnan(chain.index).all()
    assert chain.iv.tolist() == [0.5125, 0.5125]
    assert chain.sources[0].at == AT


async def test_a_pair_that_is_unknown_leaves_the_chain_without_an_index():
    chain = await chain_of({INDEX: refusal("51001", "Instrument ID does not exist")})

    assert np.isnan(chain.index).all()


async def test_a_family_without_a_readable_row_leaves_the_other():
    chain = await chain_of({(INTEREST, "BTC-USD_UM"): body_of(interest("nonsense"))})

    assert chain.oi.tolist() == [120.5]
    assert chain.unreadable == {"row_unreadable": 1}


async def test_a_chain_without_a_readable_row_is_an_outage():
    with pytest.raises(SourceError, match="no readable BTC row") as caught:
        await one_family(interests=[interest("nonsense"), None])

    assert not isinstance(caught.value, NotListed)


# Prices and candles.


def test_spot_is_the_index_price_as_of_the_venues_stamp():
    assert parse_index("BTC", body_of(index()), NOW) == Tick("BTCUSDT", AT, 79_500.25, "okx")


@pytest.mark.parametrize("stamp", NO_STAMPS)
def test_spot_without_a_time_or_with_one_to_come_is_of_now(stamp):
    assert parse_index("BTC", body_of(index(ts=stamp)), NOW).at == NOW


def test_the_perpetual_is_its_mark_price():
    assert parse_mark("BTC", body_of(mark())) == 79_520.75


def test_prices_are_those_of_the_coin_among_others():
    others = None, index("ETH-USDT", idxPx="2000"), index()

    assert parse_index("BTC", body_of(*others), NOW).spot == 79_500.25


@pytest.mark.parametrize("price", NO_PRICES)
def test_a_price_that_is_none_is_a_source_error(price):
    with pytest.raises(SourceError, match=r"^okx: .+"):
        parse_index("BTC", body_of(index(idxPx=price)), NOW)
    with pytest.raises(SourceError, match=r"^okx: .+"):
        parse_mark("BTC", body_of(mark(markPx=price)))


async def test_prices_and_candles_are_asked_by_instrument():
    venue, wire = okx()

    tick, price = await venue.fetch_spot("HYPE"), await venue.fetch_perpetual("HYPE")
    candles = await venue.fetch_candles("HYPEUSDT")

    assert (tick.symbol, price, len(candles)) == ("HYPEUSDT", 79_520.75, 1)
    assert wire.asked == [
        ("GET", INDEX, {"instId": "HYPE-USDT"}),
        ("GET", MARK, {"instType": "SWAP", "instId": "HYPE-USDT-SWAP"}),
        ("GET", CANDLES, {"instId": "HYPE-USDT-SWAP", "bar": "30m", "limit": "300"}),
    ]


def test_a_candle_is_its_opening_time_prices_and_coins():
    opened = datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
    body = body_of(candle(NOW_MS - HALF_HOUR_MS, "80000.1", "80100", "79900.5", "80050.25"))

    candles = parse_candles(body, NOW)

    assert candles == [Candle(opened, 80_000.1, 80_100.0, 79_900.5, 80_050.25, 12.5)]


def test_candles_come_newest_first_and_are_given_ascending_the_open_one_last():
    lines = [candle(NOW_MS - step * HALF_HOUR_MS) for step in range(1, 300)]
    body = body_of(candle(NOW_MS, confirm="0"), *lines)

    times = [one.datetime for one in parse_candles(body, NOW)]

    assert len(times) == 96
    assert times == sorted(times)
    assert times[0] == NOW - timedelta(hours=47, minutes=30)
    assert times[-1] == NOW


def test_no_candles_are_no_trouble():
    assert parse_candles(body_of(), NOW) == []


@pytest.mark.parametrize(
    "line",
    [
        None,
        [],
        candle()[:7],
        candle("soon"),
        candle(""),
        candle(10**30),
        candle(-5),
        candle(NOW_MS, "", "1", "1", "1"),
        candle(NOW_MS, "1", "nan", "1", "1"),
        candle(NOW_MS, "1", "1", None, "1"),
    ],
)
def test_an_unreadable_candle_is_a_source_error(line):
    with pytest.raises(SourceError, match=r"^okx: .+"):
        parse_candles(body_of(candle(), line), NOW)


# Whatever the venue says.

PARSERS = {
    "families": parse_families,
    "instruments": parse_instruments,
    "summary": lambda body: parse_summary(body, NOW),
    "interest": lambda body: parse_interest("BTC-USD", body, NOW),
    "index": lambda body: parse_index("BTC", body, NOW),
    "mark": lambda body: parse_mark("BTC", body),
    "candles": lambda body: parse_candles(body, NOW),
}
every_parser = pytest.mark.parametrize("read", PARSERS.values(), ids=PARSERS)
every_parser_of_one = pytest.mark.parametrize(
    "read", [read for name, read in PARSERS.items() if name != "families"]
)


@every_parser
def test_a_refusal_says_what_the_venue_said(read):
    with pytest.raises(SourceError, match=r"^okx: Too Many Requests \(50011\)$") as caught:
        read(refusal())

    assert not isinstance(caught.value, NotListed)


@every_parser_of_one
@pytest.mark.parametrize("code", ["51000", "51001"])
def test_what_the_venue_does_not_know_is_not_listed(read, code):
    with pytest.raises(NotListed, match="does not exist"):
        read(refusal(code, "Instrument ID does not exist"))


@every_parser
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>503</html>",
        b"null",
        b"[]",
        b"\xff\xfe{}",
        b'{"code":"0"',
        DEEP,
        b'{"code":"0","data":%b}' % DEEP,
        as_body({}),
        body_of(code=...),
        body_of(code=None),
        body_of(code=["0"]),
        body_of(code="", msg=None),
        body_of(data=None),
        body_of(data={}),
        body_of(data="[]"),
        refusal("50001", None),
        refusal("51002"),
    ],
)
def test_an_answer_without_a_list_is_a_source_error(read, body):
    with pytest.raises(SourceError, match=r"^okx: .+") as caught:
        read(body)

    assert not isinstance(caught.value, NotListed)


@pytest.mark.parametrize("name", [name for name in PARSERS if name != "candles"])
@pytest.mark.parametrize("body", [body_of(), body_of(data=...)])
def test_an_empty_list_is_a_source_error(name, body):
    with pytest.raises(SourceError) as caught:
        PARSERS[name](body)

    assert not isinstance(caught.value, NotListed)


GOOD = [
    families("BTC-USD"),
    body_of(instrument()),
    body_of(summary()),
    body_of(interest(), interest(oiCcy="")),
    body_of(index()),
    body_of(mark()),
    body_of(candle(), candle(NOW_MS - HALF_HOUR_MS)),
    refusal(),
]


@settings(max_examples=300, deadline=None)
@given(body=bodies(*GOOD))
def test_any_body_is_read_or_a_source_error(body):
    for read in PARSERS.values():
        with contextlib.suppress(SourceError):
            read(body)
    assert TERMS.is_too_many(body) in (True, False)


@settings(max_examples=200, deadline=None)
@given(
    path=st.sampled_from([TICK_BANDS, INSTRUMENTS, SUMMARY, INTEREST, INDEX, MARK, CANDLES]),
    body=bodies(*GOOD),
)
def test_okx_answers_whatever_its_venue_says(path, body):
    contracts = body_of(interest(oiCcy=""), interest(LINEAR, oiCcy=""))
    venue, _ = okx({INTEREST: contracts} | {path: body})

    for fetch in (venue.fetch_chain, venue.fetch_spot, venue.fetch_perpetual, venue.fetch_candles):
        with contextlib.suppress(SourceError):
            asyncio.run(fetch("BTC"))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=8))
def test_open_interest_is_neither_lost_nor_made(coins):
    names = [f"BTC-USD-260327-{strike}-C" for strike in range(1, len(coins) + 1)]
    rows = [interest(name, oiCcy=repr(oi)) for name, oi in zip(names, coins, strict=True)]

    chain = asyncio.run(one_family(interests=rows))

    assert chain.oi.tolist() == coins


# Terms.


def test_too_many_requests_are_told_in_the_body():
    assert TERMS.is_too_many(refusal())
    assert not TERMS.is_too_many(refusal("51000"))
    assert not TERMS.is_too_many(body_of())
    assert not TERMS.is_too_many(b"<html>")


@pytest.mark.parametrize(
    ("path", "per_second"),
    [(TICK_BANDS, 2.5), (SUMMARY, 10), (INTEREST, 10), (INDEX, 10), (MARK, 10), (CANDLES, 20)],
)
def test_each_path_has_its_documented_limit(path, per_second):
    limits = [limit for limit in TERMS.limits if path.startswith(limit.path)]

    assert min(limit.amount / limit.seconds for limit in limits) == per_second


# The stream.


def feed(*coins):
    return OkxFeed(coins or ("BTC", "HYPE"), lambda: NOW)


def test_each_coin_is_subscribed_by_a_message_of_its_own():
    messages = [json.loads(message) for message in feed().greeting()]

    assert messages == [
        {"op": "subscribe", "args": [{"channel": "index-tickers", "instId": "BTC-USDT"}]},
        {"op": "subscribe", "args": [{"channel": "index-tickers", "instId": "HYPE-USDT"}]},
    ]


def test_the_heartbeat_is_plain_text_within_the_venues_patience():
    assert feed().ping() == "ping"
    assert feed().ping_every < 30
    assert feed().read("pong") == NOTHING


def test_a_push_is_the_index_price_as_of_the_venues_stamp():
    assert feed().read(push()).ticks == (Tick("BTCUSDT", AT, 79_500.25, "okx"),)


@pytest.mark.parametrize("stamp", NO_STAMPS)
def test_a_push_without_a_time_or_with_one_to_come_is_of_now(stamp):
    assert [tick.at for tick in feed().read(push(index(ts=stamp))).ticks] == [NOW]


def test_an_old_push_stays_old():
    old = push(index(ts=str(AT_MS - 3_600_000)))

    assert [tick.at for tick in feed().read(old).ticks] == [AT - timedelta(hours=1)]


@pytest.mark.parametrize("price", NO_PRICES)
def test_a_push_without_a_price_gives_nothing(price):
    assert feed().read(push(index(idxPx=price))) == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "ping",
        push()[:-4],
        "[" * 100_000,
        push(data=None),
        push(data=[None]),
        push(arg=None),
        push(arg={"channel": "mark-price", "instId": "BTC-USDT-SWAP"}),
        push(arg=...),
        push(index("ETH-USDT")),
        push(index(None)),
        '{"event":"subscribe","arg":{"channel":"index-tickers","instId":"BTC-USDT"}}',
        '{"event":"error","code":"60018","msg":"no such instId"}',
        "\ud800",
    ],
)
def test_a_message_that_tells_no_price_gives_nothing(text):
    assert feed().read(text) == NOTHING


@settings(max_examples=300, deadline=None)
@given(
    text=st.text()
    | ANYTHING.map(json.dumps)
    | bodies(push().encode()).map(lambda body: body.decode(errors="replace"))
)
def test_any_message_is_read(text):
    ticks = feed().read(text).ticks

    assert all(0 < tick.spot < 1e15 and tick.at <= NOW for tick in ticks)


# What the venue really gave.


@needs_shared
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("instruments.OPTION.BTC-USD.2022.json", 0.1),
        ("instruments.OPTION.BTC-USD.2024.json", 0.01),
        ("instruments.OPTION.ETH-USD.2022.json", 1.0),
    ],
)
def test_real_instruments(name, size):
    body = (WIRE / "okx" / name).read_bytes()
    rows = json.loads(body)["data"]

    options = parse_instruments(body)

    assert list(options) == [row["instId"] for row in rows]
    assert [option.strike for option in options.values()] == [float(row["stk"]) for row in rows]
    assert [option.expiry for option in options.values()] == [int(row["expTime"]) for row in rows]
    assert [option.is_call for option in options.values()] == [r["optType"] == "C" for r in rows]
    assert {option.size for option in options.values()} == {size}
    assert all(option[:4] == read_name(name)[:4] for name, option in options.items())


@needs_shared
def test_a_real_summary():
    body = (WIRE / "okx" / "opt-summary.BTC-USD.transcribed.json").read_bytes()
    rows = json.loads(body)["data"]

    marks = parse_summary(body, datetime(2026, 12, 1, tzinfo=UTC))

    lines = marks.lines.values()
    assert list(marks.lines) == [row["instId"] for row in rows]
    assert [line.mark_vol for line in lines] == [float(row["markVol"]) for row in rows]
    assert [line.fwd_px for line in lines] == [float(row["fwdPx"]) for row in rows]
    assert marks.at == {row["instId"]: int(row["ts"]) for row in rows}


@needs_shared
def test_a_real_open_interest_of_a_swap_is_no_options():
    body = (WIRE / "okx" / "open-interest.SWAP.example.json").read_bytes()

    found = parse_interest("BTC-USD", body, NOW)

    assert (found.rows, found.unreadable) == ([], 1)
