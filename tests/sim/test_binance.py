import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.sim import binance, deribit
from bot.sim.market import Market

NOON = datetime(2026, 11, 23, 12, 10, 7, tzinfo=UTC)
NOON_MS = 1795435807000
NAME = re.compile(r"^([A-Z0-9]+)-(\d{6})-(\d+(?:\.\d+)?)-([CP])$")
NUMERAL = re.compile(r"-?\d+(\.\d+)?")


def get(path, at=NOON, **params):
    answer = binance.answer(Market(7), at, "GET", path, params)
    return answer.status, answer.body


def ask(**params):
    return get("/api/v3/klines", **params)


def info(at=NOON):
    return get("/eapi/v1/exchangeInfo", at)[1]


def interest(coin, day, at=NOON):
    status, rows = get("/eapi/v1/openInterest", at, underlyingAsset=coin, expiration=day)
    assert status == 200
    return rows


def days_of(coin, at=NOON):
    return {
        f"{datetime.fromtimestamp(row['expiryDate'] / 1000, UTC):%y%m%d}"
        for row in info(at)["optionSymbols"]
        if row["underlying"] == f"{coin}USDT"
    }


def test_candles_ascend_and_the_last_one_is_open():
    status, rows = ask(symbol="BTCUSDT", interval="30m", limit="499")

    assert (status, len(rows)) == (200, 499)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert rows[-1][0] == NOON.replace(minute=0, second=0).timestamp() * 1000
    assert rows[-1][6] == rows[-1][0] + 1_799_999
    assert float(rows[-1][4]) == Market(7).spot("BTC", NOON)


def test_a_candle_has_binances_columns_and_types():
    _, rows = ask(symbol="SOLUSDT", interval="1m", limit="2")

    kinds = [type(value) for value in rows[0]]

    assert kinds == [int, str, str, str, str, str, int, str, int, str, str, str]
    assert float(rows[0][3]) <= float(rows[0][1]) <= float(rows[0][2])


def test_prices_are_those_of_deribits_chart():
    _, rows = ask(symbol="ETHUSDT", interval="30m", limit="10")
    params = {
        "instrument_name": "ETH-PERPETUAL",
        "start_timestamp": str(rows[0][0]),
        "end_timestamp": str(rows[-1][0]),
        "resolution": "30",
    }

    path = "/api/v2/public/get_tradingview_chart_data"
    answer = deribit.answer(Market(7), NOON, "GET", path, params)

    assert answer.body["result"]["close"] == [float(row[4]) for row in rows]


@pytest.mark.parametrize(("params", "count"), [({}, 500), ({"limit": "5000"}, 1000)])
def test_the_limit_has_a_default_and_a_maximum(params, count):
    _, rows = ask(symbol="BTCUSDT", interval="1m", **params)

    assert len(rows) == count


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": "BTCUSD", "interval": "30m"}, -1121),
        ({"symbol": "HYPEUSDT", "interval": "30m"}, -1121),
        ({"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ({"interval": "30m"}, -1102),
        ({"symbol": "BTCUSDT"}, -1102),
        ({"symbol": "BTCUSDT", "interval": "30m", "limit": "0"}, -1100),
        ({"symbol": "BTCUSDT", "interval": "30m", "limit": "many"}, -1100),
    ],
)
def test_a_refusal_carries_binances_code(params, code):
    status, body = ask(**params)

    assert (status, body["code"]) == (400, code)


def test_the_refusal_of_an_unknown_symbol_is_binances_to_the_letter():
    assert ask(symbol="X", interval="30m")[1] == {"code": -1121, "msg": "Invalid symbol."}


def test_other_paths_and_methods_are_not_simulated():
    assert get("/api/v3/depth")[0] == 404
    assert binance.answer(Market(7), NOON, "POST", "/eapi/v1/time", {}).status == 404


def test_candles_of_the_future_are_those_of_spot_and_reach_further_back():
    params = {"symbol": "ETHUSDT", "interval": "30m", "limit": "50"}

    assert get("/fapi/v1/klines", **params) == get("/api/v3/klines", **params)
    assert len(get("/fapi/v1/klines", **params | {"limit": "5000"})[1]) == 1500


def test_a_listed_option_has_binances_fields():
    option = info()["optionSymbols"][0]

    assert option == {
        "symbol": "BTC-261124-70000-C",
        "side": "CALL",
        "strikePrice": "70000",
        "expiryDate": 1795507200000,
        "underlying": "BTCUSDT",
        "quoteAsset": "USDT",
        "unit": 1,
        "status": "TRADING",
        "contractType": "CRYPTO_OPTIONS",
        "underlyingType": "CRYPTO",
    }


def test_contracts_are_named_with_the_coin_and_an_option_on_a_stock_is_among_them():
    listed = info()
    stock = [row for row in listed["optionSymbols"] if row["underlyingType"] != "CRYPTO"]

    assert listed["serverTime"] == NOON_MS
    assert [row["baseAsset"] for row in listed["optionContracts"]] == ["BTC", "ETH", "SOL", "TSLA"]
    assert listed["optionContracts"][0] == {
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "underlying": "BTCUSDT",
        "settleAsset": "USDT",
    }
    assert [row["symbol"] for row in stock] == ["TSLA-261127-400-C"]


