import asyncio
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
from bot.exchanges.bybit import (
    TERMS,
    Bybit,
    BybitFeed,
    parse_candles,
    parse_chain,
    parse_listing,
    parse_perpetual,
    parse_spot,
    read_name,
)
from bot.exchanges.feed import NOTHING
from tests.exchanges.bybit_wire import (
    INSTRUMENTS,
    TICKERS,
    body_of,
    candle,
    instrument,
    linear,
    option,
    page,
    push,
    refusal,
    venue_wire,
)
from tests.exchanges.test_any_body import ANYTHING, DEEP, bodies
from tests.exchanges.wires import AT_MS, NOW, NOW_MS, FakeWire, as_body
from tests.shared import WIRE, needs_shared

AT = datetime.fromtimestamp(AT_MS / 1_000, UTC)
KEEP = timedelta(minutes=10)
HALF_HOUR_MS = 1_800_000
NO_NUMBERS = [None, "", "none", ..., True, [], {}, "1_0"]
NO_PRICES = [*NO_NUMBERS, "0", "-1.5", "nan", "inf", "1e16", 10**400]
NO_STAMPS = [NOW_MS + 60_000, NOW_MS * 1_000, None, ..., 0, -5, "soon", {}]


def eight(year, month, day):
    return int(datetime(year, month, day, 8, tzinfo=UTC).timestamp() * 1_000)


def bybit(wire, now=lambda: NOW):
    return Bybit(wire, now, KEEP)


def always(body):
    return FakeWire(lambda path, params: body)


def asked_of(wire, path):
    return [params for _, asked, params in wire.asked if asked == path]


class Clock:
    def __init__(self):
        self.time = NOW

    def now(self):
        return self.time


@pytest.mark.parametrize(
    ("name", "coin", "strike", "expiry", "is_call"),
    [
        ("SOL-30OCT26-95-C-USDT", "SOL", 95.0, eight(2026, 10, 30), True),
        ("BTC-27MAR26-70000-P-USDT", "BTC", 70_000.0, 1_774_598_400_000, False),
        ("BTC-27DEC24-55000-P", "BTC", 55_000.0, 1_735_286_400_000, False),
        ("BTC-6JAN23-17500-C", "BTC", 17_500.0, eight(2023, 1, 6), True),
        ("BTC-06JAN23-17500-C", "BTC", 17_500.0, eight(2023, 1, 6), True),
        ("ETH-07MAY26-2500-P-USDC", "ETH", 2_500.0, eight(2026, 5, 7), False),
        ("XRP-27MAR26-0.365-P-USDT", "XRP", 0.365, eight(2026, 3, 27), False),
        ("BTC-29FEB28-80000-C-USDT", "BTC", 80_000.0, eight(2028, 2, 29), True),
    ],
)
def test_a_name_says_coin_strike_expiry_and_side(name, coin, strike, expiry, is_call):
    assert read_name(name) == (coin, expiry, strike, is_call)


def test_units_are_coins_dollars_and_fractions():
    chain = parse_chain("BTC", body_of(option()), NOW)

    assert chain.oi.tolist() == [120.5]
    assert chain.iv.tolist() == [0.5125]
    assert chain.forward.tolist() == [80_100.5]
    assert chain.index.tolist() == [79_500.25]
    assert chain.strike.tolist() == [80_000.0]
    assert chain.expiry.tolist() == [eight(2026, 3, 27)]
    assert chain.is_call.tolist() == [True]


def test_numbers_may_come_as_numbers():
    row = option(markIv=0.5125, openInterest=7, underlyingPrice=80_100.5)

    chain = parse_chain("BTC", body_of(row), NOW)

    assert chain.iv.tolist() == [0.5125]
    assert chain.oi.tolist() == [7.0]
    assert chain.forward.tolist() == [80_100.5]


@pytest.mark.parametrize("value", NO_NUMBERS)
@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("openInterest", "oi"),
        ("markIv", "iv"),
        ("underlyingPrice", "forward"),
        ("indexPrice", "index"),
    ],
)
def test_what_is_no_number_is_not_given(field, column, value):
    chain = parse_chain("BTC", body_of(option(**{field: value})), NOW)

    assert len(chain) == 1
    assert math.isnan(getattr(chain, column)[0])


