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
from bot.core.snapshot import Candle, Tick
from bot.errors import NotListed, SourceError
from bot.exchanges.binance import (
    TERMS,
    Binance,
    BinanceFeed,
    Unreported,
    parse_candles,
    parse_counts,
    parse_listing,
    parse_marks,
    parse_perpetual,
    parse_spot,
)
from bot.exchanges.feed import NOTHING
from tests.exchanges.binance_wire import (
    APRIL,
    CALL,
    MARCH,
    PUT,
    Venue,
    info,
    interest,
    listed,
    mark,
    premium,
    refusal,
)
from tests.exchanges.wires import AT_MS, NOW, NOW_MS, FakeWire, as_body, kline
from tests.shared import WIRE, needs_shared

HALF_HOUR_MS = 1_800_000
KEEP = timedelta(minutes=15)
AT = datetime.fromtimestamp(AT_MS / 1_000, UTC)
DOWN = SourceError("binance", "HTTP 503")
SPOT, FUTURES = "/api/v3/klines", "/fapi/v1/klines"
NO_JSON = [b"", b"<html>", b"\xff", b"[" * 100_000, b'[{"symbol":"BTC-2603']
NO_STAMP = ["", None, "soon", True, -1, "nan", 10**30, [1]]
NO_PRICE = [None, "", "x", "nan", "inf", "0", "-1", 0, 1e16, True, [], {}]
STREAM = "/market/stream?streams=btcusdt@markPrice@1s/hypeusdt@markPrice@1s"


class Clock:
    """Stands still until a test moves it."""

    def __init__(self):
        self.time = NOW

    def now(self):
        return self.time

    def pass_by(self, **span):
        self.time += timedelta(**span)


def binance(venue, clock=None, keep=KEEP):
    return Binance(venue.wire, (clock or Clock()).now, keep)


def rows_of(chain):
    columns = (chain.expiry, chain.strike, chain.is_call, chain.oi, chain.iv)
    return list(zip(*(column.tolist() for column in columns), strict=True))


async def test_a_row_joins_the_list_the_marks_and_the_open_interest():
    venue = Venue()

    chain = await binance(venue).fetch_chain("BTC")

    assert rows_of(chain) == [
        (MARCH, 80_000.0, True, 12.5, 0.5125),
        (APRIL, 75_000.0, False, 4.25, 0.61),
    ]
    assert chain.index.tolist() == [79_500.25, 79_500.25]
    assert np.isnan(chain.forward).all()
    assert chain.at.tolist() == [AT_MS, AT_MS]
    assert chain.unreadable == {}


async def test_a_chain_is_asked_in_one_request_a_part():
    venue = Venue()

    await binance(venue).fetch_chain("BTC")

    assert venue.wire.asked == [
        ("GET", "/eapi/v1/exchangeInfo", {}),
        ("GET", "/eapi/v1/mark", {}),
        ("GET", "/eapi/v1/index", {"underlying": "BTCUSDT"}),
        ("GET", "/eapi/v1/openInterest", {"underlyingAsset": "BTC", "expiration": "260327"}),
        ("GET", "/eapi/v1/openInterest", {"underlyingAsset": "BTC", "expiration": "260424"}),
    ]


async def test_open_interest_is_counted_in_coins():
    doge = "DOGE-260327-0.25-C"
    venue = Venue(
        exchangeInfo=info(listed(), listed(doge, unit="1000")),
        mark=[mark(), mark(doge)],
        **{"openInterest 260327": [interest(doge, sumOpenInterest="3.5")]},
    )

    chain = await binance(venue).fetch_chain("DOGE")

    assert rows_of(chain) == [(MARCH, 0.25, True, 3_500.0, 0.5125)]


async def test_strike_and_expiry_are_those_of_the_list_whatever_the_name_says():
    noon = MARCH + 4 * 3_600_000
    venue = Venue(exchangeInfo=info(listed(CALL, noon, strikePrice="80500.5"), listed(PUT, APRIL)))

    chain = await binance(venue).fetch_chain("BTC")

    assert (chain.expiry[0], chain.strike[0]) == (noon, 80_500.5)


