import math
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.chain import from_milliseconds
from bot.core.snapshot import Tick
from bot.errors import NotListed, SourceError
from bot.exchanges.derive import TERMS, Derive, DeriveFeed, parse_instruments, read_option
from bot.exchanges.derive import parse_chain as parse_expiry
from bot.exchanges.feed import NOTHING as NOTHING_PUSHED
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
KEEP = timedelta(minutes=5)
NOTHING = [None, "", "none", ..., True, [], {}, "77_5"]  # what is no number


def seconds(moment):
    return int(moment.timestamp())


def parse_chain(coin, body, now, expiry=MARCH_27):
    return parse_expiry(coin, expiry, body, now)


def venue(*expiries, answers=None, clock=lambda: NOW):
    """Derive with these expiries listed and, where none is given, one option in each."""

    def answer(path, params):
        if path == LIST:
            return derive_listing(*map(seconds, expiries))
        day = params["expiry_date"]
        return (answers or {}).get(day, derive_body({f"HYPE-{day}-70-C": derive_ticker()}))

    wire = FakeWire(answer)
    return Derive(wire, clock, KEEP), wire


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
    september_4 = datetime(2026, 9, 4, 8, tzinfo=UTC)

    chain = parse_chain("HYPE", derive_body({name: derive_ticker()}), NOW, september_4)

    assert chain.strike.tolist() == [strike]
    assert chain.is_call.tolist() == [is_call]
    assert chain.expiry.tolist() == [seconds(september_4) * 1_000]


def test_the_listed_hour_of_an_expiry_is_the_rows_hour():
    afternoon = MARCH_27.replace(hour=20)

    chain = parse_chain("HYPE", derive_body({NAME: derive_ticker()}), NOW, afternoon)

    assert chain.expiry.tolist() == [seconds(afternoon) * 1_000]


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
    [
        "HYPE-20260328-70-C",
        "HYPE-20260327-0-C",
        "HYPE-20260327-7.5-C",
        "HYPE-20260327-70-X",
        "HYPE-PERP",
        "",
        "BTC-20260327-70-C",
        "HYPE-70-C",
    ],
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

    chain = await Derive(wire, lambda: NOW, KEEP).fetch_chain("HYPE")

    assert [params["page"] for _, path, params in wire.asked if path == LIST] == [1, 2]
    assert len(chain) == 2


async def test_a_list_that_never_ends_is_given_up():
    def answer(path, params):
        assert len(wire.asked) < 200, "asked for page after page"
        return derive_listing(seconds(MARCH_6), pages=10**9)

    wire = FakeWire(answer)

    with pytest.raises(SourceError):
        await Derive(wire, lambda: NOW, KEEP).fetch_chain("HYPE")


@pytest.mark.parametrize("expiry", ["1774598400", 1774598400.0])
def test_an_expiry_may_come_as_text(expiry):
    assert parse_instruments(derive_listing(expiry)) == ({1_774_598_400}, 1)


@pytest.mark.parametrize("expiry", [None, "", "soon", -1, 0, 1_774_598_400_000, 10**30])
async def test_an_unreadable_expiry_leaves_the_others(expiry):
    def answer(path, params):
        if path == LIST:
            return derive_listing(seconds(MARCH_27), expiry)
        return derive_body({NAME: derive_ticker()})

    chain = await Derive(FakeWire(answer), lambda: NOW, KEEP).fetch_chain("HYPE")

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

    assert not isinstance(caught.value, NotListed)


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


class Clock:
    """A time that the test moves."""

    def __init__(self, at=NOW):
        self.at = at

    def __call__(self):
        return self.at


def one_option(day, at=NOW):
    ticker = derive_ticker(t=int(at.timestamp() * 1_000))
    return derive_body({f"HYPE-{day}-70-C": ticker})


async def test_the_last_rows_of_an_expiry_stand_in_for_those_that_fail_with_their_age():
    answers, clock = {"20260306": one_option("20260306")}, Clock()
    derive, _ = venue(MARCH_6, MARCH_27, answers=answers, clock=clock)
    await derive.fetch_chain("HYPE")
    clock.at = NOW + KEEP
    answers |= {"20260306": REFUSAL, "20260327": one_option("20260327", clock.at)}

    chain = await derive.fetch_chain("HYPE")

    assert [(source.at, source.rows) for source in chain.sources] == [(NOW, 2)]
    assert chain.at.max() == int(clock.at.timestamp() * 1_000)


