"""Every venue tells the same market, each in its own units: converted here by hand."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sim import binance, bybit, deribit, derive, okx
from bot.sim.coins import COINS
from bot.sim.families import larger, smaller
from bot.sim.market import Market

NOON = datetime(2026, 11, 23, 12, 10, 7, tzinfo=UTC)
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]

times = st.timedeltas(timedelta(), timedelta(days=1000)).map(lambda since: NOON + since)


def get(venue, at, path, **params):
    answer = venue.answer(Market(7), at, "GET", path, params)
    assert answer.status == 200
    return answer.body


def post(at, path, **params):
    answer = derive.answer(Market(7), at, "POST", path, params)
    assert answer.status == 200
    return answer.body["result"]


def contract(day, strike, side):
    """The day is 4SEP26, 260904 or 20260904; all expire at eight."""
    letters = re.fullmatch(r"(\d+)([A-Z]{3})(\d\d)", day)
    if letters:
        day = f"{letters[3]}{MONTHS.index(letters[2]) + 1:02}{int(letters[1]):02}"
    expiry = datetime.strptime(day[-6:] + "08+0000", "%y%m%d%H%z")
    return int(expiry.timestamp()), float(re.sub("[d_]", ".", strike)), side == "C"


def of_deribit(coin, at):
    """(contract, open interest in coins, IV as a fraction, forward in USD, index in USD)"""
    for currency in (coin, "USDC"):
        if currency not in ("BTC", "ETH", "USDC"):
            continue
        path = "/api/v2/public/get_book_summary_by_currency"
        for row in get(deribit, at, path, currency=currency)["result"]:
            prefix, *name = row["instrument_name"].split("-")
            if prefix.partition("_")[0] == coin:
                iv, index = row["mark_iv"] / 100, row["estimated_delivery_price"]
                yield contract(*name), row["open_interest"], iv, row["underlying_price"], index


def of_bybit(coin, at):
    body = get(bybit, at, "/v5/market/tickers", category="option", baseCoin=coin)
    for row in body["result"]["list"]:
        key = contract(*row["symbol"].split("-")[1:4])
        if key[0] > at.timestamp():  # others are being delivered
            told = ("openInterest", "markIv", "underlyingPrice", "indexPrice")
            yield key, *(float(row[name]) for name in told)


def of_okx(coin, at):
    index = get(okx, at, "/api/v5/market/index-tickers", instId=f"{coin}-USDT")["data"][0]
    for family in (f"{coin}-USD", f"{coin}-USD_UM"):
        if family == "SOL-USD":
            continue
        body = get(okx, at, "/api/v5/public/opt-summary", instFamily=family)
        summaries = {row["instId"]: row for row in body["data"]}
        path = "/api/v5/public/open-interest"
        for row in get(okx, at, path, instType="OPTION", instFamily=family)["data"]:
            iv = forward = np.nan
            if row["instId"] in summaries:
                iv = float(summaries[row["instId"]]["markVol"])
                forward = float(summaries[row["instId"]]["fwdPx"])
            key = contract(*row["instId"].split("-")[2:])
            yield key, float(row["oiCcy"]), iv, forward, float(index["idxPx"])


def of_binance(coin, at):
    index = get(binance, at, "/eapi/v1/index", underlying=f"{coin}USDT")["indexPrice"]
    marks = {row["symbol"]: row for row in get(binance, at, "/eapi/v1/mark")}
    listed = get(binance, at, "/eapi/v1/exchangeInfo")["optionSymbols"]
    units = {row["symbol"]: row["unit"] for row in listed if row["underlying"] == f"{coin}USDT"}
    for day in sorted({symbol.split("-")[1] for symbol in units}):
        path = "/eapi/v1/openInterest"
        for row in get(binance, at, path, underlyingAsset=coin, expiration=day):
            symbol = row["symbol"]
            coins = float(row["sumOpenInterest"]) * units[symbol]
            iv = float(marks[symbol]["markIV"])
            yield contract(*symbol.split("-")[1:]), coins, iv, np.nan, float(index)


def of_derive(coin, at):
    asked = {"instrument_type": "option", "currency": coin}
    listed = post(at, "/v3/public/get_all_instruments", **asked, page_size=1000)["instruments"]
    for day in sorted({row["instrument_name"].split("-")[1] for row in listed}):
        rows = post(at, "/v3/public/get_tickers", **asked, expiry_date=day)["tickers"]
        for name, row in rows.items():
            pricing = row["option_pricing"]
            told = (row["stats"]["oi"], pricing["i"], pricing["f"], row["I"])
            yield contract(*name.split("-")[1:]), *map(float, told)


VENUES = [
    *((of, coin) for of in (of_bybit, of_okx, of_binance) for coin in ("BTC", "ETH", "SOL")),
    *((of, coin) for of in (of_deribit, of_derive) for coin in COINS),
]


@pytest.mark.parametrize(
    ("of", "coin"), VENUES, ids=[f"{of.__name__[3:]}-{coin}" for of, coin in VENUES]
)
@settings(max_examples=5, deadline=None)
@given(at=times)
def test_a_venues_rows_are_the_markets(of, coin, at):
    at = at.replace(microsecond=0)
    chain = Market(7).chain(coin, at)
    contracts = zip(
        chain.expiry.tolist(), chain.strike.tolist(), chain.is_call.tolist(), strict=True
    )
    place = {key: number for number, key in enumerate(contracts)}

    key, *columns = zip(*of(coin, at), strict=True)
    interest, iv, forward, index = map(np.array, columns)

    row = np.array([place[one] for one in key])
    assert set(row) == set(range(len(place)))
    held = np.bincount(row, interest)
    np.testing.assert_allclose(held, chain.open_interest, rtol=1e-12)
    priced = ~np.isnan(iv)
    np.testing.assert_allclose(iv[priced], chain.iv[row[priced]], rtol=1e-12)
    told = ~np.isnan(forward)
    np.testing.assert_array_equal(forward[told], chain.forward[row[told]])
    assert set(index) == {chain.index}


@pytest.mark.parametrize("coin", COINS)
@given(at=times)
def test_two_families_hold_whole_lots_that_make_the_open_interest(coin, at):
    chain = Market(7).chain(coin, at)

    one, other = larger(chain).open_interest, smaller(chain).open_interest

    np.testing.assert_allclose(one + other, chain.open_interest, rtol=1e-14)
    for held in (one, other):
        lots = held / chain.coin.lot
        np.testing.assert_allclose(lots, np.round(lots), atol=1e-6)
        np.testing.assert_array_equal(held, np.round(held, 1))
    assert (other <= one).all()


def test_rows_of_one_second_are_the_same_at_every_venue_whenever_in_it_they_are_asked_for():
    late = NOON + timedelta(milliseconds=999)

    assert list(of_bybit("BTC", NOON)) == list(of_bybit("BTC", late))
    assert list(of_derive("HYPE", NOON)) == list(of_derive("HYPE", late))


def test_a_spot_between_two_seconds_is_live():
    late = NOON + timedelta(milliseconds=500)

    told = get(okx, late, "/api/v5/market/index-tickers", instId="BTC-USDT")["data"][0]

    assert float(told["idxPx"]) == Market(7).spot("BTC", late) != Market(7).spot("BTC", NOON)
    assert datetime.fromtimestamp(int(told["ts"]) / 1000, UTC) == late