async def test_the_coins_of_a_cycle_share_the_marks_and_the_list():
    eth = "ETH-260327-2500-P"
    venue = Venue(exchangeInfo=info(listed(), listed(eth)), mark=[mark(), mark(eth)])
    venue.said["openInterest 260327"] = [interest(), interest(eth)]
    source = binance(venue)

    btc, eth = await asyncio.gather(source.fetch_chain("BTC"), source.fetch_chain("ETH"))

    assert (btc.strike.tolist(), eth.strike.tolist()) == ([80_000.0], [2_500.0])
    assert venue.asked("exchangeInfo") == venue.asked("mark") == 1


async def test_a_coin_without_options_is_not_listed_and_costs_no_more_than_the_list():
    venue = Venue()

    with pytest.raises(NotListed, match="no HYPE options"):
        await binance(venue).fetch_chain("HYPE")

    assert len(venue.wire.asked) == 1


async def test_options_on_shares_and_metals_are_not_listed():
    gold = listed("XAU-260327-4000-C", underlyingType="TRADFI")
    venue = Venue(exchangeInfo=info(listed(), gold))

    with pytest.raises(NotListed):
        await binance(venue).fetch_chain("XAU")


async def test_an_option_without_a_type_is_one_on_a_coin():
    venue = Venue(exchangeInfo=info(listed(underlyingType=...), listed(PUT, APRIL)))

    assert len(await binance(venue).fetch_chain("BTC")) == 2


@pytest.mark.parametrize("body", [{}, info(), [], refusal(-1000), *NO_JSON])
async def test_a_list_of_nothing_is_trouble_and_never_kept(body):
    venue = Venue(exchangeInfo=body)
    source = binance(venue)

    with pytest.raises(SourceError) as caught:
        await source.fetch_chain("BTC")
    venue.said["exchangeInfo"] = info(listed(), listed(PUT, APRIL))

    assert not isinstance(caught.value, NotListed)
    assert len(await source.fetch_chain("BTC")) == 2


async def test_the_list_is_asked_for_once_an_hour_and_kept_for_a_day():
    venue, clock = Venue(), Clock()
    source = binance(venue, clock)

    for _ in range(2):
        await source.fetch_chain("BTC")
        clock.pass_by(minutes=59)
    asked_within = venue.asked("exchangeInfo")
    venue.said["exchangeInfo"] = DOWN
    clock.pass_by(hours=20)
    chain = await source.fetch_chain("BTC")

    assert asked_within == 1
    assert chain.sources[0].rows == 2
    assert chain.sources[0].at == AT
    clock.pass_by(hours=5)
    with pytest.raises(SourceError, match="HTTP 503"):
        await source.fetch_chain("BTC")


async def test_an_option_that_the_list_lacks_has_it_asked_for_again():
    venue, clock = Venue(mark=[mark(), mark(PUT)]), Clock()
    venue.said["exchangeInfo"] = info(listed())
    source = binance(venue, clock)
    await source.fetch_chain("BTC")
    venue.said["exchangeInfo"] = info(listed(), listed(PUT, APRIL, strikePrice="75100"))
    clock.pass_by(minutes=2)

    chain = await source.fetch_chain("BTC")

    assert venue.asked("exchangeInfo") == 2
    assert chain.strike.tolist() == [80_000.0, 75_100.0]
    assert venue.asked("openInterest 260424") == 2


async def test_a_list_that_stays_behind_is_asked_for_once_a_minute_and_names_serve():
    venue, clock = Venue(exchangeInfo=info(listed(unit=10))), Clock()
    source = binance(venue, clock)

    for _ in range(9):
        chain = await source.fetch_chain("BTC")
        clock.pass_by(seconds=15)

    assert venue.asked("exchangeInfo") == 3
    assert rows_of(chain)[1] == (APRIL, 75_000.0, False, 42.5, 0.61)