def test_names_say_what_the_metadata_says():
    for row in info()["optionSymbols"]:
        name = NAME.match(row["symbol"])
        expiry = datetime.fromtimestamp(row["expiryDate"] / 1000, UTC)
        assert row["underlying"] == f"{name[1]}USDT"
        assert f"{expiry:%y%m%d %H:%M}" == f"{name[2]} 08:00"
        assert row["strikePrice"] == name[3]
        assert row["side"] == {"C": "CALL", "P": "PUT"}[name[4]]


def test_one_call_marks_every_option_of_every_coin():
    _, rows = get("/eapi/v1/mark")

    assert {row["symbol"] for row in rows} == {row["symbol"] for row in info()["optionSymbols"]}
    assert set(rows[0]) == {
        "symbol",
        "markPrice",
        "bidIV",
        "askIV",
        "markIV",
        "delta",
        "theta",
        "gamma",
        "vega",
        "highPriceLimit",
        "lowPriceLimit",
        "riskFreeInterest",
    }
    assert all(NUMERAL.fullmatch(row[name]) for row in rows for name in row if name != "symbol")


def test_no_quote_is_minus_one():
    _, rows = get("/eapi/v1/mark")

    unquoted = [row for row in rows if row["bidIV"] == "-1.0"]

    assert 0 < len(unquoted) < len(rows) / 2
    assert {row["askIV"] for row in unquoted} == {"-1.0"}


def test_one_option_can_be_marked_alone():
    _, rows = get("/eapi/v1/mark", symbol="BTC-261124-70000-C")

    assert [row["symbol"] for row in rows] == ["BTC-261124-70000-C"]
    assert get("/eapi/v1/mark", symbol="BTC-261124-1-C")[1]["code"] == -1121


@pytest.mark.parametrize(("coin", "unit"), [("BTC", 1), ("ETH", 1), ("SOL", 10)])
def test_open_interest_is_in_contracts_of_so_many_coins(coin, unit):
    chain = Market(7).chain(coin, NOON)
    units = {row["unit"] for row in info()["optionSymbols"] if row["underlying"] == f"{coin}USDT"}

    rows = [row for day in days_of(coin) for row in interest(coin, day)]

    assert units == {unit}
    contracts = sum(float(row["sumOpenInterest"]) for row in rows)
    assert contracts * unit == pytest.approx(chain.open_interest.sum())
    usd = sum(float(row["sumOpenInterestUsd"]) for row in rows)
    assert usd / contracts == pytest.approx(chain.index * unit)


def test_open_interest_is_asked_for_by_expiry_and_has_a_time_in_text():
    rows = interest("SOL", "261127")

    assert {NAME.match(row["symbol"])[2] for row in rows} == {"261127"}
    assert set(rows[0]) == {"symbol", "sumOpenInterest", "sumOpenInterestUsd", "timestamp"}
    assert {row["timestamp"] for row in rows} == {str(NOON_MS)}


def test_an_expiry_is_gone_at_eight_utc_and_asking_for_it_is_refused():
    eight = datetime(2026, 11, 24, 8, tzinfo=UTC)

    assert "261124" in days_of("BTC", eight - timedelta(seconds=1))
    assert "261124" not in days_of("BTC", eight)
    status, body = get("/eapi/v1/openInterest", eight, underlyingAsset="BTC", expiration="261124")
    assert (status, body["code"]) == (400, -6010)


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("/eapi/v1/openInterest", {"underlyingAsset": "BTC"}, -1102),
        ("/eapi/v1/openInterest", {"expiration": "261127"}, -1102),
        ("/eapi/v1/openInterest", {"underlyingAsset": "HYPE", "expiration": "261127"}, -1121),
        ("/eapi/v1/index", {"underlying": "HYPEUSDT"}, -1121),
        ("/eapi/v1/index", {}, -1102),
        ("/fapi/v1/premiumIndex", {"symbol": "HYPEUSDT"}, -1121),
    ],
)
def test_options_and_futures_refuse_in_the_same_words(path, params, code):
    status, body = get(path, **params)

    assert (status, body["code"], set(body)) == (400, code, {"code", "msg"})


def test_the_index_is_live_and_stamped():
    at = NOON + timedelta(milliseconds=250)

    _, body = get("/eapi/v1/index", at, underlying="SOLUSDT")

    assert body == {"time": NOON_MS + 250, "indexPrice": str(Market(7).spot("SOL", at))}
    assert get("/eapi/v1/time", at)[1] == {"serverTime": NOON_MS + 250}


def test_a_perpetual_has_mark_index_and_time():
    _, one = get("/fapi/v1/premiumIndex", symbol="ETHUSDT")
    _, every = get("/fapi/v1/premiumIndex")

    assert one["markPrice"] == str(Market(7).perpetual("ETH", NOON))
    assert one["indexPrice"] == str(Market(7).spot("ETH", NOON))
    assert one["time"] == NOON_MS
    assert [row["symbol"] for row in every] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert one in every


def test_greeks_are_by_the_index():
    chain = Market(7).chain("BTC", NOON)
    marks = {row["symbol"]: row for row in get("/eapi/v1/mark")[1]}
    row = next(i for i in range(len(chain.strike)) if chain.strike[i] == 80_000)
    years = (chain.expiry[row] - NOON.timestamp()) / (365 * 86_400)
    deviation = chain.iv[row] * years**0.5
    d1 = np.log(chain.index / 80_000) / deviation + deviation / 2

    gamma = np.exp(-(d1**2) / 2) / np.sqrt(2 * np.pi) / (chain.index * deviation)

    assert float(marks["BTC-261124-80000-C"]["gamma"]) == pytest.approx(gamma, abs=1e-8)
