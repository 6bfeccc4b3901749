"""Whatever a venue sends, a parser gives a value or SourceError and nothing else."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import SourceError
from bot.exchanges import binance, deribit, derive
from bot.exchanges.deribit import Deribit
from bot.exchanges.derive import Derive
from tests.exchanges.wires import (
    NOW,
    NOW_MS,
    FakeWire,
    as_body,
    deribit_body,
    deribit_row,
    derive_body,
    derive_listing,
    derive_ticker,
    kline,
    rpc_body,
)

KEEP = timedelta(minutes=5)
SECONDS = NOW_MS // 1_000 + 86_400
EXPIRY = datetime(2026, 3, 3, 8, tzinfo=UTC)
BOOK = deribit_body(deribit_row(), deribit_row("SOL_USDC-27MAR26-200d5-P"))
REFUSAL = as_body({"jsonrpc": "2.0", "error": {"code": 10028, "message": "too_many_requests"}})
CHART = rpc_body(
    {"ticks": [NOW_MS]} | {name: [1.5] for name in ("open", "high", "low", "close", "volume")}
)
PRICES = as_body({"result": {"index_price": 1.5, "mark_price": 2.5}})
TICKERS = derive_body({"BTC-20260303-70_5-C": derive_ticker(), "BTC-x-71-P": derive_ticker()})
LISTING = derive_listing(SECONDS, SECONDS + 86_400, pages=1)
KLINES = as_body([kline(NOW_MS), kline(NOW_MS - 1_800_000)])

NUMBERS = st.one_of(
    st.integers(),
    st.integers(1, 40).map(lambda power: 10**power),
    st.floats(allow_nan=False, allow_infinity=False),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text())
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


@st.composite
def bodies(draw, *good):
    """A good answer with something else somewhere in it, or cut off; any JSON; any bytes."""
    kind = draw(st.sampled_from(("changed", "changed", "cut", "json", "bytes")))
    if kind == "bytes":
        return draw(st.binary())
    if kind == "json":
        return as_body(draw(ANYTHING))
    body = draw(st.sampled_from(good))
    if kind == "cut":
        return body[: draw(st.integers(0, len(body)))]
    value = json.loads(body)
    place, key = draw(st.sampled_from(list(parts_of(value))))
    part = place.pop(key)
    if isinstance(place, list):
        place.insert(key, draw(ANYTHING))
    elif draw(st.booleans()):
        place[key] = draw(NUMBERS if isinstance(part, int | float) else ANYTHING)
    else:
        place[draw(st.text())] = part
    return as_body(value)


def parts_of(value):
    """Every part of a JSON value, at any depth: what it is in and under which key."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from parts_of(value[key])


def read_book(body):
    return deribit.parse_book(body, NOW).chain("BTC")


def attempt(read, *arguments):
    with contextlib.suppress(SourceError):
        read(*arguments)


def attempt_all(*fetches):
    for fetch in fetches:
        attempt(asyncio.run, fetch)


@settings(max_examples=300, deadline=None)
@given(body=bodies(BOOK, CHART, REFUSAL))
def test_deribit_reads_any_body_or_gives_a_source_error(body):
    attempt(read_book, body)
    attempt(deribit.parse_candles, body, NOW)


@settings(max_examples=300, deadline=None)
@given(body=bodies(BOOK, CHART, REFUSAL, PRICES))
def test_deribit_answers_whatever_its_venue_says(body):
    venue = Deribit(FakeWire(lambda path, params: body), lambda: NOW, KEEP)

    attempt_all(
        venue.fetch_chain("SOL"),
        venue.fetch_spot("BTC"),
        venue.fetch_perpetual("BTC"),
        venue.fetch_candles("BTCUSDT"),
    )


@settings(max_examples=300, deadline=None)
@given(body=bodies(TICKERS, REFUSAL))
def test_derive_reads_any_body_or_gives_a_source_error(body):
    attempt(derive.parse_chain, "BTC", EXPIRY, body, NOW)
    attempt(derive.parse_perpetual, "BTC", body)


@settings(max_examples=300, deadline=None)
@given(listing=bodies(LISTING, REFUSAL), tickers=st.just(TICKERS) | bodies(TICKERS, REFUSAL))
def test_derive_answers_whatever_its_venue_says(listing, tickers):
    pages = {1: listing, 2: derive_listing(SECONDS, pages=2)}

    def answer(path, params):
        if path == "/public/get_all_instruments":
            return pages.get(params["page"], SourceError("derive", "no such page"))
        return tickers

    venue = Derive(FakeWire(answer), lambda: NOW, KEEP)

    attempt_all(venue.fetch_chain("BTC"), venue.fetch_spot("BTC"), venue.fetch_perpetual("BTC"))


@settings(max_examples=300, deadline=None)
@given(body=bodies(KLINES, REFUSAL))
def test_binance_reads_any_body_or_gives_a_source_error(body):
    attempt(binance.parse_candles, body, NOW)


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "body",
    [DEEP, b'{"x":%b}' % DEEP, b'{"result":[{"mark_iv":%b}]}' % DEEP],
    ids=["alone", "where nobody looks", "for a number"],
)
@pytest.mark.parametrize(
    "read",
    [
        read_book,
        lambda body: deribit.parse_candles(body, NOW),
        lambda body: derive.parse_chain("BTC", EXPIRY, body, NOW),
        derive.parse_instruments,
        lambda body: binance.parse_candles(body, NOW),
    ],
    ids=["deribit", "deribit candles", "derive", "derive list", "binance"],
)
def test_an_answer_nested_without_end_is_a_source_error(read, body):
    with pytest.raises(SourceError):
        read(body)