@pytest.mark.parametrize("symbol", ["BTC-260301-80000-C", "BTC-INDEX", "ETH-260327-2500-P"])
async def test_a_mark_of_what_is_no_live_option_of_the_coin_leaves_the_list_alone(symbol):
    venue, clock = Venue(mark=[mark(), mark(PUT), mark(symbol)]), Clock()
    source = binance(venue, clock)

    await source.fetch_chain("BTC")
    clock.pass_by(minutes=5)
    await source.fetch_chain("BTC")

    assert venue.asked("exchangeInfo") == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"strikePrice": ""},
        {"strikePrice": None},
        {"strikePrice": "0"},
        {"expiryDate": ...},
        {"expiryDate": "never"},
        {"expiryDate": -1},
        {"expiryDate": 10**30},
        {"side": "C"},
        {"unit": ...},
        {"unit": "0"},
    ],
)
async def test_where_the_list_cannot_be_read_the_name_serves(fields):
    venue = Venue(exchangeInfo=info(listed(**fields), listed(PUT, APRIL)))

    chain = await binance(venue).fetch_chain("BTC")

    assert (MARCH, 80_000.0, True, 12.5, 0.5125) in rows_of(chain)


async def test_a_coin_whose_every_listed_option_is_unreadable_is_trouble():
    venue = Venue(exchangeInfo=info(listed(unit=None)))

    with pytest.raises(SourceError, match="no readable BTC option is listed") as caught:
        await binance(venue).fetch_chain("BTC")

    assert not isinstance(caught.value, NotListed)


async def test_a_strike_may_have_decimals():
    name = "XRP-260327-0.365-P"
    other = "XRP-260327-0.5-C"
    venue = Venue(exchangeInfo=info(listed(other)), mark=[mark(name), mark(other)])
    venue.said["openInterest 260327"] = [interest(name)]

    chain = await binance(venue).fetch_chain("XRP")

    assert (MARCH, 0.365, False, 12.5, 0.5125) in rows_of(chain)


@pytest.mark.parametrize(
    "name", ["BTC-260230-80000-C", "BTC-260327-0-C", "BTC-260327-8_0-C", "BTC-260327-80000", "BTC"]
)
async def test_a_name_that_says_nothing_is_counted(name):
    venue = Venue(mark=[mark(), mark(PUT), mark(name)])

    chain = await binance(venue).fetch_chain("BTC")

    assert len(chain) == 2
    assert chain.unreadable == {"row_unreadable": 1}


@pytest.mark.parametrize("row", [None, 7, [], {}, {"symbol": 5}, {"symbol": None}])
async def test_a_row_of_another_shape_costs_that_row_alone(row):
    venue = Venue(mark=[row, mark(), mark(PUT)])
    venue.said["openInterest 260327"] = [interest(), row]
    venue.said["exchangeInfo"] = info(row, listed(), listed(PUT, APRIL))

    chain = await binance(venue).fetch_chain("BTC")

    assert chain.oi.tolist() == [12.5, 4.25]
    assert chain.unreadable == {"row_unreadable": 2}


@pytest.mark.parametrize("iv", [..., None, "", "-1.0", "0", "x", "nan", [], True])
async def test_an_iv_that_is_none_leaves_the_open_interest(iv):
    venue = Venue(mark=[mark(markIV=iv), mark(PUT)])

    chain = await binance(venue).fetch_chain("BTC")

    assert math.isnan(chain.iv[0])
    assert chain.oi[0] == 12.5


@pytest.mark.parametrize("contracts", [..., None, "", "x", "nan", [], True])
async def test_open_interest_that_is_none_leaves_the_row(contracts):
    venue = Venue(**{"openInterest 260327": [interest(sumOpenInterest=contracts)]})

    chain = await binance(venue).fetch_chain("BTC")

    assert math.isnan(chain.oi[0])
    assert chain.iv[0] == 0.5125


async def test_open_interest_without_a_mark_has_a_row():
    venue = Venue(mark=[mark()])

    chain = await binance(venue).fetch_chain("BTC")

    assert chain.oi.tolist() == [12.5, 4.25]
    assert math.isnan(chain.iv[1])


async def test_a_listed_option_with_neither_has_none():
    idle = "BTC-260327-90000-C"
    venue = Venue(exchangeInfo=info(listed(), listed(idle), listed(PUT, APRIL)))

    assert len(await binance(venue).fetch_chain("BTC")) == 2


async def test_an_expired_option_that_is_still_listed_is_not_asked_for():
    gone = listed("BTC-260301-80000-C", NOW_MS - 100)
    venue = Venue(exchangeInfo=info(gone, listed(), listed(PUT, APRIL)))

    await binance(venue).fetch_chain("BTC")

    assert venue.asked("openInterest 260301") == venue.asked("openInterest 260302") == 0