@pytest.mark.parametrize("price", NO_PRICES)
def test_a_forward_that_can_be_no_price_is_not_given(price):
    row = option(underlyingPrice=price, indexPrice=price)

    chain = parse_chain("BTC", body_of(row), NOW)

    assert math.isnan(chain.forward[0])
    assert math.isnan(chain.index[0])


def test_an_iv_of_zero_has_no_gamma_but_its_interest_counts():
    rows = option(markIv="0"), option("BTC-27MAR26-70000-P-USDT", markIv="")

    levels = compute_levels(parse_chain("BTC", body_of(*rows), NOW), 79_500.25, NOW)

    assert levels.dropped == {"iv_unusable": 2}
    assert levels.net_gex is None
    assert levels.max_pain is not None


def test_an_option_settled_in_either_coin_is_two_rows_whose_interest_adds_up():
    rows = option("BTC-27MAR26-80000-C", openInterest="2"), option(openInterest="3")

    chain = parse_chain("BTC", body_of(*rows), NOW)

    assert chain.strike.tolist() == [80_000.0, 80_000.0]
    assert chain.oi.tolist() == [2.0, 3.0]
    one = parse_chain("BTC", body_of(option(openInterest="5")), NOW)
    net, of_one = (compute_levels(rows, 79_500.25, NOW).net_gex for rows in (chain, one))
    assert net == pytest.approx(of_one)


def test_options_that_are_being_delivered_count_as_expired():
    rows = option("BTC-2MAR26-80000-C-USDT"), option()

    levels = compute_levels(parse_chain("BTC", body_of(*rows), NOW), 79_500.25, NOW)

    assert levels.dropped == {"expired": 1}


@pytest.mark.parametrize(
    "name",
    [
        "BTC-CS-25DEC26-70000_75000",
        "BTCUSDT",
        "BTC-27MAR26",
        "BTC-27XXX26-80000-C-USDT",
        "BTC-32MAR26-80000-C-USDT",
        "BTC-0MAR26-80000-C-USDT",
        "BTC-29FEB26-80000-C-USDT",
        "BTC-27mar26-80000-C-USDT",
        "BTC-27MAR26-80000-X-USDT",
        "BTC-27MAR26-80000-C-EUR",
        "BTC-27MAR26-77_5-C",
        "BTC-27MAR26-0-C-USDT",
        "BTC-27MAR26-" + "9" * 400 + "-C",
        "BTC-27MAR26-80000-C ",
        "",
        None,
        17,
        [],
        ...,
    ],
)
def test_a_row_whose_name_says_no_option_is_dropped_and_counted(name):
    chain = parse_chain("BTC", body_of(option(name), option()), NOW)

    assert chain.strike.tolist() == [80_000.0]
    assert chain.unreadable == {"row_unreadable": 1}


@pytest.mark.parametrize("row", [None, 5, "BTC-27MAR26-80000-C", [], [option()], True])
def test_what_is_no_row_is_dropped_and_counted(row):
    chain = parse_chain("BTC", body_of(option(), row), NOW)

    assert len(chain) == 1
    assert chain.unreadable == {"row_unreadable": 1}


def test_other_coins_are_passed_over():
    rows = option("SOL-27MAR26-95-C-USDT"), option()

    chain = parse_chain("SOL", body_of(*rows), NOW)

    assert chain.strike.tolist() == [95.0]
    assert chain.unreadable == {}


def test_rows_are_as_of_the_answers_own_time():
    chain = parse_chain("BTC", body_of(option(), option()), NOW)

    assert chain.at.tolist() == [AT_MS, AT_MS]
    assert chain.sources[0].at == AT


@pytest.mark.parametrize("stamp", NO_STAMPS)
def test_an_answer_without_a_time_or_with_one_to_come_is_of_now(stamp):
    chain = parse_chain("BTC", body_of(option(), time=stamp), NOW)

    assert chain.at.tolist() == [NOW_MS]


VECTORS = {
    "V4": (
        ("BTC-27DEC24-55000-P", "71690.55303594", "0.8866", 1_711_162_003_672),
        5.499684e-06,
    ),
    "V5": (
        ("BTC-26JAN24-39000-C", "37649.67254894", "0.5577", 1_699_584_008_326),
        4.130530e-05,
    ),
    "V6": (("BTC-6JAN23-17500-C", "16815.1", "0.4896", 1_672_917_511_074), 2.489303e-04),
}


