from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sim.coins import BTC, COINS, ETH, HYPE, SOL
from bot.sim.listing import Kind, kind_of, listing, live_expiries

HOUR = timedelta(hours=1)
YEAR = datetime(2026, 1, 1, tzinfo=UTC)

times = st.timedeltas(timedelta(), timedelta(days=1000)).map(lambda since: YEAR + since)
coins = st.sampled_from(list(COINS.values()))


def contracts(coin, at):
    rows = listing(coin, at)
    return set(zip(rows.expiry.tolist(), rows.strike.tolist(), rows.is_call.tolist(), strict=True))


@given(coin=coins, at=times)
def test_every_expiry_lies_ahead_at_eight_utc(coin, at):
    expiries = live_expiries(coin, at)

    assert expiries == sorted(set(expiries))
    assert all(expiry > at for expiry in expiries)
    assert {(expiry.hour, expiry.minute, expiry.tzinfo) for expiry in expiries} == {(8, 0, UTC)}


def test_a_thursday_morning_lists_what_deribit_does():
    expiries = live_expiries(BTC, datetime(2026, 4, 23, 5, 38, tzinfo=UTC))

    assert [f"{expiry:%a %Y-%m-%d}" for expiry in expiries] == [
        "Thu 2026-04-23",
        "Fri 2026-04-24",
        "Sat 2026-04-25",
        "Sun 2026-04-26",
        "Fri 2026-05-01",
        "Fri 2026-05-08",
        "Fri 2026-05-29",
        "Fri 2026-06-26",
        "Fri 2026-09-25",
        "Fri 2026-12-25",
        "Fri 2027-03-26",
    ]


def test_at_eight_the_oldest_expiry_leaves_and_new_ones_appear():
    eight = datetime(2026, 4, 23, 8, tzinfo=UTC)

    before = live_expiries(BTC, eight - timedelta(microseconds=1))
    after = live_expiries(BTC, eight)

    assert set(before) - set(after) == {eight}
    assert [f"{expiry:%a %d %b}" for expiry in sorted(set(after) - set(before))] == [
        "Mon 27 Apr",
        "Fri 15 May",
        "Fri 31 Jul",
    ]


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 11, 26), Kind.DAILY),
        (date(2026, 11, 20), Kind.WEEKLY),
        (date(2026, 11, 27), Kind.MONTHLY),
        (date(2026, 12, 18), Kind.WEEKLY),
        (date(2026, 12, 25), Kind.QUARTERLY),
    ],
)
def test_the_calendar_alone_says_what_kind_an_expiry_is(day, kind):
    assert kind_of(day) is kind


@pytest.mark.parametrize("coin", COINS.values(), ids=COINS)
def test_a_listed_option_stays_listed_until_it_expires(coin):
    at = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
    listed = contracts(coin, at)

    for _ in range(24 * 60):
        at += HOUR
        now_listed = contracts(coin, at)
        assert all(expiry <= at.timestamp() for expiry, *_ in listed - now_listed)
        listed = now_listed


@given(coin=coins, at=times)
def test_every_strike_has_a_call_and_a_put(coin, at):
    listed = contracts(coin, at)

    assert len(listed) == len(listing(coin, at).strike)
    assert {(expiry, strike, not is_call) for expiry, strike, is_call in listed} == listed


def test_strikes_reach_further_for_later_kinds():
    rows = listing(BTC, datetime(2026, 11, 22, tzinfo=UTC))

    reach = [np.ptp(rows.strike[rows.kind == kind]) for kind in Kind]

    assert reach == sorted(reach)


@pytest.mark.parametrize(
    ("coin", "fewest", "most"),
    [(BTC, 850, 1010), (ETH, 740, 900), (SOL, 660, 840), (HYPE, 280, 510)],
)
@given(at=times)
def test_a_chain_has_about_as_many_rows_as_the_real_one(coin, fewest, most, at):
    assert fewest <= len(listing(coin, at).strike) <= most
