from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sim import binance, bybit, deribit, derive, okx
from bot.sim.calls import Refused, chain_at
from bot.sim.market import Market

NOON = datetime(2026, 11, 23, 12, 10, 7, 500_000, tzinfo=UTC)
GETS = [
    *((deribit, f"{deribit.ROOT}{method}") for method in deribit.METHODS),
    *((venue, path) for venue in (bybit, okx, binance) for path in venue.CALLS),
]
CALLS = [
    *((venue, "GET", path) for venue, path in GETS),
    *((derive, "POST", path) for path in derive.METHODS),
]
NAMES = [
    *("currency", "kind", "expired", "index_name", "instrument_name", "resolution"),
    *("start_timestamp", "end_timestamp", "category", "baseCoin", "symbol", "interval"),
    *("limit", "cursor", "start", "end", "instType", "instFamily", "instId", "bar", "before"),
    *("after", "underlyingAsset", "expiration", "underlying", "instrument_type", "page"),
    *("page_size", "expiry_date", "expDate", "expTime"),
]
VALUES = [
    *("BTC", "ETH", "USDC", "any", "option", "linear", "OPTION", "SWAP", "BTC-PERPETUAL"),
    *("BTCUSDT", "HYPEUSDT", "BTC-USD", "BTC-USDT-SWAP", "SOL-USD_UM", "30", "30m", "perp"),
    *("0", "-1", "1e3", "", "100", "999999999999999", "-999999999999999", "9" * 400, "24NOV26"),
    *(None, 7, -7, True, [], {}, "٣", "1_000", "offset%3D7"),
]

calls = st.sampled_from(CALLS)
params = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES))


def call(at=NOON, **sent):
    return bybit.Call(Market(7), at, sent)  # any venue's will do


@settings(max_examples=200, deadline=None)
@given(asked=calls, sent=params)
def test_whatever_is_sent_there_is_an_answer_that_json_can_hold(asked, sent):
    venue, method, path = asked

    answer = venue.answer(Market(7), NOON, method, path, sent)

    assert answer.status in (200, 400)
    assert msgspec.json.encode(answer.body)


@pytest.mark.parametrize(("venue", "method", "path"), CALLS)
def test_every_call_lies_under_a_root_of_its_venue(venue, method, path):
    assert path.startswith(venue.ROOTS)


def test_a_number_is_read_whether_sent_as_text_or_as_a_number():
    assert call(page="7").number("page") == call(page=7).number("page") == 7


@pytest.mark.parametrize("text", ["", None])
def test_an_empty_parameter_is_none(text):
    request = call(limit=text)

    assert request.number("limit", 5) == 5
    with pytest.raises(Refused, match="limit is required"):
        request.number("limit")


def test_of_too_many_rows_the_most_are_given():
    assert call(limit="5000").count("limit", 10, 100) == 100
    assert call().count("limit", 10, 100) == 10


def test_candles_open_within_the_span_and_never_in_the_future():
    newest = int(NOON.timestamp()) // 60 * 60

    bars = call().candles("BTC", 60, (newest - 119, newest + 999), 100)

    assert bars.start.tolist() == [newest - 60, newest]


def test_of_too_many_candles_the_newest_are_given():
    newest = int(NOON.timestamp()) // 60 * 60

    bars = call().candles("BTC", 60, (0, newest), 3)

    assert bars.start.tolist() == [newest - 120, newest - 60, newest]


def test_the_calls_of_one_second_share_one_chain():
    early, late = call(), call(NOON + timedelta(milliseconds=400))

    assert early.chain("ETH") is late.chain("ETH")
    assert early.chain("ETH").at == NOON.replace(microsecond=0)
    assert chain_at(Market(8), "ETH", early.chain("ETH").at) is not early.chain("ETH")