async def test_rows_that_are_too_old_stand_in_for_nothing():
    answers, clock = {}, Clock()
    derive, _ = venue(MARCH_6, MARCH_27, answers=answers, clock=clock)
    await derive.fetch_chain("HYPE")
    clock.at = NOW + KEEP + timedelta(seconds=1)
    answers["20260306"] = REFUSAL

    with pytest.raises(SourceError, match="Rate limit exceeded"):
        await derive.fetch_chain("HYPE")


def listings(wire):
    return sum(path == LIST for _, path, _ in wire.asked)


@pytest.mark.parametrize(
    ("asked", "again", "times"),
    [
        (NOW + timedelta(seconds=1), NOW + timedelta(minutes=59), 1),
        (NOW, NOW + timedelta(hours=1), 2),
        (NOW - timedelta(minutes=1), NOW + timedelta(seconds=1), 2),
        (MARCH_6 - timedelta(seconds=1), MARCH_6, 2),
    ],
)
async def test_the_list_is_asked_for_again_when_an_hour_has_begun(asked, again, times):
    clock = Clock(asked)
    derive, wire = venue(MARCH_6, MARCH_27, clock=clock)
    await derive.fetch_chain("HYPE")
    clock.at = again

    await derive.fetch_chain("HYPE")

    assert listings(wire) == times


async def test_the_last_list_stands_in_for_one_that_fails_without_what_has_expired():
    answer = [derive_listing(seconds(MARCH_6), seconds(MARCH_27))]
    wire = FakeWire(
        lambda path, params: (
            answer[0] if path == LIST else one_option(params["expiry_date"], MARCH_6)
        )
    )
    clock = Clock(MARCH_6 - timedelta(hours=4))
    derive = Derive(wire, clock, KEEP)
    await derive.fetch_chain("HYPE")
    clock.at, answer[0] = MARCH_6, REFUSAL

    chain = await derive.fetch_chain("HYPE")

    assert chain.expiry.tolist() == [seconds(MARCH_27) * 1_000]


async def test_a_replay_asks_for_the_list_each_time():
    _, wire = venue(MARCH_27)
    derive = Derive(wire, lambda: NOW, timedelta(0))

    await derive.fetch_chain("HYPE")
    await derive.fetch_chain("HYPE")

    assert listings(wire) == 2


@pytest.mark.parametrize("listing", [derive_listing(None), derive_listing("soon", -1)])
async def test_a_list_of_nothing_readable_is_an_outage(listing):
    with pytest.raises(SourceError, match="readable") as caught:
        await Derive(FakeWire(lambda *_: listing), lambda: NOW, KEEP).fetch_chain("HYPE")

    assert type(caught.value) is SourceError


@pytest.mark.parametrize("code", [12_001, 12_002])
async def test_a_coin_that_the_venue_does_not_know_is_not_listed(code):
    answer = {"id": 1, "error": {"code": code, "message": "Currency not found"}}

    with pytest.raises(NotListed, match="derive: Currency not found"):
        await Derive(FakeWire(lambda *_: answer), lambda: NOW, KEEP).fetch_chain("DOGE")


def perpetual(**fields):
    ticker = derive_ticker(option_pricing=None, I="70.5", M="70.75") | fields
    return derive_body({"HYPE-PERP": ticker})


async def test_spot_and_perpetual_are_index_and_mark_of_the_perpetuals_ticker():
    wire = FakeWire(lambda path, params: perpetual())
    derive = Derive(wire, lambda: NOW, KEEP)

    tick = await derive.fetch_spot("HYPE")
    price = await derive.fetch_perpetual("HYPE")

    assert tick == Tick("HYPEUSDT", from_milliseconds(AT_MS), 70.5, "derive")
    assert price == 70.75
    asked = ("POST", TICKERS, {"instrument_type": "perp", "currency": "HYPE"})
    assert wire.asked == [asked, asked]


