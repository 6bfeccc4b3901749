import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.sim import derive
from bot.sim.market import Market

NOON = datetime(2026, 11, 23, 12, 10, 7, tzinfo=UTC)
NOON_MS = 1795435807000
NAME = re.compile(r"^([A-Z]+)-(\d{8})-(\d+(?:_\d+)?)-([CP])$")
NUMERAL = re.compile(r"-?\d+(\.\d+)?")


def ask(method, at=NOON, **params):
    answer = derive.answer(Market(7), at, "POST", f"/v3/public/{method}", params)
    assert answer.status == 200
    return answer.body


def result(method, at=NOON, **params):
    return ask(method, at, **params)["result"]


def tickers(coin, day, at=NOON):
    asked = {"instrument_type": "option", "currency": coin, "expiry_date": day}
    return result("get_tickers", at, **asked)["tickers"]


def page(number, size, coin="HYPE", **params):
    asked = {
        "instrument_type": "option",
        "currency": coin,
        "expired": False,
        "page": number,
        "page_size": size,
    }
    return result("get_all_instruments", **asked | params)


def test_a_row_has_derives_fields_and_numbers_in_text():
    for name, row in tickers("HYPE", "20261127").items():
        assert NAME.match(name)
        assert list(row) == [
            *("t", "A", "a", "B", "b", "f"),
            *("option_pricing", "I", "M", "stats", "minp", "maxp"),
        ]
        assert list(row["option_pricing"]) == [*"dtgvirfm", "df", "bi", "ai"]
        assert row["stats"].keys() == {"c", "v", "pr", "n", "oi", "h", "l", "p"}
        assert (row["t"], row["f"], row["stats"]["n"]) == (NOON_MS, None, 0)
        assert all(NUMERAL.fullmatch(value) for value in row["option_pricing"].values())
        assert all(NUMERAL.fullmatch(row[name]) for name in ("A", "a", "B", "b", "I", "M"))


def test_the_point_of_a_strike_is_an_underscore():
    strikes = {NAME.match(name)[3] for name in tickers("HYPE", "20261124")}

    assert {"77_5", "80"} <= strikes


def test_an_answer_is_of_the_one_expiry_asked_for():
    rows = tickers("BTC", "20261225")

    assert {NAME.match(name).group(1, 2) for name in rows} == {("BTC", "20261225")}


def test_an_expiry_that_is_not_listed_has_no_rows():
    eight = datetime(2026, 11, 24, 8, tzinfo=UTC)

    assert tickers("BTC", "20261124", eight - timedelta(seconds=1))
    assert tickers("BTC", "20261124", eight) == {}


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL", "HYPE"])
def test_open_interest_is_in_coins(coin):
    listed = page(1, 1000, coin)["instruments"]
    days = {NAME.match(row["instrument_name"])[2] for row in listed}

    held = sum(float(row["stats"]["oi"]) for day in days for row in tickers(coin, day).values())

    assert held == pytest.approx(Market(7).chain(coin, NOON).open_interest.sum())


def test_an_instrument_names_its_expiry_in_seconds():
    for row in page(1, 1000)["instruments"]:
        name, details = NAME.match(row["instrument_name"]), row["option_details"]
        expiry = datetime.fromtimestamp(details["expiry"], UTC)
        assert f"{expiry:%Y%m%d %H:%M}" == f"{name[2]} 08:00"
        assert details["strike"] == name[3].replace("_", ".")
        assert (details["option_type"], details["index"]) == (name[4], "HYPE-USD")


def test_the_pages_make_the_whole_list():
    whole = page(1, 1000)
    pages = [page(number, 100) for number in range(1, 6)]

    count = whole["pagination"]["count"]

    assert {one["pagination"]["num_pages"] for one in pages} == {-(-count // 100)}
    listed = [row for one in pages for row in one["instruments"]]
    assert listed == whole["instruments"]
    assert len(listed) == count
    assert pages[-1]["instruments"] == []


@pytest.mark.parametrize("params", [{"expired": True}, {"currency": "DOGE"}])
def test_what_is_not_listed_is_an_empty_list(params):
    assert page(1, 100, **params) == {
        "instruments": [],
        "pagination": {"num_pages": 0, "count": 0},
    }


def test_a_perpetual_is_an_instrument_and_has_a_live_ticker():
    at = NOON + timedelta(milliseconds=40)
    asked = {"instrument_type": "perp", "currency": "ETH"}

    rows = result("get_tickers", at, **asked)["tickers"]

    assert list(rows) == ["ETH-PERP"]
    assert rows["ETH-PERP"]["I"] == str(Market(7).spot("ETH", at))
    assert rows["ETH-PERP"]["M"] == str(Market(7).perpetual("ETH", at))
    assert rows["ETH-PERP"]["t"] == NOON_MS + 40
    assert rows["ETH-PERP"]["option_pricing"] is None
    [listed] = page(1, 10, instrument_type="perp", currency="ETH")["instruments"]
    assert listed["instrument_name"] == "ETH-PERP"


def test_the_time_is_in_milliseconds():
    assert ask("get_time") == {"id": str(NOON_MS), "result": NOON_MS}


@pytest.mark.parametrize(
    ("method", "params", "data"),
    [
        ("get_tickers", {"currency": "BTC"}, "instrument_type is required"),
        ("get_tickers", {"instrument_type": "option"}, "currency is required"),
        (
            "get_tickers",
            {"instrument_type": "option", "currency": "BTC"},
            "expiry_date is required",
        ),
        (
            "get_all_instruments",
            {"instrument_type": "future", "currency": "BTC"},
            "instrument_type must be one of: option, perp",
        ),
        (
            "get_all_instruments",
            {"instrument_type": "option", "currency": "BTC", "page": 0},
            "page must be positive",
        ),
        (
            "get_all_instruments",
            {"instrument_type": "option", "currency": "BTC", "page_size": [5]},
            "page_size must be an integer",
        ),
    ],
)
def test_a_wrong_parameter_is_an_error_that_names_it(method, params, data):
    body = ask(method, **params)

    assert body == {
        "id": str(NOON_MS),
        "error": {"code": -32602, "message": "Invalid params", "data": data},
    }


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v3/public/get_time"), ("POST", "/v3/public/get_gamma")]
)
def test_only_known_methods_are_answered_and_only_by_post(method, path):
    answer = derive.answer(Market(7), NOON, method, path, {})

    assert (answer.status, answer.body["error"]["code"]) == (404, -32601)