async def test_a_chain_is_as_old_as_its_oldest_part():
    older = str(AT_MS - 60_000)
    venue = Venue(**{"openInterest 260424": [interest(PUT, timestamp=older)]})

    chain = await binance(venue).fetch_chain("BTC")

    assert chain.sources[0].at == AT - timedelta(minutes=1)
    assert chain.at.tolist() == [AT_MS, AT_MS - 60_000]


async def test_a_part_is_as_old_as_its_newest_row():
    idle = interest("BTC-260327-90000-C", timestamp=str(AT_MS - 60_000))
    venue = Venue(**{"openInterest 260327": [idle, interest()]})

    chain = await binance(venue).fetch_chain("BTC")

    assert chain.sources[0].at == AT


@pytest.mark.parametrize("stamp", [..., *NO_STAMP, str(NOW_MS + 5_000)])
async def test_open_interest_without_a_stamp_is_as_old_as_its_arrival(stamp):
    venue = Venue(index={"indexPrice": "79500.25", "time": NOW_MS})
    for day, symbol in (("260327", CALL), ("260424", PUT)):
        venue.said[f"openInterest {day}"] = [interest(symbol, timestamp=stamp)]

    chain = await binance(venue).fetch_chain("BTC")

    assert chain.sources[0].at == NOW
    assert chain.at.tolist() == [NOW_MS, NOW_MS]


@pytest.mark.parametrize(
    "failure", [DOWN, refusal(-1000), refusal(-1121), refusal(-6010), {}, [], *NO_JSON]
)
@pytest.mark.parametrize("part", ["mark", "index", "openInterest 260327"])
async def test_the_last_answer_of_a_failing_call_serves_with_its_age(part, failure):
    venue, clock = Venue(), Clock()
    source = binance(venue, clock)
    before = await source.fetch_chain("BTC")
    venue.said[part] = failure
    clock.pass_by(minutes=10)
    for day, symbol in (("260327", CALL), ("260424", PUT)):
        if part != f"openInterest {day}":
            venue.said[f"openInterest {day}"] = [interest(symbol, timestamp=str(NOW_MS + 600_000))]
    if part != "index":
        venue.said["index"] = {"indexPrice": "79600", "time": NOW_MS + 600_000}

    chain = await source.fetch_chain("BTC")

    assert chain.sources[0].at == (NOW if part == "mark" else AT)
    assert (len(chain), chain.iv[0]) == (2, before.iv[0])


@pytest.mark.parametrize("part", ["mark", "index", "openInterest 260327"])
async def test_a_call_that_fails_for_longer_costs_the_chain(part):
    venue, clock = Venue(), Clock()
    source = binance(venue, clock)
    await source.fetch_chain("BTC")
    venue.said[part] = DOWN
    clock.pass_by(minutes=16)

    with pytest.raises(SourceError, match="HTTP 503"):
        await source.fetch_chain("BTC")


@pytest.mark.parametrize("part", ["mark", "index", "openInterest 260327"])
async def test_a_call_that_never_answered_costs_the_chain_until_it_does(part):
    venue = Venue()
    good = venue.said[part]
    venue.said[part] = DOWN
    source = binance(venue)

    with pytest.raises(SourceError, match="HTTP 503"):
        await source.fetch_chain("BTC")
    venue.said[part] = good

    assert len(await source.fetch_chain("BTC")) == 2


NO_FIGURE = [
    [],
    refusal(-6010),
    refusal(-1121),
    NotListed("binance", "not in this recording"),
]


@pytest.mark.parametrize("nothing", NO_FIGURE)
async def test_an_expiry_that_the_venue_has_no_figure_for_counts_as_nothing_open(nothing):
    venue = Venue(**{"openInterest 260327": nothing})

    chain = await binance(venue).fetch_chain("BTC")
    rows = live_rows(chain, 79_500.0, NOW)

    assert rows.oi.tolist() == [0.0, 4.25]
    assert rows.dropped["oi_unusable"] == 1
    assert chain.sources[0].at == AT