@pytest.mark.parametrize("vector", VECTORS)
def test_gamma_of_a_row_is_the_published_one(vector):
    (name, forward, iv, at_ms), gamma = VECTORS[vector]
    row = option(name, underlyingPrice=forward, indexPrice="15000", markIv=iv, openInterest="1")
    now = datetime.fromtimestamp(at_ms / 1_000, UTC)

    rows = live_rows(parse_chain("BTC", body_of(row, time=at_ms), now), 15_000.0, now)

    found = abs(exposure(rows)) / (rows.forward**2 * 0.01)
    np.testing.assert_allclose(found, gamma, rtol=2e-7)


def test_dollar_gamma_of_a_row_is_that_of_its_forward():
    row = option(
        "BTC-27DEC24-55000-P",
        underlyingPrice="71690.55303594",
        indexPrice="63838.92",
        markIv="0.8866",
        openInterest="0.01",
    )
    now = datetime.fromtimestamp(1_711_162_003.672, UTC)

    rows = live_rows(parse_chain("BTC", body_of(row, time=1_711_162_003_672), now), 63_838.92, now)

    np.testing.assert_allclose(exposure(rows), -2.82658184, rtol=1e-8)


async def test_a_chain_is_one_request_for_the_coin_and_one_for_its_metadata():
    wire = always(body_of(option(), option("BTC-27MAR26-70000-P")))

    chain = await bybit(wire).fetch_chain("BTC")

    assert [(s.venue, s.at, s.rows) for s in chain.sources] == [("bybit", AT, 2)]
    params = {"category": "option", "baseCoin": "BTC"}
    assert wire.asked == [
        ("GET", TICKERS, params),
        ("GET", INSTRUMENTS, params | {"limit": "1000"}),
    ]


async def test_whoever_asks_for_a_chain_on_its_way_gets_the_same_answer():
    wire = always(body_of(option()))
    venue = bybit(wire)

    first, second = await asyncio.gather(venue.fetch_chain("BTC"), venue.fetch_chain("BTC"))

    assert first is second
    assert len(asked_of(wire, TICKERS)) == len(asked_of(wire, INSTRUMENTS)) == 1


@pytest.mark.parametrize(
    "failure",
    [
        SourceError("bybit", "no answer"),
        refusal(),
        body_of(option())[:-20],
        b"",
        body_of(option("nonsense")),
        body_of(result=None),
    ],
    ids=["unreached", "refused", "cut off", "empty", "no readable row", "no list"],
)
async def test_the_last_chain_stands_in_for_a_failing_call_with_its_age(failure):
    clock, answers = Clock(), iter([body_of(option()), failure])
    venue = bybit(venue_wire(lambda params: next(answers)), clock.now)
    await venue.fetch_chain("BTC")

    clock.time += KEEP
    chain = await venue.fetch_chain("BTC")

    assert chain.sources[0].at == AT
    assert chain.at.tolist() == [AT_MS]


async def test_a_chain_that_is_too_old_stands_in_no_more():
    clock, answers = Clock(), iter([body_of(option()), refusal()])
    venue = bybit(venue_wire(lambda params: next(answers)), clock.now)
    await venue.fetch_chain("BTC")

    clock.time += KEEP + timedelta(seconds=1)

    with pytest.raises(SourceError, match="Too many visits"):
        await venue.fetch_chain("BTC")


EIGHT, NOON = eight(2026, 3, 27), eight(2026, 3, 27) + 4 * 3_600_000
OTHER = "BTC-27MAR26-70000-P"
BOTH = body_of(option(), option(OTHER))


def at_noon(name):
    return instrument(name, deliveryTime=str(NOON))


