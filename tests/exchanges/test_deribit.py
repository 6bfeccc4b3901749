import asyncio
import math
from datetime import UTC, date, datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.chain import from_milliseconds
from bot.core.gex import ONE_PERCENT, exposure, live_rows
from bot.core.snapshot import Candle, Tick, compute_levels
from bot.core.words import MONTHS
from bot.errors import NotListed, SourceError
from bot.exchanges.deribit import (
    TERMS,
    Deribit,
    DeribitFeed,
    parse_book,
    parse_candles,
    parse_listing,
    read_name,
)
from bot.exchanges.feed import NOTHING as NOTHING_PUSHED
from tests.exchanges.wires import (
    AT_MS,
    NOW,
    NOW_MS,
    SENT_MS,
    FakeWire,
    as_body,
    deribit_body,
    deribit_row,
    rpc_body,
)
from tests.shared import WIRE, needs_shared

KEEP = timedelta(minutes=5)
REFUSAL = as_body({"error": {"code": 10_028, "message": "too_many_requests"}})
BOOK, INSTRUMENTS = (
    f"/api/v2/public/{method}" for method in ("get_book_summary_by_currency", "get_instruments")
)
NOTHING = [None, "", "none", ..., True, [], {}, "1_0"]  # what is no number


def eight(year, month, day):
    return int(datetime(year, month, day, 8, tzinfo=UTC).timestamp() * 1_000)


def with_listing(book, listing=REFUSAL):
    """An answer for either call: a book by the parameters, and the list of options."""
    return lambda path, params: listing if path == INSTRUMENTS else book(params)


def books(listing=REFUSAL, **by_currency):
    return FakeWire(with_listing(lambda params: by_currency[params["currency"]], listing))


def asked_of(wire, path):
    return [params for _, asked, params in wire.asked if asked == path]


def instrument(name="BTC-27MAR26-80000-C", **fields):
    """A listed option; a field given as ... is left out."""
    row = {
        "instrument_name": name,
        "kind": "option",
        "option_type": "call",
        "strike": 80_000.0,
        "expiration_timestamp": eight(2026, 3, 27),
        "contract_size": 1.0,
        "is_active": True,
    } | fields
    return {key: value for key, value in row.items() if value is not ...}


def deribit(wire, clock=lambda: NOW):
    return Deribit(wire, clock, KEEP)


def parse_chain(coin, body, now):
    return parse_book(body, now).chain(coin)


@pytest.mark.parametrize(
    ("coin", "name", "strike", "expiry", "is_call"),
    [
        ("XRP", "XRP_USDC-30OCT26-0d85-P", 0.85, eight(2026, 10, 30), False),
        ("SOL", "SOL_USDC-27DEC24-200d5-C", 200.5, eight(2024, 12, 27), True),
        ("BTC", "BTC-6JAN23-17500-C", 17_500.0, eight(2023, 1, 6), True),
        ("BTC", "BTC-06JAN23-17500-C", 17_500.0, eight(2023, 1, 6), True),
        ("BTC", "BTC_USDC-29FEB28-17500-P", 17_500.0, eight(2028, 2, 29), False),
        ("ETH", "ETH_USDT-4SEP26-6000-C", 6_000.0, eight(2026, 9, 4), True),
        ("HYPE", "HYPE_USDC-3MAR26-77d5-P", 77.5, eight(2026, 3, 3), False),
    ],
)
def test_a_name_says_strike_expiry_and_side(coin, name, strike, expiry, is_call):
    chain = parse_chain(coin, deribit_body(deribit_row(name)), NOW)

    assert chain.strike.tolist() == [strike]
    assert chain.expiry.tolist() == [expiry]
    assert chain.is_call.tolist() == [is_call]


def test_units_are_coins_dollars_and_fractions():
    chain = parse_chain("BTC", deribit_body(deribit_row(mark_iv=51.25, open_interest=120.5)), NOW)

    assert chain.iv.tolist() == [0.5125]
    assert chain.oi.tolist() == [120.5]
    assert chain.forward.tolist() == [80_100.5]
    assert chain.index.tolist() == [79_500.25]
    assert chain.at.tolist() == [AT_MS]


