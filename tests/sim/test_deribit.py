import re
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from bot.sim import deribit
from bot.sim.coins import COINS
from bot.sim.market import Market

NOON = datetime(2026, 11, 23, 12, 0, 7, tzinfo=UTC)
NAME = re.compile(r"^([A-Z]+)(?:_(USDC))?-(\d{1,2}[A-Z]{3}\d{2})-(\d+(?:d\d+)?)-([CP])$")
NUMBER = (int, float)
MAYBE = (int, float, type(None))
ROW = {
    "instrument_name": str,
    "base_currency": str,
    "quote_currency": str,
    "underlying_index": str,
    "underlying_price": NUMBER,
    "estimated_delivery_price": NUMBER,
    "interest_rate": NUMBER,
    "open_interest": NUMBER,
    "mark_iv": NUMBER,
    "mark_price": NUMBER,
    "bid_price": MAYBE,
    "ask_price": MAYBE,
    "mid_price": MAYBE,
    "last": MAYBE,
    "high": MAYBE,
    "low": MAYBE,
    "price_change": MAYBE,
    "volume": NUMBER,
    "volume_usd": NUMBER,
    "creation_timestamp": int,
}


def ask(method, at=NOON, **params):
    answer = deribit.answer(Market(7), at, "GET", f"/api/v2/public/{method}", params)
    return answer.status, msgspec.json.decode(msgspec.json.encode(answer.body))


def result(method, at=NOON, **params):
    status, body = ask(method, at, **params)
    assert status == 200
    return body["result"]


def book(currency, at=NOON):
    return result("get_book_summary_by_currency", at, currency=currency, kind="option")


def test_the_envelope_is_json_rpc_with_times_in_microseconds():
    _, body = ask("get_time")

    assert body == {
        "jsonrpc": "2.0",
        "result": 1795435207000,
        "usIn": 1795435207000000,
        "usOut": 1795435207000250,
        "usDiff": 250,
        "testnet": False,
    }


@pytest.mark.parametrize("currency", ["BTC", "ETH", "USDC"])
def test_a_row_has_the_fields_and_types_of_deribits(currency):
    for row in book(currency):
        assert row.keys() == ROW.keys()
        assert all(isinstance(value, ROW[name]) for name, value in row.items())


@pytest.mark.parametrize(
    ("currency", "coins"),
    [("BTC", ["BTC"]), ("ETH", ["ETH"]), ("USDC", ["BTC", "ETH", "SOL", "HYPE"])],
)
def test_the_rows_say_what_the_market_says(currency, coins):
    rows = {row["instrument_name"]: row for row in book(currency)}
    chains = [Market(7).chain(coin, NOON) for coin in coins]

    assert len(rows) == sum(len(chain.strike) for chain in chains)
    for chain in chains:
        mine = [row for row in rows.values() if row["base_currency"] == chain.coin.name]
        for column, field, unit in [
            (chain.iv, "mark_iv", 100),
            (chain.forward, "underlying_price", 1),
        ]:
            told = sorted(row[field] for row in mine)
            np.testing.assert_allclose(told, np.sort(column * unit), rtol=1e-12)
        assert {row["estimated_delivery_price"] for row in mine} == {chain.index}


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_both_books_of_a_coin_hold_a_part_of_its_open_interest(coin):
    inverse = sum(row["open_interest"] for row in book(coin))
    linear = sum(row["open_interest"] for row in book("USDC") if row["base_currency"] == coin)

    assert inverse + linear == pytest.approx(Market(7).chain(coin, NOON).open_interest.sum())
    assert 0.2 < linear / inverse < 0.5


def test_rows_are_of_the_whole_second_that_they_name():
    at = NOON + timedelta(milliseconds=900)

    rows = book("BTC", at)

    assert {row["creation_timestamp"] for row in rows} == {1795435207000}
    assert {row["estimated_delivery_price"] for row in rows} == {Market(7).spot("BTC", NOON)}
    assert result("get_time", at) == 1795435207900


def test_an_expiry_leaves_every_book_at_eight_utc():
    eight = datetime(2026, 11, 24, 8, tzinfo=UTC)

    for currency in ("BTC", "ETH", "USDC"):
        before, after = (
            {NAME.match(row["instrument_name"])[3] for row in book(currency, at)}
            for at in (eight - timedelta(seconds=1), eight)
        )
        assert "24NOV26" in before - after


