import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.sim import bybit
from bot.sim.market import Market

NOON = datetime(2026, 11, 23, 12, 10, 7, tzinfo=UTC)
NOON_MS = 1795435807000
EIGHT = datetime(2026, 11, 24, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NAME = re.compile(r"^([A-Z]+)-(\d{1,2}[A-Z]{3}\d{2})-(\d+(?:\.\d+)?)-([CP])(?:-(USDT))?$")
NUMERAL = re.compile(r"-?\d+(\.\d+)?")
ROW = {
    "symbol",
    "bid1Price",
    "bid1Size",
    "bid1Iv",
    "ask1Price",
    "ask1Size",
    "ask1Iv",
    "lastPrice",
    "highPrice24h",
    "lowPrice24h",
    "markPrice",
    "indexPrice",
    "markIv",
    "underlyingPrice",
    "openInterest",
    "turnover24h",
    "volume24h",
    "totalVolume",
    "totalTurnover",
    "delta",
    "gamma",
    "vega",
    "theta",
    "predictedDeliveryPrice",
    "change24h",
}


def ask(path, at=NOON, **params):
    answer = bybit.answer(Market(7), at, "GET", f"/v5/{path}", params)
    assert answer.status == 200
    return answer.body


def result(path, at=NOON, **params):
    body = ask(path, at, **params)
    assert body["retCode"] == 0
    return body["result"]


def options(coin, at=NOON, **params):
    return result("market/tickers", at, category="option", baseCoin=coin, **params)["list"]


def test_the_envelope_has_a_code_a_message_and_a_time():
    assert ask("system/status") == {
        "retCode": 0,
        "retMsg": "SUCCESS",
        "result": {"list": []},
        "retExtInfo": {},
        "time": NOON_MS,
    }


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
def test_every_field_of_an_option_is_a_number_in_text(coin):
    for row in options(coin):
        assert row.keys() == ROW
        assert NAME.match(row["symbol"])[1] == coin
        assert all(NUMERAL.fullmatch(row[name]) for name in ROW - {"symbol"})


@pytest.mark.parametrize(("coin", "settled"), [("BTC", {"USDT", None}), ("SOL", {"USDT"})])
def test_both_families_are_in_one_list(coin, settled):
    assert {NAME.match(row["symbol"])[5] for row in options(coin)} == settled


def test_the_older_family_holds_a_part_of_the_open_interest_of_what_was_listed_long_ago():
    chain = Market(7).chain("BTC", NOON)
    held = {"USDT": 0.0, None: 0.0}

    for row in options("BTC"):
        held[NAME.match(row["symbol"])[5]] += float(row["openInterest"])

    assert sum(held.values()) == pytest.approx(chain.open_interest.sum())
    assert 0.05 < held[None] / held["USDT"] < 0.5


@pytest.mark.parametrize("coin", ["HYPE", "DOGE"])
def test_a_coin_without_options_has_an_empty_list(coin):
    assert options(coin) == []


def test_who_quotes_nothing_has_no_iv_to_show():
    rows = options("BTC")

    unquoted = [row for row in rows if row["bid1Iv"] == "0"]

    assert 0 < len(unquoted) < len(rows) / 2
    assert {(row["bid1Size"], row["ask1Iv"]) for row in unquoted} == {("0", "0")}


def test_one_option_or_one_expiry_can_be_asked_for():
    symbol = "BTC-24NOV26-80000-C-USDT"

    one = result("market/tickers", category="option", symbol=symbol)["list"]
    day = options("BTC", expDate="24NOV26")

    assert [row["symbol"] for row in one] == [symbol]
    assert {NAME.match(row["symbol"])[2] for row in day} == {"24NOV26"}


def test_delta_and_gamma_are_the_published_ones_of_the_same_terms():
    row = next(row for row in options("BTC") if row["symbol"] == "BTC-25DEC26-80000-C-USDT")
    twin = next(row for row in options("BTC") if row["symbol"] == "BTC-25DEC26-80000-P-USDT")

    assert 0 < float(row["delta"]) < 1
    assert float(row["delta"]) - float(twin["delta"]) == pytest.approx(1)
    assert row["gamma"] == twin["gamma"]


def test_expired_options_are_still_delivering_until_noon():
    days = {
        at: {NAME.match(row["symbol"])[2] for row in options("BTC", at)}
        for at in (EIGHT - SECOND, EIGHT, EIGHT + timedelta(hours=4))
    }

    assert ["24NOV26" in listed for listed in days.values()] == [True, True, False]


def test_the_status_tells_delivering_options_from_trading_ones():
    page = result("market/instruments-info", EIGHT, category="option", baseCoin="SOL", limit="1000")

    for row in page["list"]:
        expired = int(row["deliveryTime"]) <= EIGHT.timestamp() * 1000
        assert row["status"] == ("Delivering" if expired else "Trading")
    assert {row["status"] for row in page["list"]} == {"Delivering", "Trading"}


def test_an_instrument_has_bybits_fields():
    page = result("market/instruments-info", category="option", baseCoin="BTC", limit="1")

    assert page["category"] == "option"
    assert page["list"] == [
        {
            "symbol": "BTC-24NOV26-70000-C-USDT",
            "status": "Trading",
            "baseCoin": "BTC",
            "quoteCoin": "USDT",
            "settleCoin": "USDT",
            "optionsType": "Call",
            "launchTime": "1795161600000",
            "deliveryTime": "1795507200000",
            "deliveryFeeRate": "0.00015",
            "priceFilter": {"minPrice": "0.01", "maxPrice": "1110000", "tickSize": "0.01"},
            "lotSizeFilter": {"maxOrderQty": "50000", "minOrderQty": "0.1", "qtyStep": "0.1"},
            "displayName": "BTCUSDT-24NOV26-70000-C",
        }
    ]


def test_the_pages_of_the_instruments_make_the_whole_list():
    pages, cursor = [], {}

    while cursor is not None:
        page = result("market/instruments-info", category="option", baseCoin="ETH", **cursor)
        pages.append(page["list"])
        cursor = {"cursor": page["nextPageCursor"]} if page["nextPageCursor"] else None

    assert [len(page) for page in pages[:-1]] == [500] * (len(pages) - 1)
    assert len(pages) > 1
    listed = [row["symbol"] for page in pages for row in page]
    assert sorted(listed) == sorted(row["symbol"] for row in options("ETH"))


def test_instruments_are_bitcoins_unless_told_otherwise():
    page = result("market/instruments-info", category="option")

    assert {row["baseCoin"] for row in page["list"]} == {"BTC"}


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL", "HYPE"])
def test_a_perpetual_has_live_prices(coin):
    at = NOON + timedelta(milliseconds=700)

    body = ask("market/tickers", at, category="linear", symbol=f"{coin}USDT")
    [row] = body["result"]["list"]

    assert body["time"] == NOON_MS + 700
    assert row["indexPrice"] == str(Market(7).spot(coin, at))
    assert row["markPrice"] == row["lastPrice"] == str(Market(7).perpetual(coin, at))
    assert float(row["bid1Price"]) < float(row["markPrice"]) < float(row["ask1Price"])


def test_without_a_symbol_every_perpetual_is_told():
    rows = result("market/tickers", category="linear")["list"]

    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT", "SOLUSDT", "HYPEUSDT"]


def candles(path="kline", **params):
    asked = {"category": "linear", "symbol": "BTCUSDT", "interval": "30"} | params
    return result(f"market/{path}", **asked)["list"]


def test_candles_are_text_newest_first_and_the_first_is_open():
    rows = candles(limit="300")

    starts = [int(row[0]) for row in rows]

    assert starts == sorted(starts, reverse=True)
    assert starts[0] == NOON_MS // 1_800_000 * 1_800_000
    assert float(rows[0][4]) == Market(7).spot("BTC", NOON)
    assert len(rows) == 300
    assert all(NUMERAL.fullmatch(value) for row in rows for value in row)
    assert float(rows[1][6]) == pytest.approx(float(rows[1][5]) * float(rows[1][4]), rel=1e-6)


def test_candles_can_be_bounded_in_time():
    half_hour = 1_800_000
    newest = NOON_MS // half_hour * half_hour
    start, end = newest - 4 * half_hour, newest - 2 * half_hour

    rows = candles(start=str(start), end=str(end))

    assert [int(row[0]) for row in rows] == [end, end - half_hour, start]


@pytest.mark.parametrize(("params", "count"), [({}, 200), ({"limit": "5000"}, 1000)])
def test_the_limit_of_candles_has_a_default_and_a_maximum(params, count):
    assert len(candles(interval="1", **params)) == count


def test_candles_of_the_index_have_no_volume():
    assert candles("index-price-kline") == [row[:5] for row in candles()]


def test_the_time_is_in_seconds_and_nanoseconds():
    assert result("market/time") == {
        "timeSecond": str(NOON_MS // 1000),
        "timeNano": f"{NOON_MS}000000",
    }


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("market/tickers", {}),
        ("market/tickers", {"category": "spot", "symbol": "BTCUSDT"}),
        ("market/tickers", {"category": "option"}),
        ("market/tickers", {"category": "linear", "symbol": "BTCUSD"}),
        ("market/kline", {"category": "linear", "symbol": "BTCUSDT", "interval": "7"}),
        (
            "market/kline",
            {"category": "linear", "symbol": "BTCUSDT", "interval": "1", "limit": "0"},
        ),
        ("market/kline", {"category": "linear", "interval": "30"}),
        ("market/instruments-info", {"category": "linear"}),
        ("market/instruments-info", {"category": "option", "cursor": "next"}),
    ],
)
def test_a_wrong_parameter_is_error_10001_in_a_good_answer(path, params):
    body = ask(path, **params)

    assert body["retCode"] == 10001
    assert body["retMsg"].startswith("params error: ")
    assert (body["result"], body["time"]) == ({}, NOON_MS)


@pytest.mark.parametrize(("method", "path"), [("GET", "/v5/nothing"), ("POST", "/v5/market/time")])
def test_other_paths_and_methods_are_not_found(method, path):
    assert bybit.answer(Market(7), NOON, method, path, {}).status == 404