def test_numbers_may_come_as_text():
    row = deribit_row(mark_iv="51.25", open_interest="7", underlying_price="80100.5")

    chain = parse_chain("BTC", deribit_body(row), NOW)

    assert chain.iv.tolist() == [0.5125]
    assert chain.oi.tolist() == [7.0]
    assert chain.forward.tolist() == [80_100.5]


@pytest.mark.parametrize("value", NOTHING)
@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("open_interest", "oi"),
        ("mark_iv", "iv"),
        ("underlying_price", "forward"),
        ("estimated_delivery_price", "index"),
    ],
)
def test_what_is_no_number_is_not_given(field, column, value):
    chain = parse_chain("BTC", deribit_body(deribit_row(**{field: value})), NOW)

    assert len(chain) == 1
    assert math.isnan(getattr(chain, column)[0])


@pytest.mark.parametrize("price", [0, -1.5, 10**400, "inf", "nan"])
def test_a_forward_that_can_be_no_price_is_not_given(price):
    row = deribit_row(underlying_price=price, estimated_delivery_price=price)

    chain = parse_chain("BTC", deribit_body(row), NOW)

    assert math.isnan(chain.forward[0])
    assert math.isnan(chain.index[0])


def test_an_iv_of_zero_has_no_gamma_but_its_interest_counts():
    rows = [deribit_row("BTC-27MAR26-80000-C", mark_iv=0), deribit_row("BTC-27MAR26-70000-P")]
    rows[1]["mark_iv"] = None

    levels = compute_levels(parse_chain("BTC", deribit_body(*rows), NOW), 79_500.0, NOW)

    assert levels.dropped == {"iv_unusable": 2}
    assert levels.net_gex is None
    assert levels.all_expiry.hvl is None
    assert levels.max_pain is not None


@pytest.mark.parametrize(
    "name",
    [
        "BTC-CS-25DEC26-70000_75000",  # a combo
        "BTC-PERPETUAL",
        "BTC-27MAR26",
        "BTC-27XXX26-80000-C",
        "BTC-32MAR26-80000-C",
        "BTC-0MAR26-80000-C",
        "BTC-29FEB26-80000-C",
        "BTC-27mar26-80000-C",
        "BTC-27MAR26-80000-X",
        "BTC-27MAR26-0-C",
        "BTC-27MAR26-" + "9" * 400 + "-C",
        "BTC-27MAR26-80000-C ",
        "",
        None,
        17,
        ...,
    ],
)
def test_a_row_whose_name_says_no_option_is_dropped_and_counted(name):
    chain = parse_chain("BTC", deribit_body(deribit_row(name), deribit_row()), NOW)

    assert chain.strike.tolist() == [80_000.0]
    assert chain.unreadable == {"row_unreadable": 1}


@pytest.mark.parametrize("row", [None, 5, "BTC-27MAR26-80000-C", [], [deribit_row()], True])
def test_what_is_no_row_is_dropped_and_counted(row):
    chain = parse_chain("BTC", deribit_body(deribit_row(), row), NOW)

    assert len(chain) == 1
    assert chain.unreadable == {"row_unreadable": 1}


def test_other_coins_of_the_book_are_passed_over():
    names = ("SOL_USDC-27MAR26-200-C", "BTC_USDC-27MAR26-80000-C", "HYPE_USDC-27MAR26-77d5-P")
    body = deribit_body(*map(deribit_row, names))

    chain = parse_chain("HYPE", body, NOW)

    assert chain.strike.tolist() == [77.5]
    assert chain.unreadable == {}


@pytest.mark.parametrize("stamp", [NOW_MS + 60_000, NOW_MS * 1_000, None, ..., 0, -5, "soon", {}])
def test_a_row_without_a_stamp_or_with_one_to_come_is_of_when_it_was_sent(stamp):
    chain = parse_chain("BTC", deribit_body(deribit_row(creation_timestamp=stamp)), NOW)

    assert chain.at.tolist() == [SENT_MS]
    assert chain.sources[0].at.timestamp() * 1_000 == SENT_MS


