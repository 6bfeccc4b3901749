import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.sim import okx
from bot.sim.market import Market

NOON = datetime(2026, 11, 23, 12, 10, 7, tzinfo=UTC)
NOON_MS = 1795435807000
NAME = re.compile(r"^([A-Z]+)-(USD(?:_UM)?)-(\d{6})-(\d+(?:\.\d+)?)-([CP])$")
NUMERAL = re.compile(r"-?\d+(\.\d+)?")
FAMILIES = {
    "BTC-USD": 0.01,
    "BTC-USD_UM": 0.01,
    "ETH-USD": 0.1,
    "ETH-USD_UM": 0.01,
    "SOL-USD_UM": 0.1,
}


def ask(path, at=NOON, **params):
    answer = okx.answer(Market(7), at, "GET", f"/api/v5/{path}", params)
    assert answer.status == 200
    return answer.body


def data(path, at=NOON, **params):
    body = ask(path, at, **params)
    assert (body["code"], body["msg"]) == ("0", "")
    return body["data"]


def interest(family, at=NOON):
    return data("public/open-interest", at, instType="OPTION", instFamily=family)


def summaries(family, at=NOON, **params):
    return data("public/opt-summary", at, instFamily=family, **params)


def test_the_tick_bands_name_every_family():
    rows = data("public/instrument-tick-bands", instType="OPTION")

    assert [row["instFamily"] for row in rows] == list(FAMILIES)
    assert rows[0] == {
        "instType": "OPTION",
        "instFamily": "BTC-USD",
        "tickBand": [{"minPx": "0", "maxPx": "", "tickSz": "0.0001"}],
    }


def test_a_summary_has_okxs_fields_all_of_them_text():
    for family in FAMILIES:
        for row in summaries(family):
            assert row.keys() == {
                "instType",
                "instId",
                "uly",
                "delta",
                "gamma",
                "vega",
                "theta",
                "deltaBS",
                "gammaBS",
                "vegaBS",
                "thetaBS",
                "lever",
                "markVol",
                "bidVol",
                "askVol",
                "realVol",
                "volLv",
                "fwdPx",
                "ts",
            }
            coin, kind, *_ = NAME.match(row["instId"]).groups()
            assert (f"{coin}-{kind}", row["uly"]) == (family, f"{coin}-USD")
            assert NUMERAL.fullmatch(row["markVol"])
            assert NUMERAL.fullmatch(row["gamma"])
            assert row["ts"] == str(NOON_MS)


@pytest.mark.parametrize(("family", "multiplier"), FAMILIES.items())
def test_open_interest_is_told_in_contracts_coins_and_usd(family, multiplier):
    index = Market(7).spot(family[:3], NOON)

    for row in interest(family):
        assert row.keys() == {"instId", "instType", "oi", "oiCcy", "oiUsd", "ts"}
        assert row["oi"].isdecimal()
        assert float(row["oi"]) * multiplier == pytest.approx(float(row["oiCcy"]))
        assert float(row["oiUsd"]) == pytest.approx(float(row["oiCcy"]) * index, abs=0.01)


@pytest.mark.parametrize(
    ("coin", "families"),
    [
        ("BTC", ["BTC-USD", "BTC-USD_UM"]),
        ("ETH", ["ETH-USD", "ETH-USD_UM"]),
        ("SOL", ["SOL-USD_UM"]),
    ],
)
def test_a_coins_families_hold_its_open_interest_together(coin, families):
    held = [sum(float(row["oiCcy"]) for row in interest(family)) for family in families]

    assert sum(held) == pytest.approx(Market(7).chain(coin, NOON).open_interest.sum())
    assert min(held) > 0.2 * sum(held)


@pytest.mark.parametrize("family", FAMILIES)
def test_summaries_miss_only_options_that_nobody_holds_far_from_the_money(family):
    told = {row["instId"] for row in summaries(family)}
    forward = float(summaries(family)[0]["fwdPx"])
    missing = [row for row in interest(family) if row["instId"] not in told]

    assert missing
    for row in missing:
        assert row["oiCcy"] == "0"
        assert abs(np.log(float(NAME.match(row["instId"])[4]) / forward)) > 0.4


def test_price_adjusted_greeks_are_others_and_may_be_negative():
    rows = summaries("BTC-USD")

    assert any(float(row["gamma"]) < 0 for row in rows)
    assert all(float(row["gammaBS"]) >= 0 for row in rows)
    assert all(float(row["delta"]) <= float(row["deltaBS"]) for row in rows)


def test_summaries_can_be_of_one_expiry():
    rows = summaries("BTC-USD_UM", expTime="261127")

    assert {NAME.match(row["instId"])[3] for row in rows} == {"261127"}


def test_an_instrument_has_okxs_fields():
    rows = data("public/instruments", instType="OPTION", instFamily="BTC-USD")

    assert rows[0] == {
        "instType": "OPTION",
        "instId": "BTC-USD-261124-70000-C",
        "instFamily": "BTC-USD",
        "uly": "BTC-USD",
        "stk": "70000",
        "optType": "C",
        "expTime": "1795507200000",
        "listTime": "1795161600000",
        "ctVal": "1",
        "ctMult": "0.01",
        "ctValCcy": "BTC",
        "settleCcy": "BTC",
        "state": "live",
        "ctType": "",
        "lotSz": "1",
        "tickSz": "0.0001",
    }


