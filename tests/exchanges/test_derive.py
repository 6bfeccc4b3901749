import asyncio
import math
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import NotListed, SourceError
from bot.exchanges.derive import AT_ONCE, Derive, parse_chain, parse_instruments
from tests.exchanges.wires import (
    AT_MS,
    NOW,
    NOW_MS,
    FakeWire,
    as_body,
    derive_body,
    derive_listing,
    derive_pricing,
    derive_stats,
    derive_ticker,
)

LIST, TICKERS = "/public/get_all_instruments", "/public/get_tickers"
NAME = "HYPE-20260327-70-C"
MARCH_6, MARCH_27 = datetime(2026, 3, 6, 8, tzinfo=UTC), datetime(2026, 3, 27, 8, tzinfo=UTC)
NOTHING = [None, "", "none", ..., True, [], {}, "77_5"]  # what is no number


def seconds(moment):
    return int(moment.timestamp())


def venue(*expiries, answers=None):
    """Derive with these expiries listed and, where none is given, one option in each."""

    def answer(path, params):
        if path == LIST:
            return derive_listing(*map(seconds, expiries))
        day = params["expiry_date"]
        return (answers or {}).get(day, derive_body({f"HYPE-{day}-70-C": derive_ticker()}))

    wire = FakeWire(answer)
    return Derive(wire, lambda: NOW), wire


def asked_days(wire):
    return sorted(params["expiry_date"] for _, path, params in wire.asked if path == TICKERS)


@pytest.mark.parametrize(
    ("name", "strike", "is_call"),
    [
        ("HYPE-20260904-77_5-C", 77.5, True),
        ("HYPE-20260904-0_85-P", 0.85, False),
        ("HYPE-20260904-70-P", 70.0, False),
    ],
)
def test_a_name_says_strike_expiry_and_side(name, strike, is_call):
    chain = parse_chain("HYPE", derive_body({name: derive_ticker()}), NOW)

    assert chain.strike.tolist() == [strike]
    assert chain.is_call.tolist() == [is_call]
    assert chain.expiry.tolist() == [seconds(datetime(2026, 9, 4, 8, tzinfo=UTC)) * 1_000]


def test_text_is_read_as_coins_dollars_and_fractions():
    chain = parse_chain("HYPE", derive_body({NAME: derive_ticker()}), NOW)

    assert chain.iv.tolist() == [0.715]
    assert chain.oi.tolist() == [250.5]
    assert chain.forward.tolist() == [70.75]
    assert chain.index.tolist() == [70.5]
    assert chain.at.tolist() == [AT_MS]


def test_numbers_are_read_as_well():
    ticker = derive_ticker(option_pricing=derive_pricing(i=0.715), stats=derive_stats(oi=7), I=70)

    chain = parse_chain("HYPE", derive_body({NAME: ticker}), NOW)

    assert (chain.iv[0], chain.oi[0], chain.index[0]) == (0.715, 7.0, 70.0)


@pytest.mark.parametrize("value", NOTHING)
@pytest.mark.parametrize("column", ["oi", "iv", "forward", "index"])
def test_what_is_no_number_is_not_given(column, value):
    changed = {
        "oi": {"stats": derive_stats(oi=value)},
        "iv": {"option_pricing": derive_pricing(i=value)},
        "forward": {"option_pricing": derive_pricing(f=value)},
        "index": {"I": value},
    }[column]

    chain = parse_chain("HYPE", derive_body({NAME: derive_ticker(**changed)}), NOW)

    assert len(chain) == 1
    assert math.isnan(getattr(chain, column)[0])


@pytest.mark.parametrize("value", [None, ...])
@pytest.mark.parametrize("part", ["stats", "option_pricing"])
def test_a_missing_part_of_a_row_leaves_its_other_numbers(part, value):
    chain = parse_chain("HYPE", derive_body({NAME: derive_ticker(**{part: value})}), NOW)

    assert chain.index.tolist() == [70.5]
    assert math.isnan(chain.oi[0]) == (part == "stats")
    assert math.isnan(chain.iv[0]) == (part == "option_pricing")