@pytest.mark.parametrize("sent", [(NOW_MS + 60_000) * 1_000, None, 0, -5, "soon", {}])
def test_an_answer_that_was_sent_at_no_time_or_later_is_of_now(sent):
    body = deribit_body(deribit_row(creation_timestamp=None), usOut=sent)

    chain = parse_chain("BTC", body, NOW)

    assert chain.at.tolist() == [NOW_MS]
    assert chain.sources[0].at == NOW


@pytest.mark.parametrize(
    "error",
    [
        {"message": "too_many_requests", "code": 10028},
        {"message": "too_many_requests", "code": 10028, "data": {"reason": "x"}},
    ],
)
def test_an_error_says_what_the_venue_said(error):
    body = as_body({"jsonrpc": "2.0", "error": error, "usIn": 1})

    with pytest.raises(SourceError, match=r"deribit: too_many_requests \(10028\)"):
        parse_chain("BTC", body, NOW)


@pytest.mark.parametrize(
    "body",
    [
        deribit_body(deribit_row())[:-30],
        deribit_body(deribit_row())[:1],
        b"",
        b"<html><body>502 Bad Gateway</body></html>",
        b"null",
        b"[]",
        b"7",
        b"\xff\xfe{}",
        as_body({}),
        as_body({"result": None}),
        as_body({"result": {"tickers": {}}}),
        as_body({"error": "maintenance"}),
        as_body({"error": {"message": None, "code": "x"}}),
        as_body({"error": {}}),
    ],
)
def test_an_answer_that_is_no_book_is_a_source_error(body):
    with pytest.raises(SourceError, match=r"^deribit: .+"):
        parse_chain("BTC", body, NOW)


async def test_both_books_of_a_coin_are_one_source():
    older = AT_MS - 9_000
    wire = books(
        BTC=deribit_body(deribit_row(), deribit_row("BTC-27MAR26-70000-P")),
        USDC=deribit_body(
            deribit_row("BTC_USDC-27MAR26-80000-C", creation_timestamp=older, open_interest=3),
            deribit_row("SOL_USDC-27MAR26-200-C"),
        ),
    )

    chain = await deribit(wire).fetch_chain("BTC")

    assert [(s.venue, s.rows) for s in chain.sources] == [("deribit", 3)]
    assert chain.sources[0].at.timestamp() * 1_000 == older
    assert chain.venue.tolist() == [0, 0, 0]
    assert chain.oi[chain.strike == 80_000].tolist() == [120.5, 3.0]  # added, not replaced


async def test_a_coin_without_a_book_of_its_own_is_in_the_usdc_book():
    wire = books(USDC=deribit_body(deribit_row("SOL_USDC-27MAR26-200-C")))

    chain = await deribit(wire).fetch_chain("SOL")

    assert chain.strike.tolist() == [200.0]
    assert asked_of(wire, BOOK) == [{"currency": "USDC", "kind": "option"}]


async def test_a_book_that_was_never_recorded_is_left_out():
    wire = books(BTC=deribit_body(deribit_row()), USDC=NotListed("deribit", "not recorded"))

    chain = await deribit(wire).fetch_chain("BTC")

    assert len(chain) == 1


async def test_a_failing_book_is_no_whole_chain():
    wire = books(BTC=deribit_body(deribit_row()), USDC=SourceError("deribit", "HTTP 502"))

    with pytest.raises(SourceError, match="HTTP 502") as caught:
        await deribit(wire).fetch_chain("BTC")

    assert not isinstance(caught.value, NotListed)


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (deribit_row("SOL_USDC-27MAR26-200-C"),),
        (deribit_row("SOL_USDC-27MAR26-200-C"), deribit_row("1NEW_USDC-27MAR26-200-C"), None),
    ],
)
async def test_a_coin_that_no_row_names_is_not_listed(rows):
    with pytest.raises(NotListed, match="deribit: no HYPE options"):
        await deribit(books(USDC=deribit_body(*rows))).fetch_chain("HYPE")