@pytest.mark.parametrize(
    "body",
    [
        perpetual(I="0", M="0"),
        perpetual(I=None, M=None),
        perpetual(I="-1", M="nan"),
        derive_body({}),
        derive_body({"BTC-PERP": derive_ticker()}),
        derive_body({"HYPE-PERP": None}),
        perpetual()[:-5],
        REFUSAL,
    ],
)
async def test_a_price_that_can_be_none_is_a_source_error(body):
    derive = Derive(FakeWire(lambda path, params: body), lambda: NOW, KEEP)

    for fetch in (derive.fetch_spot, derive.fetch_perpetual):
        with pytest.raises(SourceError, match=r"^derive: .+"):
            await fetch("HYPE")


@given(cents=st.integers(1, 10**9), side=st.sampled_from("CP"))
def test_a_name_made_of_an_option_tells_of_that_option(cents, side):
    strike = f"{cents / 100:f}".rstrip("0").rstrip(".").replace(".", "_")

    option = read_option(f"{strike}-{side}")

    assert option == (cents / 100, side == "C")


@pytest.mark.parametrize(
    ("body", "too_many"),
    [
        (REFUSAL, True),
        (as_body({"error": {"code": 12_001, "message": "-32000"}}), False),
        (derive_body({}), False),
        (b"-32000", False),
    ],
)
def test_too_many_requests_are_told_by_the_code_of_the_error(body, too_many):
    assert TERMS.is_too_many(body) is too_many


def push(coin="HYPE", method="subscription", **fields):
    data = {"timestamp": AT_MS, "feeds": {coin: {"price": "70.5", "confidence": "1"}}} | fields
    params = {"channel": f"spot_feed.{coin}", "data": data}
    return as_body({"method": method, "params": params}).decode()


def feed(*coins):
    return DeriveFeed(coins, lambda: NOW)


def test_the_stream_is_greeted_with_a_subscription_a_coin():
    messages = list(map(msgspec.json.decode, feed("BTC", "HYPE").greeting()))

    assert [(one["id"], one["method"], one["params"]) for one in messages] == [
        (1, "subscribe", {"channels": ["spot_feed.BTC"]}),
        (2, "subscribe", {"channels": ["spot_feed.HYPE"]}),
    ]


def test_a_pushed_price_is_a_tick_as_of_its_stamp():
    venue = feed("BTC", "HYPE")

    pushed = venue.read(push())

    assert pushed.ticks == (Tick("HYPEUSDT", from_milliseconds(AT_MS), 70.5, "derive"),)
    assert pushed.replies == ()
    assert venue.ping() is None


def test_a_price_that_is_none_does_not_cost_the_others_of_its_push():
    feeds = {"BTC": {"price": "0"}, "HYPE": {"price": "70.5"}}

    [tick] = feed("BTC", "HYPE").read(push(feeds=feeds)).ticks

    assert (tick.symbol, tick.spot) == ("HYPEUSDT", 70.5)


@pytest.mark.parametrize("stamp", [NOW_MS + 1, None, "soon", 0, -1, 10**30, {}])
def test_a_pushed_price_without_a_stamp_or_with_one_to_come_is_of_now(stamp):
    [tick] = feed("HYPE").read(push(timestamp=stamp)).ticks

    assert tick.at == NOW


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "7",
        "\ud800",
        push()[:-3],
        push("BTC"),
        push(method="other"),
        push(feeds=None),
        push(feeds={}),
        push(feeds={"HYPE": None}),
        push(feeds={"HYPE": {}}),
        push(feeds={"HYPE": {"price": "nan"}}),
        push(feeds={"HYPE": {"price": "1e16"}}),
        push(feeds={"HYPE": {"price": "-70.5"}}),
        '{"id":1,"result":{"status":{"spot_feed.HYPE":"ok"}}}',
        '{"method":"subscription","params":{"channel":"spot_feed.HYPE"}}',
    ],
)
def test_a_message_without_a_price_gives_nothing(text):
    assert feed("HYPE").read(text) == NOTHING_PUSHED


@given(text=st.text())
def test_any_message_is_read(text):
    assert feed("HYPE").read(text) == NOTHING_PUSHED