@pytest.mark.parametrize("currency", ["BTC", "ETH", "USDC"])
def test_names_follow_deribits_grammar(currency):
    for row in book(currency):
        coin, linear, *_ = NAME.match(row["instrument_name"]).groups()
        assert coin == row["base_currency"]
        assert row["quote_currency"] == (linear or coin) == currency


def test_the_point_of_a_strike_is_a_d():
    strikes = {NAME.match(row["instrument_name"])[4] for row in book("USDC")}

    assert "77d5" in strikes
    assert "100" in strikes


def test_inverse_prices_are_in_coin_and_linear_ones_in_usdc():
    for currency, coin in [("BTC", "BTC"), ("USDC", "SOL")]:
        rows = [row for row in book(currency) if row["base_currency"] == coin]
        chain = Market(7).chain(coin, NOON)

        usd = sum(
            row["mark_price"] * (row["underlying_price"] if currency == coin else 1) for row in rows
        )

        assert usd == pytest.approx(chain.mark.sum(), rel=1e-5)


@pytest.mark.parametrize("currency", ["BTC", "ETH", "USDC"])
def test_quotes_straddle_the_mark_and_some_are_missing(currency):
    rows = book(currency)

    assert 0.02 < np.mean([row["bid_price"] is None for row in rows]) < 0.12
    assert any(row["ask_price"] is None for row in rows)
    for row in rows:
        bid, offer = row["bid_price"], row["ask_price"]
        assert bid is None or 0 < bid <= row["mark_price"]
        assert offer is None or offer >= row["mark_price"]
        assert (row["mid_price"] is None) == (bid is None or offer is None)


def test_rows_come_shuffled_but_always_alike():
    names = [row["instrument_name"] for row in book("BTC")]

    assert names != sorted(names)
    assert names == [row["instrument_name"] for row in book("BTC", NOON + timedelta(minutes=1))]


def test_the_same_question_has_the_same_bytes():
    params = {"currency": "USDC", "kind": "option"}
    path = "/api/v2/public/get_book_summary_by_currency"

    one, other = (
        msgspec.json.encode(deribit.answer(Market(7), NOON, "GET", path, params).body)
        for _ in range(2)
    )

    assert one == other


@pytest.mark.parametrize("currency", ["USDT", "EURR"])
def test_a_currency_without_options_has_an_empty_book(currency):
    assert book(currency) == []


def test_only_options_are_summarised():
    assert result("get_book_summary_by_currency", currency="BTC", kind="future") == []


@pytest.mark.parametrize("currency", ["BTC", "ETH", "USDC"])
def test_instruments_describe_what_the_book_lists(currency):
    options = result("get_instruments", currency=currency, kind="option", expired="false")

    assert {row["instrument_name"] for row in options} == {
        row["instrument_name"] for row in book(currency)
    }
    for row in options:
        name = NAME.match(row["instrument_name"])
        expiry = datetime.fromtimestamp(row["expiration_timestamp"] / 1000, UTC)
        assert row["strike"] == float(name[4].replace("d", "."))
        assert row["option_type"] == {"C": "call", "P": "put"}[name[5]]
        assert f"{expiry.day}{expiry:%b%y}".upper() == name[3]
        assert row["instrument_type"] == ("linear" if name[2] else "reversed")


def test_perpetuals_are_instruments_too():
    everything = result("get_instruments", currency="any")
    futures = result("get_instruments", currency="any", kind="future")

    assert [row["instrument_name"] for row in futures] == [
        "BTC-PERPETUAL",
        "ETH-PERPETUAL",
        "BTC_USDC-PERPETUAL",
        "ETH_USDC-PERPETUAL",
        "SOL_USDC-PERPETUAL",
        "HYPE_USDC-PERPETUAL",
    ]
    assert len(everything) == len(futures) + sum(
        len(book(currency)) for currency in ("BTC", "ETH", "USDC")
    )
    assert result("get_instruments", currency="BTC", expired="true") == []


def test_expirations_are_keyed_by_currency_or_for_any_by_kind():
    days = ["24NOV26", "25NOV26", "26NOV26", "27NOV26", "4DEC26", "11DEC26", "25DEC26"]

    btc = result("get_expirations", currency="BTC", kind="option")
    everything = result("get_expirations", currency="any", kind="option")

    assert btc["btc"]["option"][:7] == days
    assert everything["option"][:7] == days