@pytest.mark.parametrize("nothing", NO_FIGURE)
async def test_an_expiry_without_a_figure_never_makes_the_chain_stale(nothing):
    venue, clock = Venue(), Clock()
    source = binance(venue, clock)
    await source.fetch_chain("BTC")
    venue.said["openInterest 260327"] = nothing

    held = []
    for _ in range(60):
        clock.pass_by(seconds=30)
        stamp = int(clock.time.timestamp() * 1_000)
        venue.said["openInterest 260424"] = [interest(PUT, timestamp=str(stamp))]
        venue.said["index"] = {"indexPrice": "79500.25", "time": stamp}
        chain = await source.fetch_chain("BTC")
        held.append(math.isfinite(chain.oi[0]))

        assert chain.sources[0].at == (AT if held[-1] else clock.time)
        assert clock.time - chain.sources[0].at <= KEEP

    assert held == sorted(held, reverse=True)
    assert any(held)
    assert not all(held)


async def test_an_expiry_that_has_a_figure_again_counts_at_once():
    venue = Venue(**{"openInterest 260327": refusal(-6010)})
    source = binance(venue)
    before = await source.fetch_chain("BTC")
    venue.said["openInterest 260327"] = [interest()]

    chain = await source.fetch_chain("BTC")

    assert math.isnan(before.oi[0])
    assert chain.oi.tolist() == [12.5, 4.25]


async def test_in_a_replay_no_figure_stands_in_for_one_that_is_not_there():
    stamp = {"timestamp": str(NOW_MS)}
    venue = Venue(**{"openInterest 260327": [interest(**stamp)]})
    source = binance(venue, keep=timedelta(0))
    await source.fetch_chain("BTC")
    venue.said["openInterest 260327"] = []

    chain = await source.fetch_chain("BTC")

    assert math.isnan(chain.oi[0])


@pytest.mark.parametrize("nothing", NO_FIGURE)
async def test_no_figure_for_any_expiry_is_trouble(nothing):
    venue = Venue(**{"openInterest 260327": nothing, "openInterest 260424": nothing})

    with pytest.raises(SourceError, match="no open interest of BTC") as caught:
        await binance(venue).fetch_chain("BTC")

    assert not isinstance(caught.value, NotListed)


async def test_marks_without_the_coin_are_trouble():
    venue = Venue(mark=[mark("ETH-260327-2500-P")])

    with pytest.raises(SourceError, match="no BTC marks"):
        await binance(venue).fetch_chain("BTC")


async def test_in_a_replay_nothing_stands_in():
    venue = Venue()
    source = binance(venue, keep=timedelta(0))
    await source.fetch_chain("BTC")
    venue.said["index"] = DOWN

    with pytest.raises(SourceError, match="HTTP 503"):
        await source.fetch_chain("BTC")


async def test_gamma_of_a_row_is_the_published_one():
    """V7 of the vectors: the venue's own greeks rest on the index at zero rate."""
    asked_at, expiry, index = 1_762_867_543_321, 1_763_625_600_000, 104_334.60217391
    name = "BTC-251120-126000-C"
    clock = Clock()
    clock.time = datetime.fromtimestamp(asked_at / 1_000, UTC)
    venue = Venue(
        exchangeInfo=info(listed(name, expiry)),
        mark=[mark(name, markIV="0.9408058")],
        index={"indexPrice": str(index), "time": asked_at},
        **{"openInterest 251120": [interest(name, sumOpenInterest="2")]},
    )

    chain = await binance(venue, clock).fetch_chain("BTC")
    dollars = exposure(live_rows(chain, index, clock.now()))

    assert dollars[0] == pytest.approx(1.244562e-05 * index**2 * 2 * 0.01, rel=1e-6)


async def test_the_spot_is_the_index_of_the_perpetual_as_of_its_stamp():
    venue = Venue(premiumIndex=premium())

    tick = await binance(venue).fetch_spot("BTC")

    assert tick == Tick("BTCUSDT", AT, 79_500.25, "binance")
    assert venue.wire.asked == [("GET", "/fapi/v1/premiumIndex", {"symbol": "BTCUSDT"})]


@pytest.mark.parametrize("stamp", [*NO_STAMP, NOW_MS + 1])
def test_a_spot_without_a_stamp_or_of_a_time_to_come_is_as_of_now(stamp):
    assert parse_spot("BTC", as_body(premium(time=stamp)), NOW).at == NOW