@pytest.mark.parametrize(("family", "multiplier"), FAMILIES.items())
def test_instruments_say_what_names_say_and_what_a_contract_holds(family, multiplier):
    rows = data("public/instruments", instType="OPTION", instFamily=family)

    assert [row["instId"] for row in rows] == [row["instId"] for row in interest(family)]
    for row in rows:
        name = NAME.match(row["instId"])
        expiry = datetime.fromtimestamp(int(row["expTime"]) / 1000, UTC)
        assert f"{expiry:%y%m%d %H:%M}" == f"{name[3]} 08:00"
        assert (row["stk"], row["optType"]) == (name[4], name[5])
        assert float(row["ctVal"]) * float(row["ctMult"]) == multiplier


@pytest.mark.parametrize("family", FAMILIES)
def test_an_expiry_leaves_at_eight_utc(family):
    eight = datetime(2026, 11, 24, 8, tzinfo=UTC)

    before, after = (
        {NAME.match(row["instId"])[3] for row in interest(family, at)}
        for at in (eight - timedelta(seconds=1), eight)
    )

    assert "261124" in before - after


@pytest.mark.parametrize("index", ["BTC-USD", "BTC-USDT", "SOL-USDT", "HYPE-USDT"])
def test_an_index_is_live(index):
    at = NOON + timedelta(milliseconds=300)
    spot = Market(7).spot(index.partition("-")[0], at)

    rows = data("market/index-tickers", at, instId=index)

    assert rows == [{"instId": index, "idxPx": str(spot), "ts": str(NOON_MS + 300)}]


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL", "HYPE"])
def test_a_swap_has_a_mark_and_a_last_price(coin):
    swap, mark = f"{coin}-USDT-SWAP", str(Market(7).perpetual(coin, NOON))

    [marked] = data("public/mark-price", instType="SWAP", instId=swap)
    [last] = data("market/ticker", instId=swap)

    assert marked == {"instType": "SWAP", "instId": swap, "markPx": mark, "ts": str(NOON_MS)}
    assert last["last"] == mark
    assert float(last["bidPx"]) < float(mark) < float(last["askPx"])


def candles(path="candles", **params):
    return data(f"market/{path}", **{"instId": "ETH-USDT-SWAP", "bar": "30m"} | params)


def test_candles_are_newest_first_and_only_the_open_one_is_unconfirmed():
    rows = candles(limit="300")

    starts = [int(row[0]) for row in rows]

    assert starts == sorted(starts, reverse=True)
    assert len(rows) == 300
    assert [row[8] for row in rows] == ["0"] + ["1"] * 299
    assert float(rows[0][4]) == Market(7).spot("ETH", NOON)
    assert all(NUMERAL.fullmatch(value) for row in rows for value in row)


def test_volumes_are_in_contracts_coins_and_usdt():
    row = candles(limit="2")[1]

    contracts, coins, usdt = (float(value) for value in row[5:8])

    assert contracts * 0.1 == pytest.approx(coins, abs=0.01)
    assert usdt == pytest.approx(coins * float(row[4]), rel=1e-4)


def test_pages_of_candles_go_back_in_time_and_bounds_are_left_out():
    first = candles(limit="3")

    older = candles(limit="3", after=first[-1][0])
    newer = candles(before=older[0][0])

    assert [int(one[0]) - int(other[0]) for one, other in zip(first, older, strict=True)] == [
        3 * 1_800_000
    ] * 3
    assert [row[0] for row in newer] == [row[0] for row in first]


@pytest.mark.parametrize(("limit", "count"), [({}, 100), ({"limit": "5000"}, 300)])
def test_the_limit_of_candles_has_a_default_and_a_maximum(limit, count):
    assert len(candles(**limit)) == len(candles("history-candles", **limit)) == count


def test_candles_of_an_index_have_no_volumes():
    rows = candles("index-candles", instId="ETH-USDT", limit="5")

    assert rows == [row[:5] + row[8:] for row in candles(limit="5")]


def test_the_platform_tells_the_time_and_no_maintenance():
    assert data("public/time") == [{"ts": str(NOON_MS)}]
    assert data("system/status") == []


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("public/opt-summary", {}, "50015"),
        ("public/opt-summary", {"instFamily": "BTC-USDC"}, "51000"),
        ("public/open-interest", {"instFamily": "BTC-USD"}, "50015"),
        ("public/open-interest", {"instType": "OPTION"}, "50015"),
        ("public/open-interest", {"instType": "OPTION", "instFamily": "HYPE-USD_UM"}, "51000"),
        ("public/instruments", {"instType": "SPOT", "instFamily": "BTC-USD"}, "51000"),
        ("public/instrument-tick-bands", {"instType": "FUTURES"}, "51000"),
        ("public/mark-price", {"instType": "SWAP", "instId": "DOGE-USDT-SWAP"}, "51001"),
        ("market/index-tickers", {"instId": "DOGE-USDT"}, "51001"),
        ("market/index-tickers", {}, "50015"),
        ("market/candles", {"instId": "BTC-USDT-SWAP", "bar": "7m"}, "51000"),
        ("market/candles", {"instId": "BTC-USDT-SWAP", "limit": "-1"}, "51000"),
        ("market/candles", {"instId": "BTC-USDT-SWAP", "after": "now"}, "51000"),
    ],
)
def test_a_refusal_is_a_code_in_a_good_answer(path, params, code):
    body = ask(path, **params)

    assert (body["code"], body["data"]) == (code, [])
    assert body["msg"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v5/nothing"), ("POST", "/api/v5/public/time")]
)
def test_other_paths_and_methods_are_not_found(method, path):
    assert okx.answer(Market(7), NOON, method, path, {}).status == 404
