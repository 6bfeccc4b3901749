"""The parsers on answers that the venues really gave."""

import json
import math
from datetime import UTC, datetime, timedelta
from math import erf

import numpy as np
import pytest

from bot.core.gex import live_rows
from bot.core.snapshot import compute_levels
from bot.exchanges import deribit, derive
from tests.shared import WIRE, needs_shared

pytestmark = needs_shared


def read(name):
    return (WIRE / name).read_bytes()


def of_first_row(body, field):
    rows = json.loads(body)["result"]
    return datetime.fromtimestamp(rows[0][field] / 1_000, UTC) + timedelta(seconds=1)


def test_deribits_whole_eth_chain():
    body = read("deribit/get_book_summary_by_currency.ETH.option.json")
    rows = json.loads(body)["result"]

    chain = deribit.parse_book(body, of_first_row(body, "creation_timestamp")).chain("ETH")

    assert len(chain) == len(rows) == 754
    assert chain.unreadable == {}
    assert chain.oi.tolist() == [row["open_interest"] for row in rows]
    assert chain.iv.tolist() == [row["mark_iv"] / 100 for row in rows]
    assert len(set(chain.expiry.tolist())) == 11
    assert set(chain.expiry % 86_400_000) == {8 * 3_600_000}


def test_a_chain_without_iv_has_max_pain_and_no_levels():
    body = read("deribit/get_book_summary_by_currency.BTC.option.no-iv.json")
    now = datetime(2026, 8, 9, 12, tzinfo=UTC)

    chain = deribit.parse_book(body, now).chain("BTC")
    levels = compute_levels(chain, float(np.median(chain.index)), now)

    assert len(chain) == 828
    assert levels.dropped["iv_unusable"] == 828 - levels.dropped.get("expired", 0)
    assert levels.net_gex is None
    assert levels.all_expiry.call_resistance is None
    assert levels.max_pain is not None


def test_a_trimmed_btc_chain():
    body = read("deribit/get_book_summary_by_currency.BTC.option.trimmed.json")

    chain = deribit.parse_book(body, of_first_row(body, "creation_timestamp")).chain("BTC")

    assert len(chain) == 5
    assert np.all((chain.iv > 0.1) & (chain.iv < 2))


def test_the_published_deltas_are_found_from_the_rows():
    body = read("deribit/get_book_summary_by_currency.ETH.option.json")
    tickers = json.loads(read("deribit/ticker.ETH.options.by-name.json"))
    rows = {row["instrument_name"]: row for row in json.loads(body)["result"]}
    now = of_first_row(body, "creation_timestamp")

    chain = deribit.parse_book(body, now).chain("ETH")
    live = live_rows(chain, float(np.median(chain.index)), now)
    delta = dict(zip(rows, (erf(d1 / math.sqrt(2)) for d1 in live.d1), strict=True))

    found = {name: (delta[name] + (1 if name.endswith("C") else -1)) / 2 for name in tickers}
    published = {name: ticker["greeks"]["delta"] for name, ticker in tickers.items()}
    assert found == pytest.approx(published, abs=0.01)


def test_a_perpetual_has_a_mark_and_an_index():
    body = read("deribit/ticker.BTC-PERPETUAL.json")
    result = json.loads(body)["result"]
    now = datetime(2026, 6, 1, tzinfo=UTC)

    assert deribit.parse_perpetual(body) == result["mark_price"]
    assert deribit.parse_spot("BTC", body, now).spot == result["index_price"]


def test_futures_are_no_options():
    body = read("deribit/get_book_summary_by_currency.BTC.future.trimmed.json")

    chain = deribit.parse_book(body, datetime(2026, 5, 22, 15, tzinfo=UTC)).chain("BTC")

    assert len(chain) == 0
    assert chain.unreadable == {"row_unreadable": 13}


def test_derives_tickers_of_an_expiry():
    body = read("derive/get_tickers.HYPE.20260828.json")
    tickers = json.loads(body)["result"]["tickers"]
    now = datetime(2026, 8, 22, 0, 28, tzinfo=UTC)

    chain = derive.parse_chain("HYPE", datetime(2026, 8, 28, 8, tzinfo=UTC), body, now)

    assert len(chain) == len(tickers) == 60
    assert chain.unreadable == {}
    assert chain.oi.tolist() == [float(row["stats"]["oi"]) for row in tickers.values()]
    assert set(chain.expiry) == {datetime(2026, 8, 28, 8, tzinfo=UTC).timestamp() * 1_000}
    assert (chain.strike.min(), chain.strike.max()) == (25.0, 260.0)
    assert 77.5 in chain.strike
    assert all(math.isfinite(forward) for forward in chain.forward)
    assert chain.at.max() <= now.timestamp() * 1_000