@pytest.mark.parametrize("value", ["none", [], 0])
@pytest.mark.parametrize("part", ["stats", "option_pricing"])
def test_a_part_of_another_shape_costs_no_more_than_its_row(part, value):
    odd, good = derive_ticker(**{part: value}), derive_ticker()

    chain = parse_chain("HYPE", derive_body({"HYPE-20260327-71-C": odd, NAME: good}), NOW)

    assert chain.iv[chain.strike == 70.0].tolist() == [0.715]


@pytest.mark.parametrize(
    "name",
    ["HYPE-20260230-70-C", "HYPE-20260327-0-C", "HYPE-PERP", "", "BTC-20260327-70-C", "HYPE-70-C"],
)
def test_a_row_whose_name_says_no_such_option_is_dropped_and_counted(name):
    body = derive_body({name: derive_ticker(), NAME: derive_ticker()})

    chain = parse_chain("HYPE", body, NOW)

    assert chain.strike.tolist() == [70.0]
    assert chain.unreadable == {"row_unreadable": 1}


@pytest.mark.parametrize("row", [None, 5, "x", [], True])
def test_what_is_no_row_is_dropped_and_counted(row):
    body = derive_body({NAME: derive_ticker(), "HYPE-20260327-71-C": row})

    chain = parse_chain("HYPE", body, NOW)

    assert chain.strike.tolist() == [70.0]
    assert chain.unreadable == {"row_unreadable": 1}


@pytest.mark.parametrize("stamp", [NOW_MS + 60_000, None, ..., 0, -5, "", {}])
def test_a_row_without_a_stamp_or_with_one_to_come_is_of_now(stamp):
    chain = parse_chain("HYPE", derive_body({NAME: derive_ticker(t=stamp)}), NOW)

    assert chain.at.tolist() == [NOW_MS]
    assert chain.sources[0].at == NOW


REFUSAL = as_body({"id": 1, "error": {"code": -32000, "message": "Rate limit exceeded"}})


@pytest.mark.parametrize("parse", [parse_instruments, lambda body: parse_chain("HYPE", body, NOW)])
def test_an_error_says_what_the_venue_said(parse):
    with pytest.raises(SourceError, match=r"derive: Rate limit exceeded \(-32000\)"):
        parse(REFUSAL)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"\xff",
        as_body({}),
        as_body({"result": None}),
        as_body({"result": []}),
        as_body({"result": {}}),
        as_body({"result": {"tickers": [], "instruments": {}}}),
        as_body({"error": "x"}),
        derive_body({NAME: derive_ticker()})[:-9],
        derive_listing(1_800_000_000)[:-9],
    ],
)
def test_an_answer_of_another_shape_is_a_source_error(body):
    with pytest.raises(SourceError, match=r"^derive: .+"):
        parse_chain("HYPE", body, NOW)
    with pytest.raises(SourceError, match=r"^derive: .+"):
        parse_instruments(body)


async def test_every_expiry_ahead_is_asked_by_its_day():
    derive, wire = venue(MARCH_27, MARCH_6, MARCH_6, NOW, NOW - timedelta(hours=4))

    chain = await derive.fetch_chain("HYPE")

    assert asked_days(wire) == ["20260306", "20260327"]
    assert [(s.venue, s.rows, len(chain)) for s in chain.sources] == [("derive", 2, 2)]
    assert {method for method, _, _ in wire.asked} == {"POST"}


async def test_the_list_is_read_page_by_page():
    pages = {
        1: derive_listing(seconds(MARCH_6), pages=2),
        2: derive_listing(seconds(MARCH_27), pages=2),
    }
    ticker = derive_ticker()
    wire = FakeWire(
        lambda path, params: (
            pages[params["page"]]
            if path == LIST
            else derive_body({f"HYPE-{params['expiry_date']}-70-C": ticker})
        )
    )

    chain = await Derive(wire, lambda: NOW).fetch_chain("HYPE")

    assert [params["page"] for _, path, params in wire.asked if path == LIST] == [1, 2]
    assert len(chain) == 2


