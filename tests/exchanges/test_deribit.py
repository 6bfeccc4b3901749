import asyncio
import math
from datetime import UTC, datetime

import pytest

from bot.core.snapshot import compute_levels
from bot.errors import NotListed, SourceError
from bot.exchanges.deribit import Deribit, parse_chain
from tests.exchanges.wires import (
    AT_MS,
    NOW,
    NOW_MS,
    FakeWire,
    as_body,
    deribit_body,
    deribit_row,
)

NOTHING = [None, "", "none", ..., True, [], {}, "1_0"]  # what is no number


def eight(year, month, day):
    return int(datetime(year, month, day, 8, tzinfo=UTC).timestamp() * 1_000)


def books(**by_currency):
    return FakeWire(lambda path, params: by_currency[params["currency"]])


def deribit(wire):
    return Deribit(wire, lambda: NOW)


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
def test_a_row_without_a_stamp_or_with_one_to_come_is_of_now(stamp):
    chain = parse_chain("BTC", deribit_body(deribit_row(creation_timestamp=stamp)), NOW)

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
    assert [params for _, _, params in wire.asked] == [{"currency": "USDC", "kind": "option"}]


async def test_a_book_that_was_never_recorded_is_left_out():
    wire = books(BTC=deribit_body(deribit_row()), USDC=NotListed("deribit", "not recorded"))

    chain = await deribit(wire).fetch_chain("BTC")

    assert len(chain) == 1


async def test_a_failing_book_is_no_whole_chain():
    wire = books(BTC=deribit_body(deribit_row()), USDC=SourceError("deribit", "HTTP 502"))

    with pytest.raises(SourceError, match="HTTP 502") as caught:
        await deribit(wire).fetch_chain("BTC")

    assert not isinstance(caught.value, NotListed)


@pytest.mark.parametrize("rows", [(), (deribit_row("SOL_USDC-27MAR26-200-C"),)])
async def test_a_coin_that_no_row_names_is_not_listed(rows):
    with pytest.raises(NotListed, match="deribit: no HYPE options"):
        await deribit(books(USDC=deribit_body(*rows))).fetch_chain("HYPE")


async def test_a_book_of_nothing_but_unreadable_rows_is_an_outage():
    wire = books(BTC=deribit_body(None, {"name": "renamed"}), USDC=deribit_body())

    with pytest.raises(SourceError) as caught:
        await deribit(wire).fetch_chain("BTC")

    assert not isinstance(caught.value, NotListed)


@pytest.mark.parametrize(("coin", "index"), [("ETH", "eth_usd"), ("HYPE", "hype_usdc")])
async def test_spot_is_the_index_price(coin, index):
    answer = {"result": {"index_price": 70.25, "estimated_delivery_price": 70.0}}
    wire = FakeWire(lambda path, params: answer)

    tick = await deribit(wire).fetch_spot(coin)

    assert (tick.symbol, tick.spot, tick.at) == (f"{coin}USDT", 70.25, NOW)
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
    wire = SlowWire(lambda path, params: USDC)
    venue = deribit(wire)

    chains = asyncio.gather(venue.fetch_chain("SOL"), venue.fetch_chain("HYPE"))
    await asyncio.sleep(0)
    wire.told.set()

    assert [chain.strike.tolist() for chain in await chains] == [[200.0], [77.5]]
    assert len(wire.asked) == 1


async def test_a_book_is_asked_again_the_next_time():
    wire = books(USDC=USDC)
    venue = deribit(wire)

    await venue.fetch_chain("SOL")
    await venue.fetch_chain("SOL")

    assert len(wire.asked) == 2


async def test_who_gives_up_waiting_for_a_shared_book_takes_it_from_nobody():
    wire = SlowWire(lambda path, params: USDC)
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
    venue = deribit(FakeWire(lambda path, params: answers.pop(0)))

    first = await asyncio.gather(
        venue.fetch_chain("SOL"), venue.fetch_chain("HYPE"), return_exceptions=True
    )

    assert first == [refusal, refusal]
    assert len(await venue.fetch_chain("SOL")) == 1