async def test_metadata_says_the_expiry_page_after_page():
    pages = {
        "": page(instrument(deliveryTime=str(NOON)), cursor="next%3D1000"),
        "next%3D1000": page(at_noon(OTHER), cursor="next%3D2000"),
        "next%3D2000": page(),
    }
    wire = venue_wire(lambda params: BOTH, pages)

    chain = await bybit(wire).fetch_chain("BTC")

    assert chain.expiry.tolist() == [NOON, NOON]
    assert chain.strike.tolist() == [80_000.0, 70_000.0]
    wanted = {"category": "option", "baseCoin": "BTC", "limit": "1000"}
    assert asked_of(wire, INSTRUMENTS) == [
        wanted,
        wanted | {"cursor": "next%3D1000"},
        wanted | {"cursor": "next%3D2000"},
    ]


async def test_a_list_without_end_is_read_no_further():
    wire = FakeWire(
        lambda path, params: BOTH if path == TICKERS else page(at_noon(OTHER), cursor="again")
    )

    chain = await bybit(wire).fetch_chain("BTC")

    assert len(asked_of(wire, INSTRUMENTS)) == 20
    assert chain.expiry.tolist() == [EIGHT, NOON]


async def test_a_new_option_that_metadata_does_not_know_yet_expires_by_its_name():
    chain = await bybit(venue_wire(lambda params: BOTH, page(at_noon(OTHER)))).fetch_chain("BTC")

    assert chain.expiry.tolist() == [EIGHT, NOON]


@pytest.mark.parametrize(
    "told",
    [*NO_NUMBERS, "0", "-1", "inf", 10**400, str(NOON // 1_000), str(NOON * 1_000)]
    + [str(EIGHT + days * 86_400_000) for days in (-1, 1)],
)
def test_an_expiry_that_is_not_near_the_day_in_the_name_is_junk(told):
    listed = parse_listing(page(instrument(OTHER, deliveryTime=told))).listed

    assert listed == {OTHER: ("BTC", EIGHT, 70_000.0, False)}


@pytest.mark.parametrize("cursor", [None, "", 5, [], {}])
def test_what_is_no_cursor_ends_the_list(cursor):
    assert parse_listing(page(instrument(), cursor=cursor)).cursor == ""


@pytest.mark.parametrize(
    "listing",
    [
        SourceError("bybit", "HTTP 502"),
        NotListed("bybit", "not in this recording"),
        refusal(),
        b"",
        b"<html>",
        page(),
        page(None, 5, instrument("BTCUSDT"), instrument(None)),
        body_of(result=None),
        {"": page(at_noon(OTHER), cursor="more"), "more": refusal()},
    ],
)
async def test_metadata_that_cannot_be_had_costs_nothing(listing):
    chain = await bybit(venue_wire(lambda params: BOTH, listing)).fetch_chain("BTC")

    assert chain.expiry.tolist() == [EIGHT, EIGHT]
    assert chain.sources[0].at == AT


async def test_metadata_is_asked_for_once_an_hour_and_makes_no_chain_older():
    clock = Clock()
    wire = venue_wire(lambda params: BOTH, page(at_noon(OTHER)))
    venue = bybit(wire, clock.now)

    for minutes in (0, 30, 29, 1):
        clock.time += timedelta(minutes=minutes)
        chain = await venue.fetch_chain("BTC")

    assert len(asked_of(wire, INSTRUMENTS)) == 2
    assert chain.expiry.tolist() == [EIGHT, NOON]
    assert chain.sources[0].at == AT


async def test_a_coin_that_fails_takes_no_other_coins_chain():
    answers = {"BTC": body_of(option()), "ETH": refusal()}
    venue = bybit(venue_wire(lambda params: answers[params["baseCoin"]]))
    await venue.fetch_chain("BTC")

    with pytest.raises(SourceError):
        await venue.fetch_chain("ETH")


@pytest.mark.parametrize("rows", [[], [option("SOL-27MAR26-95-C-USDT")]])
async def test_a_list_without_the_coin_says_that_it_is_not_listed(rows):
    with pytest.raises(NotListed, match="bybit: no HYPE options"):
        await bybit(always(body_of(*rows))).fetch_chain("HYPE")


async def test_a_chain_without_a_readable_row_is_an_outage():
    with pytest.raises(SourceError) as caught:
        await bybit(always(body_of(option("nonsense"), None))).fetch_chain("BTC")

    assert not isinstance(caught.value, NotListed)


every_parser = pytest.mark.parametrize(
    "read",
    [
        lambda body: parse_chain("BTC", body, NOW),
        lambda body: parse_spot("BTC", body, NOW),
        lambda body: parse_perpetual("BTC", body),
        lambda body: parse_candles(body, NOW),
    ],
    ids=["chain", "spot", "perpetual", "candles"],
)


@every_parser
def test_a_refusal_says_what_the_venue_said(read):
    with pytest.raises(SourceError, match=r"^bybit: Too many visits! \(10006\)$"):
        read(refusal())


@every_parser
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>403 Forbidden</html>",
        b"null",
        b"[]",
        b"\xff\xfe{}",
        b'{"retCode":0',
        DEEP,
        as_body({}),
        body_of(retCode="0"),
        body_of(retCode=...),
        body_of(retMsg=None),
        body_of(result=None),
        body_of(result=...),
        body_of(result={}),
        body_of(result=[]),
        body_of(result={"list": None}),
        body_of(result={"list": {}}),
    ],
)
def test_an_answer_without_a_list_is_a_source_error(read, body):
    with pytest.raises(SourceError, match=r"^bybit: .+") as caught:
        read(body)

    assert not isinstance(caught.value, NotListed)


