from datetime import UTC, datetime, timedelta

import pytest

from bot.core.snapshot import Candle
from bot.errors import SourceError
from bot.exchanges.binance import Binance, parse_candles
from tests.exchanges.wires import NOW, NOW_MS, FakeWire, as_body, kline

HALF_HOUR_MS = 1_800_000


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

    candles = await Binance(wire, lambda: NOW).fetch_candles("ETHUSDT")

    assert len(candles) == 1
    params = {"symbol": "ETHUSDT", "interval": "30m", "limit": "499"}
    assert wire.asked == [("GET", "/api/v3/klines", params)]