async def test_the_perpetual_has_its_mark_price():
    venue = Venue(premiumIndex=premium())

    assert await binance(venue).fetch_perpetual("BTC") == 79_510.5


@pytest.mark.parametrize("value", NO_PRICE)
def test_what_can_be_no_price_is_a_source_error(value):
    with pytest.raises(SourceError, match="is no price"):
        parse_spot("BTC", as_body(premium(indexPrice=value)), NOW)
    with pytest.raises(SourceError, match="is no price"):
        parse_perpetual(as_body(premium(markPrice=value)))


async def test_a_perpetual_that_is_unknown_is_not_listed():
    source = binance(Venue())

    with pytest.raises(NotListed, match="Invalid symbol"):
        await source.fetch_spot("NONE")
    with pytest.raises(NotListed, match="Invalid symbol"):
        await source.fetch_perpetual("NONE")


def test_a_candle_is_its_opening_time_prices_and_coins():
    body = as_body([kline(NOW_MS - HALF_HOUR_MS, "80000.1", "80100", "79900.5", "80050.25")])

    candles = parse_candles(body, NOW)

    opened = datetime(2026, 3, 2, 11, 30, tzinfo=UTC)
    assert candles == [Candle(opened, 80_000.1, 80_100.0, 79_900.5, 80_050.25, 12.5)]


def test_candles_are_those_of_the_last_48_hours_ascending_the_open_one_included():
    body = as_body([kline(NOW_MS + step * HALF_HOUR_MS) for step in range(-498, 1)])

    times = [candle.datetime for candle in parse_candles(body, NOW)]

    assert len(times) == 96
    assert times == sorted(times)
    assert times[-1] == NOW
    assert times[0] == NOW - timedelta(hours=47, minutes=30)


def test_a_candle_to_come_is_left_out():
    body = as_body([kline(NOW_MS), kline(NOW_MS + HALF_HOUR_MS)])

    assert [candle.datetime for candle in parse_candles(body, NOW)] == [NOW]


def test_no_candles_are_no_trouble():
    assert parse_candles(b"[]", NOW) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"\xff",
        as_body([kline(NOW_MS)])[:-5],
        as_body({"code": -1121, "msg": "Invalid symbol."}),
        as_body([None]),
        as_body([[]]),
        as_body([kline(NOW_MS)[:4]]),
        as_body([kline(NOW_MS, "", "1", "1", "1")]),
        as_body([kline(NOW_MS, "x", "1", "1", "1")]),
        as_body([kline(NOW_MS, "nan", "1", "1", "1")]),
        as_body([kline(NOW_MS, "1", "inf", "1", "1")]),
        as_body([kline(10**15)]),
        as_body([kline(10**18)]),
        as_body([kline(-(10**18))]),
        as_body([kline(10**30)]),
    ],
)
def test_an_answer_of_another_shape_is_a_source_error(body):
    with pytest.raises(SourceError, match=r"^binance: .+"):
        parse_candles(body, NOW)


def test_a_refusal_says_what_the_venue_said():
    with pytest.raises(SourceError, match="Invalid symbol"):
        parse_candles(as_body({"code": -1121, "msg": "Invalid symbol."}), NOW)


async def test_candles_are_asked_by_symbol():
    wire = FakeWire(lambda path, params: [kline(NOW_MS)])

    candles = await Binance(wire, lambda: NOW, KEEP).fetch_candles("ETHUSDT")

    assert len(candles) == 1
    params = {"symbol": "ETHUSDT", "interval": "30m", "limit": "499"}
    assert wire.asked == [("GET", "/api/v3/klines", params)]


async def test_candles_of_a_coin_without_a_spot_market_are_the_perpetuals():
    def answer(path, params):
        return [kline(NOW_MS)] if path == FUTURES else refusal(-1121, "Invalid symbol.")

    wire = FakeWire(answer)

    candles = await Binance(wire, lambda: NOW, KEEP).fetch_candles("HYPEUSDT")

    assert [candle.datetime for candle in candles] == [NOW]
    assert [path for _, path, _ in wire.asked] == [SPOT, FUTURES]
    assert wire.asked[0][2] == wire.asked[1][2]