def test_spot_is_the_index_price_as_of_the_venues_stamp():
    assert parse_spot("BTC", body_of(linear()), NOW) == Tick("BTCUSDT", AT, 79_500.25, "bybit")


@pytest.mark.parametrize("stamp", NO_STAMPS)
def test_spot_without_a_time_or_with_one_to_come_is_of_now(stamp):
    assert parse_spot("BTC", body_of(linear(), time=stamp), NOW).at == NOW


def test_the_perpetual_is_its_mark_price():
    assert parse_perpetual("BTC", body_of(linear())) == 79_520.75


def test_prices_are_those_of_the_symbol_among_others():
    body = body_of(None, linear("ETHUSDT", indexPrice="2000"), linear())

    assert parse_spot("BTC", body, NOW).spot == 79_500.25


@pytest.mark.parametrize("price", NO_PRICES)
def test_a_price_that_is_none_is_a_source_error(price):
    body = body_of(linear(indexPrice=price, markPrice=price))

    with pytest.raises(SourceError, match=r"^bybit: .+"):
        parse_spot("BTC", body, NOW)
    with pytest.raises(SourceError, match=r"^bybit: .+"):
        parse_perpetual("BTC", body)


@pytest.mark.parametrize("rows", [[], [None], [linear("ETHUSDT")], [linear(None)]])
def test_a_symbol_without_a_ticker_is_a_source_error(rows):
    with pytest.raises(SourceError, match="bybit: no BTCUSDT"):
        parse_spot("BTC", body_of(*rows), NOW)


async def test_prices_are_asked_by_symbol():
    wire = always(body_of(linear("HYPEUSDT")))
    venue = bybit(wire)

    tick, mark = await venue.fetch_spot("HYPE"), await venue.fetch_perpetual("HYPE")

    assert (tick.symbol, tick.spot, mark) == ("HYPEUSDT", 79_500.25, 79_520.75)
    params = {"category": "linear", "symbol": "HYPEUSDT"}
    assert wire.asked == [("GET", "/v5/market/tickers", params)] * 2


def test_a_candle_is_its_opening_time_prices_and_coins():
    candles = parse_candles(body_of(candle(NOW_MS - HALF_HOUR_MS)), NOW)

    opened = datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
    assert candles == [Candle(opened, 80_000.1, 80_100.0, 79_900.5, 80_050.25, 12.5)]


def test_candles_that_come_newest_first_are_given_ascending_the_open_one_last():
    body = body_of(*(candle(NOW_MS - step * HALF_HOUR_MS) for step in range(200)))

    times = [one.datetime for one in parse_candles(body, NOW)]

    assert len(times) == 96
    assert times == sorted(times)
    assert times[-1] == NOW
    assert times[0] == NOW - timedelta(hours=47, minutes=30)


def test_a_candle_to_come_is_left_out():
    body = body_of(candle(NOW_MS + HALF_HOUR_MS), candle(NOW_MS))

    assert [one.datetime for one in parse_candles(body, NOW)] == [NOW]


def test_no_candles_are_no_trouble():
    assert parse_candles(body_of(), NOW) == []


