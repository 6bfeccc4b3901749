from datetime import UTC, datetime

import pytest

from bot.sim import binance, deribit
from bot.sim.market import Market

NOON = datetime(2026, 11, 23, 12, 10, 7, tzinfo=UTC)


def ask(**params):
    return binance.answer(Market(7), NOON, "/api/v3/klines", params)


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
    _, body = deribit.answer(Market(7), NOON, path, params)

    assert body["result"]["close"] == [float(row[4]) for row in rows]


@pytest.mark.parametrize(("params", "count"), [({}, 500), ({"limit": "5000"}, 1000)])
def test_the_limit_has_a_default_and_a_maximum(params, count):
    _, rows = ask(symbol="BTCUSDT", interval="1m", **params)

    assert len(rows) == count


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": "BTCUSD", "interval": "30m"}, -1121),
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


def test_other_paths_are_not_simulated():
    assert binance.answer(Market(7), NOON, "/api/v3/depth", {})[0] == 404