async def test_candles_of_an_unknown_symbol_are_not_listed():
    with pytest.raises(NotListed):
        await binance(Venue()).fetch_candles("NONEUSDT")


async def test_candles_that_fail_otherwise_are_not_the_perpetuals():
    venue = Venue(klines=DOWN)

    with pytest.raises(SourceError, match="HTTP 503"):
        await binance(venue).fetch_candles("BTCUSDT")

    assert len(venue.wire.asked) == 1


@pytest.mark.parametrize(
    ("body", "too_many"),
    [
        (as_body(refusal(-1003, "Too many requests.")), True),
        (as_body(refusal(-1121)), False),
        (b'{"code":"-1003"}', False),
        (as_body(premium()), False),
        (b"[]", False),
        (b"", False),
        (b'{"code":-10', False),
    ],
)
def test_too_many_requests_are_told_by_their_code(body, too_many):
    assert TERMS.is_too_many(body) is too_many


@pytest.mark.parametrize(
    ("path", "weight"),
    [
        ("/eapi/v1/mark", 5),
        ("/eapi/v1/openInterest", 0.2),
        ("/eapi/v1/exchangeInfo", 1),
        ("/eapi/v1/index", 1),
        ("/fapi/v1/premiumIndex", 1),
        ("/fapi/v1/klines", 2),
        ("/api/v3/klines", 2),
    ],
)
def test_a_request_costs_its_weight_within_one_limit(path, weight):
    assert TERMS.cost(path, {}) == weight
    assert sum(path.startswith(limit.path) for limit in TERMS.limits) == 1


def pushed(**fields):
    data = {
        "e": "markPriceUpdate",
        "E": AT_MS,
        "s": "BTCUSDT",
        "p": "79510.50",
        "i": "79500.25",
        "P": "79490.00",
        "r": "0.0001",
        "T": NOW_MS,
    } | fields
    kept = {key: value for key, value in data.items() if value is not ...}
    return json.dumps({"stream": "btcusdt@markPrice@1s", "data": kept})


@pytest.fixture
def feed():
    return BinanceFeed(["BTC", "HYPE"], lambda: NOW)


def test_the_path_names_every_stream_and_nothing_is_to_be_said(feed):
    assert feed.path == STREAM
    assert list(feed.greeting()) == []
    assert feed.ping() is None
    assert feed.ping_every > 0


def test_a_push_tells_the_index_price_as_of_its_stamp(feed):
    said = feed.read(pushed())

    assert said.ticks == (Tick("BTCUSDT", AT, 79_500.25, "binance"),)
    assert said.replies == ()


def test_a_push_of_long_ago_stays_old(feed):
    (tick,) = feed.read(pushed(E=AT_MS - 3_600_000)).ticks

    assert tick.at == AT - timedelta(hours=1)


@pytest.mark.parametrize("stamp", [..., *NO_STAMP, NOW_MS + 1])
def test_a_push_without_a_stamp_or_of_a_time_to_come_is_as_of_now(feed, stamp):
    (tick,) = feed.read(pushed(E=stamp)).ticks

    assert tick.at == NOW


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ping",
        "null",
        "[]",
        "7",
        "{}",
        '{"result":null,"id":1}',
        '{"stream":"btcusdt@markPrice@1s","data":null}',
        '{"stream":"btcusdt@markPrice@1s","data":[]}',
        '{"error":{"code":2,"msg":"Invalid request"}}',
        pushed()[:-20],
        pushed(e="kline"),
        pushed(e=...),
        pushed(s="DOGEUSDT"),
        pushed(s=None),
        pushed(i=...),
        *(pushed(i=value) for value in NO_PRICE),
        "\ud800",
        "[" * 100_000,
    ],
)
def test_what_tells_no_price_holds_nothing(feed, text):
    assert feed.read(text) == NOTHING


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
ROWS = {
    "exchangeInfo": [listed(), listed(PUT, APRIL)],
    "mark": [mark(), mark(PUT)],
    "index": [premium()],
    "openInterest 260327": [interest()],
}