@pytest.mark.parametrize(
    "line",
    [
        None,
        {},
        [],
        candle(NOW_MS)[:5],
        candle(NOW_MS, "", "1", "1", "1", "1"),
        candle(NOW_MS, "1", None, "1", "1", "1"),
        candle(NOW_MS, "1", "1", "nan", "1", "1"),
        candle(NOW_MS, "1", "1", "1", "1", "inf"),
        candle(""),
        candle(0),
        candle(-NOW_MS),
        candle(NOW_MS * 1_000),
        candle("nan"),
        candle(10**400),
    ],
)
def test_a_candle_that_cannot_be_read_is_a_source_error(line):
    with pytest.raises(SourceError, match=r"^bybit: unreadable candle"):
        parse_candles(body_of(line), NOW)


async def test_candles_are_asked_by_symbol():
    wire = always(body_of(candle(NOW_MS)))

    candles = await bybit(wire).fetch_candles("ETHUSDT")

    assert len(candles) == 1
    params = {"category": "linear", "symbol": "ETHUSDT", "interval": "30", "limit": "200"}
    assert wire.asked == [("GET", "/v5/market/kline", params)]


@pytest.mark.parametrize(
    ("body", "too_many"),
    [
        (refusal(), True),
        (b'{"retCode":10006,"retMsg":"Too many visi', True),
        (refusal(10_001, "params error"), False),
        (body_of(option(openInterest="10006")), False),
        (as_body({"retCode": 100_061}), False),
        (b"\xff", False),
        (b"", False),
    ],
)
def test_code_10006_says_that_it_was_too_much(body, too_many):
    assert TERMS.is_too_many(body) is too_many


def feed(*coins):
    return BybitFeed(coins or ("BTC",), lambda: NOW)


def btc(price, at=AT):
    return (Tick("BTCUSDT", at, price, "bybit"),)


def test_each_coin_has_a_subscription_of_its_own():
    sent = [json.loads(text) for text in feed("BTC", "HYPE").greeting()]

    assert sent == [
        {"op": "subscribe", "args": ["tickers.BTCUSDT"]},
        {"op": "subscribe", "args": ["tickers.HYPEUSDT"]},
    ]


def test_the_stream_is_pinged_every_20_seconds():
    stream = feed()

    assert (stream.path, stream.ping_every) == ("/v5/public/linear", 20.0)
    assert json.loads(stream.ping()) == {"op": "ping"}


def test_a_snapshot_tells_the_index_price():
    assert feed().read(push()).ticks == btc(79_500.25)


def test_a_delta_tells_the_index_price_that_changed():
    stream = feed()
    stream.read(push())

    pushed = stream.read(push("delta", "79600.5", ts=AT_MS + 100))

    assert pushed.ticks == btc(79_600.5, AT + timedelta(milliseconds=100))


def test_a_delta_without_an_index_price_says_that_it_is_still_the_same():
    stream = feed()
    stream.read(push())

    pushed = stream.read(push("delta", ..., ts=AT_MS + 100))

    assert pushed.ticks == btc(79_500.25, AT + timedelta(milliseconds=100))


def test_a_delta_says_nothing_of_a_price_that_was_never_told():
    assert feed().read(push("delta", ...)) == NOTHING


def test_a_new_connection_knows_nothing_of_the_one_before():
    feed().read(push())

    assert feed().read(push("delta", ...)) == NOTHING


def test_a_snapshot_without_an_index_price_ends_what_was_known():
    stream = feed()
    stream.read(push())

    pushed = [stream.read(push("snapshot", ...)), stream.read(push("delta", ...))]

    assert pushed == [NOTHING, NOTHING]


@pytest.mark.parametrize("price", [one for one in NO_PRICES if one is not ...])
def test_a_price_that_is_none_ends_what_was_known(price):
    stream = feed()
    stream.read(push())

    pushed = [stream.read(push("delta", price)), stream.read(push("delta", ...))]

    assert pushed == [NOTHING, NOTHING]
    assert stream.read(push("delta", "79600.5")).ticks == btc(79_600.5)