@pytest.mark.parametrize(
    ("index", "perpetual", "coin"),
    [
        ("btc_usd", "BTC-PERPETUAL", "BTC"),
        ("eth_usd", "ETH-PERPETUAL", "ETH"),
        ("sol_usdc", "SOL_USDC-PERPETUAL", "SOL"),
        ("hype_usdc", "HYPE_USDC-PERPETUAL", "HYPE"),
    ],
)
def test_index_and_perpetual_agree_with_the_market(index, perpetual, coin):
    spot = Market(7).spot(coin, NOON)

    price = result("get_index_price", index_name=index)
    tick = result("ticker", instrument_name=perpetual)

    assert price == {"index_price": spot, "estimated_delivery_price": spot}
    assert tick["index_price"] == spot
    assert tick["mark_price"] == Market(7).perpetual(coin, NOON)
    assert tick["timestamp"] == 1795435207000


def chart(start, end, resolution="30", instrument="BTC-PERPETUAL"):
    return result(
        "get_tradingview_chart_data",
        instrument_name=instrument,
        start_timestamp=str(round(start.timestamp() * 1000)),
        end_timestamp=str(round(end.timestamp() * 1000)),
        resolution=resolution,
    )


def test_candles_are_columns_in_ascending_order_up_to_the_open_one():
    bars = chart(NOON - timedelta(hours=2), NOON + timedelta(hours=2))

    assert bars["status"] == "ok"
    assert np.diff(bars["ticks"]).tolist() == [1_800_000] * 4
    assert bars["ticks"][-1] == round(NOON.replace(second=0).timestamp() * 1000)
    assert bars["close"][-1] == Market(7).spot("BTC", NOON)
    assert len({len(column) for name, column in bars.items() if name != "status"}) == 1


def test_a_chart_of_the_future_has_no_data():
    assert chart(NOON + timedelta(hours=1), NOON + timedelta(hours=2))["status"] == "no_data"


def test_of_too_many_candles_the_newest_are_given():
    bars = chart(datetime(1970, 1, 1, tzinfo=UTC), NOON, resolution="1")

    assert len(bars["ticks"]) == deribit.MOST_BARS
    assert bars["ticks"][-1] == round(NOON.replace(second=0).timestamp() * 1000)


def test_the_platform_is_open():
    assert result("status") == {"locked": "false", "locked_indices": []}


@pytest.mark.parametrize(
    ("method", "params", "status", "error"),
    [
        ("get_gamma", {}, 404, {"code": -32601, "message": "Method not found"}),
        ("ticker", {"instrument_name": "BTC-1JAN20"}, 400, {"code": 13020, "message": "not_found"}),
        (
            "get_book_summary_by_currency",
            {"kind": "option"},
            400,
            {
                "code": -32602,
                "message": "Invalid params",
                "data": {"reason": "is required", "param": "currency"},
            },
        ),
    ],
)
def test_a_refusal_is_deribits(method, params, status, error):
    got, body = ask(method, **params)

    assert got == status
    assert body["error"] == error
    assert "result" not in body
    assert body["usDiff"] == body["usOut"] - body["usIn"]


@pytest.mark.parametrize(
    ("method", "params", "culprit"),
    [
        ("get_book_summary_by_currency", {"currency": "SOL"}, "currency"),
        ("get_book_summary_by_currency", {"currency": "BTC", "kind": "opt"}, "kind"),
        ("get_index_price", {"index_name": "sol_usd"}, "index_name"),
        ("get_expirations", {"currency": "BTC"}, "kind"),
        ("ticker", {}, "instrument_name"),
        (
            "get_tradingview_chart_data",
            {"instrument_name": "BTC-PERPETUAL", "resolution": "30", "end_timestamp": "soon"},
            "end_timestamp",
        ),
    ],
)
def test_a_wrong_parameter_is_named(method, params, culprit):
    status, body = ask(method, **params)

    assert (status, body["error"]["code"]) == (400, -32602)
    assert body["error"]["data"]["param"] == culprit


def test_a_post_is_answered_by_no_method():
    answer = deribit.answer(Market(7), NOON, "POST", "/api/v2/public/get_time", {})

    assert answer.status == 404


def test_every_coin_of_the_market_is_traded():
    assert {traded.coin.name for traded in deribit.BOOKS} == set(COINS)