async def test_a_book_of_nothing_but_unreadable_rows_is_an_outage():
    wire = books(BTC=deribit_body(None, {"name": "renamed"}), USDC=deribit_body())

    with pytest.raises(SourceError) as caught:
        await deribit(wire).fetch_chain("BTC")

    assert not isinstance(caught.value, NotListed)


@pytest.mark.parametrize(("coin", "index"), [("ETH", "eth_usd"), ("HYPE", "hype_usdc")])
async def test_spot_is_the_index_price_as_of_when_it_was_sent(coin, index):
    answer = rpc_body({"index_price": 70.25, "estimated_delivery_price": 70.0})
    wire = FakeWire(lambda path, params: answer)

    tick = await deribit(wire).fetch_spot(coin)

    assert tick == Tick(f"{coin}USDT", from_milliseconds(SENT_MS), 70.25, "deribit")
    assert wire.asked == [("GET", "/api/v2/public/get_index_price", {"index_name": index})]


@pytest.mark.parametrize(
    ("coin", "name"), [("BTC", "BTC-PERPETUAL"), ("SOL", "SOL_USDC-PERPETUAL")]
)
async def test_the_perpetual_is_its_mark_price(coin, name):
    wire = FakeWire(lambda path, params: {"result": {"mark_price": 70.5, "last_price": 1}})

    price = await deribit(wire).fetch_perpetual(coin)

    assert price == 70.5
    assert wire.asked == [("GET", "/api/v2/public/ticker", {"instrument_name": name})]


@pytest.mark.parametrize("price", [0, -3.5, None, "", "x", ...])
async def test_a_price_that_can_be_none_is_a_source_error(price):
    result = {} if price is ... else {"index_price": price, "mark_price": price}
    venue = deribit(FakeWire(lambda path, params: {"result": result}))

    for fetch in (venue.fetch_spot, venue.fetch_perpetual):
        with pytest.raises(SourceError, match=r"^deribit: .+"):
            await fetch("BTC")


async def test_a_refused_price_says_what_the_venue_said():
    answer = {"jsonrpc": "2.0", "error": {"message": "too_many_requests", "code": 10028}}
    venue = deribit(FakeWire(lambda path, params: answer))

    for fetch in (venue.fetch_spot, venue.fetch_perpetual):
        with pytest.raises(SourceError, match="too_many_requests"):
            await fetch("BTC")


def test_a_book_is_as_old_as_its_newest_row():
    early = AT_MS - 540_000
    rows = [deribit_row(creation_timestamp=AT_MS), deribit_row(creation_timestamp=early)]

    chain = parse_chain("BTC", deribit_body(*rows), NOW)

    assert chain.at.tolist() == [AT_MS, early]
    assert chain.sources[0].at.timestamp() * 1_000 == AT_MS


class SlowWire(FakeWire):
    """Answers when it is told to."""

    def __init__(self, answer):
        super().__init__(answer)
        self.told = asyncio.Event()

    async def ask(self, venue, method, path, params):
        body = await super().ask(venue, method, path, params)
        await self.told.wait()
        return body


USDC = deribit_body(deribit_row("SOL_USDC-27MAR26-200-C"), deribit_row("HYPE_USDC-27MAR26-77d5-P"))


async def test_coins_that_are_due_together_share_the_usdc_book():
    wire = SlowWire(with_listing(lambda params: USDC))
    venue = deribit(wire)

    chains = asyncio.gather(venue.fetch_chain("SOL"), venue.fetch_chain("HYPE"))
    await asyncio.sleep(0)
    wire.told.set()

    assert [chain.strike.tolist() for chain in await chains] == [[200.0], [77.5]]
    assert len(asked_of(wire, BOOK)) == len(asked_of(wire, INSTRUMENTS)) == 1


async def test_a_book_is_asked_again_the_next_time():
    wire = books(USDC=USDC)
    venue = deribit(wire)

    await venue.fetch_chain("SOL")
    await venue.fetch_chain("SOL")

    assert len(asked_of(wire, BOOK)) == 2


