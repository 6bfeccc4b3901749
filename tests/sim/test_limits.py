from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sim.limits import KEPT, Call, Limits, Listener, Pool, Window, weight

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PATHS = {
    "deribit": "/api/v2/public/get_index_price",
    "bybit": "/v5/market/tickers",
    "okx": "/api/v5/market/index-tickers",
    "binance": "/fapi/v1/premiumIndex",
    "derive": "/v3/public/get_tickers",
}


def call(venue, path=None, client="127.0.0.1", **params):
    return Call(venue, client, path or PATHS[venue], params)


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def admitted(limits, one, at=NOON, most=5000):
    """How many such calls are answered before the first refusal."""
    return next((n for n in range(most) if limits.refusal(one, at) is not None), most)


@pytest.mark.parametrize(
    ("one", "burst"),
    [
        (call("deribit"), 100),
        (call("deribit", "/api/v2/public/get_instruments"), 50),
        (call("bybit"), 600),
        (call("okx"), 20),
        (call("okx", "/api/v5/public/instrument-tick-bands"), 5),
        (call("okx", "/api/v5/market/candles"), 40),
        (call("binance", symbol="BTCUSDT"), 2400),
        (call("binance"), 240),
        (call("binance", "/eapi/v1/mark"), 480),
        (call("binance", "/eapi/v1/openInterest"), 5000),
        (call("derive"), 25),
    ],
)
def test_a_venue_answers_as_many_calls_at_once_as_it_documents(one, burst):
    assert admitted(Limits(), one) == burst


@pytest.mark.parametrize(
    ("venue", "status", "words"),
    [
        ("deribit", 429, "10028"),
        ("bybit", 403, "access too frequent"),
        ("okx", 429, "50011"),
        ("binance", 429, "-1003"),
        ("derive", 429, "-32000"),
    ],
)
def test_one_call_too_many_is_refused_in_the_venues_words(venue, status, words):
    limits = Limits()
    admitted(limits, call(venue))

    refusal = limits.refusal(call(venue), NOON)

    assert refusal.status == status
    assert words in str(refusal.body)


@pytest.mark.parametrize(
    ("venue", "seconds", "again"),
    [("deribit", 1, 20), ("okx", 2, 20), ("binance", 60, 240), ("derive", 5, 25)],
)
def test_who_waits_is_answered_again(venue, seconds, again):
    limits = Limits()
    admitted(limits, call(venue))

    assert admitted(limits, call(venue), after(seconds)) == again


def test_one_address_does_not_spend_anothers_allowance():
    limits = Limits()
    admitted(limits, call("okx"))

    assert limits.refusal(call("okx", client="127.0.0.2"), NOON) is None


def test_okx_counts_each_family_by_itself():
    limits, path = Limits(), "/api/v5/public/opt-summary"
    admitted(limits, call("okx", path, instFamily="BTC-USD"))

    assert limits.refusal(call("okx", path, instFamily="BTC-USD"), NOON) is not None
    assert limits.refusal(call("okx", path, instFamily="BTC-USD_UM"), NOON) is None


def test_bybit_refuses_everything_for_ten_minutes_after_one_call_too_many():
    limits = Limits()
    admitted(limits, call("bybit"))

    assert limits.refusal(call("bybit", "/v5/market/time"), after(599)) is not None
    assert limits.refusal(call("bybit", "/v5/market/time"), after(600)) is None


def test_binance_says_how_long_to_wait():
    limits = Limits()
    admitted(limits, call("binance"), after(12.5))

    refusal = limits.refusal(call("binance"), after(12.5))

    assert refusal.status == 429
    assert refusal.headers["Retry-After"] == "48"


def test_binance_bans_who_goes_on():
    limits = Limits()
    admitted(limits, call("binance"))

    statuses = [limits.refusal(call("binance"), NOON).status for _ in range(6)]
    banned = limits.refusal(call("binance", "/eapi/v1/time"), after(30.5))

    assert statuses == [429, 429, 429, 429, 418, 418]
    assert banned.status == 418
    assert banned.headers["Retry-After"] == "90"
    assert str(round(after(120).timestamp() * 1000)) in banned.body["msg"]
    assert limits.refusal(call("binance"), after(120)) is None