@st.composite
def bodies(draw, rows):
    """The rows with something else in one place, cut off; any JSON; any bytes."""
    kind = draw(st.sampled_from(("changed", "changed", "cut", "json", "bytes")))
    if kind == "bytes":
        return draw(st.binary())
    if kind == "json":
        return as_body(draw(ANYTHING))
    place = draw(st.integers(0, len(rows) - 1))
    field = draw(st.sampled_from(sorted(rows[place])))
    changed = [*rows[:place], rows[place] | {field: draw(ANYTHING)}, *rows[place + 1 :]]
    body = as_body(draw(st.sampled_from([changed, info(*changed), changed[0]])))
    return body[: draw(st.integers(0, len(body)))] if kind == "cut" else body


@settings(max_examples=300, deadline=None)
@given(data=st.data(), part=st.sampled_from(sorted(ROWS)))
def test_whatever_the_venue_says_is_a_chain_or_a_source_error(data, part):
    venue = Venue(**{part: data.draw(bodies(ROWS[part]))})
    source = binance(venue)

    with contextlib.suppress(SourceError):
        chain = asyncio.run(source.fetch_chain("BTC"))
        assert len(chain) == chain.sources[0].rows > 0
        assert chain.sources[0].at <= NOW


@settings(max_examples=300, deadline=None)
@given(body=bodies([premium()]))
def test_whatever_the_venue_says_is_a_price_or_a_source_error(body):
    source = binance(Venue(premiumIndex=body))

    with contextlib.suppress(SourceError):
        assert asyncio.run(source.fetch_spot("BTC")).spot > 0
    with contextlib.suppress(SourceError):
        assert asyncio.run(source.fetch_perpetual("BTC")) > 0


CHANGED = st.builds(
    lambda field, value: pushed(**{field: value}), st.sampled_from("eEsi"), ANYTHING
)


@settings(max_examples=300, deadline=None)
@given(text=st.text() | CHANGED | CHANGED.map(lambda text: text[:-9]))
def test_whatever_is_pushed_holds_prices_or_nothing(text):
    said = BinanceFeed(["BTC"], lambda: NOW).read(text)

    assert all(tick.spot > 0 and tick.at <= NOW for tick in said.ticks)


@given(unit=st.floats(0.001, 10_000), contracts=st.floats(0, 1e9))
def test_open_interest_is_proportional_to_the_unit(unit, contracts):
    venue = Venue(exchangeInfo=info(listed(unit=unit), listed(PUT, APRIL)))
    venue.said["openInterest 260327"] = [interest(sumOpenInterest=repr(contracts))]

    chain = asyncio.run(binance(venue).fetch_chain("BTC"))

    assert chain.oi[0] == contracts * unit


@pytest.mark.parametrize("body", [b"[]", b"[null, 5]", b"{}", b"null", *NO_JSON])
def test_marks_of_nothing_are_a_source_error(body):
    with pytest.raises(SourceError):
        parse_marks(body)


def test_an_empty_answer_is_told_from_an_unreadable_one():
    with pytest.raises(Unreported):
        parse_counts("BTC", b"[]", NOW)
    with pytest.raises(SourceError, match="no readable open interest") as caught:
        parse_counts("BTC", b"[null]", NOW)

    assert not isinstance(caught.value, Unreported)


def test_a_list_is_read_by_coin():
    doge = listed("DOGE-260327-0.25-P", unit="1000")

    listing = parse_listing(as_body(info(listed(), doge)))

    assert listing == {
        "BTC": {CALL: (MARCH, 80_000.0, True, 1.0)},
        "DOGE": {"DOGE-260327-0.25-P": (MARCH, 0.25, False, 1_000.0)},
    }


def real(name):
    return (WIRE / "binance" / name).read_bytes()


@needs_shared
def test_a_real_mark():
    body = real("eapi_v1_mark.transcribed.json")

    marks = parse_marks(body)

    expected = {row["symbol"]: float(row["markIV"]) for row in json.loads(body)}
    assert marks.ivs == {"ETH": expected}
    assert marks.unreadable == 0


@needs_shared
def test_real_open_interest():
    body = real("eapi_v1_openInterest.transcribed.json")
    rows = json.loads(body)

    counts = parse_counts("BTC", body, NOW)

    assert counts.contracts == {row["symbol"]: float(row["sumOpenInterest"]) for row in rows}
    assert counts.at == int(rows[0]["timestamp"])