async def test_who_gives_up_waiting_for_a_shared_book_takes_it_from_nobody():
    wire = SlowWire(with_listing(lambda params: USDC))
    venue = deribit(wire)
    impatient = asyncio.create_task(venue.fetch_chain("SOL"))
    patient = asyncio.create_task(venue.fetch_chain("HYPE"))
    await asyncio.sleep(0)

    impatient.cancel()
    await asyncio.sleep(0)
    wire.told.set()

    assert (await patient).strike.tolist() == [77.5]
    assert impatient.cancelled()


async def test_a_failing_shared_book_fails_everyone_once_and_not_the_next_time():
    refusal = SourceError("deribit", "HTTP 502")
    answers = [refusal, USDC]
    venue = deribit(FakeWire(with_listing(lambda params: answers.pop(0))))

    first = await asyncio.gather(
        venue.fetch_chain("SOL"), venue.fetch_chain("HYPE"), return_exceptions=True
    )

    assert first == [refusal, refusal]
    assert len(await venue.fetch_chain("SOL")) == 1


class Clock:
    """A time that the test moves."""

    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at


def stamped(name, at):
    return deribit_row(name, creation_timestamp=int(at.timestamp() * 1_000))


async def test_the_last_book_stands_in_for_one_that_fails_and_the_chain_is_as_old_as_it():
    bodies = {"BTC": deribit_body(stamped("BTC-27MAR26-80000-C", NOW))}
    bodies["USDC"] = deribit_body(stamped("BTC_USDC-27MAR26-80000-C", NOW))
    clock, wire = Clock(), FakeWire(with_listing(lambda params: bodies[params["currency"]]))
    venue = deribit(wire, clock)
    await venue.fetch_chain("BTC")
    clock.at = NOW + KEEP
    bodies["BTC"] = deribit_body(stamped("BTC-27MAR26-80000-C", clock.at))
    bodies["USDC"] = SourceError("deribit", "HTTP 502")

    chain = await venue.fetch_chain("BTC")

    assert [(source.at, source.rows) for source in chain.sources] == [(NOW, 2)]
    assert sorted(chain.at.tolist()) == [NOW_MS, NOW_MS + KEEP.total_seconds() * 1_000]


@pytest.mark.parametrize("body", [b"<html>", b"", REFUSAL])
async def test_an_unreadable_book_is_stood_in_for_until_the_last_one_is_too_old(body):
    bodies = [deribit_body(deribit_row("SOL_USDC-27MAR26-200-C")), body, body]
    clock, wire = Clock(), FakeWire(with_listing(lambda params: bodies.pop(0)))
    venue = deribit(wire, clock)
    await venue.fetch_chain("SOL")

    clock.at = NOW + KEEP
    chain = await venue.fetch_chain("SOL")
    clock.at += timedelta(seconds=1)

    assert chain.at.tolist() == [AT_MS]
    with pytest.raises(SourceError, match=r"^deribit: "):
        await venue.fetch_chain("SOL")


async def test_an_index_that_is_refused_is_read_from_the_perpetual():
    def answer(path, params):
        if path.endswith("ticker"):
            return rpc_body({"index_price": 70.25, "mark_price": 71})
        return {"error": {"code": -32602, "message": "Invalid params"}}

    wire = FakeWire(answer)

    tick = await deribit(wire).fetch_spot("HYPE")

    assert (tick.spot, tick.at.timestamp() * 1_000) == (70.25, SENT_MS)
    assert wire.asked[-1][-1] == {"instrument_name": "HYPE_USDC-PERPETUAL"}


async def test_a_venue_that_is_not_reached_is_not_asked_for_the_perpetual_too():
    wire = FakeWire(lambda path, params: SourceError("deribit", "not reached"))

    with pytest.raises(SourceError, match="not reached"):
        await deribit(wire).fetch_spot("HYPE")

    assert len(wire.asked) == 1


NOON = eight(2026, 3, 27) + 4 * 3_600_000
DAY_MS = 86_400_000