def test_binance_tells_the_weight_of_the_minute():
    limits, mark = Limits(), call("binance", "/eapi/v1/mark")

    limits.refusal(mark, NOON)
    limits.refusal(mark, after(1))
    twice = limits.headers(mark)
    limits.refusal(mark, after(60))

    assert twice == {"X-MBX-USED-WEIGHT-1M": "10"}
    assert limits.headers(mark) == {"X-MBX-USED-WEIGHT-1M": "5"}


@pytest.mark.parametrize("venue", ["deribit", "bybit", "okx", "derive"])
def test_no_other_venue_tells_its_count(venue):
    limits = Limits()
    limits.refusal(call(venue), NOON)

    assert limits.headers(call(venue)) == {}


@pytest.mark.parametrize(
    ("params", "cost"),
    [
        ({"limit": "99"}, 1),
        ({"limit": "499"}, 2),
        ({}, 5),
        ({"limit": "1500"}, 10),
        ({"limit": "many"}, 1),
    ],
)
def test_candles_cost_by_their_number(params, cost):
    assert weight("/fapi/v1/klines", params) == cost


def test_of_too_many_addresses_the_one_longest_unheard_of_is_forgotten():
    limits = Limits()
    admitted(limits, call("okx", client="first"))

    for number in range(KEPT):
        limits.refusal(call("okx", client=str(number)), NOON)

    assert limits.refusal(call("okx", client="first"), NOON) is None


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 5)), max_size=60))
def test_a_pool_never_gives_more_than_it_held_and_was_refilled(spending):
    pool, now, given_out = Pool(10, 2), 0.0, 0

    for pause, cost in spending:
        now += pause
        given_out += cost * (pool.spend(cost, now) == 0)

    assert given_out <= 10 + 2 * now + 1e-9


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 5)), max_size=60))
def test_a_window_never_gives_more_than_its_limit_in_a_span(spending):
    window, now, given_out = Window(10, 2), 0.0, {}

    for pause, cost in spending:
        now += pause
        spent = cost * (window.spend(cost, now) == 0)
        given_out[now // 2] = given_out.get(now // 2, 0) + spent

    assert all(spent <= 10 for spent in given_out.values())


@given(make=st.sampled_from([Pool, Window]), cost=st.integers(1, 10), start=st.floats(1e6, 2e6))
def test_who_waits_as_long_as_told_gets_what_was_refused(make, cost, start):
    meter = make(10, 2)
    while (wait := meter.spend(cost, start)) == 0:
        pass

    assert meter.spend(cost, start + wait + 1e-6) == 0


@pytest.mark.parametrize(
    ("venue", "text", "burst"),
    [
        ("deribit", '{"method":"public/subscribe"}', 10),
        ("okx", '{"op":"subscribe"}', 480),
        ("binance", '{"method":"SUBSCRIBE"}', 10),
    ],
)
def test_a_connection_listens_to_so_many_messages(venue, text, burst):
    listener = Listener(venue)

    heard = [listener.allows(text, NOON) for _ in range(burst + 1)]

    assert heard == [True] * burst + [False]


@pytest.mark.parametrize(
    ("venue", "text"),
    [("deribit", '{"method":"public/test"}'), ("okx", "ping"), ("bybit", '{"op":"ping"}')],
)
def test_keeping_a_connection_alive_is_never_too_much(venue, text):
    listener = Listener(venue)

    assert all(listener.allows(text, NOON) for _ in range(1000))


@pytest.mark.parametrize(
    ("venue", "burst", "status", "seconds"),
    [("bybit", 500, 403, 300), ("okx", 3, 429, 1)],
)
def test_an_address_connects_so_often_and_no_more(venue, burst, status, seconds):
    limits = Limits()

    answers = [limits.handshake(venue, "127.0.0.1", 0, NOON) for _ in range(burst + 1)]

    assert answers[:-1] == [None] * burst
    assert answers[-1].status == status
    assert limits.handshake(venue, "127.0.0.1", 0, after(seconds)) is None


@pytest.mark.parametrize(("venue", "most"), [("deribit", 32), ("derive", 4)])
def test_an_address_has_so_many_connections_at_once(venue, most):
    limits = Limits()

    assert limits.handshake(venue, "127.0.0.1", most - 1, NOON) is None
    assert limits.handshake(venue, "127.0.0.1", most, NOON).status == 429