async def test_a_list_that_never_ends_is_given_up():
    def answer(path, params):
        assert len(wire.asked) < 200, "asked for page after page"
        return derive_listing(seconds(MARCH_6), pages=10**9)

    wire = FakeWire(answer)

    with pytest.raises(SourceError):
        await Derive(wire, lambda: NOW).fetch_chain("HYPE")


@pytest.mark.parametrize("expiry", ["1774598400", 1774598400.0])
def test_an_expiry_may_come_as_text(expiry):
    assert parse_instruments(derive_listing(expiry)) == ({1_774_598_400}, 1)


@pytest.mark.parametrize("expiry", [None, "", "soon", -1, 0, 1_774_598_400_000, 10**30])
async def test_an_unreadable_expiry_leaves_the_others(expiry):
    def answer(path, params):
        if path == LIST:
            return derive_listing(seconds(MARCH_27), expiry)
        return derive_body({NAME: derive_ticker()})

    chain = await Derive(FakeWire(answer), lambda: NOW).fetch_chain("HYPE")

    assert chain.strike.tolist() == [70.0]


async def test_an_expiry_without_rows_is_no_trouble():
    derive, _ = venue(MARCH_6, MARCH_27, answers={"20260306": derive_body({})})

    chain = await derive.fetch_chain("HYPE")

    assert chain.strike.tolist() == [70.0]


@pytest.mark.parametrize("listed", [(), (MARCH_6,)])
async def test_a_coin_without_rows_is_not_listed(listed):
    derive, _ = venue(*listed, answers={"20260306": derive_body({})})

    with pytest.raises(NotListed, match="derive: no HYPE options"):
        await derive.fetch_chain("HYPE")


async def test_an_error_in_one_expiry_is_no_whole_chain():
    derive, _ = venue(MARCH_6, MARCH_27, answers={"20260306": REFUSAL})

    with pytest.raises(SourceError, match="Rate limit exceeded") as caught:
        await derive.fetch_chain("HYPE")

    assert type(caught.value) is SourceError


async def test_errors_in_every_expiry_are_one_error():
    derive, _ = venue(MARCH_6, MARCH_27, answers={"20260306": REFUSAL, "20260327": REFUSAL})

    with pytest.raises(SourceError, match="Rate limit exceeded"):
        await derive.fetch_chain("HYPE")


async def test_parts_make_a_chain_as_old_as_the_oldest():
    parts = {
        "20260306": derive_body({"HYPE-20260306-70-C": derive_ticker(t=AT_MS - 20_000)}),
        "20260327": derive_body({"HYPE-20260327-70-C": derive_ticker(t=AT_MS)}),
    }
    derive, _ = venue(MARCH_6, MARCH_27, answers=parts)

    chain = await derive.fetch_chain("HYPE")

    assert chain.sources[0].at.timestamp() * 1_000 == AT_MS - 20_000


class CrowdedWire(FakeWire):
    """Counts how many requests are under way at once."""

    under_way = most = 0

    async def ask(self, venue, method, path, params):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        return await super().ask(venue, method, path, params)


async def test_no_more_requests_are_under_way_than_the_venue_allows():
    expiries = [MARCH_6 + timedelta(days=day) for day in range(12)]
    wire = CrowdedWire(
        lambda path, params: (
            derive_listing(*map(seconds, expiries))
            if path == LIST
            else derive_body({f"HYPE-{params['expiry_date']}-70-C": derive_ticker()})
        )
    )

    chain = await Derive(wire, lambda: NOW).fetch_chain("HYPE")

    assert len(chain) == 12
    assert wire.most == AT_ONCE