async def test_metadata_says_strike_and_expiry():
    listing = rpc_body([instrument(strike=80_000.5, expiration_timestamp=NOON)])
    wire = books(listing, BTC=deribit_body(deribit_row()), USDC=USDC)

    chain = await deribit(wire).fetch_chain("BTC")

    assert (chain.expiry.tolist(), chain.strike.tolist()) == ([NOON], [80_000.5])
    assert asked_of(wire, INSTRUMENTS) == [
        {"currency": currency, "kind": "option", "expired": "false"} for currency in ("BTC", "USDC")
    ]


async def test_a_new_option_that_metadata_does_not_know_yet_expires_by_its_name():
    new = deribit_row("BTC-28MAR26-80000-C")
    listing = rpc_body([instrument(expiration_timestamp=NOON)])

    chain = await deribit(
        books(listing, BTC=deribit_body(deribit_row(), new), USDC=USDC)
    ).fetch_chain("BTC")

    assert chain.expiry.tolist() == [NOON, eight(2026, 3, 28)]


@pytest.mark.parametrize(
    "told",
    [*NOTHING, 0, -1, 10**400, NOON // 1_000, NOON * 1_000]
    + [eight(2026, 3, 27) + days * DAY_MS for days in (-1, 1)],
)
def test_an_expiry_that_is_not_near_the_day_in_the_name_is_junk(told):
    listed = parse_listing(rpc_body([instrument(expiration_timestamp=told, strike=..., kind=5)]))

    assert listed == {"BTC-27MAR26-80000-C": ("BTC", eight(2026, 3, 27), 80_000.0, True)}


@pytest.mark.parametrize(
    "listing",
    [
        SourceError("deribit", "HTTP 502"),
        NotListed("deribit", "not in this recording"),
        REFUSAL,
        b"",
        b"<html>",
        rpc_body([]),
        rpc_body([None, 5, instrument("BTC-PERPETUAL"), instrument(None)]),
        rpc_body({}),
    ],
)
async def test_metadata_that_cannot_be_had_costs_nothing(listing):
    book = deribit_body(deribit_row())

    chain = await deribit(books(listing, BTC=book, USDC=USDC)).fetch_chain("BTC")

    assert chain.expiry.tolist() == [eight(2026, 3, 27)]
    assert chain.sources[0].at.timestamp() * 1_000 == AT_MS


async def test_metadata_is_asked_for_once_an_hour_and_makes_no_chain_older():
    clock = Clock()
    listing = rpc_body([instrument("SOL_USDC-27MAR26-200-C", expiration_timestamp=NOON)])
    wire = books(listing, USDC=deribit_body(deribit_row("SOL_USDC-27MAR26-200-C")))
    venue = deribit(wire, clock)

    for minutes in (0, 30, 29, 1):
        clock.at += timedelta(minutes=minutes)
        chain = await venue.fetch_chain("SOL")

    assert len(asked_of(wire, INSTRUMENTS)) == 2
    assert chain.expiry.tolist() == [NOON]
    assert chain.sources[0].at.timestamp() * 1_000 == AT_MS


def test_metadata_is_asked_for_within_its_own_limit():
    slowest = min(
        (limit for limit in TERMS.limits if INSTRUMENTS.startswith(limit.path)),
        key=lambda limit: limit.amount / limit.seconds,
    )

    assert (slowest.amount, slowest.seconds, slowest.path) == (50, 50.0, INSTRUMENTS)
    assert not BOOK.startswith(slowest.path)


@needs_shared
@pytest.mark.parametrize(
    "name", ["get_instruments.BTC.2021.json", "get_instruments.BTC.option.trimmed.json"]
)
def test_real_metadata_says_what_names_say(name):
    body = (WIRE / "deribit" / name).read_bytes()
    rows = msgspec.json.decode(body)["result"]

    listed = parse_listing(body)

    options = {row["instrument_name"]: row for row in rows if row["kind"] == "option"}
    assert {one: (contract.expiry, contract.strike) for one, contract in listed.items()} == {
        one: (row["expiration_timestamp"], row["strike"]) for one, row in options.items()
    }
    assert all(contract == read_name(one) for one, contract in listed.items())


def test_the_published_gamma_is_found_from_the_row():
    row = deribit_row(
        "BTC-27SEP24-40000-C",
        underlying_price=38_992.71,
        estimated_delivery_price=36_552.72,
        mark_iv=61.27,
        open_interest=368.8,
        creation_timestamp=1_699_578_548_021,
    )
    at = from_milliseconds(1_699_578_548_021)

    chain = parse_chain("BTC", deribit_body(row), at)
    rows = live_rows(chain, 36_552.72, at)
    gamma = exposure(rows) / (rows.oi * rows.forward**2 * ONE_PERCENT)

    np.testing.assert_allclose(rows.d1, 0.24356734, rtol=1e-7)
    np.testing.assert_allclose(gamma, 1.725133e-05, rtol=1e-6)


DAYS = st.dates(date(2024, 1, 1), date(2099, 12, 31))


@given(
    coin=st.sampled_from(("BTC", "SOL", "HYPE")),
    quote=st.sampled_from(("", "_USDC", "_USDT")),
    day=DAYS,
    cents=st.integers(1, 10**9),
    side=st.sampled_from("CP"),
)
def test_a_name_made_of_an_option_tells_of_that_option(coin, quote, day, cents, side):
    strike = f"{cents / 100:f}".rstrip("0").rstrip(".").replace(".", "d")
    written = f"{day.day}{MONTHS[day.month - 1]}{day:%y}"

    contract = read_name(f"{coin}{quote}-{written}-{strike}-{side}")

    assert contract == (coin, eight(day.year, day.month, day.day), cents / 100, side == "C")


HALF_HOUR = timedelta(minutes=30)


def chart_body(*opened, **columns):
    """A chart with candles that opened then, each of 12.5 coins."""
    prices = {"open": 80_000.5, "high": 80_100, "low": 79_900.5, "close": 80_050, "volume": 12.5}
    chart = {"ticks": [int(at.timestamp() * 1_000) for at in opened], "status": "ok"}
    chart |= {name: [price] * len(opened) for name, price in prices.items()}
    return rpc_body(chart | {"cost": [1.0] * len(opened)} | columns)


def test_a_candle_is_its_opening_time_prices_and_coins():
    candles = parse_candles(chart_body(NOW - HALF_HOUR), NOW)

    assert candles == [Candle(NOW - HALF_HOUR, 80_000.5, 80_100.0, 79_900.5, 80_050.0, 12.5)]


def test_candles_are_those_of_the_last_48_hours_ascending_the_open_one_included():
    body = chart_body(*(NOW + step * HALF_HOUR for step in (-97, -96, -95, -1, 0, 1)))

    times = [candle.datetime for candle in parse_candles(body, NOW)]

    assert times == [NOW - 95 * HALF_HOUR, NOW - HALF_HOUR, NOW]


@pytest.mark.parametrize(
    "body", [rpc_body({"status": "no_data"}), rpc_body({"status": "no_data", "ticks": []})]
)
def test_no_candles_are_no_trouble(body):
    assert parse_candles(body, NOW) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        REFUSAL,
        rpc_body([]),
        chart_body(NOW)[:-9],
        chart_body(NOW, ticks=None),
        chart_body(NOW, ticks=[]),
        chart_body(NOW, ticks=[10**18]),
        chart_body(NOW, ticks=[-1]),
        chart_body(NOW, ticks=["soon"]),
        chart_body(NOW, close=[None]),
        chart_body(NOW, close=["inf"]),
        chart_body(NOW, volume=[1, 2]),
    ],
)
def test_an_answer_that_is_no_chart_is_a_source_error(body):
    with pytest.raises(SourceError, match=r"^deribit: .+"):
        parse_candles(body, NOW)


