from datetime import timedelta

import numpy as np
import pytest

from bot.api import answers
from bot.core.breakdown import by_expiry, by_strike, day_names, pains
from bot.core.chain import milliseconds
from bot.core.snapshot import compute_levels
from tests.fakes import BOOK, EXPIRIES, NOON, SPOT, make_chain

CHAIN = make_chain(("deribit", "bybit"))
LEVELS = compute_levels(CHAIN, SPOT, NOON)


def test_the_strikes_sum_to_net_gex_and_to_all_open_interest():
    rows = by_strike(CHAIN, SPOT, NOON)

    assert [row.strike for row in rows] == [strike for strike, *_ in BOOK]
    np.testing.assert_allclose(sum(row.net_gex for row in rows), LEVELS.net_gex)
    np.testing.assert_allclose(
        sum(row.call_oi + row.put_oi for row in rows), CHAIN.oi.sum(), rtol=1e-12
    )


def test_the_largest_strike_is_the_first_of_the_ranking():
    rows = by_strike(CHAIN, SPOT, NOON)

    largest = max(rows, key=lambda row: abs(row.net_gex))
    assert (largest.strike, largest.net_gex) == (LEVELS.ranked[0].strike, LEVELS.ranked[0].net_gex)


def test_the_expiries_sum_to_the_whole():
    rows = by_expiry(CHAIN, SPOT, NOON)

    assert [row.expiry for row in rows] == [NOON + left for left in EXPIRIES]
    assert rows[0].hours_left == 20
    np.testing.assert_allclose(sum(row.net_gex for row in rows), LEVELS.net_gex)
    np.testing.assert_allclose(sum(row.call_oi + row.put_oi for row in rows), CHAIN.oi.sum())


def test_the_nearest_max_pain_is_the_levels_own():
    assert next(iter(pains(CHAIN, SPOT, NOON).values())) == LEVELS.max_pain


@pytest.mark.parametrize(("expiry", "count"), [("all", 3), ("0dte", 1), ("20MAR26", 1), ("x", 0)])
def test_expiries_are_those_that_are_asked_for(expiry, count):
    assert len(pains(CHAIN, SPOT, NOON, expiry)) == count


def test_an_expiry_that_is_over_is_gone():
    later = NOON + timedelta(hours=20)

    assert [row.expiry for row in by_expiry(CHAIN, SPOT, later)] == [
        NOON + left for left in EXPIRIES[1:]
    ]
    assert by_strike(CHAIN, SPOT, later, "0dte") == []


def test_an_expiry_nobody_holds_has_no_max_pain():
    empty = make_chain(iv=float("nan"))
    empty.oi[:] = 0

    assert list(pains(empty, SPOT, NOON).items()) == [(NOON + left, None) for left in EXPIRIES]
    assert {(row.max_pain, row.atm_iv, row.net_gex) for row in by_expiry(empty, SPOT, NOON)} == {
        (None, None, 0.0)
    }


def test_an_expiry_nobody_holds_stands_in_the_table_and_the_next_one_counts():
    chain = make_chain()
    nearest, *others = EXPIRIES
    chain.oi[chain.expiry == milliseconds(NOON + nearest)] = 0

    table = pains(chain, SPOT, NOON)
    answer = answers.pains("all", table, NOON)

    assert [one.max_pain is None for one in answer.per_expiry] == [True, *(False for _ in others)]
    assert answer.max_pain == table[NOON + others[0]]


def test_a_day_is_written_in_three_ways():
    march = NOON.replace(day=7)

    assert list(day_names(milliseconds(march))) == ["2026-03-07", "7MAR26", "07MAR26"]