def test_coins_are_kept_apart():
    stream = feed("BTC", "ETH")
    stream.read(push())

    assert stream.read(push("delta", ..., topic="tickers.ETHUSDT")) == NOTHING
    assert stream.read(push("delta", "2000", topic="tickers.ETHUSDT")).ticks == (
        Tick("ETHUSDT", AT, 2_000.0, "bybit"),
    )
    assert stream.read(push("delta", ...)).ticks == btc(79_500.25)


@pytest.mark.parametrize("stamp", NO_STAMPS)
def test_a_push_without_a_stamp_or_with_one_to_come_is_of_now(stamp):
    assert feed().read(push(ts=stamp)).ticks == btc(79_500.25, NOW)


def test_an_old_stamp_stays_old():
    old = AT - timedelta(hours=1)

    pushed = feed().read(push(ts=AT_MS - 3_600_000))

    assert pushed.ticks == btc(79_500.25, old)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pong",
        "null",
        "[]",
        "\ud800",
        "[" * 100_000,
        push()[:-9],
        push(type="news"),
        push(type=...),
        push(type=None),
        push(topic="tickers.SOLUSDT"),
        push(topic="orderbook.1.BTCUSDT"),
        push(topic=None),
        push(topic=...),
        push(data=None),
        push(data=...),
        push(data=[]),
        '{"success":true,"ret_msg":"pong","conn_id":"x","req_id":"","op":"ping"}',
        '{"args":["1672916271846"],"op":"pong"}',
        '{"success":true,"ret_msg":"","conn_id":"x","op":"subscribe"}',
        '{"success":false,"ret_msg":"error:handler not found","conn_id":"x","op":"subscribe"}',
    ],
)
def test_a_message_that_tells_no_price_holds_nothing_and_ends_nothing(text):
    stream = feed()
    stream.read(push())

    assert stream.read(text) == NOTHING
    assert stream.read(push("delta", ...)).ticks == btc(79_500.25)


@given(
    texts=st.lists(
        st.text(st.characters())
        | ANYTHING.map(json.dumps)
        | st.builds(push, st.sampled_from(["snapshot", "delta"]), ANYTHING, ts=ANYTHING)
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_pushed_every_tick_is_a_price_of_no_later_than_now(texts):
    stream = feed()

    ticks = [tick for text in texts for tick in stream.read(text).ticks]

    assert all(0 < tick.spot < 1e15 and tick.at <= NOW for tick in ticks)


@settings(max_examples=300, deadline=None)
@given(
    body=bodies(
        body_of(option(), option("SOL-27MAR26-95-C-USDT")),
        body_of(linear()),
        page(instrument(), cursor="next"),
        body_of(candle(NOW_MS), candle(NOW_MS - HALF_HOUR_MS)),
        refusal(),
    )
)
def test_any_body_is_read_or_is_a_source_error(body):
    venue = bybit(always(body))
    fetches = (
        venue.fetch_chain("BTC"),
        venue.fetch_spot("BTC"),
        venue.fetch_perpetual("BTC"),
        venue.fetch_candles("BTCUSDT"),
    )

    outcomes = asyncio.run(_outcomes(fetches))

    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert all(isinstance(error, SourceError) for error in errors)


async def _outcomes(fetches):
    return await asyncio.gather(*fetches, return_exceptions=True)


@needs_shared
@pytest.mark.parametrize("name", ["tickers.option.example.json", "tickers.option.transcribed.json"])
def test_real_rows_are_read_whole(name):
    body = (WIRE / "bybit" / name).read_bytes()
    rows = json.loads(body)["result"]["list"]

    chain = parse_chain("BTC", body, NOW)

    assert chain.unreadable == {}
    assert chain.oi.tolist() == [float(row["openInterest"]) for row in rows]
    assert chain.iv.tolist() == [float(row["markIv"]) for row in rows]
    assert chain.forward.tolist() == [float(row["underlyingPrice"]) for row in rows]
    assert chain.index.tolist() == [float(row["indexPrice"]) for row in rows]
    assert chain.strike.tolist() == [float(row["symbol"].split("-")[2]) for row in rows]


@needs_shared
def test_a_real_push_of_an_option_tells_no_index_price():
    text = (WIRE / "bybit" / "ws.tickers.option.example.json").read_text()

    assert feed().read(text) == NOTHING