@pytest.mark.parametrize(
    ("symbol", "name"), [("ETHUSDT", "ETH-PERPETUAL"), ("HYPEUSDT", "HYPE_USDC-PERPETUAL")]
)
async def test_candles_are_asked_of_the_perpetual_by_whole_minutes(symbol, name):
    wire = FakeWire(lambda path, params: chart_body(NOW))

    candles = await deribit(wire, lambda: NOW + timedelta(seconds=59)).fetch_candles(symbol)

    assert len(candles) == 1
    [(method, path, params)] = wire.asked
    assert (method, path) == ("GET", "/api/v2/public/get_tradingview_chart_data")
    assert params == {
        "instrument_name": name,
        "start_timestamp": str(NOW_MS - 48 * 3_600_000),
        "end_timestamp": str(NOW_MS),
        "resolution": "30",
    }


@pytest.mark.parametrize(
    ("body", "too_many"),
    [
        (REFUSAL, True),
        (as_body({"error": {"code": -32602, "message": "10028"}}), False),
        (rpc_body({"index_price": 10_028}), False),
        (b'{"error":', False),
        (b"10028", False),
    ],
)
def test_too_many_requests_are_told_by_the_code_of_the_error(body, too_many):
    assert TERMS.is_too_many(body) is too_many


def feed(*coins):
    return DeribitFeed(coins, lambda: NOW)


def push(channel="deribit_price_index.btc_usd", method="subscription", **data):
    quote = {"index_name": "btc_usd", "price": 80_000.5, "timestamp": AT_MS} | data
    params = {"channel": channel, "data": quote}
    return as_body({"jsonrpc": "2.0", "method": method, "params": params}).decode()


def test_the_stream_is_greeted_with_heartbeats_and_a_subscription_a_coin():
    messages = list(map(msgspec.json.decode, feed("BTC", "SOL", "HYPE").greeting()))

    assert [message["id"] for message in messages] == [1, 2, 3, 4]
    assert [(message["method"], message["params"]) for message in messages] == [
        ("public/set_heartbeat", {"interval": 30}),
        ("public/subscribe", {"channels": ["deribit_price_index.btc_usd"]}),
        ("public/subscribe", {"channels": ["deribit_price_index.sol_usdc"]}),
        ("public/subscribe", {"channels": ["deribit_price_index.hype_usdc"]}),
    ]


def test_a_pushed_index_price_is_a_tick_as_of_its_stamp():
    pushed = feed("BTC").read(push())

    assert pushed.ticks == (Tick("BTCUSDT", from_milliseconds(AT_MS), 80_000.5, "deribit"),)
    assert pushed.replies == ()


@pytest.mark.parametrize("stamp", [NOW_MS + 1, None, "soon", 0, -1, 10**30, {}])
def test_a_pushed_price_without_a_stamp_or_with_one_to_come_is_of_now(stamp):
    [tick] = feed("BTC").read(push(timestamp=stamp)).ticks

    assert tick.at == NOW


def test_a_heartbeat_that_asks_is_answered_and_one_that_does_not_is_not():
    asking = '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}'
    venue = feed("BTC")

    [reply] = venue.read(asking).replies

    assert msgspec.json.decode(reply)["method"] == "public/test"
    assert venue.read(asking.replace("test_request", "heartbeat")) == NOTHING_PUSHED
    assert venue.ping() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "\ud800",
        push()[:-3],
        push("deribit_price_index.eth_usd"),
        push(method="heartbeat"),
        push(channel=None),
        push(channel=["deribit_price_index.btc_usd"]),
        push(price=None),
        push(price=0),
        push(price=-1),
        push(price="nan"),
        push(price=1e16),
        push(price=10**400),
        '{"jsonrpc":"2.0","id":2,"result":["deribit_price_index.btc_usd"]}',
        '{"jsonrpc":"2.0","id":2,"error":{"code":11050,"message":"bad_request"}}',
        '{"method":"subscription","params":{"channel":"deribit_price_index.btc_usd"}}',
        '{"method":"subscription","params":{"channel":"deribit_price_index.btc_usd","data":7}}',
    ],
)
def test_a_message_without_a_price_gives_nothing(text):
    assert feed("BTC").read(text) == NOTHING_PUSHED


@given(text=st.text())
def test_any_message_is_read(text):
    assert feed("BTC").read(text) == NOTHING_PUSHED
